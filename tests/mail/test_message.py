import time
from contextlib import suppress
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.mime.text import MIMEText
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.errors import ClientError
from ninsho.mail.message import (
    Options,
    Preparer,
    Recipient,
    Submission,
    Unsendable,
    prepare,
)
from ninsho.wire.ehlo import Capabilities

MODERN = {"SIZE": ("10000",), "8BITMIME": (), "SMTPUTF8": (), "DSN": (), "CHUNKING": (), "BINARYMIME": ()}
MAIL = b"From: alice@example.com\r\nTo: bob@example.org\r\nMessage-ID: <1@example.com>\r\n\r\nHello\r\n"


def capabilities(*without, **more):
    return Capabilities(extensions={name: words for name, words in {**MODERN, **more}.items() if name not in without})


def prepared(message=MAIL, sender=None, recipients=None, options=None, *, without=(), chunking=False, **more):  # noqa: PLR0913 - all that a test may ask for
    submission = Submission(message, sender, recipients, *([options] if options else []))
    return prepare(submission, capabilities(*without, **more), chunking=chunking)


def sent(message, **others):
    return b"".join(prepared(message, "alice@example.com", ["bob@example.org"], **others).content.plain())


def with_header(*lines):
    return "\r\n".join((*lines, "", "Hello", "")).encode()


# Envelope and command lines.


def test_a_message_in_order_is_sent_octet_for_octet_with_its_own_envelope():
    found = prepared(MAIL)
    assert found.mail == b"MAIL FROM:<alice@example.com> SIZE=%d\r\n" % len(MAIL)
    assert list(found.rcpts) == [b"RCPT TO:<bob@example.org>\r\n"]
    assert (found.sender, found.recipients) == ("alice@example.com", ("bob@example.org",))
    assert found.message_id == "<1@example.com>"
    assert list(found.content.plain()) == list(found.content.stuffed()) == [MAIL]
    assert found.content.size == len(MAIL)


def test_a_given_envelope_wins_over_the_header():
    found = prepared(MAIL, "", ["carol@example.net", "carol@EXAMPLE.net", "Carol@example.net"])
    assert found.mail.startswith(b"MAIL FROM:<> ")
    # A domain has no case, a local part may have one.
    assert found.recipients == ("carol@example.net", "Carol@example.net")
    assert list(found.rcpts) == [b"RCPT TO:<carol@example.net>\r\n", b"RCPT TO:<Carol@example.net>\r\n"]


def test_a_given_recipient_may_have_a_display_name_and_one_string_is_a_to_line():
    assert prepared(MAIL, "A <a@example.com>", ['"B, C" <b@example.org>']).recipients == ("b@example.org",)
    assert prepared(MAIL, "a@example.com", "b@example.org, C <c@example.org>").recipients == (
        "b@example.org",
        "c@example.org",
    )


