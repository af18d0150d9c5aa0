"""Stored password forms: reading, making and telling them apart."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeAlias
from unittest.mock import patch

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ninsho.errors import MalformedSecret
from ninsho.sasl.secrets import CramKey, DigestKey, Password, ScramKeys, ScramSha1Keys
from ninsho.stores import hashing
from ninsho.stores.schemes.scheme import Scheme
from ninsho.stores.schemes.table import REFUSED as NEVER
from ninsho.stores.schemes.table import SCHEMES
from ninsho.text import password_candidates

Vector: TypeAlias = dict[str, Any]

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "password_schemes.json").read_text())
WEAK = frozenset(scheme.name for scheme in hashing.weak_schemes())

SHA512_CRYPT = "$6$saltsalt$JcVDtuB6d1BHhCd5RPBh8g8xX/1CbY8EU2PN0MTaj2/Mypw4P./C6dN4j0HALhzBDTocyW1Jm.gYaTPjFGCV40"
SHA256_CRYPT = "$5$saltsalt$q6kNPzk9GPb3dpYKO2TUS45z2kiVxsUVz7eWVJcih.0"
BCRYPT = "$2y$05$11ipvo5dR6CwkzwmhwM26OXgzXwhV2PyPuLV.Qi31ILcRcThQpEiW"
YESCRYPT = "$y$j9T$saltsaltsaltsalts0$ikj1sP/X8jgNtNUtk2DVt7M/1WmEGaplDiUe1vCJFAB"
ARGON2ID = "$argon2id$v=19$m=65536,t=3,p=1$vBb99oJ12p3WAdYlaMHz1A$jtFOtbo/sYV9OSlTxDo/nVNq3uArHd5GJSEx0ty85Cc"
MD5_CRYPT = "$1$GgvxyNz8$OjZhLh4P.gF1lxYEbLZ3e/"
PBKDF2 = "$1$bUnT4Pl7yFtYX0KU$5000$50a83cafdc517b9f46519415e53c6a858908680a"
CRAM = "e02d374fde0dc75a17a557039a3a5338c7743304777dccd376f332bee68d2cf6"
SCRAM_SHA_1 = "{SCRAM-SHA-1}4096,GetyLXdBuHzf1FWf8SLz2Q==,NA/OqmF4hhrsrB9KR7po+dliTGM=,QBiURvQaE6H6qYTmeghDHLANBFQ="
DIGEST = "{DIGEST-MD5}77c1a8c437c9b08ba2f460fe5d58db5d"

ORIGINAL = dict(SCHEMES)


def outcome(question: Callable[[], object]) -> object:
    """The answer, or the one error that a question about a stored form may raise."""
    try:
        return question()
    except MalformedSecret as error:
        return error


def cheapened(scheme: Scheme) -> Scheme:
    cheap = {"memory": 8, "time": 1, "ln": 4, "cost": 4, "iterations": 1, "rounds": 1000}
    return replace(scheme, **{field.name: cheap[field.name] for field in fields(scheme) if field.name in cheap})


@pytest.fixture(scope="module", autouse=True)
def cheap_costs() -> Iterator[None]:
    with patch.dict(SCHEMES, {name: cheapened(scheme) for name, scheme in SCHEMES.items()}):
        yield


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["stored"][:24])
def test_the_right_password_matches_and_others_do_not(vector: Vector) -> None:
    stored, password, username = vector["stored"], vector["password"], vector.get("username", "")
    assert hashing.verify(stored, password, username, permitted=WEAK)
    assert not hashing.verify(stored, "x" + password, username, permitted=WEAK)


@pytest.mark.parametrize("vector", VECTORS["must_never_match"], ids=lambda vector: vector["why"])
def test_what_must_never_match_does_not(vector: Vector) -> None:
    result = outcome(lambda: hashing.verify(vector["stored"], vector["password"], permitted=WEAK))
    assert result is False or isinstance(result, MalformedSecret)
    assert outcome(lambda: hashing.verify(vector["stored"], vector["password"])) is not True


passwords = st.text(
    st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]),
    min_size=1,
    max_size=18,  # no more than bcrypt's 72 octets
)


ascii_passwords = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8)


@pytest.mark.parametrize("scheme", SCHEMES)
@given(password=passwords, other=passwords, ascii_password=ascii_passwords, ascii_other=ascii_passwords)
@settings(max_examples=10, deadline=None)
def test_what_was_made_matches_its_password_alone(
    scheme: str, password: str, other: str, ascii_password: str, ascii_other: str
) -> None:
    if scheme in {"DES-CRYPT", "BSDI-CRYPT"}:
        # DES takes 7 bits of an octet.
        password, other = ascii_password, ascii_other
    assume(len(password_candidates(password)[0].encode()) <= 72)
    assume(not set(password_candidates(password)) & set(password_candidates(other)))
    stored = hashing.make(password, scheme, "tim@example.org", permitted=WEAK)
    assert stored.startswith(f"{{{scheme}}}")
    assert hashing.verify(stored, password, "tim@example.org", permitted=WEAK)
    assert not hashing.verify(stored, other, "tim@example.org", permitted=WEAK)
    assert not hashing.needs_rehash(stored, scheme, permitted=WEAK)
    assert hashing.normalise(stored) == stored


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("suffix", "written"), [("b64", "b64"), ("BASE64", "b64"), ("hex", "hex")])
def test_a_form_may_be_written_in_base64_or_hex(scheme: str, suffix: str, written: str) -> None:
    # DES looks at 8 octets of ASCII.
    password = "pässword" if scheme != "DES-CRYPT" else "passwort"
    stored = hashing.make(password, f"{scheme}.{suffix}", "tim", permitted=WEAK)
    assert stored.startswith(f"{{{scheme}.{written}}}")
    assert hashing.verify(stored, password, "tim", permitted=WEAK)
    assert not hashing.verify(stored, "password", "tim", permitted=WEAK)


def test_a_digest_of_known_length_says_by_it_how_it_is_written() -> None:
    assert hashing.verify("{SHA256}9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "test")
    assert hashing.verify("{SHA256}n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=", "test")
    assert hashing.verify("{CRAM-MD5}4C03T94Nx1oXpVcDmjpTOMd0MwR3fczTdvMyvuaNLPY=", "test")


def test_the_default_is_argon2id() -> None:
    assert hashing.scheme_of(hashing.make("test")) == hashing.DEFAULT_SCHEME == "ARGON2ID"


labels = st.sampled_from(
    ["", "{}", "{x}", *(f"{{{name}}}" for name in SCHEMES), "{SSHA.hex}", "{CRYPT.b64}", "{SHA.x}"]
)
identifiers = st.sampled_from(
    [
        *("", "_", "$6$", "$5$rounds=1000$", "$2b$04$", "$argon2id$", "$y$", "$1$", "$7$", "$$", "$md5,rounds=9$"),
        *("$sha1$9$", "$scrypt$ln=4,r=8,p=1$", "$pbkdf2$9$", "pbkdf2_sha256$9$", "scrypt:4:8:1$", "bcrypt$$2b$04$"),
        *("md5$", "argon2$"),
    ]
)


@given(label=labels, identifier=identifiers, rest=st.text(), password=st.text())
@settings(max_examples=300, deadline=None)
def test_no_string_raises_anything_but_malformed(label: str, identifier: str, rest: str, password: str) -> None:
    stored = label + identifier + rest
    for question in (
        lambda: hashing.verify(stored, password, "tim", permitted=WEAK),
        lambda: hashing.best((stored, "{X}"), WEAK),
        lambda: hashing.normalise(stored),
        lambda: hashing.scheme_of(stored, "PLAIN"),
        lambda: hashing.needs_rehash(stored, "SSHA"),
        lambda: hashing.secret_in(stored, (Password, CramKey, ScramKeys, DigestKey)),
    ):
        result = outcome(question)
        if isinstance(result, MalformedSecret):
            assert result.__context__ is None or result.__suppress_context__
    assert hashing.is_cheap(stored, permitted=WEAK) in (True, False)


@pytest.mark.parametrize("stored", ["{PLAIN}", "{PLAIN}test", "{SHA512-CRYPT}" + SHA512_CRYPT])
@pytest.mark.parametrize("password", ["", "test\0", "\0", "\ud800"])
def test_a_password_that_cannot_be_one_matches_nothing(stored: str, password: str) -> None:
    assert hashing.verify(stored, password) is False


@pytest.mark.parametrize("password", ["", "a\0b", "\ud800", "x" * 1025])
def test_a_password_that_cannot_be_one_is_not_made_into_a_form(password: str) -> None:
    with pytest.raises(ValueError, match=r"^password: expected 1 to 1024 octets of UTF-8 and no NUL$"):
        hashing.make(password, "SSHA256")


def test_a_form_of_the_prepared_and_one_of_the_raw_password_match_both() -> None:
    raw, prepared = "ﬁancé\u0301", "fiancé\u0301"
    assert hashing.verify("{PLAIN}" + raw, raw)
    assert hashing.verify("{PLAIN}" + prepared, raw)
    assert hashing.make("\u2168", "PLAIN") == "{PLAIN}IX"
    # An emoji: preparing fails, at enrolment and at login alike.
    assert hashing.verify(hashing.make("ª🔑", "SSHA"), "ª🔑")


@pytest.mark.parametrize(
    ("stored", "scheme"),
    [
        (SHA512_CRYPT, "SHA512-CRYPT"),
        (SHA256_CRYPT, "SHA256-CRYPT"),
        (BCRYPT, "BLF-CRYPT"),
        (BCRYPT.replace("2y", "2a"), "BLF-CRYPT"),
        (BCRYPT.replace("2y", "2b"), "BLF-CRYPT"),
        (ARGON2ID, "ARGON2ID"),
        (ARGON2ID.replace("2id", "2i"), "ARGON2I"),
        (YESCRYPT, "CRYPT"),
        (MD5_CRYPT, "MD5-CRYPT"),
        ("$apr1$abcdefgh$4sAb1Lzz0zn0bGXgNHzvC/", "APR1-MD5"),
        ("{CRYPT}" + SHA512_CRYPT, "SHA512-CRYPT"),
        ("{CRYPT}//EsnG9FLTKjo", "DES-CRYPT"),
        ("{CRYPT}_J9..TpTfbp7vOgtXXnk", "BSDI-CRYPT"),
        ("{CRYPT.b64}Ly9Fc25HOUZMVEtqbw==", "DES-CRYPT"),
        ("{DES-CRYPT}" + MD5_CRYPT, "MD5-CRYPT"),
        ("{MD5}" + MD5_CRYPT, "MD5-CRYPT"),
        # As Dovecot does: {MD5} without $1$ is the digest, in either spelling.
        ("{MD5}098f6bcd4621d373cade4e832627b4f6", "PLAIN-MD5"),
        ("{MD5}CY9rzUYh03PK3k6DJie09g==", "PLAIN-MD5"),
        ("{LDAP-MD5}CY9rzUYh03PK3k6DJie09g==", "LDAP-MD5"),
        ("$md5,rounds=101$lGzEtw/G$$yRinxwMF6XCUBRaoTJ1T//", "SUN-MD5"),
        ("$sha1$101$IL1w99q8$dif1f8M9EHX.S2J/ZgfMaR1TCAyx", "CRYPT"),
        # OpenLDAP's, which has no $ in front.
        ("{PBKDF2}1000$6B3j/B.DsJbS.r9XqjUGgA$y.Pgw.8qHngPnzrFE08/jicX20E", "PBKDF2-SHA1"),
        ("{CRYPT}$3$$8846f7eaee8fb117ad06bdd830b7586c", "NTLM"),
        # What the form says of itself counts, as it does for crypt(3) and libsodium.
        ("{SHA512-CRYPT}" + BCRYPT, "BLF-CRYPT"),
        ("{ARGON2I}" + ARGON2ID, "ARGON2ID"),
        ("{ARGON2}" + ARGON2ID, "ARGON2ID"),
        ("{CRYPT.hex}" + SHA256_CRYPT.encode().hex(), "SHA256-CRYPT"),
        ("{PBKDF2}" + PBKDF2, "PBKDF2"),
        ("{ssha256.HEX}00", "SSHA256"),
        ("{SHA1}x", "SHA"),
        ("{CLEARTEXT}x", "PLAIN"),
        ("{clear}x", "PLAIN"),
        ("{HMAC-MD5}x", "CRAM-MD5"),
        ("{PLAIN}" + SHA512_CRYPT, "PLAIN"),
        ("{SMD5}x", "SMD5"),
    ],
)
def test_a_form_has_one_scheme_by_one_name(stored: str, scheme: str) -> None:
    assert hashing.scheme_of(stored) == scheme
    normal = hashing.normalise(stored)
    assert normal.startswith((f"{{{scheme}}}", f"{{{scheme}."))
    assert hashing.normalise(normal) == normal


@pytest.mark.parametrize(
    ("stored", "default", "normal"),
    [
        ("secret", "PLAIN", "{PLAIN}secret"),
        ("secret", "cleartext", "{PLAIN}secret"),
        ("0a0b", "SSHA256.hex", "{SSHA256.hex}0a0b"),
        (SHA512_CRYPT, "CRYPT", "{SHA512-CRYPT}" + SHA512_CRYPT),
        (PBKDF2, "PBKDF2", "{PBKDF2}" + PBKDF2),
        ("{SSHA}0a0b", "PLAIN", "{SSHA}0a0b"),
        # Whoever steals a hash could log in with the hash itself, were it taken for the password.
        (SHA512_CRYPT, "PLAIN", "{SHA512-CRYPT}" + SHA512_CRYPT),
        (MD5_CRYPT, "PLAIN", "{MD5-CRYPT}" + MD5_CRYPT),
        ("$5$ for lunch", "PLAIN", "{PLAIN}$5$ for lunch"),
        ("$ecret$word", "PLAIN", "{PLAIN}$ecret$word"),
        ("{", "PLAIN", "{PLAIN}{"),
    ],
)
def test_a_bare_string_is_of_the_default_scheme_unless_it_names_its_own(stored: str, default: str, normal: str) -> None:
    assert hashing.normalise(stored, default) == normal
    assert hashing.scheme_of(stored, default) == hashing.scheme_of(normal)


def test_a_bare_string_without_a_default_is_malformed_and_not_quoted() -> None:
    with pytest.raises(MalformedSecret, match=r"^expected \{SCHEME\} in front of the stored form$"):
        hashing.verify("secret", "secret")


def test_braces_that_hold_no_scheme_are_malformed_and_not_quoted() -> None:
    with pytest.raises(MalformedSecret, match=r"^scheme of that spelling is not known$"):
        hashing.verify("{my dog}rex", "x")
    with pytest.raises(MalformedSecret, match=r"^\{SHA\}: expected the suffix b64 or hex, got XYZ$"):
        hashing.verify("{SHA.xyz}", "x")


@pytest.mark.parametrize(
    ("scheme", "finding"),
    [
        ("ARGON2D", r"scheme ARGON2D is not known; did you mean ARGON2ID\? known are ARGON2ID, ARGON2I, SCRYPT"),
        ("sha512_crypt", r"scheme SHA512_CRYPT is not known; did you mean SHA512-CRYPT\?"),
        ("rot13", "scheme ROT13 is not known; known are ARGON2ID"),
        ("LANMAN", "scheme LANMAN is never accepted: each half of such a password is guessed in seconds; "),
    ],
)
def test_a_mistyped_scheme_is_answered_with_a_suggestion(scheme: str, finding: str) -> None:
    for question in (hashing.make, hashing.normalise):
        with pytest.raises(ValueError, match=f"^{finding}"):
            question("secret", scheme)


def test_verifying_is_cheap_where_it_takes_microseconds() -> None:
    made = {scheme.name: hashing.make("test", scheme.name, "tim", permitted=WEAK) for scheme in hashing.schemes(WEAK)}
    cheap = {name for name, stored in made.items() if hashing.is_cheap(stored, permitted=WEAK)}
    assert cheap == {
        *("PLAIN", "CRAM-MD5", "DIGEST-MD5", "SHA", "SHA256", "SHA512", "SSHA", "SSHA256", "SSHA512"),
        *("SMD5", "LDAP-MD5", "PLAIN-MD5", "PLAIN-MD4", "PLAIN-TRUNC", "DJANGO-MD5", "DJANGO-SHA1"),
    }
    for name, stored in made.items():
        answer = hashing.verify_if_cheap(stored, "test", "tim", permitted=WEAK)
        assert answer is (True if name in cheap else None)
    # It only fails, which is cheap.
    assert hashing.is_cheap("{UNKNOWN}")
    assert not hashing.is_cheap(SHA512_CRYPT)


@pytest.mark.parametrize(
    ("stored", "scheme", "needed"),
    [
        ("{ARGON2ID}" + ARGON2ID, "ARGON2ID", False),
        ("{ARGON2ID}" + ARGON2ID.replace("m=65536", "m=65535"), "ARGON2ID", True),
        ("{ARGON2ID}" + ARGON2ID.replace("t=3", "t=2"), "ARGON2ID", True),
        ("{ARGON2ID}" + ARGON2ID.replace("t=3", "t=4"), "ARGON2ID", False),
        ("{ARGON2I}" + ARGON2ID, "ARGON2ID", False),
        (SHA512_CRYPT, "ARGON2ID", True),
        (SHA512_CRYPT, "SHA512-CRYPT", True),
        (SHA512_CRYPT.replace("$6$", "$6$rounds=500000$"), "SHA512-CRYPT", False),
        (BCRYPT, "BLF-CRYPT", True),
        (BCRYPT.replace("$05$", "$12$"), "BLF-CRYPT", False),
        ("{PBKDF2}" + PBKDF2, "PBKDF2", True),
        (YESCRYPT, "CRYPT", False),
        (YESCRYPT.replace("j9T", "j75"), "CRYPT", True),
        (YESCRYPT.replace("$y$", "$gy$"), "CRYPT", True),
        ("{SHA1}x", "SSHA", True),
        ("{PLAIN}x", "CLEARTEXT", False),
        ("{SHA1}qUqP5cyxm6YcTAhz05Hph5gvu9M=", "SHA", False),
        (SCRAM_SHA_1, "SCRAM-SHA-1", True),
        (SCRAM_SHA_1.replace("}4096", "}65536"), "SCRAM-SHA-1", False),
        (SCRAM_SHA_1, "SCRAM-SHA-256", True),
        ("$pbkdf2-sha256$29000$c2FsdA$" + 43 * "A", "PBKDF2-SHA256", True),
        ("$pbkdf2-sha256$600000$c2FsdA$" + 43 * "A", "PBKDF2-SHA256", False),
        ("$scrypt$ln=15,r=8,p=1$c2FsdA$" + 43 * "A", "SCRYPT", True),
        ("$scrypt$ln=15,r=16,p=1$c2FsdA$" + 43 * "A", "SCRYPT", False),
        ("$bcrypt-sha256$v=2,t=2b,r=11$" + 22 * "." + "$" + 31 * ".", "BCRYPT-SHA256", True),
        ("bcrypt_sha256$$2b$12$" + 53 * ".", "BCRYPT-SHA256", False),
        (MD5_CRYPT, "ARGON2ID", True),
        (DIGEST, "DIGEST-MD5", False),
    ],
)
def test_a_form_needs_a_new_hash_where_ours_is_dearer_or_of_another_scheme(
    stored: str, scheme: str, needed: object
) -> None:
    with patch.dict(SCHEMES, ORIGINAL):
        assert hashing.needs_rehash(stored, scheme) is needed


def test_every_scheme_says_what_it_is() -> None:
    for scheme in hashing.schemes(WEAK):
        assert scheme.about
        assert "{" not in scheme.about
    assert ORIGINAL["ARGON2ID"].about == "Argon2id (RFC 9106), 65536 KiB, 3 passes"
    assert {*hashing.schemes(), *hashing.weak_schemes()} == {*SCHEMES.values()}
    assert not NEVER.keys() & SCHEMES.keys()


def test_a_site_with_plain_passwords_does_not_pay_for_the_hashes() -> None:
    program = """
