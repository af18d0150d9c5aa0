"""What is composed is what is read, by readers of mail that are not ours, in each charset that Japanese mail is in."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, fields, replace
from functools import cache
from unicodedata import normalize

import mail_servers
import pytest
from awkward_mail import CHARSETS, FAMILY, MAIL, VOICED, Mail, every_character
from hypothesis import given
from hypothesis import strategies as st
from mail_server import MailServer
from reader import BODY, PAIRS, Limit, Reader, Seen
from readers import READERS, PythonEmail

from ninsho import Client
from ninsho.mail.composing.render import render

StartServer = Callable[[str], MailServer]
Start = Callable[[str], Reader]

FIELDS = [field.name for field in fields(Seen)]
JAPANESE = ("iso-2022-jp", "shift_jis", "euc-jp")


@pytest.fixture(scope="session")
def start(require: Callable[..., str]) -> Iterator[Start]:
    """Return what starts a reader by its name: once, until the end of all tests."""
    with ExitStack() as running:

        @cache
        def started(name: str) -> Reader:
            kind = READERS[name]
            for program in kind.needed:
                require(program)
            if lacking := kind.lacks():
                require(lacking)
            return running.enter_context(kind())

        yield started


@cache
def octets(mail: Mail, charset: str) -> bytes:
    return render(mail.composed(charset))


def charset_of(field: str, charset: str) -> str:
    """The charset in which a field of ``Seen`` is written."""
    told = CHARSETS[charset]
    return told.body if field in BODY else told.names if field in ("files", "names") else told.header


def comparable(field: str, value: object, charset: str) -> object:
    """A field's value, without what may differ: line ends, and how a character is made up that has the same octets."""
    match value:
        case str():
            lines = value.replace("\r\n", "\n")
            if field in BODY:
                lines = lines.removesuffix("\n")
            return normalize("NFC", lines.translate(PAIRS)) if charset in JAPANESE else lines
        case tuple():
            return tuple(comparable(field, each, charset) for each in value)
    return value


def words_of(value: object) -> str:
    """The text of a field's value, in one piece."""
    return value if isinstance(value, str) else "\n".join(words_of(each) for each in value)


def compared(reader: Reader, mail: Mail, charset: str, seen: Seen) -> Iterator[tuple[str, object, object]]:
    """Give each field that the reader tells and is expected to know, what it says and what it should say."""
    expected = asdict(mail.expected())
    for field, found in asdict(seen).items():
        written = charset_of(field, charset)
        known = not any(
            field in limit.fields and limit.concerns(words_of(expected[field]), written) for limit in reader.limits
        )
        if found is not None and known:
            yield field, comparable(field, found, written), comparable(field, expected[field], written)


def assert_read(reader: Reader, mail: Mail, charset: str) -> None:
    seen = reader.read(octets(mail, charset))
    for field, found, expected in compared(reader, mail, charset, seen):
        assert (field, found) == (field, expected)


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("reader", READERS)
def test_what_is_composed_is_what_is_read(start: Start, reader: str, charset: str) -> None:
    misread = {
        name: (field, found, expected)
        for name, mail in MAIL.items()
        for field, found, expected in compared(start(reader), mail, charset, start(reader).read(octets(mail, charset)))
        if found != expected
    }
    assert misread == {}


@pytest.mark.parametrize("charset", ["iso-2022-jp", "shift_jis", "euc-jp", "utf-8"])
@pytest.mark.parametrize("reader", READERS)
def test_every_japanese_character_arrives(start: Start, reader: str, charset: str) -> None:
    for piece in every_character():
        # Python takes white space off the front of a file's name, and U+3000 is some.
        mail = Mail(subject=piece, text=f"{piece}\n", files=((f"_{piece}.txt", b"x"),), to=((piece, "a@example.jp"),))
        assert_read(start(reader), mail, charset)


