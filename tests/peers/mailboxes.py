"""What has arrived in a maildir: each message with its envelope, as its sender had it."""

import re
from pathlib import Path
from typing import NamedTuple

# What servers put above a message: lines that say what became of it, each with those that continue it.
TRACE = re.compile(
    rb"(?:(?:Return-Path|X-Original-To|Delivered-To|Envelope-To|Received):.*\n(?:[ \t].*\n)*)*", re.IGNORECASE
)
SENDER = re.compile(rb"^Return-Path: *<(.*)>", re.IGNORECASE | re.MULTILINE)
# Postfix first says what was written on the envelope, in the spelling in which it came.
RECIPIENT = re.compile(rb"^(?:X-Original-To|Envelope-To|Delivered-To): *<?([^>\n]*)", re.IGNORECASE | re.MULTILINE)


class Arrival(NamedTuple):
    """A message as it reached one of its recipients; its lines end in CRLF."""

    sender: str
    recipient: str
    message: bytes


class Mailbox:
    """A maildir, or with *pattern* those in directories that are called like their users; each file is read once."""

    def __init__(self, root: Path, pattern: str = "new/*") -> None:
        self._root = root
        self._pattern = pattern
        self._read: dict[Path, Arrival] = {}

    def __call__(self) -> list[Arrival]:
        """Return all that has arrived so far, in no particular order."""
        for path in self._root.glob(self._pattern):
            if path not in self._read:
                read = arrival(path.read_bytes())
                # Dovecot names no recipient in a message that is for several.
                user = path.relative_to(self._root).parts[0]
                self._read[path] = read if read.recipient else read._replace(recipient=user)
        return list(self._read.values())


def arrival(stored: bytes) -> Arrival:
    """Read a file of a maildir."""
    trace = TRACE.match(stored)[0]
    sender, recipient = (_first(pattern, trace) for pattern in (SENDER, RECIPIENT))
    return Arrival(sender, recipient, stored[len(trace) :].replace(b"\n", b"\r\n"))


def _first(pattern: re.Pattern[bytes], trace: bytes) -> str:
    return match[1].decode() if (match := pattern.search(trace)) else ""


def for_recipient(address: str, arrivals: list[Arrival]) -> list[Arrival]:
    return [each for each in arrivals if each.recipient.lower() == address.lower()]
