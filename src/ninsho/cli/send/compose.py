"""Writing a message from the options of the command line."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from ninsho.cli.endings import WrongUsage
from ninsho.cli.send.fields import date, message_id
from ninsho.cli.send.options import ComposeOptions
from ninsho.cli.send.standard_input import STANDARD_INPUT, read
from ninsho.mail.addresses import mailboxes, single
from ninsho.mail.attachments import Attachment, StreamedMessage
from ninsho.mail.unsendable import Unsendable

_FIELD = re.compile(r"(?P<name>[!-9;-~]+):[ \t]*(?P<value>.*)", re.DOTALL)  # RFC 5322 §2.2
# Also those of a message that is sent again (RFC 5322 §3.6.6).
_DESTINATIONS = tuple(f"{prefix}{name}" for prefix in ("", "resent-") for name in ("to", "cc", "bcc"))


def composed(
    options: ComposeOptions, login: Callable[[], str], *, recipients: bool, behind_password: bool
) -> EmailMessage | StreamedMessage:
    """Write the message; *login* tells the user name, which is the author's address where none is given.

    *recipients* says that it need not name any, as they are given besides; *behind_password* that the password has been
    read from standard input before. Raises ``WrongUsage`` for what cannot stand in a message, and for what it lacks.
    """
    author = options.author if options.author is not None else _author(login())
    message = EmailMessage(SMTP)
    with _meaning():
        for name, value in _header(options, author):
            message[name] = value
    if not recipients and not any(name in message for name in _DESTINATIONS):
        raise WrongUsage("expected --to, --cc, --bcc or --recipient, got none")
    _complete(message, author)
    _fill(message, options, behind_password=behind_password)
    if not options.attach:
        return message
    return StreamedMessage(message, [Attachment(_readable(path)) for path in options.attach])


def _author(username: str) -> str:
    if "@" not in username:
        raise WrongUsage("expected --from, or a user name that is an address, got neither")
    return username


def _header(options: ComposeOptions, author: str) -> Iterator[tuple[str, str]]:
    """Give each field and its value, checked."""
    yield "From", _checked("--from", author, [author])
    for name, values in (("To", options.to), ("Cc", options.cc), ("Bcc", options.bcc)):
        if values:
            yield name, _checked(f"--{name.lower()}", ", ".join(values), values)
    if options.reply_to is not None:
        yield "Reply-To", _checked("--reply-to", options.reply_to, [options.reply_to])
    if options.subject is not None:
        yield "Subject", _line("--subject", options.subject)
    for field in options.header:
        if not (match := _FIELD.fullmatch(field)):
            raise WrongUsage(f"--header: expected a field such as 'X-Job: backup', got {field!r}")
        yield match["name"], _line(f"--header {match['name']}", match["value"])


def _checked(option: str, value: str, each: Iterable[str]) -> str:
    """Return an address list in which every address can be read."""
    for addresses in each:
        if not mailboxes(_line(option, addresses), option):
            raise WrongUsage(f"{option}: expected an address, got {addresses!r}")
    return value


def _line(option: str, value: str) -> str:
    if any(character in value for character in "\r\n\0"):
        raise WrongUsage(f"{option}: expected one line, got more")
    return _text(option, value)


def _text(option: str, value: str) -> str:
    # What is not UTF-8 comes as halves of surrogate pairs.
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise WrongUsage(f"{option}: expected UTF-8, got something else")
    return value


def _complete(message: EmailMessage, author: str) -> None:
    if "date" not in message:
        message["Date"] = date()
    if "message-id" not in message:
        message["Message-ID"] = message_id(single(str(message.get("sender") or author), "--from"))


def _fill(message: EmailMessage, options: ComposeOptions, *, behind_password: bool) -> None:
    """Give it its text, its HTML, or both."""
    text, html = (
        read(option, needed=behind_password) if value == STANDARD_INPUT else value
        for option, value in (("--text", options.text), ("--html", options.html))
    )
    if text is None and html is None:
        text = _typed(needed=not options.attach, behind_password=behind_password)
    if text is not None:
        message.set_content(_text("--text", text))
    if html is not None and text is not None:
        message.add_alternative(_text("--html", html), subtype="html")
    elif html is not None:
        message.set_content(_text("--html", html), subtype="html")


def _typed(*, needed: bool, behind_password: bool) -> str:
    if not sys.stdin.isatty():
        return read("--text", needed=needed and behind_password)
    if needed:
        raise WrongUsage("expected --text, --html, --attach, or a text on standard input, got none")
    return ""


def _readable(path: Path) -> Path:
    if not path.is_file():
        raise WrongUsage(f"--attach: {path}: expected a file, got {'something else' if path.exists() else 'nothing'}")
    return path


@contextmanager
def _meaning() -> Iterator[None]:
    """Raise ``WrongUsage`` where the options make no header."""
    try:
        yield
    except Unsendable as error:
        raise WrongUsage(str(error)) from None
    except ValueError as error:
        # A field that may stand there once only, or whose value is not what it should be.
        raise WrongUsage(f"--header: {error}") from None
