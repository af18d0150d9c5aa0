"""Addresses in the header of a message are for whom they were written, however they have to be written anew."""

from email import message_from_bytes, message_from_string, policy
from email.header import Header, decode_header, make_header
from email.message import EmailMessage, Message
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.mail.addresses import a_labels, mailboxes
from ninsho.mail.encoded_fields import encoded_fields
from ninsho.mail.message import Submission, Unsendable, prepare
from ninsho.wire.ehlo import Capabilities

OLD = Capabilities(extensions={})
UTF8 = Capabilities(extensions={"8BITMIME": (), "SMTPUTF8": ()})


def made(to, kind=EmailMessage):
    message = kind()
    message["From"], message["To"] = "a@example.com", to
    message.set_payload("Hello\n")
    return message


def raw(to):
    return f"From: a@example.com\r\nTo: {to}\r\n\r\nHello\r\n".encode()


def prepared(message, capabilities=OLD, recipients=None):
    return prepare(Submission(message, None, recipients), capabilities, chunking=False)


def to_field(found):
    """The To field that is sent."""
    return message_from_bytes(b"".join(found.content.plain()), policy=policy.default)["To"]


KINDS = [made, lambda to: made(to, Message), raw]


@pytest.mark.parametrize("message", KINDS)
@pytest.mark.parametrize(
    ("to", "recipients"),
    [
        (
            "shop@bücher.example, me@antikbücher.example",
            ("shop@xn--bcher-kva.example", "me@xn--antikbcher-feb.example"),
        ),
        (
            "a@ü.example, b@www.ü.example.evil.example",
            ("a@xn--tda.example", "b@www.xn--tda.example.evil.example"),
        ),
        (
            "a@例.jp, b@例え.jp, 例.jp <c@例.jp>",
            ("a@xn--fsq.jp", "b@xn--r8jz45g.jp", "c@xn--fsq.jp"),
        ),
        ("a@ü.ü.example, b@ü. (ü.ü) example", ("a@xn--tda.xn--tda.example", "b@xn--tda.example")),
    ],
)
def test_a_domain_that_is_part_of_another_does_not_change_it(message, to, recipients):
    found = prepared(message(to))
    assert found.rcpts == [f"RCPT TO:<{recipient}>\r\n".encode() for recipient in recipients]
    assert tuple(address.addr_spec for address in to_field(found).addresses) == recipients


@pytest.mark.parametrize("message", KINDS)
@pytest.mark.parametrize(
    ("to", "names"),
    [
        ('"bücher.example shop" <shop@bücher.example>', ["bücher.example shop"]),
        ("Jörg M. Müller <j@bücher.example>, Bob <b@example.org>", ["Jörg M. Müller", "Bob"]),
        ('"Müller, J., bücher.example" <j@bücher.example>', ["Müller, J., bücher.example"]),
        ("j@bücher.example", [""]),
        ("=?utf-8?q?a=40evil=2C?= <a@bücher.example>", ["a@evil,"]),
        (
            '"' + "Lange Namen, und noch mehr davon, " * 9 + 'ü" <j@bücher.example>',
            ["Lange Namen, und noch mehr davon, " * 9 + "ü"],
        ),
    ],
)
def test_a_display_name_stays(message, to, names):
    octets = b"".join(prepared(message(to)).content.plain())
    # The newer reader of the library puts spaces between encoded words (RFC 2047 §6.2).
    value = message_from_bytes(octets)["To"]
    pairs = getaddresses([value.replace("\r\n", "")])
    assert [str(make_header(decode_header(name))) for name, _ in pairs] == names


