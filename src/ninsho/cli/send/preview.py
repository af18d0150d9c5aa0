"""What would be sent, shown and not sent."""

import sys
from collections.abc import Iterable, Iterator
from typing import Final

from ninsho.cli.send.given import Given
from ninsho.cli.terminal import say, say_json
from ninsho.mail.message import Prepared, Preparer, Submission
from ninsho.wire.ehlo import Capabilities
from ninsho.wire.smtp import shown

# What servers offer nearly everywhere.
USUAL: Final = Capabilities(extensions={"8BITMIME": (), "SMTPUTF8": (), "DSN": ()})


def preview(mail: Iterable[tuple[Given, Submission]], *, as_json: bool) -> int:
    """Write envelope and message of each; raise ``Unsendable`` for what cannot be sent."""
    preparer = Preparer(USUAL, chunking=False)
    prepared = ((given, preparer.prepare(submission)) for given, submission in mail)
    if as_json:
        say_json([_facts(given, one) for given, one in prepared])
        return 0
    for _, one in prepared:
        say(*(shown(line.removesuffix(b"\r\n")) for line in (one.mail, *one.rcpts)), "DATA")
        for chunk in _printable(one.content.plain()):
            sys.stdout.flush()
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
        say(".")
    return 0


def _facts(given: Given, prepared: Prepared) -> dict[str, object]:
    octets = b"".join(prepared.content.plain())
    return {
        "message": given.place,
        "message_id": prepared.message_id,
        "sender": prepared.sender,
        "recipients": list(prepared.recipients),
        "size": prepared.content.size,
        "text": octets.decode("utf-8", "backslashreplace").replace("\r\n", "\n"),
    }


def _printable(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Give lines as this system ends them; on a terminal nothing that could command it."""
    if not sys.stdout.isatty():
        yield from (chunk.replace(b"\r", b"") for chunk in chunks)
        return
    for chunk in chunks:
        yield b"\n".join(shown(line).encode() for line in chunk.replace(b"\r", b"").split(b"\n"))
