"""Addresses that docomo and au gave out, and RFC 5321 does not have: dots side by side, first or last."""

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.client.settings import Settings
from ninsho.errors import ConfigurationError
from ninsho.mail.addresses import mailboxes, quoted, read, single
from ninsho.mail.envelope import Envelope
from ninsho.mail.message import Options, Preparer, Recipient, Submission, Unsendable, prepare
from ninsho.mail.terms import Terms
from ninsho.mail.written import written
from ninsho.wire.ehlo import Capabilities

DOTTED = ["a..b@docomo.ne.jp", "a.@docomo.ne.jp", ".a@ezweb.ne.jp", "-everyone..-_-..annoyed-@docomo.ne.jp"]
QUOTED = {address: '"{}"@{}'.format(*address.split("@")) for address in DOTTED}
BODY = b"Subject: x\r\n\r\nx\r\n"

each = pytest.mark.parametrize("address", DOTTED)


def envelope(submission, **words):
    found = Preparer(Capabilities(), chunking=False, **words).prepare(submission)
    return found.mail, found.rcpts, found.recipients


# They are read wherever addresses are.


@each
@pytest.mark.parametrize("form", ["{}", "<{}>", "山田 太郎 <{}>", '"Yamada, T." <{}>', "=?utf-8?B?5bGx55Sw?= <{}> (x)"])
def test_57_they_are_read_with_names_and_without(address, form):
    text = form.format(address)
    assert single(text, "to") == address
    assert mailboxes(f"{text}, b@example.org", "to") == [address, "b@example.org"]
    assert read(text, "to") == (address, address.encode())


@each
def test_57_they_are_read_from_a_header(address):
    header = f"From: s@example.com\r\nTo: Taro <{address}>,\r\n {address}\r\n\r\n".encode()
    assert Envelope(header).recipients() == [address, address]
    assert envelope(Submission(header)) == (
        b"MAIL FROM:<s@example.com>\r\n",
        [b"RCPT TO:<%b>\r\n" % address.encode()],
        (address,),
    )


@each
@pytest.mark.parametrize("name", ["", "Taro ", "山田太郎 "])
def test_57_they_pass_through_the_librarys_messages(address, name):
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = "s@example.com"
    message["To"] = f"{name}<{address}>"
    message.set_content("x")
    octets = written(message, Terms.of(Capabilities(), chunking=False))
    assert Envelope(octets).recipients() == [address]
    again = BytesParser(policy=policy.SMTP).parsebytes(b"From: s@example.com\r\nTo: <%b>\r\n\r\nx" % address.encode())
    assert Envelope(written(again, Terms.of(Capabilities(), chunking=False))).recipients() == [address]


# They are sent raw or quoted.


@each
@pytest.mark.parametrize("recipient", ["{}", "Taro <{}>", Recipient])
def test_57_they_are_sent_as_told(address, recipient):
    given = recipient(address) if recipient is Recipient else recipient.format(address)
    sent = {}
    for dotted in ("raw", "quoted"):
        mail, rcpts, named = envelope(Submission(BODY, address, [given], Options(dotted=dotted)))
        # A receipt names the address as it was given.
        assert named == (address,)
        sent[dotted] = mail, *rcpts
    assert sent == {
        "raw": (b"MAIL FROM:<%b>\r\n" % address.encode(), b"RCPT TO:<%b>\r\n" % address.encode()),
        "quoted": tuple(line % QUOTED[address].encode() for line in (b"MAIL FROM:<%b>\r\n", b"RCPT TO:<%b>\r\n")),
    }


def test_the_options_win_over_the_client():
    plain, told = Submission(BODY, "", [DOTTED[0]]), Submission(BODY, "", [DOTTED[0]], Options(dotted="raw"))
    untold = Submission(BODY, "", [DOTTED[0]], Options(priority=1))
    quotes = b'RCPT TO:<"a..b"@docomo.ne.jp>\r\n'
    for client, expected in (("raw", b"RCPT TO:<a..b@docomo.ne.jp>\r\n"), ("quoted", quotes)):
        assert envelope(plain, dotted=client)[1] == envelope(untold, dotted=client)[1] == [expected]
        assert envelope(told, dotted=client)[1] == [b"RCPT TO:<a..b@docomo.ne.jp>\r\n"]


