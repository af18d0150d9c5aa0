"""Preparing names and passwords."""

import json
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.errors import MalformedMessage
from ninsho.text import (
    NAME_LIMIT,
    PASSWORD_LIMIT,
    decode_password,
    password_candidates,
    prepare_username,
    saslprep,
)

Vector: TypeAlias = dict[str, Any]

VECTORS = Path(__file__).parent / "vectors"
SASLPREP = json.loads((VECTORS / "saslprep.json").read_text())["vectors"]
PRECIS = json.loads((VECTORS / "precis.json").read_text())
# PRECIS is stricter than SASLprep: what it refuses says nothing here.
PRECIS_NAMES = [row for row in PRECIS["rfc8265"] if row["profile"] == "UsernameCasePreserved" and row["out"]]

RULES = {"prohibited": "is prohibited", "bidi": "right-to-left", "unassigned": "unassigned in Unicode 3.2"}


def expected(vector: Vector, kind: str) -> tuple[str | None, str]:
    return vector.get(f"out_{kind}", vector.get("out")), str(vector.get(f"error_{kind}", vector.get("error")))


@pytest.mark.parametrize("kind", ["query", "stored"])
@pytest.mark.parametrize("vector", SASLPREP, ids=lambda vector: ascii(vector["in"]))
def test_saslprep_gives_what_the_vector_says(vector: Vector, kind: str) -> None:
    prepared, rule = expected(vector, kind)
    if prepared is not None:
        assert saslprep(vector["in"], stored=kind == "stored") == prepared
        return
    with pytest.raises(ValueError, match=RULES[rule]):
        saslprep(vector["in"], stored=kind == "stored")


def test_zero_width_space_becomes_a_space_though_it_is_also_in_the_table_of_what_vanishes() -> None:
    assert saslprep("a\u200bb") == "a b"


def test_a_rule_is_named_with_the_place_in_the_mapped_text_and_the_text_is_not_quoted() -> None:
    rule = r"^character 4 is prohibited \(RFC 3454 table C\.2\.1, ASCII control characters\)$"
    with pytest.raises(ValueError, match=rule) as caught:
        saslprep("se\u00adc\u0007ret")
    assert "sec" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "place"),
    [("\u0627a\u0627", 2), ("1\u0627", 1), ("\u06271", 2), ("\u0627\u0627 1", 4)],
)
def test_the_bidirectional_rule_names_the_place(text: str, place: int) -> None:
    with pytest.raises(ValueError, match=f"^character {place} .* right-to-left"):
        saslprep(text)


def test_a_prohibited_character_is_named_before_an_unassigned_one() -> None:
    with pytest.raises(ValueError, match="character 2 is prohibited"):
        saslprep("\u20bf\u0007", stored=True)


@given(st.text())
def test_preparing_twice_is_preparing_once(text: str) -> None:
    try:
        prepared = saslprep(text)
    except ValueError:
        return
    assert saslprep(prepared) == prepared


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_printable_ascii_is_itself(text: str) -> None:
    assert saslprep(text, stored=True) == text


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("tim", "tim"),
        ("Tim@Example.ORG", "Tim@Example.ORG"),
        ("Ali Baba", "Ali Baba"),
        ("Al\u00aaadd\u00adin\u00ae", "Alaaddin\u00ae"),
        ("jose\u0301", "jos\u00e9"),
        ("\uff34\uff49\uff4d", "Tim"),
        ("\u5c71\u7530", "\u5c71\u7530"),
        ("x" * NAME_LIMIT, "x" * NAME_LIMIT),
    ],
)
def test_a_name_has_one_form(raw: str, name: str) -> None:
    assert prepare_username(raw.encode()) == name


