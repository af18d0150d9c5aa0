"""Bearer tokens: what a signed one must say, and who must have signed it."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, RSAKey
from token_site import ALICE, CONFIGURATION, Site

from ninsho.sasl.dialogue import Inspection
from ninsho.stores.tokens.expectations import Expectations, scopes_of
from pretend_issuer import ISSUER, KEYS, NOW, base64url, claims, sign, token


@pytest.mark.parametrize("algorithm", list(KEYS))
def test_a_good_token_says_whose_it_is(algorithm):
    assert Site().inspect(token(algorithm)).username == ALICE


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"iss": None}, "expected a signed token"),
        ({"iss": "https://evil.example"}, "iss: expected an issuer of the configuration"),
        ({"iss": [ISSUER]}, "expected a signed token"),
        ({"exp": None}, "exp: expected a time, got none"),
        ({"exp": "1800000000"}, "exp: expected a time, got '1800000000'"),
        ({"exp": True}, "exp: expected a time, got True"),
        ({"exp": float("nan")}, "exp: expected a time, got nan"),
        ({"exp": float("inf")}, "exp: expected a time, got inf"),
        ({"exp": -(10**400)}, "exp: expected a time, got -1000"),
        ({"exp": NOW - 61}, "exp: expired 61 s ago"),
        ({"nbf": NOW + 61}, "nbf: is 61 s ahead"),
        ({"nbf": "now"}, "nbf: expected a time, got 'now'"),
        ({"iat": NOW + 61}, "iat: is 61 s ahead"),
        ({"aud": None}, "aud: expected one of smtp, got none"),
        ({"aud": "imap"}, "aud: expected one of smtp, got 'imap'"),
        ({"aud": "smtp imap"}, "aud: expected one of smtp, got 'smtp imap'"),
        ({"aud": []}, r"aud: expected one of smtp, got \[\]"),
        ({"aud": {"smtp": 1}}, "aud: expected one of smtp, got {'smtp': 1}"),
        ({"aud": ["x" * 200]}, r"aud: expected one of smtp, got \['x{70,78}…"),
        ({"cnf": {"jkt": "x"}}, "cnf: expected a token that is not bound to a key"),
        ({"typ": "Refresh"}, "typ: expected an access token, got 'Refresh'"),
        ({"typ": "Offline"}, "typ: expected an access token, got 'Offline'"),
        ({"typ": "ID"}, "typ: expected an access token, got 'ID'"),
        ({"typ": "logout"}, "typ: expected an access token, got 'logout'"),
        ({"token_use": "id"}, "token_use: expected an access token, got 'id'"),
        ({"email": None}, "email: expected a user name, got none"),
        ({"email": ""}, "email: expected a user name, got ''"),
        ({"email": ["a"]}, r"email: expected a user name, got \['a'\]"),
        ({"email": "a\nb"}, "email: user name: "),
        ({"email": "\ud800"}, "email: user name: expected UTF-8"),
        ({"email": "x" * 1025}, "email: user name: 1025 octets long"),
        ({"email_verified": False}, "email_verified: expected true, got False"),
        ({"email_verified": "false"}, "email_verified: expected true, got 'false'"),
        ({"scope": None}, "scope: expected mail too"),
        ({"scope": "mailbox"}, "scope: expected mail too"),
    ],
)
def test_each_claim_has_to_be_right(changes, told):
    detail = Site().refusal(token(**changes))
    assert re.match(told, detail), detail


@pytest.mark.parametrize(
    "kind",
    [
        {"typ": "Bearer"},
        {"typ": "at+jwt"},
        {"typ": "JWT"},
        {"typ": 1},
        {"token_use": "access"},
        {"token_use": "access_token"},
        {"token_type": "Bearer"},
    ],
)
def test_what_does_not_say_that_it_is_something_else_is_an_access_token(kind):
    assert Site().inspect(token(**kind)).username == ALICE


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_the_leeway_holds_to_the_second(name):
    site = Site(remember=0)
    edge, beyond = (NOW - 59.9, NOW - 60) if name == "exp" else (NOW + 60, NOW + 60.1)
    assert site.inspect(token(**{name: edge})).username == ALICE
    assert site.inspect(token(**{name: beyond})).username is None
    strict = Site(remember=0, leeway=0)
    assert strict.inspect(token(**{name: edge})).username is None


def test_all_scopes_are_required_and_told():
    site = Site(scopes=("mail", "send"))
    for scope in ("mail", "send", "mail.send", "MAIL SEND"):
        inspection = site.inspect(token(scope=scope))
        assert inspection.status == "insufficient_scope"
        assert inspection.scope == "mail send"
    for name, scope in (("scope", "send x mail"), ("scp", ["send", "mail"]), ("scp", "mail send")):
        assert site.inspect(token(**{"scope": None, name: scope})).username == ALICE


def test_one_audience_is_enough_and_none_is_asked_for_where_the_site_says_so():
    assert Site(audience=("smtp", "imap")).inspect(token(aud=["pop3", "imap"])).username == ALICE
    assert Site(audience=()).inspect(token(aud=None)).username == ALICE
    assert Site(audience=()).inspect(token(aud="whatever")).username == ALICE


def test_the_name_may_be_another_claim_with_something_behind_it():
    site = Site(username_claim="preferred_username", username_suffix="@example.org")
    assert site.inspect(token(preferred_username="Bob", email_verified=False)).username == "Bob@example.org"
    assert site.refusal(token()) == "preferred_username: expected a user name, got none"


def test_a_verified_address_may_be_so_in_words():
    for verified in (True, "true"):
        assert Site().inspect(token(email_verified=verified)).username == ALICE


def test_a_public_key_is_no_secret_to_sign_with():
    public = KEYS["RS256"].as_pem(private=False)
    # The library would not let anybody do this by its front door.
    secret = OctKey(public, public)
    for name in ("HS256", "HS384", "HS512"):
        forged = sign({"alg": name, "kid": "rsa"}, claims(), secret)
        assert Site().refusal(forged).startswith("alg: expected one of")


NESTED = json.loads("[" * 600 + "]" * 600)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "RS1", "ES256K", None, 1, ["ES256"], {}, NESTED])
def test_an_unknown_algorithm_is_none(algorithm):
    header = {"alg": algorithm, "kid": "ec"}
    unsigned = b".".join((base64url(json.dumps(header).encode()), base64url(json.dumps(claims()).encode()), b""))
    assert Site().refusal(unsigned.decode()).startswith("alg: expected one of")


def test_an_algorithm_that_the_site_does_not_list_is_refused():
    site = Site(algorithms=("ES256",))
    assert site.inspect(token("ES256")).username == ALICE
    assert site.refusal(token("RS256")) == "alg: expected one of ES256, got 'RS256'"


def test_a_key_serves_its_own_algorithm_only():
    site = Site()
    for algorithm, other in (("RS256", "ec"), ("ES256", "rsa"), ("EdDSA", "ec")):
        assert site.refusal(token(algorithm, header={"kid": other})) == "signature: expected one by the issuer's key"
    bound = RSAKey.import_key(KEYS["RS256"].as_dict(private=True) | {"alg": "PS256"})
    assert Site(bound).inspect(token("PS256")).username == ALICE
    assert Site(bound).refusal(token("RS256")) == "signature: expected one by the issuer's key"


@pytest.mark.parametrize("kid", ["../..", "..", ".", "%2f", "/etc/passwd", "", "ec\0", "EC", "https://evil.example/k"])
def test_a_kid_is_a_word_and_not_a_place(kid):
    assert Site().refusal(token(header={"kid": kid})) == "kid: expected one of the issuer's keys, got another"


@pytest.mark.parametrize("kid", [1, ["ec"], {"ec": 1}, True])
def test_a_kid_is_a_word_and_nothing_else(kid):
    assert Site().refusal(token(header={"kid": kid})) == "kid: expected a string"


def test_without_a_kid_the_keys_are_tried():
    assert Site().inspect(token(header={"kid": None})).username == ALICE
    assert Site().refusal(token(key=ECKey.generate_key("P-256"), header={"kid": None})).startswith("signature:")


def test_keys_in_the_token_itself_mean_nothing():
    evil = ECKey.generate_key("P-256", {"kid": "ec"})
    for header in (
        {"jwk": evil.as_dict(private=False)},
        {"jku": "https://evil.example/jwks"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["MIIB"]},
    ):
        assert Site().refusal(token(key=evil, header=header)) == "signature: expected one by the issuer's key"
        assert Site().inspect(token(header=header)).username == ALICE


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ({"typ": "logout+jwt"}, "typ: expected JWT or at+jwt, got 'logout+jwt'"),
        ({"typ": 1}, "typ: expected JWT or at+jwt, got 1"),
        ({"crit": ["exp"], "exp": 1}, "crit: expected no extensions"),
        ({"crit": 5}, "crit: expected no extensions"),
        ({"b64": True}, "crit: expected no extensions"),
    ],
)
def test_a_header_that_means_something_else_is_refused(header, told):
    assert Site().refusal(token(header=header)) == told


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"])
def test_an_access_token_may_say_that_it_is_one(kind):
    assert Site().inspect(token(header={"typ": kind, "unknown": 1})).username == ALICE


def test_any_changed_character_breaks_the_signature():
    site, good = Site(), token()
    header, payload, signature = good.split(".")
    for place in range(0, len(signature), 7):
        other = "A" if signature[place] != "A" else "B"
        assert (
            site.inspect(".".join((header, payload, signature[:place] + other + signature[place + 1 :]))).username
            is None
        )
    bob = base64url(json.dumps(claims(email="bob@example.org")).encode()).decode()
    assert site.refusal(f"{header}.{bob}.{signature}") == "signature: expected one by the issuer's key"
    assert site.inspect(f"{header}.{payload}.").username is None


DEEP, LONG, ONE, LIST, TEXT = (
    base64url(text).decode() for text in (b"[" * 7000, b"1" * 6000, b"1", b'["alg"]', b'"alg"')
)
GOOD_HEADER = token().split(".")[0]


@pytest.mark.parametrize(
    "shown",
    [
        "opaque",
        ".",
        "..",
        "a.b.c",
        "a.b.c.d.e",
        f"{DEEP}.e30.",
        f"{GOOD_HEADER}.{DEEP}.AAAA",
        f"{GOOD_HEADER}.W10.AAAA",
        f"{ONE}.e30.AAAA",
        f"{LIST}.e30.AAAA",
        f"{TEXT}.e30.AAAA",
        f"{GOOD_HEADER}.{LONG}.AAAA",
        "é.é.é",
        "\ud800",
    ],
)
def test_what_is_no_signed_token_is_refused(shown):
    assert Site().inspect(shown).detail == "expected a signed token"


def test_no_token_is_told_what_would_be_one():
    assert Site().inspect("") == Inspection(None, "invalid_token", "mail", CONFIGURATION, "expected a token, got none")


def test_a_long_token_is_a_token():
    long = token(groups=["x" * 50] * 220)
    assert len(long) > 10_000
    assert Site().inspect(long).username == ALICE


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda octets: f"{GOOD_HEADER}.{octets.hex()}.AA"))
def test_any_text_is_refused_and_raises_nothing(shown):
    assert Site(KEYS["ES256"]).inspect(shown).username is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "scope", "scp", "email", "email_verified"]), json_values
    )
)
def test_any_claims_are_judged_and_raise_nothing(changes):
    for signed in (True, False):
        expectations = Expectations(ISSUER, ("smtp",), ("mail",))
        judged = expectations.judge(claims() | changes, NOW, signed=signed)
        assert judged.inspection.username is None or judged.until <= NOW + 300


@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "jku", "x5c", "jwk", "crit", "b64"]), json_values))
def test_any_header_is_judged_and_raises_nothing(changes):
    header = {"alg": "ES256", "kid": "ec"} | changes
    parts = [base64url(json.dumps(part).encode()).decode() for part in (header, claims())]
    assert Site(KEYS["ES256"]).inspect(f"{parts[0]}.{parts[1]}.{'A' * 86}").username is None


def test_scopes_are_words_in_either_claim():
    assert scopes_of({"scope": "a b", "scp": ["c", 1, "d e"]}) == ("a", "b", "c", "d", "e")
    assert scopes_of({"scope": 1, "scp": None}) == ()