@pytest.mark.parametrize(
    ("header", "sender", "recipients"),
    [
        (
            ["From: a@x.example", "To: b@x.example", "Cc: c@x.example", "Bcc: d@x.example, e@x.example"],
            "a@x.example",
            "bcde",
        ),
        (["From: a@x.example, f@x.example", "Sender: s@x.example", "To: b@x.example"], "s@x.example", "b"),
        (["from : a@x.example", "tO:\r\n b@x.example,\r\n\tc@x.example"], "a@x.example", "bc"),
        (["From: a@x.example", "To: all: b@x.example, C <c@x.example>;, d@x.example"], "a@x.example", "bcd"),
        (["From: a@x.example", "To: undisclosed-recipients:;", "Bcc: b@x.example"], "a@x.example", "b"),
        (["From: a@x.example", "To: b@x.example", "Cc: b@x.example", "To: c@x.example"], "a@x.example", "bc"),
        (
            [
                "Resent-From: r@x.example",
                "Resent-To: b@x.example",
                "Resent-Bcc: c@x.example",
                "Received: from x by y",
                "Resent-From: q@x.example",
                "Resent-To: z@x.example",
                "From: a@x.example",
                "To: y@x.example",
            ],
            "r@x.example",
            "bc",
        ),
        (
            ["Resent-To: b@x.example", "Resent-From: r@x.example", "Resent-To: z@x.example", "From: a@x.example"],
            "r@x.example",
            "b",
        ),
        (
            ["Resent-To: b@x.example", "Resent-From: r@x.example", "Received: x", "Resent-Cc: z@x.example"],
            "r@x.example",
            "b",
        ),
    ],
)
def test_the_envelope_is_what_the_header_says(header, sender, recipients):
    found = prepared(with_header(*header))
    assert found.sender == sender
    assert found.recipients == tuple(f"{letter}@x.example" for letter in recipients)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (["To: b@x.example"], "expected a sender"),
        (["From: a@x.example"], "expected recipients"),
        (["From: a@x.example, b@x.example", "To: c@x.example"], "expected Sender where From has several"),
        (["From: a@x.example", "To: b@x.example, John Smith"], "To: expected addresses"),
        (["From: a@x.example", "To: =?utf-8?q?b=40x=2Eexample?="], "To: expected addresses"),
        (["Resent-From: a@x.example", "From: b@x.example", "To: c@x.example"], "Resent-To"),
    ],
)
def test_an_envelope_that_the_header_does_not_tell_is_an_error(header, reason):
    with pytest.raises(Unsendable, match=reason) as found:
        prepared(with_header(*header))
    assert isinstance(found.value, ClientError)
    assert (found.value.temporary, found.value.permanent) == (False, True)


@pytest.mark.parametrize("control", ["\r\n", "\r", "\n", "\0", "\x7f", "\x01", "\x85", "\u2028"])
@pytest.mark.parametrize("place", ["sender", "recipient", "envid", "notify", "auth", "orcpt", "mail", "rcpt", "ret"])
def test_no_control_character_comes_into_a_command(control, place):  # pitfall 53
    text = f"a{control}RCPT TO:<evil@example.com>{control}b@example.org"
    sender, recipient, options = "a@example.com", "b@example.org", {}
    match place:
        case "sender":
            sender = text
        case "recipient":
            recipient = text
        case "orcpt":
            recipient = Recipient(recipient, orcpt=text)
        case "notify":
            options = {"notify": [text]}
        case "mail" | "rcpt":
            options = {f"{place}_parameters": [text]}
        case _:
            options = {place: text}
    with pytest.raises(Unsendable):
        prepared(MAIL, sender, [recipient], Options(**options), AUTH=())


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("a..b@docomo.ne.jp", b"a..b@docomo.ne.jp"),  # pitfall 57
        ("a.@docomo.ne.jp", b"a.@docomo.ne.jp"),
        ('"a@evil"@good.example', b'"a@evil"@good.example'),  # pitfall 54
        ('"a>b c"@good.example', b'"a>b c"@good.example'),
        ('"\\"x\\\\"@good.example', b'"\\"x\\\\"@good.example'),
        ("a@[192.0.2.1]", b"a@[192.0.2.1]"),
        ("a@[IPv6:2001:db8::1]", b"a@[IPv6:2001:db8::1]"),
        ("postmaster", b"postmaster"),
        ("a@日本語.jp", b"a@xn--wgv71a119e.jp"),  # pitfall 56
        ("a@BÜCHER。example", b"a@xn--bcher-kva.example"),
        ("a@straße.example", b"a@xn--strae-oqa.example"),
        ("@relay.example:a@good.example", b"a@good.example"),
    ],
)
def test_addresses_are_sent_as_asked(address, path):
    given = f"<{address}>" if address.startswith("@") else address
    assert list(prepared(MAIL, "s@example.com", [given]).rcpts) == [b"RCPT TO:<%b>\r\n" % path]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "<>",
        "a@",
        "@b",
        "a@b@c",
        "a b@c",
        "a@b c",
        "a@b, c@d",
        "<a@b> c",
        "<a@b",
        "a@b>",
        '"a@b',
        "a(b@c",
        '"a"b@c',
        "a@b..c",
        "a@.b",
        "a@[b",
        "a@℀.example",
        "a@b\u200bc.example",
        "x" * 250 + "@example.com",
    ],
)
def test_what_is_no_address_for_certain_is_refused(address):
    with pytest.raises(Unsendable):
        prepared(MAIL, "s@example.com", [address])


