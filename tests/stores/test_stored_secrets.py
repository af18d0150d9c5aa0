"""What challenge-response mechanisms get out of stored forms, and the forms that were made for them."""

from hashlib import md5

import pytest

from ninsho.errors import MalformedSecret
from ninsho.sasl.secrets import CramKey, DigestKey, Password, ScramKeys, ScramSha1Keys, ScramSha256Keys
from ninsho.stores import hashing
from ninsho.stores.schemes.table import SCHEMES

SHA512_CRYPT = "$6$saltsalt$JcVDtuB6d1BHhCd5RPBh8g8xX/1CbY8EU2PN0MTaj2/Mypw4P./C6dN4j0HALhzBDTocyW1Jm.gYaTPjFGCV40"
CRAM = "e02d374fde0dc75a17a557039a3a5338c7743304777dccd376f332bee68d2cf6"
SCRAM_SHA_1 = "{SCRAM-SHA-1}4096,GetyLXdBuHzf1FWf8SLz2Q==,NA/OqmF4hhrsrB9KR7po+dliTGM=,QBiURvQaE6H6qYTmeghDHLANBFQ="
DIGEST = "{DIGEST-MD5}77c1a8c437c9b08ba2f460fe5d58db5d"
WEAK = frozenset(scheme.name for scheme in hashing.weak_schemes())


def test_challenge_response_finds_what_it_can_use() -> None:
    kinds = (Password, CramKey)
    assert hashing.secret_in("{PLAIN}pässword", kinds) == Password("pässword".encode())
    assert hashing.secret_in("{CLEARTEXT}x", kinds) == Password(b"x")
    assert hashing.secret_in("{PLAIN.b64}e1x9OiEiCg==", kinds) == Password(b'{\\}:!"\n')
    assert hashing.secret_in("{CRAM-MD5}" + CRAM, kinds) == CramKey.of(b"test")
    assert hashing.secret_in("{CRAM-MD5}" + CRAM, (Password,)) is None
    assert hashing.secret_in("{PLAIN}x", (CramKey,)) is None
    assert hashing.secret_in(SHA512_CRYPT, kinds) is None
    with pytest.raises(MalformedSecret, match=r"^\{CRAM-MD5\}: expected 32 octets \(64 hexadecimal digits\), got 3$"):
        hashing.secret_in("{CRAM-MD5.hex}abcdef", kinds)


def test_scram_finds_its_own_keys() -> None:
    assert hashing.secret_in(SCRAM_SHA_1, (Password, ScramSha1Keys)) == ScramSha1Keys.parse(SCRAM_SHA_1[13:])
    assert hashing.secret_in(SCRAM_SHA_1.lower()[:13] + SCRAM_SHA_1[13:], (ScramSha1Keys,)) is not None
    encoded = f"{{SCRAM-SHA-1.hex}}{SCRAM_SHA_1[13:].encode().hex()}"
    assert hashing.secret_in(encoded, (ScramKeys,)) == hashing.secret_in(SCRAM_SHA_1, (ScramKeys,))
    assert hashing.secret_in(SCRAM_SHA_1, (Password, ScramSha256Keys)) is None
    assert hashing.secret_in(SCRAM_SHA_1, (CramKey,)) is None
    for broken in (
        SCRAM_SHA_1[:-2],
        "{SCRAM-SHA-256}" + SCRAM_SHA_1[13:],
        SCRAM_SHA_1.replace("4096", "9" * 9),
        "{SCRAM-SHA-1}",
    ):
        with pytest.raises(MalformedSecret, match=r"^\{SCRAM-SHA-(1|256)\}: expected "):
            hashing.secret_in(broken, (ScramKeys,))


def test_digest_md5_finds_its_own_key() -> None:
    assert hashing.secret_in(DIGEST, (Password, DigestKey)) == DigestKey.of("testuser1", "", "test")
    assert hashing.secret_in(DIGEST, (Password, ScramKeys)) is None
    with pytest.raises(MalformedSecret, match=r"^\{DIGEST-MD5\}: expected 16 octets, got 3$"):
        hashing.secret_in("{DIGEST-MD5.hex}abcdef", (DigestKey,))