# A reader that could read nothing would agree with everything.


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("charset", CHARSETS)
def test_each_field_is_read_by_several(start: Start, charset: str, field: str) -> None:
    mail = MAIL["everything"]
    readers = map(start, READERS)
    told = [compared(reader, mail, charset, reader.read(octets(mail, charset))) for reader in readers]
    assert sum(field in [each for each, _, _ in fields] for fields in told) >= 2


@pytest.mark.parametrize(
    ("reader", "limit"),
    [
        pytest.param(name, limit, id=f"{name}: {limit.reason}")
        for name, reader in READERS.items()
        for limit in reader.limits
    ],
)
def test_what_a_reader_cannot_read_it_gets_wrong(start: Start, reader: str, limit: Limit) -> None:
    concerned = [
        (mail, charset, field)
        for mail in MAIL.values()
        for charset in CHARSETS
        for field in limit.fields
        if limit.concerns(words_of(getattr(mail.expected(), field)), charset_of(field, charset))
    ]
    # Not in each version of a reader.
    assert not concerned or any(is_misread(start(reader), *each) for each in concerned)


def is_misread(reader: Reader, mail: Mail, charset: str, field: str) -> bool:
    found = getattr(reader.read(octets(mail, charset)), field)
    written = charset_of(field, charset)
    return found is not None and (
        comparable(field, found, written) != comparable(field, getattr(mail.expected(), field), written)
    )


# Mail that nobody thought of

LETTERS = st.characters(exclude_categories=["C", "Zl", "Zp"])
JAPANESE_LETTERS = st.sampled_from("".join(every_character()))
SCRIPTS = st.one_of(LETTERS, JAPANESE_LETTERS, st.sampled_from(f"{FAMILY}{VOICED}\u200d\u202e =?_\"\\'%<>@,;:()"))


def lines(least: int = 0, most: int = 120) -> st.SearchStrategy[str]:
    return st.text(SCRIPTS, min_size=least, max_size=most)


NAMES = lines(1, 60).map(str.strip).filter(bool)
# No path, and none of the white space that a reader may take off.
FILES = st.text(SCRIPTS, max_size=60).map(lambda name: f"_{name.replace('/', '').replace(chr(92), '')}_")

MAILS = st.builds(
    Mail,
    # White space alone is no subject.
    subject=lines().filter(lambda line: line.strip() or not line),
    from_=st.tuples(NAMES, st.just("a@example.jp")),
    to=st.lists(st.tuples(NAMES, st.just("b@example.jp")), min_size=1, max_size=4).map(tuple),
    text=st.lists(lines(), max_size=5).map("\n".join),
    html=st.none() | lines(1).map(lambda line: f"<p>{line}</p>"),
    files=st.lists(st.tuples(FILES, st.binary(max_size=200)), max_size=2).map(tuple),
)


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("reader", ["email", "Email::MIME", "mailparser"])
def test_any_mail_is_read_as_it_was_composed(start: Start, reader: str, charset: str) -> None:
    @given(MAILS)
    def any_mail(mail: Mail) -> None:
        assert_read(start(reader), mail, charset)

    any_mail()


# On its way


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("name", mail_servers.STARTED)
def test_it_arrives_octet_for_octet(start_mail_server: StartServer, name: str, charset: str) -> None:
    server = start_mail_server(name)
    recipient = server.recipient()
    mail = replace(MAIL["everything"], from_=("山田太郎", server.username), to=(("鈴木花子", recipient),))
    message = mail.composed(charset)
    with Client(
        host=server.host,
        port=server.tls_port,
        tls="implicit",
        ca=server.ca,
        username=server.username,
        password=server.password,
    ) as client:
        assert client.send(message).ok
    [arrived] = server.arrived(recipient)
    assert arrived == (server.username, recipient, render(message))
    seen = PythonEmail().read(arrived.message)
    for field, found, expected in compared(PythonEmail(), mail, charset, seen):
        assert (field, found) == (field, expected)
