"""DIGEST-MD5: the vectors, each side against the other, and what neither side takes."""

import json
import re
from hashlib import md5
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from ninsho.errors import ExchangeError, MalformedMessage
from ninsho.sasl.dialogue import Challenge, Denial, Denied, Granted, Identity, Lookup
from ninsho.sasl.digest_md5 import DIGEST_MD5, DigestResponse, digest_md5, digest_md5_client, with_realms
from ninsho.sasl.directives import parse, quote
from ninsho.sasl.exchange import Channel, Credentials, Exchange
from ninsho.sasl.secrets import CramKey, DigestKey, Password
from ninsho.text import prepare_username

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "digest_md5.json").read_text())["vectors"]
RFC = VECTORS[0]
REALM = "elwood.innosoft.com"
CHALLENGE, RESPONSE, RSPAUTH = (message["text"].encode() for message in RFC["messages"])

every_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])


def messages(vector):
    return [message["text"].encode() for message in vector["messages"]]


def answered(response, secret=None, *, realms=(REALM,), nonce=b"OA6MG9tEQGm2hh"):
    """The name that the server asks about and its verdict; by default, its challenge is that of the RFC."""
    server = digest_md5(None, realms=realms, nonce=lambda: nonce)
    next(server)
    want = server.send(response)
    assert isinstance(want, Lookup)
    assert set(want.kinds) == {DigestKey, Password}
    with pytest.raises(StopIteration) as end:
        server.send(secret)
    return want.username, end.value.value


def log_in(credentials, secret, *, realms=("",), reads=lambda message: message):
    """Both sides together, to the server's verdict; *reads* stands between the client and the server."""
    client = Exchange(digest_md5_client(credentials))
    assert client.begin() is None
    server = digest_md5(None, realms=realms)
    challenge = next(server)
    assert isinstance(challenge, Challenge)
    server.send(reads(client.answer(challenge.data)))
    with pytest.raises(StopIteration) as end:
        server.send(secret)
    verdict = end.value.value
    if isinstance(verdict, Granted):
        client.conclude(verdict.data)
    return verdict


def response_of(username, realm, password, *, authzid=b"", **other):
    """A client's message for the server of ``answered``."""
    response = DigestResponse(username, realm, b"OA6MG9tEQGm2hh", b"OA6MHXh6VqTrRk", b"smtp/h", authzid, **other)
    return response.write(DigestKey.of(username, realm or "", password))


# The vectors


@every_vector
@pytest.mark.parametrize("stored", ["the password", "the key"])
def test_the_server_takes_the_vectors(vector, stored):
    challenge, response, last_words = messages(vector)
    secret = Password(vector["password"].encode())
    if stored == "the key":
        secret = DigestKey(bytes.fromhex(vector["stored_ha1_hex"]))
    nonce = vector["nonce"].encode()
    assert next(digest_md5(None, realms=(vector["realm"],), nonce=lambda: nonce)).data == challenge
    asked, verdict = answered(response, secret, realms=(vector["realm"],), nonce=nonce)
    assert asked == f"{vector['username']}@{vector['realm']}"
    assert verdict == Granted(Identity(asked, vector["authzid"]), last_words)


@every_vector
def test_the_client_writes_the_vectors(vector):
    challenge, response, last_words = messages(vector)
    service, _, host = vector["digest_uri"].partition("/")
    credentials = Credentials(
        vector["username"], vector["password"], vector["authzid"], channel=Channel(service=service, host=host)
    )
    client = Exchange(digest_md5_client(credentials, nonce=vector["cnonce"].encode))
    assert client.begin() is None
    assert client.answer(challenge) == response
    assert client.answer(last_words) == b""
    client.conclude()


@every_vector
def test_a_key_is_made_as_the_vectors_say(vector):
    key = DigestKey.of(vector["username"], vector["realm"], vector["password"])
    assert key.hash.hex() == vector["stored_ha1_hex"]


# A login, from the server's side


