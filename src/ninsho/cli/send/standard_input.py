"""Standard input, which can be read once: its first line may be the password, and one option has the rest."""

import sys

from ninsho.cli.endings import WrongUsage
from ninsho.cli.send.options import ComposeOptions, SendOptions

STANDARD_INPUT = "-"


def readers(composing: ComposeOptions, sending: SendOptions) -> list[str]:
    """Return the option that reads standard input, if one does; raise ``WrongUsage`` where several want it."""
    values = [("--text", composing.text), ("--html", composing.html), *(("--message", one) for one in sending.message)]
    found = [option for option, value in values if value == STANDARD_INPUT]
    if len(found) > 1:
        wanted = " and ".join(found)
        raise WrongUsage(f"{wanted}: expected standard input for one of them, as it can be read once, got it for both")
    if not (found or sending.message or composing.text is not None or composing.html is not None):
        return ["--text"]
    return found


def skip_password() -> None:
    """Leave out the line of the password: what comes behind it is all that is wanted."""
    sys.stdin.buffer.readline()


def read(option: str, *, needed: bool = False) -> str:
    """Read the rest; raise ``WrongUsage`` where it is no text, or none is left behind the password and it is *needed*.

    It is the value of *option*.
    """
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise WrongUsage(f"{option}: standard input: expected UTF-8, got something else") from None
    if needed and not text:
        raise WrongUsage(f"{option}: expected it behind the password on standard input, got nothing")
    return text
