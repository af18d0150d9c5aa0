"""Reading mailboxes of one file: messages with a line of ``From `` in front of each (RFC 4155)."""

import re
from collections.abc import Iterable, Iterator

MARK = b"From "
# RFC 4155 §A: an address, and the time as ctime(3) writes it; some leave out the seconds, or add a zone. A paragraph
# may begin with "From " as well, and what it says is not ours to send as a message of its own.
_LINE = re.compile(
    rb"From .+ (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ 0-9]?[0-9] "
    rb"[0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?: [A-Z]{1,5}| [+-][0-9]{4})? [0-9]{4}(?: [A-Z]{1,5}| [+-][0-9]{4})?\s*"
)
_ESCAPED = re.compile(rb">+From ")


def messages(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Give each message, without the line in front of it and the empty one behind."""
    message: list[bytes] | None = None
    empty = True
    for line in lines:
        if message is None:
            message = [] if line.startswith(MARK) else None
        elif empty and _LINE.fullmatch(line):
            yield _whole(message)
            message = []
        else:
            # What the writer of the mailbox has put in front, lest the line begin a message.
            message.append(line[1:] if _ESCAPED.match(line) else line)
        empty = line in (b"\n", b"\r\n")
    if message is not None:
        yield _whole(message)


def _whole(lines: list[bytes]) -> bytes:
    if lines and lines[-1] in (b"\n", b"\r\n"):
        lines.pop()
    return b"".join(lines)
