"""The keys that tokens are checked with, and the tokens that are remembered."""

import json

import pytest
from token_site import ALICE, Site

from ninsho.sasl.dialogue import Granted, Identity, Inspect, Inspection
from ninsho.sasl.oauth import xoauth2
from ninsho.stores.tokens.algorithms import ALGORITHMS
from ninsho.stores.tokens.expectations import Expectations
from ninsho.stores.tokens.issuers import Issuers, Signer
from ninsho.stores.tokens.keys import Keys, read_jwks, read_pem
from ninsho.stores.tokens.remembered import Remembered
from ninsho.stores.tokens.sources import FixedKeys
from pretend_issuer import ISSUER, KEYS, NOW, Clock, token


def test_keys_that_cannot_be_used_are_left_out():
    good = KEYS["ES256"].as_dict(private=False)
    bad = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"},
        {"kty": "PQC", "kid": "pqc"},
        {**good, "use": "enc", "kid": "enc"},
        {**good, "key_ops": ["sign"], "kid": "ops"},
        {**good, "key_ops": 1},
        {**good, "kid": 7},
        {**good, "x": "AAAA"},
        {**good, "crv": "P-999"},
        {"kty": ["EC"]},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "small"},
        {},
        None,
        "key",
    ]
    keys = read_jwks(json.dumps({"keys": [*bad, good]}).encode())
    assert len(keys) == 1
    assert len(keys.find("ec")) == 1
    with pytest.raises(ValueError, match="found none among 13"):
        read_jwks(json.dumps({"keys": bad}).encode())


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"{}", b'{"keys":{}}', b"\xff", b"[" * 100_000])
def test_what_is_no_jwk_set_is_told(text):
    with pytest.raises(ValueError, match=r"expected a JWK Set|Expecting|UTF-8|utf-8"):
        read_jwks(text)


def test_a_private_key_in_a_set_is_read_as_the_public_one():
    private = json.dumps({"keys": [KEYS["ES256"].as_dict(private=True)]}).encode()
    (key,) = read_jwks(private).find("ec")
    assert not key.is_private


def test_public_keys_in_pem_serve_whatever_a_token_calls_them():
    pem = b"".join(KEYS[name].as_pem(private=False) for name in ("RS256", "ES256", "EdDSA"))
    keys = read_pem(pem)
    assert len(keys) == 3
    signer = Signer(Expectations(ISSUER, ("smtp",)), ALGORITHMS, FixedKeys(keys), clock=Clock())
    issuers = Issuers([signer], Remembered(Clock()))
    for algorithm in ("RS256", "PS256", "ES256", "EdDSA"):
        assert issuers.inspect(token(algorithm)).username == ALICE


@pytest.mark.parametrize(
    ("pem", "told"),
    [
        (b"", "found none"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "Unable to load|deserialize"),
        (KEYS["ES256"].as_pem(private=True), "got a private one"),
    ],
)
def test_what_are_no_public_keys_is_told(pem, told):
    with pytest.raises(ValueError, match=told):
        read_pem(pem)


def test_a_key_is_found_by_its_name_alone():
    named, unnamed = KEYS["ES256"], KEYS["RS256"]
    assert Keys([("a", named), (None, unnamed)]).find("a") == [named]
    assert Keys([("a", named), (None, unnamed)]).find("b") == [unnamed]
    assert Keys([("a", named)]).find("b") == []
    assert len(Keys([("a", named)] * 50).find(None)) == 10


def test_an_accepted_token_is_remembered_until_it_ends_or_for_a_while(monkeypatch):
    site, shown = Site(), token(exp=NOW + 200)
    read = []
    original = site.issuers._judge
    monkeypatch.setattr(site.issuers, "_judge", lambda one: read.append(1) or original(one))
    for moment, reads in ((0, 1), (199, 1), (200, 2), (259, 3), (260, 4)):
        site.clock.now = NOW + moment
        assert (site.inspect(shown).username == ALICE) is (moment < 260), moment
        assert len(read) == reads, moment
    lasting = token(exp=NOW + 86_400)
    site.clock.now = NOW
    read.clear()
    for moment, reads in ((0, 1), (299, 1), (300, 2)):
        site.clock.now = NOW + moment
        assert site.inspect(lasting).username == ALICE
        assert len(read) == reads


def test_a_refused_token_is_not_remembered():
    site, shown = Site(), token(nbf=NOW + 100)
    assert site.inspect(shown).username is None
    site.clock.now = NOW + 100
    assert site.inspect(shown).username == ALICE


def test_nothing_is_remembered_where_the_site_says_so():
    site = Site(remember=0)
    site.inspect(token())
    assert not site.remembered._known


def test_what_is_remembered_is_no_token_and_is_bounded():
    clock = Clock()
    remembered = Remembered(clock, size=2)
    for name in ("one", "two", "three"):
        remembered.keep(remembered.digest(name), Inspection(name), NOW + 1)
    assert [remembered.find(remembered.digest(name)) for name in ("one", "two", "three")] == [
        None,
        Inspection("two"),
        Inspection("three"),
    ]
    assert Remembered(clock).digest("one") != remembered.digest("one")
    clock.now = NOW + 1
    assert remembered.find(remembered.digest("two")) is None
    assert list(remembered._known) == [remembered.digest("three")]


def test_two_users_with_one_token_are_both_its_owner():
    site, shown = Site(), token()
    for asked, acting in ((ALICE, ""), ("bob@example.org", "bob@example.org"), (ALICE, "")):
        dialogue = xoauth2(f"user={asked}\x01auth=Bearer {shown}\x01\x01".encode())
        want = next(dialogue)
        assert isinstance(want, Inspect)
        with pytest.raises(StopIteration) as ended:
            dialogue.send(site.inspect(want.token))
        assert ended.value.value == Granted(Identity(ALICE, acting))