def test_the_server_goes_first_whatever_the_client_sent():
    for initial in (None, b"", b"username=tim", RESPONSE):
        server = digest_md5(initial, nonce=lambda: b"chosen-by-lot")
        assert next(server).data == b'realm="",nonce="chosen-by-lot",qop="auth",algorithm=md5-sess,charset=utf-8'


def test_nonces_never_come_again():
    assert len({next(digest_md5(None)).data for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "secret", [None, Password(b"Secret"), DigestKey(bytes(16)), DigestKey.of("chris", "", "secret")]
)
def test_who_does_not_know_the_password_is_refused(secret):
    assert answered(RESPONSE, secret) == (f"chris@{REALM}", Denied(Denial.MISMATCH))


def test_no_password_lets_in_who_is_not_known():
    for password in ("", "sesame"):
        assert answered(response_of("nobody", "", password), None, realms=("",))[1] == Denied(Denial.MISMATCH)


def test_a_response_that_was_overheard_is_good_for_nothing():
    overheard = []
    credentials = Credentials("tim", "tanstaaftanstaaf")
    verdict = log_in(credentials, Password(b"tanstaaftanstaaf"), reads=lambda said: overheard.append(said) or said)
    assert isinstance(verdict, Granted)
    with pytest.raises(MalformedMessage, match="expected the nonce of this challenge"):
        answered(overheard[0], Password(b"tanstaaftanstaaf"), realms=("",))


@pytest.mark.parametrize(
    ("realms", "username", "realm", "account", "by_key"),
    [
        # The default: accounts are named in full, or have no domain.
        (("",), "tim", "", "tim", True),
        (("",), "tim", None, "tim", True),
        (("",), "tim@example.com", "", "tim@example.com", False),
        # As Dovecot: the account of a realm.
        (("example.com",), "tim", "example.com", "tim@example.com", True),
        (("example.com",), "tim@example.com", "example.com", "tim@example.com", False),
        (("example.com", "example.org"), "tim", "example.org", "tim@example.org", True),
        (("example.com", "example.org"), "tim@example.org", "example.com", "tim@example.org", False),
        # Who names no realm means the first.
        (("example.com",), "tim", None, "tim@example.com", False),
        (("example.com",), "tim", "", "tim@example.com", False),
        (("", "example.com"), "tim", "", "tim", True),
        (("", "example.com"), "tim", "example.com", "tim@example.com", True),
        # NFKC makes an @ of U+FF20, and an a of U+FF41.
        (("example.com",), "tim\uff20example.org", "example.com", "tim@example.org", False),
        (("example.com",), "tim\uff41", "example.com", "tima@example.com", False),
    ],
)
def test_which_account_is_meant(realms, username, realm, account, by_key):
    response = response_of(username, realm, "sesame")
    name, _, domain = account.partition("@")
    assert answered(response, Password(b"sesame"), realms=realms)[0] == account
    verdict = answered(response, Password(b"sesame"), realms=realms)[1]
    assert verdict.identity == Identity(account)
    # A store keeps one key for each account, that of its name in the realm that is its domain.
    verdict = answered(response, DigestKey.of(name, domain, "sesame"), realms=realms)[1]
    assert isinstance(verdict, Granted) == by_key


@pytest.mark.parametrize(
    ("authzid", "expected"), [(b"tim", ""), (b"tim@example.com", ""), (b"boss", "boss"), ("\uff42oss".encode(), "boss")]
)
def test_to_act_as_oneself_is_to_act_as_nobody_else(authzid, expected):
    response = response_of("tim", "example.com", "sesame", authzid=authzid)
    _, verdict = answered(response, Password(b"sesame"), realms=("example.com",))
    assert verdict.identity == Identity("tim@example.com", expected)


@pytest.mark.parametrize("password", ["sesame", "garçon", "日本語"])
@pytest.mark.parametrize("username", ["tim", "andré", "łukasz"])
def test_clients_spell_what_they_digest_in_their_own_ways(username, password):
    response = DigestResponse(username, "", b"OA6MG9tEQGm2hh", b"OA6MHXh6VqTrRk", b"smtp/h")
    raw_username, raw_password = (text.encode().decode("latin-1") for text in (username, password))
    for key in (
        DigestKey.of(username, "", password),
        DigestKey.of(raw_username, "", password),
        DigestKey.of(raw_username, "", raw_password),
    ):
        _, verdict = answered(response.write(key), Password(password.encode()), realms=("",))
        assert verdict == Granted(Identity(username), b"rspauth=" + response.proof(key, b""))


def test_a_client_may_know_nothing_but_iso_8859_1():
    message = response_of("andré", "", "garçon", charset="latin-1")
    assert "andré".encode("latin-1") in message
    assert b"charset" not in message
    asked, verdict = answered(message, Password("garçon".encode()), realms=("",))
    assert (asked, type(verdict)) == ("andré", Granted)


@pytest.mark.parametrize("username", ["andré", "łukasz"])
def test_a_client_may_not_say_that_it_means_utf_8(username):
    response = DigestResponse(username, "", b"OA6MG9tEQGm2hh", b"OA6MHXh6VqTrRk", b"smtp/")
    wide = DigestKey(md5(f"{username}::sesame".encode()).digest())
    message = response.write(wide).removeprefix(b"charset=utf-8,")
    asked, verdict = answered(message, Password(b"sesame"), realms=("",))
    assert (asked, type(verdict)) == (username, Granted)


def test_a_stored_password_that_is_no_text_is_no_accident():
    message = DigestResponse("tim", "", b"OA6MG9tEQGm2hh", b"OA6MHXh6VqTrRk", b"smtp/h")
    assert answered(message.write(DigestKey(bytes(16))), Password(b"\xff\xfe"), realms=("",))[1] == Denied(
        Denial.MISMATCH
    )


# What else a client may write


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b",", b" , "),
        (b",", b",,\t,"),
        (b",", b",\r\n "),
        (b"=", b" = "),
        (b"charset=utf-8", b"charset=UTF-8"),
        (b"charset=utf-8", b'charset="utf-8"'),
        (b"charset=utf-8,", b""),
        (b"username", b"UserName"),
        (b'"chris"', b"chris"),
        (b'"chris"', rb'"\c\hri\s"'),
        (b"nc=00000001", b'nc="00000001"'),
        (b"qop=auth", b'qop="auth"'),
        (b",qop=auth", b""),
        (b"qop=auth", b"qop=auth,maxbuf=2048,cipher=rc4"),
        (b"qop=auth", b"qop=auth,note=a,note=b"),
        (b'realm="elwood.innosoft.com"', b"realm=elwood.innosoft.com"),
    ],
)
def test_what_means_the_same_is_taken(old, new):
    assert old in RESPONSE
    _, verdict = answered(RESPONSE.replace(old, new), Password(b"secret"))
    assert verdict == Granted(Identity(f"chris@{REALM}"), RSPAUTH)


