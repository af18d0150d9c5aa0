"""The journal: one line for each decision and each event, as key=value or JSON.

In a decision's line the remote address stands before anything that the end user typed, and the user name stands last,
in quotes: no name can forge a line, and a filter for fail2ban can be exact::

    auth: result=fail rip=192.0.2.1 service=smtp mech=PLAIN cause=badpassword pid=4711 ms=2004 user="alice@example.org"
"""

import json
import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, NamedTuple, TextIO, TypeAlias

from ninsho.sasl.dialogue import Denial
from ninsho.stores.accounts import Request

Fact: TypeAlias = str | int | float | bool

_PLAIN_WORD = re.compile(r"[A-Za-z0-9_.:@/+-]+")
_ESCAPES = {'"': '\\"', "\\": "\\\\"}
# The causes that are no wrong credentials: they must never get an address banned.
_RESULTS = {None: "ok", Denial.ABORTED: "aborted", Denial.UNAVAILABLE: "temp", Denial.ERROR: "temp"}


class Decision(NamedTuple):
    """How a login ended; ``cause`` is None where it was granted."""

    request: Request
    username: str | None
    cause: Denial | None
    detail: str
    seconds: float

    @property
    def result(self) -> str:
        """The word that filters look for: ok, fail, temp or aborted."""
        return _RESULTS.get(self.cause, "fail")

    def facts(self) -> dict[str, Fact]:
        """The decision as names and values, in the order of its line."""
        request = self.request
        facts: dict[str, Fact] = {
            "result": self.result,
            "rip": request.remote_ip or "-",
            "service": request.service or "-",
            "mech": request.mechanism,
            "cause": "ok" if self.cause is None else self.cause.value,
            "pid": request.client_pid,
            "ms": round(self.seconds * 1000),
        }
        if self.detail:
            facts["detail"] = self.detail
        return facts


def quoted(text: str) -> str:
    """*text* in quotes, on one line whatever it holds."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    # isprintable() is also False for the marks that turn the direction of writing round.
    return character if character.isprintable() else ascii(character)[1:-1]


def word(value: Fact) -> str:
    """A value as it stands behind ``key=``: bare where that is safe, else in quotes."""
    text = str(value)
    return text if _PLAIN_WORD.fullmatch(text) else quoted(text)


def as_text(kind: str, facts: dict[str, Fact], user: str | None = None) -> str:
    """One line of key=value; *user* comes last, always in quotes."""
    line = f"{kind}: " + " ".join(f"{name}={word(value)}" for name, value in facts.items())
    return line if user is None else f"{line} user={quoted(user)}"


def as_json(kind: str, facts: dict[str, Fact], user: str | None = None) -> str:
    """One line of JSON."""
    return json.dumps({"event": kind, **facts} | ({} if user is None else {"user": user}), ensure_ascii=False)


class Journal:
    """Writes lines through *write*, which gets whole lines with their line feeds.

    *soon*, where given, runs the writing at the end of the loop's turn: the lines of one turn then leave together.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        *,
        stamp: Callable[[], str] = lambda: "",
        soon: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self._write = write
        self._render = as_text
        self._decisions = "all"
        self._stamp = stamp
        self._soon = soon
        self._lines: list[str] = []

    def configure(self, *, format: Literal["text", "json"], decisions: Literal["all", "failures", "none"]) -> None:  # noqa: A002 - the configuration's word
        """Write in this format from now on, and only these decisions."""
        self._render = as_json if format == "json" else as_text
        self._decisions = decisions

    def decided(self, decision: Decision) -> None:
        """Write how a login ended."""
        if self._decisions == "all" or (self._decisions == "failures" and decision.cause is not None):
            self._put(self._render("auth", decision.facts(), decision.username or ""))

    def note(self, event: str, **facts: Fact) -> None:
        """Write what happened to the server."""
        self._put(self._render(event, facts))

    def trouble(self, event: str, error: BaseException, **facts: Fact) -> None:
        """Write an error that is not the peer's, with the place where it was raised; never with values."""
        self.note(event, **facts, error=type(error).__name__, text=str(error), place=_place(error))

    def flush(self) -> None:
        """Write what is still held back."""
        lines, self._lines = self._lines, []
        if lines:
            stamp = self._stamp()
            self._write("".join(f"{stamp}{line}\n" for line in lines))

    def _put(self, line: str) -> None:
        self._lines.append(line)
        if self._soon is None:
            self.flush()
        elif len(self._lines) == 1:
            self._soon(self.flush)


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"  # noqa: PTH119 - a name, not a file


def stamp_for(stream: TextIO) -> Callable[[], str]:
    """Time stamps for *stream*: none where the system's journal reads it and adds its own (systemd.exec(5))."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return _now
    return (lambda: "") if os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}" else _now


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ ")


def to_stderr(*, soon: Callable[[Callable[[], None]], object] | None = None) -> Journal:
    """A journal on standard error."""

    def write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()

    return Journal(write, stamp=stamp_for(sys.stderr), soon=soon)
