"""What strangers are asked by: the same each time, and like everybody's."""

from collections import Counter
from pathlib import Path

import pytest

from ninsho.sasl.secrets import SCRAM_ITERATIONS, ScramSha1Keys, ScramSha256Keys
from ninsho.stores import site_key
from ninsho.stores.decoys import Decoys, Model

KEY = bytes(range(32))


def test_a_name_has_the_same_keys_after_a_restart_and_whatever_its_case() -> None:
    first, second = Decoys(KEY), Decoys(KEY)
    assert first.keys("nobody", ScramSha256Keys) == second.keys("NoBody", ScramSha256Keys)


def test_names_hash_functions_and_sites_have_salts_of_their_own() -> None:
    salts = {
        Decoys(key).keys(name, kind).salt
        for key in (KEY, KEY[::-1])
        for name in ("one", "other")
        for kind in (ScramSha1Keys, ScramSha256Keys)
    }
    assert len(salts) == 8


def test_without_models_strangers_look_like_accounts_that_are_made_here() -> None:
    stranger, made = Decoys(KEY).keys("nobody", ScramSha256Keys), ScramSha256Keys.of(b"p", iterations=1)
    assert stranger.iterations == SCRAM_ITERATIONS
    assert [len(part) for part in (stranger.salt, stranger.stored_key, stranger.server_key)] == [
        len(part) for part in (made.salt, made.stored_key, made.server_key)
    ]


def test_strangers_have_the_iteration_counts_of_the_site_in_their_proportion() -> None:
    models = [Model(4096, 12)] * 3 + [Model(10_000, 24)]
    made = Decoys(KEY, {ScramSha256Keys: models})
    keys = [made.keys(f"user{number}", ScramSha256Keys) for number in range(400)]
    assert {(one.iterations, len(one.salt)) for one in keys} == {(4096, 12), (10_000, 24)}
    assert 250 < Counter(one.iterations for one in keys)[4096] < 350


def test_the_site_s_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "site.key"
    key = site_key.load(path)
    assert (len(key), site_key.load(path)) == (32, key)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [*tmp_path.iterdir()] == [path]


def test_a_key_file_that_is_too_short_is_none(tmp_path: Path) -> None:
    for size in (0, 5, 65):
        (tmp_path / "site.key").write_bytes(bytes(size))
        with pytest.raises(ValueError, match=f"expected 32 to 64 octets, got {size}"):
            site_key.load(tmp_path / "site.key")


def test_a_key_cannot_be_made_where_there_is_no_directory(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        site_key.load(tmp_path / "nowhere" / "site.key")


def test_one_account_more_changes_few_strangers_and_their_order_none() -> None:
    models = [Model(4096)] * 40 + [Model(10_000)] * 40
    names = [f"user{number}" for number in range(500)]

    def counts(found: list[Model]) -> list[int]:
        decoys = Decoys(KEY, {ScramSha256Keys: found})
        return [decoys.keys(name, ScramSha256Keys).iterations for name in names]

    assert counts(models) == counts(models[::-1])
    changed = sum(one != other for one, other in zip(counts(models), counts([*models, Model(4096)]), strict=True))
    assert changed < 20


def test_the_salt_stays_when_a_stranger_becomes_known() -> None:
    decoys = Decoys(KEY)
    assert decoys.salt("alice", "scram-sha-256") == decoys.keys("Alice", ScramSha256Keys).salt
    assert decoys.salt("alice", "ARGON2ID") is None