def test_smtputf8_is_asked_for_where_it_is_needed():
    found = prepared(MAIL, "s@example.com", ["用户@例え.jp", "b@例え.jp"])
    assert found.mail.endswith(b" SMTPUTF8\r\n")
    assert list(found.rcpts) == ["RCPT TO:<用户@例え.jp>\r\n".encode(), b"RCPT TO:<b@xn--r8jz45g.jp>\r\n"]
    assert b"SMTPUTF8" not in prepared(MAIL, "s@example.com", ["b@例え.jp"]).mail
    with pytest.raises(Unsendable, match="SMTPUTF8"):
        prepared(MAIL, "s@example.com", ["用户@例え.jp"], without=("SMTPUTF8",))


def test_a_message_for_nobody_cannot_be_sent():
    for nobody in ([], "", "nobody:;"):
        with pytest.raises(Unsendable, match="expected recipients, got none"):
            prepared(MAIL, "s@example.com", nobody)


@pytest.mark.parametrize(
    "header",
    [
        b"x" * 500_000,
        b"x" * 500_000 + b":",
        b"x :\r\n" * 100_000,
        b":" * 500_000,
        b" " * 500_000,
        b"bcc" * 200_000,
        b"bcc:\r\n " * 90_000,
    ],
)
def test_no_header_takes_more_time_than_its_length_deserves(header):
    begun = time.process_time()
    for message in (MAIL + header, header + b"\r\n" + MAIL, "é\r\n".encode() + header):
        with suppress(Unsendable):
            prepared(message, SIZE=())
    assert time.process_time() - begun < 5


def test_the_size_is_declared_and_checked():
    assert b" SIZE=%d" % len(MAIL) in prepared(MAIL, SIZE=()).mail
    assert b" SIZE=%d" % len(MAIL) in prepared(MAIL, SIZE=("0",)).mail
    assert b"SIZE" not in prepared(MAIL, without=("SIZE",)).mail
    with pytest.raises(Unsendable, match=f"at most {len(MAIL) - 1} octets"):
        prepared(MAIL, SIZE=(str(len(MAIL) - 1),))
    # Counted behind CRLF conversion, before dot-stuffing (pitfall 9).
    assert prepared(MAIL.replace(b"\r\n", b"\n") + b".\n" * 3).content.size == len(MAIL) + 9


def test_a_str_is_no_message():
    with pytest.raises(TypeError, match="expected a message, bytes, a Path or an open file, got str"):
        prepared(MAIL.decode())


# Blind copies.

BLIND = b"Bcc: secret@example.net\r\nBCC :\r\n secret@example.net,\r\n\tsecret@example.org\r\nResent-Bcc: secret@example.net\r\n"


def test_blind_copies_leave_the_header_and_nothing_else_does():  # pitfall 10
    head, body = MAIL.split(b"\r\n\r\n")
    assert (
        sent(BLIND + head + b"\r\nX-Bcc: kept\r\n" + BLIND + b"\r\nBcc: kept\r\n")
        == head + b"\r\nX-Bcc: kept\r\n\r\nBcc: kept\r\n"
    )
    assert sent(BLIND + b"\r\n" + body) == b"\r\n" + body


# Any object that holds a message.


def test_anything_that_holds_a_message_gives_the_same_octets(tmp_path):
    path = tmp_path / "mail.eml"
    path.write_bytes(MAIL)
    with path.open("rb") as file:
        sources = [MAIL, bytearray(MAIL), memoryview(MAIL), path, BytesIO(MAIL), file]
        assert {sent(source) for source in sources} == {MAIL}


