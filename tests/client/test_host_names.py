"""Names of hosts: A-labels, and what a client calls itself."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.client import names
from ninsho.client.names import a_labels, address_literal, ehlo_name, fault_of_ehlo_name


@pytest.mark.parametrize(
    ("host", "labels"),
    [
        ("mail.example.com", "mail.example.com"),
        ("MAIL.Example.COM.", "mail.example.com."),
        ("my_service", "my_service"),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("メール.日本。example", "xn--4dkua4c.xn--wgv71a.example"),
        # In full width, as an input method leaves it.
        ("\uff4d\uff58\uff0ecom", "mx.com"),
        # UTS #46: other names than those that IDNA 2003 makes of them.
        ("straße.example", "xn--strae-oqa.example"),
        ("βόλος.example", "xn--nxasmm1c.example"),
    ],
)
def test_a_labels(host, labels):
    assert a_labels(host) == labels


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "a..b",
        "a b",
        "a\r\nb",
        "a\0b",
        "a/b",
        "a@b",
        "a:b",
        "fe80::1%a\r\nb",
        "fe80::1%",
        "192.0.2.1%eth0",
        "é" * 64,
        "a" * 64,
        "a." * 127 + "a",
        "ß\u2028",
    ],
)
def test_what_no_host_is_called(host):
    with pytest.raises(ValueError, match="expected a host name or an IP address"):
        a_labels(host)


@given(st.text())
def test_a_labels_are_ascii_and_stay_as_they_are(host):
    try:
        labels = a_labels(host)
    except ValueError:
        return
    assert labels.isascii()
    assert a_labels(labels) == labels
    assert not set(labels) & set("\r\n\0 /@")


@pytest.mark.parametrize(
    "name",
    ["mail.example.com", "a", "a-b.c", "[192.0.2.1]", "[IPv6:2001:db8::1]", "xn--bcher-kva.example", "1.example"],
)
def test_what_may_stand_after_ehlo(name):
    assert fault_of_ehlo_name(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "my_host",
        "a b",
        "a\r\n",
        "a\0",
        "a\n",
        "-a",
        "a-",
        "a.",
        ".a",
        "bücher.example",
        "192.0.2.1]",
        "[192.0.2.1",
        "[2001:db8::1]",
        "[IPv6:192.0.2.1]",
        "[x]",
        "[IPv6:fe80::1%eth0]",
        "a" * 64,
        "a." * 127 + "a",
        "a\tb",
        "<a>",
    ],
)
def test_what_may_not_stand_after_ehlo(name):
    assert fault_of_ehlo_name(name).startswith("expected a domain name")


@pytest.mark.parametrize(
    ("address", "literal"),
    [
        ("192.0.2.1", "[192.0.2.1]"),
        ("2001:db8::1", "[IPv6:2001:db8::1]"),
        ("fe80::1%eth0", "[IPv6:fe80::1]"),
        ("::ffff:192.0.2.1", "[192.0.2.1]"),
        ("", "[127.0.0.1]"),
        ("/run/socket", "[127.0.0.1]"),
    ],
)
def test_an_address_in_brackets(address, literal):
    assert address_literal(address) == literal
    assert fault_of_ehlo_name(literal) is None


class TestOurOwnName:
    @pytest.fixture(autouse=True)
    def _no_resolver(self, monkeypatch):
        def asked(*_):
            raise AssertionError("a resolver was asked")

        for function in ("getfqdn", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getaddrinfo"):
            monkeypatch.setattr(socket, function, asked)

    @pytest.fixture
    def call_me(self, monkeypatch, tmp_path):
        def call(hostname, *, hosts="", mailname=None, given=None, address="192.0.2.1"):
            monkeypatch.setattr(names.socket, "gethostname", lambda: hostname)
            (tmp_path / "hosts").write_text(hosts)
            if mailname is not None:
                (tmp_path / "mailname").write_text(mailname)
            return ehlo_name(given, address, hosts=tmp_path / "hosts", mailname=tmp_path / "mailname")

        return call

    def test_the_given_one(self, call_me):
        assert call_me("box.example.com", given="me.example") == "me.example"

    def test_the_host_name_where_it_is_a_full_one(self, call_me):
        assert call_me("box.example.com") == "box.example.com"

    def test_the_full_name_beside_it_in_hosts(self, call_me):
        hosts = "127.0.0.1 localhost\n127.0.1.1 box.example.com box # mine\n::1 other.example.com\n"
        assert call_me("box", hosts=hosts) == "box.example.com"

    def test_the_mail_name(self, call_me):
        assert call_me("box", mailname="mail.example.com\n") == "mail.example.com"

    @pytest.mark.parametrize("name", ["box", "box.localdomain", "mac.local", "my_box.example.com", "", "box."])
    def test_else_the_address(self, call_me, name):
        assert call_me(name, hosts="127.0.1.1 box.localdomain box\n", mailname="box\n") == "[192.0.2.1]"

    def test_files_that_cannot_be_read(self, call_me, tmp_path):
        (tmp_path / "mailname").mkdir()
        assert call_me("box", hosts="\udcff".encode("utf-8", "surrogateescape").decode("latin-1")) == "[192.0.2.1]"
