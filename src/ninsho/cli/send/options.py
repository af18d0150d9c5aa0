"""The options of ``ninsho send`` besides those of the server."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from cyclopts import Parameter

from ninsho.cli.endings import WrongUsage
from ninsho.cli.options import JsonOption
from ninsho.mail.options import NO_OPTIONS, Notify, Options

# A subject may begin with a hyphen.
Text: TypeAlias = Annotated[str | None, Parameter(allow_leading_hyphen=True)]


@Parameter(name="*")
@dataclass(frozen=True)
class ComposeOptions:
    """A message to write; without --text and --html, its text is read from standard input."""

    author: Annotated[str | None, Parameter(name="--from")] = None
    """Who writes it, such as "Alice <alice@example.org>"; else the user name, if that is an address."""
    to: tuple[str, ...] = ()
    """Whom it is for; may be repeated."""
    cc: tuple[str, ...] = ()
    """Who gets a copy; may be repeated."""
    bcc: tuple[str, ...] = ()
    """Who gets a copy that the others do not hear of; may be repeated."""
    reply_to: str | None = None
    """Where answers go, if not to the author."""
    subject: Text = None
    """What it is about."""
    text: Text = None
    """Its text; - is standard input."""
    html: Text = None
    """The same in HTML; - is standard input."""
    attach: tuple[Path, ...] = ()
    """A file to send along, of any size; may be repeated."""
    header: tuple[str, ...] = ()
    """A further header field, such as "X-Job: backup"; may be repeated."""

    @property
    def given(self) -> bool:
        """Whether anything of it was given."""
        return self != ComposeOptions()


@Parameter(name="*")
@dataclass(frozen=True)
class SendOptions:
    """Messages that are given whole, the envelope, and what to show."""

    message: Annotated[tuple[str, ...], Parameter(allow_leading_hyphen=True)] = ()
    """Send this whole message: a file, - (standard input), an mbox, a Maildir or a directory; may be repeated."""
    sender: str | None = None
    """Who is told of failures, if not the author; <> is nobody."""
    recipient: tuple[str, ...] = ()
    """Who gets it, instead of those that the message names; may be repeated."""
    notify: tuple[Literal["success", "failure", "delay", "never"], ...] = ()
    """When to tell the sender what became of it; may be repeated."""
    via: str | None = None
    """The server's URL; else $SMTP_URL, else $SMTP_HOST and so on. Others may see a password that stands in it."""
    dry_run: bool = False
    """Only show what would be sent: envelope and message."""
    open_preview: Annotated[bool, Parameter(name="--open", negative=())] = False
    """With --dry-run: write it to files, and open it in a browser as a mail reader would show it."""
    transcript: bool = False
    """Show the talk with the server on standard error, secrets hidden."""
    quiet: bool = False
    """Say nothing but what went wrong."""
    as_json: JsonOption = False

    @property
    def options(self) -> Options:
        """What to ask of the server."""
        if not self.notify:
            return NO_OPTIONS
        if "never" in self.notify and len(set(self.notify)) > 1:
            raise WrongUsage("--notify: expected never alone, or others, got both")
        events: dict[str, Notify] = {"success": "SUCCESS", "failure": "FAILURE", "delay": "DELAY", "never": "NEVER"}
        return Options(notify=tuple(events[event] for event in dict.fromkeys(self.notify)))