@pytest.mark.parametrize(
    "to",
    [
        "=?utf-8?q?evil=40x.example=2C?= <b@example.org>",
        "=?utf-8?q?=22?= <b@example.org>, =?utf-8?q?=2C_evil=40x.example?= <c@example.org>",
        '"evil@x.example, ' + "who has a very long name, " * 5 + '" <b@example.org>',
        '"' + "a long name, " * 9 + '" <b@example.org>, "' + "a long name; " * 9 + '" <c@example.org>',
    ],
)
@pytest.mark.parametrize("capabilities", [OLD, UTF8])
@pytest.mark.parametrize("local", ["", "ü@x.example, "])
def test_a_name_that_the_library_writes_without_its_quotes_makes_no_recipient(to, local, capabilities):
    expected = (*(["ü@x.example"] if local else []), *(f"{name}@example.org" for name in "bc" if f"<{name}@" in to))
    parsed = message_from_string(f"From: a@example.com\nTo: {local}{to}\n\nHello\n", policy=policy.default)
    for message in (made(local + to), parsed):
        if local and capabilities is OLD:
            with pytest.raises(Unsendable, match="SMTPUTF8"):
                prepared(message, capabilities)
            continue
        found = prepared(message, capabilities)
        assert found.recipients == expected
        sent = b"".join(found.content.plain()).split(b"\r\n\r\n")[0].replace(b"\r\n ", b" ").decode()
        assert tuple(mailboxes(sent.partition("To: ")[2], "To")) == expected


@pytest.mark.parametrize(
    "to", ["root, =?utf-8?q?evil=40x.example=2C?= <b@example.org>", "=?utf-8?q?evil=40x.example?="]
)
def test_what_the_library_reads_in_another_way_than_it_writes_it_is_refused(to):
    with pytest.raises(Unsendable, match="To: "):
        prepared(made(to))


@pytest.mark.parametrize("to", ["Undisclosed recipients", "a@b c@d", "=?utf-8?q?evil=40x.example?="])
def test_what_is_no_address_may_stand_there_for_whom_an_envelope_is_given(to):
    for message in (made(to, Message), raw(to)):
        assert prepared(message, recipients=["b@example.org"]).recipients == ("b@example.org",)


def test_an_encoded_field_of_the_older_kind_stays_as_it_is():
    name = Header("Doe, Jörg", "utf-8")
    name.append("<b@example.org>", "ascii")
    assert prepared(made(name, Message)).recipients == ("b@example.org",)


letters = st.sampled_from(["ü", "bü", "例", "a", "ß", "www", "ü.b"])
domains = st.lists(letters, min_size=1, max_size=4).map("".join)
names = st.sampled_from(
    [
        "",
        "Bob",
        "Jörg",
        '"Müller, J."',
        '"ü@ü"',
        "=?utf-8?q?x=40evil=2C?=",
        "例 ü.b",
        "J. (ü)",
        '"' + "lang, " * 20 + '"',
    ]
)


@given(st.lists(st.tuples(names, domains), min_size=1, max_size=6), st.booleans(), st.sampled_from(KINDS))
def test_whoever_is_named_gets_it_and_nobody_else(people, group, message):
    value = ", ".join(
        f"{name} <u{place}@{domain}.example>" if name else f"u{place}@{domain}.example"
        for place, (name, domain) in enumerate(people)
    )
    expected = [f"u{place}@{a_labels(domain + '.example')}" for place, (_, domain) in enumerate(people)]
    found = prepared(message(f"Alle Ü: {value};" if group else value))
    assert found.rcpts == [f"RCPT TO:<{recipient}>\r\n".encode() for recipient in expected]
    header = b"".join(found.content.plain()).split(b"\r\n\r\n")[0]
    assert header.isascii()
    assert mailboxes(header.replace(b"\r\n", b"").decode().partition("To: ")[2], "To") == expected


@given(st.text('ab@<>()[]",;:.\\ é\u3000=?üX'))
def test_whatever_the_value_is_its_addresses_stay_the_same(value):
    try:
        expected = [
            f"{local}@{a_labels(domain)}" if at else domain
            for local, at, domain in (address.rpartition("@") for address in mailboxes(value, "To"))
        ]
        field = encoded_fields(f"To: {value}\r\n".encode()).decode()
    except Unsendable:
        return
    assert mailboxes(field.removeprefix("To:").replace("\r\n", ""), "To") == expected