import sys
from ninsho.stores import hashing
assert hashing.verify("{PLAIN}test", "test")
print(*sorted({"argon2", "ctypes", "difflib", "passlib"} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


@pytest.mark.parametrize("stored", ["{PLAIN}", "{CLEAR}", "{PLAIN.b64}", "{PLAIN.hex}"])
@pytest.mark.parametrize(
    "question",
    [
        lambda stored: hashing.verify(stored, "p"),
        lambda stored: hashing.verify_if_cheap(stored, "p"),
        lambda stored: hashing.verify_if_cheap(stored, "パス"),
        lambda stored: hashing.secret_in(stored, (Password,)),
        hashing.check,
    ],
)
def test_an_empty_password_is_nobodys(stored: str, question: Callable[[str], object]) -> None:
    with pytest.raises(MalformedSecret, match=r"^\{PLAIN\}: expected a password, got nothing$"):
        question(stored)
    assert hashing.best((stored, "{PLAIN}p")) == "{PLAIN}p"


SHORT_SCRAM = SCRAM_SHA_1.replace("}4096,", "}4095,")


def test_keys_of_too_few_iterations_are_not_stored_anew_and_still_serve_plain() -> None:
    with pytest.raises(MalformedSecret, match=r"^\{SCRAM-SHA-1\}: expected 4096 iterations at least, got 4095$"):
        hashing.check(SHORT_SCRAM)
    hashing.check(SCRAM_SHA_1)
    keys = "{SCRAM-SHA-1}" + ScramSha1Keys.of(b"p", iterations=4095).encode()
    assert hashing.verify(keys, "p")
    assert hashing.best((keys, keys)) == keys


@pytest.mark.parametrize(
    ("scheme", "made_of", "password", "cut"),
    [
        ("DES-CRYPT", "passwor", "passwor", False),
        # A longer one may be the user's.
        ("DES-CRYPT", "password", "password", True),
        ("DES-CRYPT", "password", "password-mistyped", True),
        ("DES-CRYPT", "C)", "é", True),
        ("BSDI-CRYPT", "a password of many octets", "a password of many octets", False),
        ("BSDI-CRYPT", "C)", "é", True),
        ("BLF-CRYPT", 71 * "p", 71 * "p", False),
        ("BLF-CRYPT", 72 * "p", 72 * "p", True),
        ("BLF-CRYPT", 72 * "p", 72 * "p" + "mistyped", True),
        ("PLAIN-TRUNC", "password", "password", False),
        ("MD5-CRYPT", "password-of-many-octets", "password-of-many-octets", False),
        ("BCRYPT-SHA256", 80 * "p", 80 * "p", False),
        ("SHA512-CRYPT", 80 * "p", 80 * "p", False),
        ("SSHA", 80 * "é", 80 * "é", False),
    ],
)
def test_a_scheme_that_looks_at_a_part_says_so(scheme: str, made_of: str, password: str, *, cut: bool) -> None:
    stored = hashing.make(made_of, scheme, permitted=WEAK)
    assert hashing.verify(stored, password, permitted=WEAK)
    assert hashing.cuts(stored, password) is cut


def test_a_readable_form_that_was_cut_says_so() -> None:
    assert hashing.verify("{PLAIN-TRUNC}4-pass", "passmistyped", permitted=WEAK)
    assert hashing.cuts("{PLAIN-TRUNC}4-pass", "passmistyped")
