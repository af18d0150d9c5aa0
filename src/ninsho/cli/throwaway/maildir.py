"""Reading what was delivered into a maildir that several users share."""

import re
from pathlib import Path


def delivered(maildir: Path, *, header: str, address: str) -> list[bytes]:
    """Return the messages in *maildir* that the first *header* in them says are for *address*; the oldest first."""
    pattern = re.compile(rf"^{header}: *(.*?) *\r?$".encode(), re.IGNORECASE | re.MULTILINE)
    paths = sorted(maildir.glob("new/*"), key=lambda path: path.stat().st_mtime_ns)
    return [message for message in map(Path.read_bytes, paths) if _recipient(message, pattern) == address.lower()]


def _recipient(message: bytes, pattern: re.Pattern[bytes]) -> str | None:
    return match[1].decode(errors="replace").lower() if (match := pattern.search(message)) else None