@pytest.mark.parametrize(("dotted", "path"), [("quoted", b'"a..b"@docomo.ne.jp'), ("raw", b"a..b@docomo.ne.jp")])
def test_quoted_or_not_it_is_one_mailbox(dotted, path):
    both = Submission(BODY, "", [DOTTED[0], QUOTED[DOTTED[0]]], Options(dotted=dotted))
    assert envelope(both)[1:] == ([b"RCPT TO:<%b>\r\n" % path], (DOTTED[0],))


def test_quotes_around_what_needs_none_make_no_other_mailbox():
    several = [r'"\a.b"@example.jp', "a.b@EXAMPLE.jp", '"A.b"@example.jp', '"a\\"b"@example.jp']
    rcpts = envelope(Submission(BODY, "", several))[1]
    assert rcpts == [b"RCPT TO:<%b>\r\n" % several[number].encode() for number in (0, 2, 3)]


def test_who_submitted_it_is_written_as_the_others_are():
    server = Capabilities("", {"AUTH": ("PLAIN",)})
    submission = Submission(BODY, "", [DOTTED[0]], Options(auth=DOTTED[0]))
    mails = [Preparer(server, chunking=False, dotted=dotted).prepare(submission).mail for dotted in ("raw", "quoted")]
    assert mails == [
        b"MAIL FROM:<> AUTH=a..b@docomo.ne.jp\r\n",
        b'MAIL FROM:<> AUTH="a..b"@docomo.ne.jp\r\n',
    ]


@pytest.mark.parametrize("address", ["a. .b@x.jp", "a(c)..b@x.jp", "<. a@x.jp>", "a .@x.jp", "Taro <a.(c).b@x.jp>"])
def test_odd_dots_with_something_between_are_not_guessed_at(address):
    with pytest.raises(Unsendable, match=r"expected addresses, got .*: a space or a comment beside dots"):
        single(address, "to")


@pytest.mark.parametrize(
    ("address", "read_as"),
    [
        ("a . b @ x.jp", "a.b@x.jp"),
        (" (c) a..b@x.jp (c) ", "a..b@x.jp"),
        ("< a..b @x.jp >", "a..b@x.jp"),
        ("@r.jp: a..b@x.jp", "a..b@x.jp"),
    ],
)
def test_space_that_says_nothing_is_none(address, read_as):
    assert single(address, "to") == read_as


@pytest.mark.parametrize(
    "path", [b"a.b@example.jp", b"a@b..c", b"postmaster", b'"a..b"@docomo.ne.jp', b'".x y."@example.jp', b""]
)
def test_no_other_address_gets_quotes(path):
    assert quoted(path) == path


@given(st.text("ab.-_", min_size=1, max_size=12))
def test_quotes_change_nothing_but_how_it_is_written(local):
    path = quoted(f"{local}@docomo.ne.jp".encode()).decode()
    assert path.replace('"', "") == f"{local}@docomo.ne.jp"
    assert path.startswith('"') == (not all(local.split(".")))
    # The whole path reads as an address again, and quotes are put once.
    assert single(path, "to") == path
    assert quoted(path.encode()) == path.encode()


def test_what_is_too_long_with_quotes_is_refused():
    address = "." + "a" * 239 + "@docomo.ne.jp"
    assert len(address) == 253
    assert envelope(Submission(BODY, "", [address]))[1]
    with pytest.raises(Unsendable, match="expected at most 254 octets, got 255"):
        envelope(Submission(BODY, "", [address]), dotted="quoted")


def test_no_other_word_is_taken():
    with pytest.raises(Unsendable, match=r"^dotted: expected raw or quoted, got 'twice'$"):
        prepare(Submission(BODY, "", [DOTTED[0]], Options(dotted="twice")), Capabilities(), chunking=False)


def test_a_client_is_told_by_its_url_or_a_keyword():
    assert Settings.of("smtp://mail.example.com").dotted == "raw"
    assert Settings.of("smtp://mail.example.com?dotted=quoted").dotted == "quoted"
    assert Settings.of("smtp://mail.example.com?dotted=quoted", dotted="raw").dotted == "raw"
    with pytest.raises(ConfigurationError, match="dotted: expected one of raw, quoted, got 'both'"):
        Settings.of("smtp://mail.example.com?dotted=both")