@pytest.mark.parametrize("order", list(permutations(range(0, 9, 3))))
def test_the_order_of_directives_is_free(order):
    parts = RESPONSE.split(b",")
    shuffled = b",".join(b",".join(parts[start : start + 3]) for start in order)
    assert isinstance(answered(shuffled, Password(b"secret"))[1], Granted)


def test_the_case_of_qop_counts_in_the_digest():
    message = response_of("tim", "", "sesame", qop=b"Auth")
    assert isinstance(answered(message, Password(b"sesame"), realms=("",))[1], Granted)
    changed = message.replace(b"Auth", b"auth")
    assert answered(changed, Password(b"sesame"), realms=("",))[1] == Denied(Denial.MISMATCH)


def test_a_response_without_digest_uri_is_taken():
    response = DigestResponse("tim", "", b"OA6MG9tEQGm2hh", b"OA6MHXh6VqTrRk", b"")
    message = response.write(DigestKey.of("tim", "", "sesame")).replace(b'digest-uri="",', b"")
    assert b"digest-uri" not in message
    assert isinstance(answered(message, Password(b"sesame"), realms=("",))[1], Granted)


# What no client may write


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        (b'username="chris",', b"", "expected username, got none"),
        (b'username="chris"', b'username=""', "expected username, got none"),
        (b'nonce="OA6MG9tEQGm2hh",', b"", "expected nonce, got none"),
        (b'cnonce="OA6MHXh6VqTrRk",', b"", "expected cnonce, got none"),
        (b"nc=00000001,", b"", "expected nc, got none"),
        (b"response=d388dad90d4bbd760a152321f2143af7,", b"", "expected response, got none"),
        (b"OA6MG9tEQGm2hh", b"OA6MG9tEQGm2hi", "the nonce of this challenge"),
        (b"OA6MG9tEQGm2hh", b"OA6MG9tEQGm2h", "the nonce of this challenge"),
        (b"OA6MHXh6VqTrRk", b"short", "a nonce of 8 characters at least, got 5"),
        (b"OA6MHXh6VqTrRk", b"", "expected cnonce, got none"),
        (b"nc=00000001", b"nc=00000002", "expected nc=00000001"),
        (b"nc=00000001", b"nc=1", "expected nc=00000001"),
        (b"qop=auth", b"qop=auth-int", "expected qop=auth"),
        (b"qop=auth", b'qop="auth,auth-int"', "expected qop=auth"),
        (b"charset=utf-8", b"charset=utf-7", "expected charset=utf-8 or none"),
        (b"charset=utf-8", b'charset=""', "expected charset=utf-8 or none"),
        (b'realm="elwood.innosoft.com"', b'realm="innosoft.com"', "one of the realms that are offered"),
        (b'realm="elwood.innosoft.com"', b'realm="Elwood.innosoft.com"', "one of the realms that are offered"),
        (b"imap/elwood.innosoft.com", b"imap", "expected service/host in digest-uri"),
        (b"imap/elwood.innosoft.com", b"imap/h/", "expected service/host in digest-uri"),
        (b"imap/elwood.innosoft.com", b"/elwood.innosoft.com", "expected service/host in digest-uri"),
        (b"imap/elwood.innosoft.com", b"imap/a/b/c", "expected service/host in digest-uri"),
        (b"d388dad90d4bbd760a152321f2143af7", b"d388dad90d4bbd760a152321f2143af", "32 hexadecimal digits"),
        (b"d388dad90d4bbd760a152321f2143af7", b"d388dad90d4bbd760a152321f2143af70", "32 hexadecimal digits"),
        (b"d388dad90d4bbd760a152321f2143af7", b"D388DAD90D4BBD760A152321F2143AF7", "32 hexadecimal digits"),
        (b"qop=auth", b'qop=auth,authzid=""', "a name in authzid, got an empty one"),
        (b'"chris"', b'"chr\xffis"', "expected UTF-8"),
        (b'"chris"', b'"chr\x01is"', "expected name=value at octet 15"),
        (b'"chris"', b'"chr\\\x01is"', "user name: character 4 is prohibited"),
        (b'"chris"', '"\N{SOFT HYPHEN}"'.encode(), "user name: empty"),
        # CVE-2026-48829, of GNU SASL.
        (b'nonce="OA6MG9tEQGm2hh"', b"nonce", "expected name=value at octet 60"),
        (b'realm="elwood.innosoft.com"', b"realm", "expected name=value at octet 32"),
        (b"qop=auth", b"qop", "expected name=value at octet"),
        (b"qop=auth", b"qop=", "expected name=value at octet"),
        (b"qop=auth", b"=auth", "expected name=value at octet"),
        (b"qop=auth", b'qop="auth', "expected name=value at octet"),
        (b"qop=auth", b'qop="auth\\"', "expected name=value at octet"),
        (b"qop=auth", b'qop="auth"x', "expected name=value at octet"),
        (b"qop=auth", b"qop=auth auth", "expected name=value at octet"),
        (b"qop=auth", b"qop=auth;maxbuf=1", "expected name=value at octet"),
    ],
)
def test_what_is_no_response_is_refused(old, new, finding):
    assert old in RESPONSE
    with pytest.raises(MalformedMessage, match=re.escape(finding)):
        answered(RESPONSE.replace(old, new), Password(b"secret"))