@pytest.mark.parametrize(
    ("scheme", "kinds", "serve"),
    [
        ("PLAIN", (Password,), True),
        ("PLAIN", (ScramSha256Keys,), True),
        ("PLAIN", (DigestKey,), True),
        ("PLAIN", (CramKey,), True),
        ("PLAIN", (int,), False),
        ("SCRAM-SHA-256", (ScramSha256Keys,), True),
        ("SCRAM-SHA-256", (Password, ScramKeys), True),
        ("SCRAM-SHA-256", (ScramSha1Keys,), False),
        ("SCRAM-SHA-256", (Password, CramKey), False),
        ("DIGEST-MD5", (Password, DigestKey), True),
        ("CRAM-MD5", (Password, DigestKey), False),
        ("ARGON2ID", (Password, ScramKeys, DigestKey, CramKey), False),
        ("PLAIN-TRUNC", (Password, ScramKeys, DigestKey, CramKey), False),
        ("LANMAN", (Password,), False),
        ("NONSENSE", (Password,), False),
    ],
)
def test_a_scheme_serves_what_its_forms_hold_or_what_the_password_can_be_made_into(
    scheme: str, kinds: tuple[type, ...], serve: object
) -> None:
    assert hashing.serves(scheme, kinds) is serve


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_scheme_says_of_which_kinds_its_secrets_are(scheme: str) -> None:
    secret = hashing.secret_in(hashing.make("test", scheme, "tim", permitted=WEAK), (object,))
    assert isinstance(secret, SCHEMES[scheme].secrets) if SCHEMES[scheme].secrets else secret is None


def test_digest_md5_is_of_one_user_name() -> None:
    stored = hashing.make("test", "DIGEST-MD5", "testuser1")
    assert stored == DIGEST
    assert hashing.verify(stored, "test", "testuser1")
    assert not hashing.verify(stored, "test", "testuser2")
    assert not hashing.verify(stored, "test", "testuser1@example.com")
    with pytest.raises(
        ValueError, match=r"^scheme DIGEST-MD5: expected the user's name, which is part of what is hashed$"
    ):
        hashing.make("test", "DIGEST-MD5")
    for question in (hashing.verify, hashing.verify_if_cheap):
        with pytest.raises(MalformedSecret, match=r"^\{DIGEST-MD5\}: expected the user's name, "):
            question(stored, "test")


@pytest.mark.parametrize(
    ("username", "hashed"),
    [("user", "user::pass"), ("user@realm", "user:realm:pass"), ("user@domain@realm", "user@domain:realm:pass")],
)
def test_the_realm_of_digest_md5_is_what_follows_the_last_at(username: str, hashed: str) -> None:
    assert hashing.verify("{DIGEST-MD5}" + md5(hashed.encode()).hexdigest(), "pass", username)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_digest_md5_may_be_hashed_in_either_spelling(encoding: str) -> None:
    stored = "{DIGEST-MD5}" + md5("jürgen:straße.example:geheimniß".encode(encoding)).hexdigest()
    assert hashing.verify(stored, "geheimniß", "jürgen@straße.example")
    assert not hashing.verify(stored, "geheimnis", "jürgen@straße.example")


def test_digest_md5_is_made_in_the_spelling_of_rfc_2831() -> None:
    made = hashing.make("geheimniß", "DIGEST-MD5", "jürgen@日本")
    assert (
        made
        == "{DIGEST-MD5}"
        + md5(b":".join(["jürgen".encode("latin-1"), "日本".encode(), "geheimniß".encode("latin-1")])).hexdigest()
    )
    assert hashing.secret_in(made, (DigestKey,)) == DigestKey.of("jürgen", "日本", "geheimniß")
