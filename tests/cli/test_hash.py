"""``ninsho hash``."""

import pytest
from command_line import Run
from loading import loaded_after

from ninsho.stores import hashing


@pytest.mark.parametrize("scheme", ["SSHA512", "ssha.hex", "CRAM-MD5", "PLAIN"])
def test_what_is_made_is_what_is_checked(ninsho: Run, scheme: str) -> None:
    made = ninsho("hash", "--scheme", scheme, "--password-stdin", stdin="correct horse\n")
    assert made.status == 0
    assert ninsho("hash", "--check", made.out.strip(), "--password-stdin", stdin="correct horse").status == 0
    wrong = ninsho("hash", "--check", made.out.strip(), "--password-stdin", stdin="correct hearse\n")
    assert (wrong.status, "does not match" in wrong.out) == (1, True)


def test_the_default_scheme_is_that_of_the_server(ninsho: Run) -> None:
    ended = ninsho("hash", "--password-stdin", "--json", stdin="x\n")
    assert ended.json["scheme"] == hashing.DEFAULT_SCHEME
    assert hashing.verify(ended.json["stored"], "x")


def test_the_schemes_are_listed_the_best_first(ninsho: Run) -> None:
    listed = ninsho("hash", "--list", "--json").json
    assert [one["scheme"] for one in listed] == [scheme.name for scheme in hashing.schemes()]
    assert all(one["about"] for one in listed)
    assert ninsho("hash", "--list").out.split()[2] == listed[0]["scheme"]


def test_weak_schemes_are_made_checked_and_listed_where_they_are_asked_for(ninsho: Run) -> None:
    made = ninsho("hash", "--weak", "--scheme", "MD5", "--password-stdin", stdin="p\n")
    assert made.out.startswith("{MD5-CRYPT}$1$")
    check = ("hash", "--check", made.out.strip(), "--password-stdin")
    assert ninsho(*check, "--weak", stdin="p").status == 0
    refused = ninsho(*check, stdin="p")
    assert (refused.status, "scheme MD5-CRYPT is weak, and passwords.weak does not permit it" in refused.err) == (
        2,
        True,
    )
    listed = [one["scheme"] for one in ninsho("hash", "--list", "--weak", "--json").json]
    assert listed == [scheme.name for scheme in (*hashing.schemes(), *hashing.weak_schemes())]


def test_some_schemes_hash_the_users_name_as_well(ninsho: Run) -> None:
    named = ("--user", "tim@example.org", "--password-stdin")
    made = ninsho("hash", "--scheme", "DIGEST-MD5", *named, stdin="p\n")
    assert ninsho("hash", "--check", made.out.strip(), *named, stdin="p").status == 0
    assert "expected the user's name" in ninsho("hash", "--scheme", "DIGEST-MD5", "--password-stdin", stdin="p").err


def test_checking_says_so_in_json(ninsho: Run) -> None:
    ended = ninsho("hash", "--check", "{PLAIN}p", "--password-stdin", "--json", stdin="p\n")
    assert (ended.status, ended.json) == (0, {"matches": True, "scheme": "PLAIN"})


@pytest.mark.parametrize(
    ("tokens", "stdin", "sentence"),
    [
        (["--scheme", "ARGON2", "--list"], "", "expected one of --scheme, --check and --list"),
        (["--scheme", "ARGON3ID", "--password-stdin"], "p\n", "did you mean ARGON2ID?"),
        (["--check", "{NONSENSE}x", "--password-stdin"], "p\n", "--check: scheme NONSENSE is not known"),
        (["--password-stdin"], "", "standard input: password: empty"),
        (["--password-stdin"], b"\xff\n", "standard input: password: not UTF-8"),
        ([], "", "expected a terminal"),
    ],
)
def test_wrong_usage_is_told(ninsho: Run, tokens: list[str], stdin: str | bytes, sentence: str) -> None:
    ended = ninsho("hash", *tokens, stdin=stdin)
    assert (ended.status, ended.out) == (2, "")
    assert sentence in ended.err


def test_a_password_is_never_quoted_in_an_error(ninsho: Run) -> None:
    ended = ninsho("hash", "--scheme", "BLF-CRYPT", "--password-stdin", stdin="secret" * 20)
    assert ended.status == 2
    assert "secret" not in ended.err


def test_only_the_first_line_is_the_password_and_its_end_is_not_part_of_it(ninsho: Run) -> None:
    made = ninsho("hash", "--scheme", "PLAIN", "--password-stdin", stdin="one two \r\nthree\n")
    assert made.out == "{PLAIN}one two \n"


def test_it_starts_without_what_only_the_server_needs() -> None:
    assert not loaded_after("hash", "--list") & {"asyncio", "pydantic", "sqlalchemy", "ninsho.daemon", "rich.console"}