@pytest.mark.parametrize("directive", [*RESPONSE.split(b","), b'authzid="boss"', b"maxbuf=4096", b"cipher=rc4"])
def test_no_directive_may_come_twice(directive):
    message = RESPONSE if directive in RESPONSE else RESPONSE + b"," + directive
    name = directive.partition(b"=")[0].decode()
    with pytest.raises(MalformedMessage, match=f"expected {name} once, got it twice"):
        answered(message + b"," + directive, Password(b"secret"))


@pytest.mark.parametrize("message", [b"", b" ", b",", b",,,", b"\0", b"nonce", b'"', b"\\", b"=", b"a=b"])
def test_what_says_nothing_is_refused(message):
    with pytest.raises(MalformedMessage):
        answered(message)


def test_names_of_every_length_are_read_or_refused():
    for size in (1, 255, 1023, 1024):
        assert isinstance(answered(response_of("u" * size, "", "p"), Password(b"p"), realms=("",))[1], Granted)
    with pytest.raises(MalformedMessage, match="user name: 1025 octets long, more than 1024"):
        answered(response_of("u" * 1025, "", "p"), realms=("",))
    # The account's name counts, with its realm.
    with pytest.raises(MalformedMessage, match="user name: 1026 octets long, more than 1024"):
        answered(response_of("u" * 1024, "r", "p"), realms=("r",))


