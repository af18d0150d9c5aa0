"""Reading mailboxes of one file: messages with a line of ``From `` in front of each (RFC 4155)."""

import re
from collections.abc import Iterable, Iterator

MARK = b"From "
_ESCAPED = re.compile(rb">+From ")


def messages(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Give each message, without the line in front of it and the empty one behind."""
    message: list[bytes] | None = None
    empty = True
    for line in lines:
        if empty and line.startswith(MARK):
            if message is not None:
                yield _whole(message)
            message = []
        elif message is not None:
            # What the writer of the mailbox has put in front, lest the line begin a message.
            message.append(line[1:] if _ESCAPED.match(line) else line)
        empty = line in (b"\n", b"\r\n")
    if message is not None:
        yield _whole(message)


def _whole(lines: list[bytes]) -> bytes:
    if lines and lines[-1] in (b"\n", b"\r\n"):
        lines.pop()
    return b"".join(lines)