@pytest.mark.parametrize("raw", ["\u1e9e", "\U0001f511", "\u20bf\u00aa"])
def test_a_name_with_unassigned_characters_is_taken_as_it_came(raw: str) -> None:
    assert prepare_username(raw.encode()) == raw


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"", "empty"),
        (b"x" * 1025, "1025 octets long, more than 1024"),
        (b"tim\xff", "not UTF-8 at octet 4"),
        (b"\xed\xa0\x80", "not UTF-8 at octet 1"),
        (b"\xc0\x80", "not UTF-8 at octet 1"),
        (b"tim\0", r"character 4 is prohibited .*C\.2\.1"),
        (b"t\tim", r"character 2 is prohibited .*C\.2\.1"),
        (b"tim\r", r"character 4 is prohibited .*C\.2\.1"),
        (b"tim\n", r"character 4 is prohibited .*C\.2\.1"),
        (b"\x7f", r"character 1 is prohibited .*C\.2\.1"),
        ("\u0085".encode(), r"character 1 is prohibited .*C\.2\.2"),
        ("\u202etim".encode(), r"character 1 is prohibited .*C\.8"),
        ("\u00ad".encode(), "empty"),
        ("\u00ad\u0301\u06271".encode(), "right-to-left"),
        ("\U0001f511\u2066".encode(), "character 2 is a control or format character"),
        ("\U0001f511\0".encode(), "character 2 is prohibited"),
        ("\ufdfa".encode() * 341, "octets long, more than 1024"),
    ],
)
def test_a_name_that_breaks_a_rule_is_refused_by_that_rule(raw: bytes, rule: str) -> None:
    with pytest.raises(MalformedMessage, match=f"^user name: .*{rule}"):
        prepare_username(raw)


@given(st.binary(max_size=40) | st.text(max_size=20).map(lambda text: text.encode(errors="surrogatepass")))
def test_a_name_comes_out_harmless_and_settled_or_not_at_all(raw: bytes) -> None:
    try:
        name = prepare_username(raw)
    except MalformedMessage:
        return
    assert 0 < len(name.encode()) <= NAME_LIMIT
    assert not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in name)
    assert prepare_username(name.encode()) == name


@pytest.mark.parametrize("raw", [b"s\xc3\xa9cret-\xff", b"s\xc3\xa9cret\x01"])
def test_an_error_about_a_name_holds_nothing_of_it(raw: bytes) -> None:
    with pytest.raises(MalformedMessage) as caught:
        prepare_username(raw)
    assert "cret" not in str(caught.value)
    # A context would be printed with a traceback, and UnicodeDecodeError holds what it could not decode.
    assert caught.value.__context__ is None


@pytest.mark.parametrize("text", ["correct horse", "p\u00e4ssword", "a\tb", "\u1e9e", "x" * PASSWORD_LIMIT])
def test_a_password_is_taken_unprepared(text: str) -> None:
    assert decode_password(text.encode()) == text


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"", "empty"),
        (b"x" * 1025, "1025 octets long, more than 1024"),
        (b"s\xe9cret", "not UTF-8 at octet 2"),
        (b"secret\0", "holds a NUL"),
    ],
)
def test_a_password_that_breaks_a_rule_is_refused_and_not_quoted(raw: bytes, rule: str) -> None:
    with pytest.raises(MalformedMessage, match=f"^password: {rule}$") as caught:
        decode_password(raw)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("password", "candidates"),
    [
        ("correct horse", ("correct horse",)),
        ("p\u00e4ssword", ("p\u00e4ssword",)),
        ("\u00aa\u2168", ("aIX", "\u00aa\u2168")),
        ("e\u0301", ("\u00e9", "e\u0301")),
        # Where preparing fails, at enrolment as at login, the text is used as it is.
        ("\u00aa\u1e9e", ("\u00aa\u1e9e",)),
        ("\u00aa\t", ("\u00aa\t",)),
        ("\u00ad", ("\u00ad",)),
        ("\ud800", ("\ud800",)),
        ("", ("",)),
    ],
)
def test_a_password_is_tried_prepared_and_as_it_came(password: str, candidates: tuple[str, ...]) -> None:
    assert password_candidates(password) == candidates


@pytest.mark.parametrize("vector", PRECIS["differs_from_saslprep"], ids=lambda vector: ascii(vector["in"]))
def test_a_password_that_precis_keeps_is_among_the_candidates(vector: Vector) -> None:
    prepared, kept = vector.get("saslprep"), vector["opaquestring"]
    assert {prepared, kept} - {None} <= set(password_candidates(vector["in"]))


@pytest.mark.parametrize("vector", PRECIS_NAMES, ids=lambda vector: ascii(vector["in"]))
def test_what_precis_allows_in_a_name_is_allowed(vector: Vector) -> None:
    assert prepare_username(vector["in"].encode()) == saslprep(vector["out"])


@pytest.mark.parametrize("start", range(0, len(PRECIS["inputs"]), 40))
def test_a_precis_input_makes_a_settled_name_or_is_malformed(start: int) -> None:
    for text in PRECIS["inputs"][start : start + 40]:
        try:
            name = prepare_username(text.encode(errors="surrogatepass"))
        except MalformedMessage:
            continue
        assert prepare_username(name.encode()) == name