def test_a_response_has_less_than_4096_octets():
    padding = b"," * (4095 - len(RESPONSE))
    assert isinstance(answered(RESPONSE + padding, Password(b"secret"))[1], Granted)
    with pytest.raises(MalformedMessage, match="expected less than 4096 octets, got 4096"):
        answered(RESPONSE + padding + b",")


# The client's side


def client_of(username="chris", password="secret", **other):
    client = Exchange(digest_md5_client(Credentials(username, password, **other)))
    assert client.begin() is None
    return client


@pytest.mark.parametrize(
    ("offered", "username", "named", "realm"),
    [
        ([], "tim", "tim", None),
        ([], "tim@example.com", "tim@example.com", None),
        ([""], "tim", "tim", ""),
        ([""], "tim@", "tim@", ""),
        (["example.com"], "tim", "tim", "example.com"),
        (["example.com"], "tim@example.com", "tim", "example.com"),
        (["example.com"], "@example.com", "@example.com", "example.com"),
        (["example.com"], "tim@example.org", "tim@example.org", "example.com"),
        (["example.com", "example.org"], "tim", "tim", "example.com"),
        (["example.com", "example.org"], "tim@example.org", "tim", "example.org"),
        (["example.com", "example.org"], "tim@a@example.org", "tim@a@example.org", "example.com"),
        (['a "quoted" \\ realm'], "tim", "tim", 'a "quoted" \\ realm'),
    ],
)
def test_the_client_finds_its_realm(offered, username, named, realm):
    realms = b"".join(b"realm=%b," % quote(one.encode()) for one in offered)
    response = client_of(username).answer(realms + b'nonce="OA6MG9tEQGm2hh",algorithm=md5-sess,charset=utf-8')
    said = dict(parse(response))
    assert said["username"].decode() == named
    assert said.get("realm") == (None if realm is None else realm.encode())


def test_the_client_names_the_server():
    for channel, uri in [
        (Channel(), b"smtp/localhost"),
        (Channel(host="mail.example.com"), b"smtp/mail.example.com"),
        (Channel(service="imap", host="h"), b"imap/h"),
    ]:
        assert dict(parse(client_of(channel=channel).answer(CHALLENGE)))["digest-uri"] == uri


