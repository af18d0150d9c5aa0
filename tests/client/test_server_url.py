"""A server's URL, written from what hypothesis makes up and read back; and text that is no URL."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.client.settings import Endpoint, Login, Settings, Timeouts, TLSMode
from ninsho.client.url import parse
from ninsho.errors import ConfigurationError

LABELS = st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
NAMES = st.lists(LABELS, min_size=1, max_size=3).map(".".join)
HOSTS = NAMES | st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(str)
PLACES = st.builds(Endpoint, HOSTS, st.integers(1, 65_535))
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)
LOGINS = st.builds(Login, username=TEXTS, password=TEXTS, allow_cleartext=st.booleans(), fall_through=st.booleans())


@st.composite
def settings(draw):
    return Settings(
        endpoints=tuple(draw(st.lists(PLACES, min_size=1, max_size=3))),
        tls=draw(st.sampled_from([TLSMode.STARTTLS, TLSMode.IMPLICIT, TLSMode.NONE])),
        login=draw(LOGINS),
        timeouts=Timeouts(total=draw(st.integers(1, 10_000))),
        without=frozenset(draw(st.sets(st.sampled_from(["CHUNKING", "PIPELINING", "SMTPUTF8"]), min_size=1))),
    )


def written(one):
    login = one.login
    parameters = {
        "tls": one.tls.value,
        "allow_cleartext": str(login.allow_cleartext),
        "fall_through": str(login.fall_through),
        "deadline": str(one.timeouts.total),
        "without": ",".join(one.without),
    }
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
    userinfo = f"{quote(login.username, safe='')}:{quote(login.password, safe='')}"
    return f"smtp://{userinfo}@{','.join(map(str, one.endpoints))}?{query}"


@given(settings())
def test_settings_written_as_a_url_are_read_back(one):
    assert Settings.of(written(one), environ={}) == one


@given(st.text() | st.text("smtp:/@?#%[],&=. a0").map("smtp://".__add__))
def test_any_text_is_a_url_or_a_configuration_error(text):
    try:
        found = Settings.of(text, environ={})
    except ConfigurationError:
        return
    assert all(endpoint.host.isascii() for endpoint in found.endpoints)


def test_the_parts():
    found = parse("SMTP+unix://alice:a%3Ab@/run/my%20socket?tls=none&authzid=bob+x@h")
    assert (found.scheme, found.path, found.username, found.password) == ("smtp+unix", "/run/my socket", "alice", "a:b")
    assert found.parameters == (("tls", "none"), ("authzid", "bob+x@h"))
    assert not found.faults
    assert "a:b" not in repr(found)


def test_an_at_sign_in_the_user_name_needs_no_escape():
    found = parse("smtp://alice@example.com:secret@h.example")
    assert (found.username, found.password, found.hosts) == ("alice@example.com", "secret", (("h.example", None),))


def test_a_password_may_be_empty_or_missing():
    assert parse("smtp://alice:@h").password == ""
    assert parse("smtp://alice@h").password is None


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        (
            "mail.example.com:587",
            "expected smtp://, smtps://, lmtp://, smtp+unix://, lmtp+unix:// and then a host, got 'mail.example.com:587'",
        ),
        ("localhost:1025", "expected smtp://, smtps://, lmtp://, smtp+unix://, lmtp+unix:// and then a host, got"),
        ("smpt://h", "expected smtp://, smtps://, lmtp://, smtp+unix://, lmtp+unix:// and then a host; did you mean"),
        ("smtp://", "host: expected a name or an IP address"),
        ("smtp://h:0", "port: expected a number from 1 to 65535"),
        ("smtp://h:65536", "port: expected a number from 1 to 65535"),
        ("smtp://h:x", "host: expected a name or an IP address"),
        ("smtp://::1", "host: expected a name or an IP address, IPv6 in brackets"),
        ("smtp://[::1", "host: expected a name or an IP address"),
        ("smtp://[h.example]", "host: expected an IPv6 address in brackets"),
        ("smtp://a,,b", "host: expected a name or an IP address"),
        ("smtp://a%0Db", "host: expected a host name"),
        ("smtp://-%2F-", "host: expected a host name"),
        ("smtp://h/path", "path: expected none"),
        ("smtp+unix://h/path", "path: expected a socket's"),
        ("smtp+unix:///", "path: expected a socket's"),
        ("smtp+unix:///a%00b", "path: expected a socket's"),
        ("smtp://h?tls", "parameters: expected name=value"),
        ("smtp://h#x", "expected"),
        ("smtp://a b", "expected white space"),
        ("smtp://h?x=%FF", "expected UTF-8"),
        ("smtp://a%:b@h", "expected user name and password once"),
    ],
)
def test_what_is_wrong_with_a_url(url, fault):
    assert any(found.startswith(fault) for found in parse(url).faults), parse(url).faults


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("mail.example.com", "smtp://mail.example.com"),
        ("mail.example.com:587", "smtp://mail.example.com:587"),
        ("Mail.Example.com:465", "smtp://Mail.Example.com:465"),
        ("192.0.2.1", "smtp://192.0.2.1"),
        ("[2001:db8::1]:25", "smtp://[2001:db8::1]:25"),
        ("localhost:12345", "smtp://localhost:12345"),
        ("smpt://h", "smtp://"),
        ("smtp+unux:///run/socket", "smtp+unix://"),
    ],
)
def test_what_was_meant_is_guessed(text, meant):
    (fault,) = parse(text).faults
    assert fault.endswith(f"; did you mean {meant}?")


@pytest.mark.parametrize(
    "text", ["hunter2", "alice.smith:12345", "alice:12345", "alice.smith:hunter2", "correct.horse.7", "hunter2://h", ""]
)
def test_what_may_be_a_password_is_not_shown(text):
    assert parse(text).faults == ("expected smtp://, smtps://, lmtp://, smtp+unix://, lmtp+unix:// and then a host",)
