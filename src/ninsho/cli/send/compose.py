"""Writing a message from the options of the command line."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ninsho.cli.endings import WrongUsage
from ninsho.cli.send.options import ComposeOptions
from ninsho.cli.send.standard_input import STANDARD_INPUT, read
from ninsho.cli.send.writing import WritingOptions
from ninsho.mail.attachments import StreamedMessage
from ninsho.mail.composing.header import OWN, WISHES, try_field
from ninsho.mail.composing.large import composed as composed_of_words
from ninsho.mail.composing.words import Words
from ninsho.mail.unsendable import Unsendable

if TYPE_CHECKING:
    from ninsho.mail.policy import Written

_FIELD = re.compile(r"(?P<name>[!-9;-~]+):[ \t]*(?P<value>.*)", re.DOTALL)  # RFC 5322 §2.2
# What an error calls a word of compose(), or a field, and which option that is.
_WORD = re.compile(r"([A-Za-z_-]+)(: .*)", re.DOTALL)
# Also those of a message that is sent again (RFC 5322 §3.6.6).
_DESTINATIONS = tuple(f"{prefix}{name}" for prefix in ("", "resent-") for name in ("to", "cc", "bcc"))


def composed(
    options: ComposeOptions,
    writing: WritingOptions,
    login: Callable[[], str],
    *,
    recipients: bool,
    behind_password: bool,
) -> EmailMessage | StreamedMessage:
    """Write the message; *login* tells the user name, which is the author's address where none is given.

    *recipients* says that it need not name any, as they are given besides; *behind_password* that the password has been
    read from standard input before. Raises ``WrongUsage`` for what cannot stand in a message, and for what it lacks.
    """
    author = options.author if options.author is not None else author_of(login())
    further = [field_of(given) for given in options.header]
    named = {name.lower() for name, _ in further}
    if not (recipients or options.to or options.cc or options.bcc or named.intersection(_DESTINATIONS)):
        raise WrongUsage("expected --to, --cc, --bcc or --recipient, got none")
    words = Words(from_=_text("--from", author), subject=_text("--subject", options.subject or ""), **writing.words())
    for word, given in (("to", options.to), ("cc", options.cc), ("bcc", options.bcc)):
        words[word] = [_text(f"--{word}", one) for one in given]  # type: ignore[literal-required]
    if options.reply_to is not None:
        words["reply_to"] = _text("--reply-to", options.reply_to)
    words["attach"] = [_readable(path) for path in options.attach]
    words["text"], words["html"] = _bodies(options, writing, behind_password=behind_password)
    with _meaning():
        message = composed_of_words(**words)
    with _meaning("--header"):
        _add(message.message if isinstance(message, StreamedMessage) else message, further)
    return message


def author_of(username: str) -> str:
    """Return the author's address where none is given: the user name, if that is one."""
    if "@" not in username:
        raise WrongUsage("expected --from, or a user name that is an address, got neither")
    return username


def field_of(given: str) -> tuple[str, str]:
    """Read a header field; raise ``WrongUsage`` for what is none."""
    if not (match := _FIELD.fullmatch(given)):
        raise WrongUsage(f"--header: expected a field such as 'X-Job: backup', got {given!r}")
    return match["name"], _text(f"--header {match['name']}", match["value"])


def _add(message: EmailMessage, further: list[tuple[str, str]]) -> None:
    """Add header fields; those that there are already are replaced, but for what others of the options have said."""
    for name in {name for name, _ in further if name.lower() in ("date", "message-id")}:
        del message[name]
    for name, value in further:
        if name.lower().startswith("content-") and name.lower() in OWN:
            raise WrongUsage(f"--header: {name}: expected a field that describes no part, got one that does")
        if name.lower() in WISHES and name in message:
            raise WrongUsage(f"--header: {name}: expected a field that no other option has told, got one that has been")
        message[name] = value
        try_field(cast("Written", message.policy), name, value, name)


def _text(option: str, value: str) -> str:
    # What is not UTF-8 comes as halves of surrogate pairs.
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise WrongUsage(f"{option}: expected UTF-8, got something else")
    return value


def _bodies(
    options: ComposeOptions, writing: WritingOptions, *, behind_password: bool
) -> tuple[str | None, str | None]:
    """Return its text and its HTML."""
    text, html = (
        read(option, needed=behind_password) if value == STANDARD_INPUT else value
        for option, value in (("--text", options.text), ("--html", options.html))
    )
    if text is None and html is None:
        enough = bool(options.attach) or writing.calendar is not None
        text = _typed(needed=not enough, behind_password=behind_password)
    return (
        None if text is None else _text("--text", text),
        None if html is None else _text("--html", html),
    )


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
def _meaning(option: str = "") -> Iterator[None]:
    """Raise ``WrongUsage`` where the options make no message, and say which it is."""
    try:
        yield
    except Unsendable as error:
        found = None if option else _WORD.fullmatch(str(error))
        named = f"--{found[1].lower().strip('_').replace('_', '-')}{found[2]}" if found else f"{option}: {error}"
        raise WrongUsage(named.removeprefix(": ")) from None
    except ValueError as error:
        # A field that may stand there once only, or whose value is not what it should be.
        raise WrongUsage(f"{option}: {error}".removeprefix(": ")) from None