@pytest.mark.parametrize(
    "changed",
    [
        CHALLENGE.replace(b',qop="auth"', b""),
        CHALLENGE.replace(b'"auth"', b'"auth-int , AUTH,auth-conf"'),
        CHALLENGE.replace(b'"auth"', b"auth"),
        CHALLENGE.replace(b"md5-sess", b'"MD5-Sess"'),
        CHALLENGE.replace(b",", b" ,\t,"),
        CHALLENGE + b",maxbuf=65536,cipher=rc4,stale=true,note=a,note=b",
        CHALLENGE.replace(b",charset=utf-8", b""),
    ],
)
def test_the_client_takes_what_servers_write(changed):
    assert b"username=" in client_of().answer(changed)


@pytest.mark.parametrize(
    ("changed", "finding"),
    [
        (b"", "a nonce of 8 characters at least, got 0"),
        (b"rspauth=ea40f60335c427b5527b84dbabcdfffd", "a nonce of 8 characters at least, got 0"),
        (CHALLENGE.replace(b"OA6MG9tEQGm2hh", b"1234567"), "a nonce of 8 characters at least, got 7"),
        (CHALLENGE.replace(b",algorithm=md5-sess", b""), "expected the algorithm md5-sess"),
        (CHALLENGE.replace(b"md5-sess", b"sha-256-sess"), "expected the algorithm md5-sess"),
        (CHALLENGE.replace(b'"auth"', b'"auth-int,auth-conf"'), "expected auth among the qualities of protection"),
        (CHALLENGE.replace(b"charset=utf-8", b"charset=euc-jp"), "expected charset=utf-8 or none"),
        (CHALLENGE.replace(b"elwood", b"\xff"), "expected UTF-8"),
        (CHALLENGE + b',nonce="OA6MG9tEQGm2hh"', "expected nonce once, got it twice"),
        (CHALLENGE + b",algorithm=md5-sess", "expected algorithm once, got it twice"),
        (CHALLENGE + b",qop=auth", "expected qop once, got it twice"),
        (CHALLENGE + b",charset=utf-8", "expected charset once, got it twice"),
        (CHALLENGE + b",realm", "expected name=value at octet"),
        (CHALLENGE + b"," * 2048, "expected less than 2048 octets"),
    ],
)
def test_the_client_refuses_what_is_no_challenge(changed, finding):
    with pytest.raises(ExchangeError, match=f"the server's message: .*{re.escape(finding)}"):
        client_of().answer(changed)


def test_without_charset_names_are_of_iso_8859_1():
    challenge = CHALLENGE.replace(b",charset=utf-8", b"")
    response = client_of("andré", "garçon").answer(challenge)
    assert dict(parse(response))["username"] == "andré".encode("latin-1")
    assert b"charset" not in response
    with pytest.raises(ExchangeError, match="expected charset=utf-8 from the server"):
        client_of("łukasz").answer(challenge)


@pytest.mark.parametrize(
    "last_words",
    [
        b"",
        b"rspauth",
        b"rspauth=",
        b'rspauth=""',
        b"rspauth=ea40f60335c427b5527b84dbabcdfffe",
        b"rspauth=ea40f60335c427b5527b84dbabcdfff",
        b"rspauth=EA40F60335C427B5527B84DBABCDFFFD",
        RSPAUTH + b"," + RSPAUTH,
        RSPAUTH + b"," * 2048,
        CHALLENGE,
        CHALLENGE + b",stale=true",
    ],
)
def test_success_counts_only_with_the_servers_proof(last_words):
    channel = Channel(service="imap", host=REALM)
    for proof in (last_words, RSPAUTH):
        client = Exchange(
            digest_md5_client(Credentials("chris", "secret", channel=channel), nonce=lambda: b"OA6MHXh6VqTrRk")
        )
        client.begin()
        assert client.answer(CHALLENGE) == RESPONSE
        if proof == RSPAUTH:
            client.conclude(proof)
            continue
        with pytest.raises(ExchangeError):
            client.answer(proof)