def test_a_file_that_is_not_there_cannot_be_sent(tmp_path):
    with pytest.raises(Unsendable, match="cannot be read: No such file"):
        sent(tmp_path / "none.eml")


def japanese():
    message = EmailMessage()
    message["From"] = "田中、太郎 <taro@例え.jp>"
    message["To"] = '"例, 夫" <b@example.org>'
    message["Bcc"] = "c@example.org"
    message["Subject"] = "日本語の件名"
    message.set_content("こんにちは\n.点\n")
    return message


def test_a_message_object_is_written_for_seven_bits_unless_the_server_takes_eight():
    message = japanese()
    before = message.as_string()
    found = prepared(message)
    assert message.as_string() == before
    assert (found.sender, found.recipients) == ("taro@xn--r8jz45g.jp", ("b@example.org", "c@example.org"))
    octets = b"".join(found.content.plain())
    head = octets.split(b"\r\n\r\n")[0]
    assert head.isascii()
    assert b"c@example.org" not in octets
    assert b"<taro@xn--r8jz45g.jp>" in head
    assert b" BODY=8BITMIME" in found.mail or octets.isascii()
    assert b"SMTPUTF8" not in found.mail
    assert b"".join(prepared(message, without=("8BITMIME",)).content.plain()).isascii()


def test_an_address_that_is_not_ascii_brings_the_header_to_utf8():
    message = japanese()
    message.replace_header("To", "用户 <用户@例え.jp>")
    found = prepared(message)
    assert found.mail.endswith(b" BODY=8BITMIME SMTPUTF8\r\n")
    assert "用户@例え.jp" in found.recipients
    assert "用户@例え.jp".encode() in b"".join(found.content.plain())
    with pytest.raises(Unsendable, match="SMTPUTF8"):
        prepared(message, without=("SMTPUTF8",))


def test_messages_of_the_older_kind_are_sent_too():
    international = MIMEText("Hello\n")
    international["From"], international["To"] = "j@example.com", "用户 <用户@例え.jp>"
    assert prepared(international).recipients == ("用户@例え.jp",)
    message = MIMEText("From here\nété\n", "plain", "utf-8")
    message["From"] = "Jörg <j@example.com>"
    message["To"] = "b@example.org"
    found = prepared(message)
    assert (found.sender, found.recipients) == ("j@example.com", ("b@example.org",))
    plain = Message()
    plain["From"], plain["To"] = "j@example.com", "b@example.org"
    plain.set_payload("From here\n")
    # ">From" is for mailboxes.
    assert b"".join(prepared(plain).content.plain()).endswith(b"\r\n\r\nFrom here\r\n")


@pytest.mark.parametrize("rules", [policy.default, policy.SMTP, policy.compat32])
def test_a_signed_message_object_is_not_folded_again(rules):  # pitfall 11
    signed = (
        b"DKIM-Signature: v=1; h=from:to;\r\n bh=" + b"x" * 90 + b";\r\n\tb=y\r\n"
        b"From: a@example.com\r\nTo: Somebody with   spaces <b@example.org>,\r\n    c@example.org\r\n"
        b"Subject: " + b"a long line, " * 9 + b"\r\n\r\nHello\r\n"
    )
    message = message_from_bytes(signed, policy=rules)
    assert sent(message) == signed


def test_a_message_object_that_cannot_be_written_says_why():
    broken = Message()
    broken["From"], broken["To"] = "j@example.com", "b@example.org"
    broken.set_payload("é")
    with pytest.raises(Unsendable, match=r"cannot be written: .*codec"):
        prepared(broken)


# Content, whatever the octets.

octets = st.lists(
    st.sampled_from(
        [b"\r", b"\n", b".", b"\r\n", b"a", b"Bcc: x", b":", b" ", b"\xff", b"\0", b"=", b"\xc3\xa9", b"binary"]
    )
    | st.binary(max_size=4)
).map(b"".join)


