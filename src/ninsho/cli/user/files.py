"""Lists of accounts as files, or on standard input and output."""

import io
import os
import sys
from pathlib import Path

from ninsho.cli.endings import CommandError

STANDARD = "-"


def read_lines(file: str) -> list[str]:
    """Return the lines of *file* with their ends; octets that are not UTF-8 are told by whoever reads the lines."""
    if file == STANDARD:
        text = sys.stdin.buffer.read()
    else:
        try:
            text = Path(file).read_bytes()
        except OSError as error:
            raise CommandError(f"{file}: cannot be read: {error.strerror}") from None
    # Only line feeds end lines here: str.splitlines() knows nine more that may stand in a note.
    return list(io.StringIO(text.decode(errors="surrogateescape"), newline=""))


def write_text(file: str, text: str) -> None:
    """Write *text* to a new file that only its owner can read."""
    if file == STANDARD:
        sys.stdout.write(text)
        return
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(text.encode())
    except FileExistsError:
        raise CommandError(f"{file}: expected no file of this name, found one, which is left as it is") from None
    except OSError as error:
        raise CommandError(f"{file}: cannot be written: {error.strerror}") from None