def test_success_without_a_word_is_no_success():
    client = client_of()
    with pytest.raises(ExchangeError, match="a nonce of 8 characters at least, got 0"):
        client.conclude()
    client = client_of()
    client.answer(CHALLENGE)
    with pytest.raises(ExchangeError, match="has not proved that it knows the password"):
        client.conclude()


def test_a_server_that_does_not_know_the_password_is_found_out():
    client = client_of("tim", "sesame")
    server = digest_md5(None)
    server.send(client.answer(next(server).data))
    response, _ = DigestResponse.parse(client_of("tim", "sesame").answer(CHALLENGE))
    with pytest.raises(ExchangeError, match="has not proved"):
        client.answer(b"rspauth=" + response.proof(DigestKey.of("tim", "", "guess"), b""))


# The mechanism


def test_the_mechanism_says_what_it_is():
    assert DIGEST_MD5.properties.words == ("dictionary", "active", "mutual-auth")
    assert set(DIGEST_MD5.secrets) == {DigestKey, Password}
    assert CramKey not in DIGEST_MD5.secrets
    assert (DIGEST_MD5.needs, DIGEST_MD5.default, DIGEST_MD5.binary) == (Lookup, False, False)


def test_the_realms_are_the_configurations():
    named = with_realms(["example.com", "日本"])
    challenge = next(named.server(None)).data
    assert challenge.startswith('realm="example.com",realm="日本",nonce="'.encode())
    assert (named.name, named.client) == (DIGEST_MD5.name, DIGEST_MD5.client)
    assert next(DIGEST_MD5.server(None)).data.startswith(b'realm="",nonce="')


@pytest.mark.parametrize(
    ("realms", "finding"),
    [
        ([], "expected one or more"),
        (["", "b\nc"], "realm 2: no account can be named after it: user name: character 2 is prohibited"),
        (["a" * 1000] * 2, "in a challenge of less than 2048 octets, got 2"),
    ],
)
def test_realms_that_no_challenge_can_hold_are_refused(realms, finding):
    with pytest.raises(ValueError, match=finding):
        with_realms(realms)


# Whatever may come

octets = st.binary().map(lambda value: re.sub(rb"[\x00-\x08\x0a-\x1f\x7f]", b"", value))
tokens = st.text("abcdefghijklmnopqrstuvwxyz-0123456789!#$%&'*+.^_`|~", min_size=1)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=30)
spaces = st.sampled_from([b"", b" ", b"\t ", b"\r\n ", b" \r\n\t"])


@given(st.lists(st.tuples(tokens, octets)), st.lists(spaces, min_size=4, max_size=4), st.lists(spaces, min_size=1))
def test_what_was_written_is_read(directives, around, empty):
    one, two, three, four = around
    elements = [b"%b%b%b=%b%b%b" % (one, name.encode(), two, three, quote(value), four) for name, value in directives]
    assert parse(b",".join(elements)) == directives
    assert parse(b",".join([*empty, *elements, *empty])) == directives
    assert parse((b",%b," % b",".join(empty)).join(elements)) == directives


@given(st.lists(st.tuples(tokens, tokens)))
def test_tokens_need_no_quotes(directives):
    message = ",".join(f"{name.upper()}={value}" for name, value in directives).encode()
    assert parse(message) == [(name, value.encode()) for name, value in directives]


@given(st.binary() | st.text('a=",\\ \t\r\n').map(str.encode))
@example(b'a="' + b"\\" * 4000)
@example(b"a" * 4000)
@example(b" " * 4000 + b"a")
@example(b"\r\n " * 1300 + b"\r")
def test_no_list_raises_anything_but_our_own_error(message):
    try:
        directives = parse(message)
    except MalformedMessage as refusal:
        error = str(refusal)
    else:
        error = "expected name=value at octet 0"
        assert all(re.fullmatch(r"[!-~]+", name) for name, _ in directives)
    assert re.fullmatch(r"expected name=value at octet \d+", error)