def unstuffed(data):
    return b"".join(line[1:] if line.startswith(b".") else line for line in data.splitlines(keepends=True))


@given(octets, st.sampled_from([(), ("8BITMIME",), ("SMTPUTF8",), ("8BITMIME", "SMTPUTF8")]))
def test_whatever_comes_in_no_lone_dot_and_no_lone_line_end_goes_out(message, without):  # pitfalls 1 to 4
    try:
        found = prepared(message, "a@example.com", ["b@example.org"], without=without, SIZE=())
    except Unsendable:
        return
    plain, stuffed = b"".join(found.content.plain()), b"".join(found.content.stuffed())
    for data in (plain, stuffed):
        assert data.count(b"\r") == data.count(b"\n") == data.count(b"\r\n")
        assert data.endswith(b"\r\n") or not data
        assert b"\0" not in data
    assert b"." not in stuffed.split(b"\r\n")
    assert stuffed.replace(b"\r\n..", b"\r\n.").removeprefix(b"." if plain.startswith(b".") else b"") == plain
    assert found.content.size == len(plain)
    assert plain.isascii() or (b" BODY=8BITMIME" in found.mail and "8BITMIME" not in without)
    header = plain[: plain.find(b"\r\n\r\n") + 2] if b"\r\n\r\n" in plain and not plain.startswith(b"\r\n") else b""
    assert header.isascii() or b" SMTPUTF8" in found.mail


@given(
    st.lists(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=90), max_size=9), st.booleans()
)
def test_what_has_no_fault_is_sent_octet_for_octet(lines, chunking):
    message = MAIL + "".join(f"{line}\r\n" for line in lines).encode()
    assert sent(message, chunking=chunking, SIZE=()) == message


@given(st.binary(max_size=30), st.lists(st.sampled_from(["Bcc", "bcc ", "BCC\t", "Resent-Bcc", "To", "X"]), max_size=5))
def test_no_blind_copy_survives(value, names):
    # Folds included.
    fields = [
        name.encode() + b": <secret> " + value.replace(b"\n", b"\n ").replace(b"\r", b"\r ") + b"\n" for name in names
    ]
    blind = sum("bcc" in name.lower() for name in names)
    try:
        found = sent(b"".join(fields) + b"From: a\n\nbody")
    except Unsendable:
        return
    assert found.split(b"\r\n\r\n")[0].count(b"\r\n") >= len(names) - blind
    assert not any(line.lower().startswith((b"bcc", b"resent-bcc")) for line in found.split(b"\r\n"))


@pytest.mark.parametrize(
    "trick", [b"\r\n.\n", b"\n.\r\n", b"\n.\n", b"\r.\r", b"\r\n.\r", b"\n.\r", b"\r\n.\r\n", b"\r.\n"]
)
def test_nothing_in_a_message_ends_it(trick):  # pitfalls 3 and 4
    stuffed = b"".join(prepared(MAIL + b"x" + trick + b"MAIL FROM:<evil@example.com>\r\n").content.stuffed())
    assert stuffed == MAIL + b"x\r\n..\r\nMAIL FROM:<evil@example.com>\r\n"


@pytest.mark.parametrize(
    ("message", "expected"),
    [(b"", b""), (b"\r\n", b"\r\n"), (b"\r\nx", b"\r\nx\r\n"), (b".", b".\r\n"), (b"\r\n.x\r\n", b"\r\n.x\r\n")],
)
def test_a_last_line_is_ended_once(message, expected):  # pitfall 2
    assert sent(message) == expected


def test_a_preparer_serves_many_messages():
    preparer = Preparer(capabilities(), chunking=False)
    first, second = (
        preparer.prepare(Submission(MAIL, "a@example.com", [to])) for to in ("b@example.org", "c@example.org")
    )
    assert (list(first.rcpts), list(second.rcpts)) == (
        [b"RCPT TO:<b@example.org>\r\n"],
        [b"RCPT TO:<c@example.org>\r\n"],
    )
