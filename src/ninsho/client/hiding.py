"""Secrets kept out of what is shown: some servers echo what they do not understand, cut short or in other letters."""

from typing import Final

HIDDEN: Final = b"(hidden)"
# So much of a secret tells of it; what is shorter stands in every other text.
RUN: Final = 8  # octets
SHORTEST: Final = 4  # octets; to hide less would garble all replies, and tell


class Hiding:
    """What is secret on one connection."""

    def __init__(self) -> None:
        self._secrets: tuple[bytes, ...] = ()
        self._runs: set[bytes] = set()

    def __bool__(self) -> bool:
        return bool(self._secrets)

    def add(self, *secrets: bytes) -> None:
        """Hide *secrets* from now on."""
        new = {secret.lower() for secret in secrets if len(secret) >= SHORTEST}
        # One may hold another.
        self._secrets = tuple(sorted({*self._secrets, *new}, key=len, reverse=True))
        self._runs.update(secret[place : place + RUN] for secret in new for place in range(len(secret) - RUN + 1))

    def cleaned(self, line: bytes) -> bytes:
        """Return *line* without any secret, whatever its letters' case, and without any run of one."""
        if not self._secrets:
            return line
        lowered = line.lower()
        marks = bytearray(len(line))
        for secret in self._secrets:
            place = lowered.find(secret)
            while place >= 0:
                marks[place : place + len(secret)] = b"\1" * len(secret)
                place = lowered.find(secret, place + 1)
        for place in range(len(line) - RUN + 1):
            if lowered[place : place + RUN] in self._runs:
                marks[place : place + RUN] = b"\1" * RUN
        return _without(line, marks) if any(marks) else line

    def is_in(self, line: bytes) -> bool:
        """Whether a whole secret stands in *line*, in its own letters: quick, for what is mostly clean."""
        return bool(self._secrets) and any(secret in line.lower() for secret in self._secrets)


def _without(line: bytes, marks: bytearray) -> bytes:
    kept, start = [], 0
    while start < len(line):
        end = start
        while end < len(line) and marks[end] == marks[start]:
            end += 1
        kept.append(HIDDEN if marks[start] else line[start:end])
        start = end
    return b"".join(kept)
