"""Weak schemes count only where they are permitted, and some never."""

import json
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from ninsho.errors import MalformedSecret
from ninsho.stores import hashing
from ninsho.stores.passwords import decoy_like
from ninsho.stores.schemes.table import REFUSED as NEVER

Vector: TypeAlias = dict[str, Any]

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "password_schemes.json").read_text())["vectors"]
REFUSED = [row for row in VECTORS if row["weak"]]
WEAK = frozenset(scheme.name for scheme in hashing.weak_schemes())


@pytest.mark.parametrize("vector", REFUSED, ids=lambda vector: vector["stored"][:24])
def test_a_weak_scheme_is_refused_by_name_unless_it_is_permitted(vector: Vector) -> None:
    others = WEAK - {hashing.scheme_of(vector["stored"])}
    for permitted in (frozenset(), others):
        with pytest.raises(
            MalformedSecret, match=r"^scheme [A-Z0-9-]+ is weak, and passwords.weak does not permit it$"
        ):
            hashing.verify(vector["stored"], vector["password"], permitted=permitted)
        with pytest.raises(
            MalformedSecret, match=r"^scheme [A-Z0-9-]+ is weak, and passwords.weak does not permit it$"
        ):
            hashing.verify_if_cheap(vector["stored"], vector["password"], permitted=permitted)
        assert hashing.is_cheap(vector["stored"], permitted=permitted)


@pytest.mark.parametrize("stored", [*(f"{{{name}}}x" for name in NEVER), "$3$$8846f7eaee8fb117ad06bdd830b7586c"])
def test_some_schemes_are_never_accepted_and_the_reason_is_told(stored: str) -> None:
    with pytest.raises(MalformedSecret, match=rf"^scheme {hashing.scheme_of(stored)} is never accepted: [A-Za-z ,-]+$"):
        hashing.verify(stored, "x", permitted=WEAK | NEVER.keys())
    with pytest.raises(
        ValueError, match=r"^scheme [A-Z]+ is never accepted: .*; (did you mean .*\? )?known are ARGON2ID"
    ):
        hashing.make("x", hashing.scheme_of(stored), permitted=WEAK | NEVER.keys())


def test_weak_schemes_are_permitted_by_any_of_their_names() -> None:
    assert hashing.permission(["md5", "plain-md4"]) == {"MD5-CRYPT", "PLAIN-MD4"}
    assert hashing.permission([]) == hashing.NONE
    for name, finding in {
        "SHA1": "scheme SHA is not weak, and needs no permission",
        "MD5CRYPT": r"scheme MD5CRYPT is not known; did you mean MD5-CRYPT\?",
        "LANMAN": "scheme LANMAN is never accepted: ",
    }.items():
        with pytest.raises(ValueError, match=f"^{finding}"):
            hashing.permission([name])


def test_a_weak_scheme_makes_nothing_unless_it_is_permitted() -> None:
    for question in (hashing.make, hashing.needs_rehash):
        with pytest.raises(
            ValueError, match=r"^scheme MD5-CRYPT is weak, and passwords.weak does not permit it; known are ARGON2ID"
        ):
            question("{PLAIN}x", "MD5-CRYPT")
    with pytest.raises(ValueError, match=r"^scheme MD5-CRYPT is weak, and passwords.weak does not permit it; "):
        hashing.check_scheme("MD5-CRYPT")
    hashing.check_scheme("MD5-CRYPT", permitted=frozenset(["MD5-CRYPT"]))
    # Forms may be of it: whether they are good for anything is decided later.
    hashing.check_default_scheme("MD5-CRYPT")
    assert (
        hashing.normalise("098f6bcd4621d373cade4e832627b4f6", "PLAIN-MD5")
        == "{PLAIN-MD5}098f6bcd4621d373cade4e832627b4f6"
    )


@pytest.mark.parametrize("scheme", [scheme.name for scheme in hashing.schemes(WEAK) if not scheme.cheap])
def test_an_unknown_user_of_a_site_costs_a_form_of_its_most_common_scheme(scheme: str) -> None:
    held = {scheme: 2, "PLAIN": 3, "LANMAN": 4}
    assert hashing.scheme_of(decoy_like(held, "ARGON2ID", WEAK)) in (scheme, "CRYPT")
