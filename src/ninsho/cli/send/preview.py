"""What would be sent, shown and not sent."""

import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from ninsho.cli.send.given import Given
from ninsho.cli.send.picture import picture
from ninsho.cli.terminal import remark, say, say_json
from ninsho.mail.message import Prepared, Preparer, Submission
from ninsho.mail.reading import read
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


def opened(mail: Iterable[tuple[Given, Submission]]) -> int:
    """Write each message to a file, and beside it a page that shows it; open the first page."""
    import webbrowser  # noqa: PLC0415 - only for those who look

    folder = Path(tempfile.mkdtemp(prefix="ninsho-preview-"))
    preparer = Preparer(USUAL, chunking=False)
    pages = []
    for number, (_, submission) in enumerate(mail, 1):
        octets = b"".join(preparer.prepare(submission).content.plain())
        file, page = folder / f"{number}.eml", folder / f"{number}.html"
        file.write_bytes(octets)
        page.write_text(picture(read(octets)), encoding="utf-8")
        pages.append(page)
        say(str(file), str(page))
    if pages and not webbrowser.open(pages[0].as_uri()):
        remark("no browser was found: open the page by hand")
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