@st.composite
def mutated(draw, message):
    """*message*, with some of it replaced, left out, or said twice."""
    start = draw(st.integers(0, len(message)))
    end = draw(st.integers(start, min(len(message), start + 12)))
    new = draw(st.binary(max_size=8) | st.sampled_from([b",", b'"', b"\\", b"=", message[start:end] * 2]))
    return message[:start] + new + message[end:]


def meaning(message, *ignored):
    return {name: value for name, value in parse(message) if name not in ignored}


@given(mutated(RESPONSE))
def test_a_response_that_was_changed_is_refused(message):
    try:
        asked, verdict = answered(message, Password(b"secret"))
    except MalformedMessage:
        return
    if verdict != Denied(Denial.MISMATCH):
        # It says the same in other words, or leaves out what goes without saying.
        assert verdict == Granted(Identity(asked), RSPAUTH)
        said, meant = meaning(message, "charset"), meaning(RESPONSE, "charset")
        assert {"qop": b"auth", **said}.items() >= meant.items()


@given(mutated(CHALLENGE))
def test_a_challenge_that_was_changed_gets_no_good_response(message):
    try:
        response = client_of().answer(message)
    except ExchangeError:
        return
    try:
        _, verdict = answered(response, DigestKey.of("chris", REALM, "secret"))
    except MalformedMessage:
        return
    if verdict != Denied(Denial.MISMATCH):
        said = meaning(message)
        assert (said["nonce"], said["realm"]) == (b"OA6MG9tEQGm2hh", REALM.encode())


@given(mutated(RSPAUTH))
def test_last_words_that_were_changed_are_refused(message):
    credentials = Credentials("chris", "secret", channel=Channel(service="imap", host=REALM))
    client = Exchange(digest_md5_client(credentials, nonce=lambda: b"OA6MHXh6VqTrRk"))
    client.begin()
    client.answer(CHALLENGE)
    try:
        client.answer(message)
    except ExchangeError:
        return
    assert meaning(message)["rspauth"] == meaning(RSPAUTH)["rspauth"]


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_no_message_raises_anything_but_our_own_errors(message, last_words):
    with pytest.raises(MalformedMessage):
        answered(message)
    with pytest.raises(ExchangeError):
        client_of().answer(message)
    client = client_of()
    client.answer(CHALLENGE)
    with pytest.raises(ExchangeError):
        client.answer(last_words)


@given(
    username=texts,
    password=texts,
    realms=st.lists(texts, min_size=1, max_size=3),
    authzid=st.just("") | texts,
    wrong=texts,
)
def test_each_side_understands_the_other(username, password, realms, authzid, wrong):
    names = (username, f"{username}@{realms[0]}", authzid or username)
    assume(all(map(prepared, names)) and wrong != password)
    credentials = Credentials(username, password, authzid, channel=Channel(host="mail.example.com"))
    verdict = log_in(credentials, Password(password.encode()), realms=tuple(realms))
    assert isinstance(verdict, Granted)
    if "@" not in prepared(username):
        account = f"{prepared(username)}@{realms[0]}" if realms[0] else username
        assert verdict.identity.authcid == prepared(account)
    assert log_in(credentials, Password(wrong.encode()), realms=tuple(realms)) == Denied(Denial.MISMATCH)


def prepared(name):
    """The form of *name* that stores see; None if there is none."""
    try:
        return prepare_username(name.encode())
    except MalformedMessage:
        return None


def test_no_error_shows_a_secret():
    for broken in (RESPONSE.replace(b"nc=00000001", b"nc"), RESPONSE.replace(b"qop=auth", b"qop=x")):
        with pytest.raises(MalformedMessage) as caught:
            answered(broken)
        assert "d388dad9" not in str(caught.value)
    client = client_of(password="sesame")
    with pytest.raises(ExchangeError) as caught:
        client.answer(b"sesame")
    assert "sesame" not in str(caught.value)
