"""The journal: one line for each decision and each event, as key=value or JSON.

In a decision's line the remote address stands before anything that the end user typed, and the user name stands last,
in quotes: no name can forge a line, and a filter for fail2ban can be exact::

    auth: result=fail rip=192.0.2.1 service=smtp mech=PLAIN cause=badpassword pid=4711 ms=171 user="alice@example.org"
"""

import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Literal, NamedTuple, TextIO, TypeAlias

from ninsho.errors import NinshoError
from ninsho.sasl.dialogue import Denial
from ninsho.stores.accounts import Request

Fact: TypeAlias = str | int | float | bool

_PLAIN_WORD = re.compile(r"[A-Za-z0-9_.:@/+-]+")
_ESCAPES = {'"': '\\"', "\\": "\\\\"}
# The causes that are no wrong credentials: they must never get an address banned.
_RESULTS = {None: "ok", Denial.ABORTED: "aborted", Denial.UNAVAILABLE: "temp", Denial.ERROR: "temp"}


class Decision(NamedTuple):
    """How a login ended; ``cause`` is None where it was granted, ``authzid`` is whom the user wanted to act as."""

    request: Request
    username: str | None
    cause: Denial | None
    detail: str
    seconds: float
    authzid: str | None = None

    @property
    def result(self) -> str:
        """The word that filters look for: ok, fail, temp or aborted."""
        return _RESULTS.get(self.cause, "fail")

    def as_text(self) -> str:
        """The decision's line."""
        request = self.request
        cause = "ok" if self.cause is None else self.cause.value
        detail = f" detail={word(self.detail)}" if self.detail else ""
        authzid = f" authzid={quoted(self.authzid)}" if self.authzid is not None else ""
        return (
            f"auth: result={self.result} rip={word(request.remote_ip or '-')} service={word(request.service or '-')}"
            f" mech={word(request.mechanism)} cause={cause} pid={request.client_pid} ms={self.seconds * 1000:.0f}"
            f"{detail}{authzid} user={quoted(self.username or '')}"
        )

    def as_json(self, stamp: str = "") -> str:
        """The same facts as JSON."""
        request = self.request
        return as_json(
            "auth",
            {
                "result": self.result,
                "rip": request.remote_ip,
                "service": request.service,
                "mech": request.mechanism,
                "cause": "ok" if self.cause is None else self.cause.value,
                "pid": request.client_pid,
                "ms": round(self.seconds * 1000),
                "detail": self.detail,
                **({"authzid": self.authzid} if self.authzid is not None else {}),
                "user": self.username or "",
            },
            stamp,
        )


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
    return _known_word(text) if len(text) <= 40 else _word(text)


def _word(text: str) -> str:
    return text if _PLAIN_WORD.fullmatch(text) else quoted(text)


# The same few addresses, services and mechanisms come again and again: 0.1 µs instead of 1.
_known_word = lru_cache(maxsize=1024)(_word)


def as_text(kind: str, facts: Mapping[str, Fact]) -> str:
    """One line of key=value."""
    return " ".join((f"{kind}:", *(f"{name}={word(value)}" for name, value in facts.items())))


def as_json(kind: str, facts: Mapping[str, Fact], stamp: str = "") -> str:
    """One line of JSON, with the time where there is a *stamp*."""
    # spawn(8) starts a process for each smtpd, and that one writes text.
    import json  # noqa: PLC0415

    return json.dumps(({"time": stamp.strip()} if stamp else {}) | {"event": kind, **facts})


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
        self._json = False
        # Asked before a decision is even put together.
        self.writes_successes = True
        self.writes_failures = True
        self._stamp = stamp
        self._soon = soon
        self._lines: list[str] = []

    def configure(self, *, format: Literal["text", "json"], decisions: Literal["all", "failures", "none"]) -> None:  # noqa: A002 - the configuration's word
        """Write in this format from now on, and only these decisions."""
        self._json = format == "json"
        self.writes_successes = decisions == "all"
        self.writes_failures = decisions != "none"

    def decided(self, decision: Decision) -> None:
        """Write how a login ended, if that is to be written."""
        if self.writes_successes if decision.cause is None else self.writes_failures:
            self._put(decision.as_json(self._stamp()) if self._json else decision.as_text())

    def note(self, event: str, **facts: Fact) -> None:
        """Write what happened to the server."""
        self._put(as_json(event, facts, self._stamp()) if self._json else as_text(event, facts))

    def trouble(self, event: str, error: BaseException, **facts: Fact) -> None:
        """Write an error that is not the peer's: its type and place. Other people's texts may quote a secret."""
        text = {"text": str(error)} if isinstance(error, NinshoError) else {}
        self.note(event, **facts, error=type(error).__name__, **text, place=_place(error))

    def flush(self) -> None:
        """Write what is still held back."""
        lines, self._lines = self._lines, []
        if lines:
            stamp = "" if self._json else self._stamp()
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
    return _written(int(time.time()))


# Writing a time takes 3 µs, and a second has many lines.
@lru_cache(maxsize=1)
def _written(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ ", time.gmtime(second))


def to_stderr(*, soon: Callable[[Callable[[], None]], object] | None = None) -> Journal:
    """A journal on standard error."""

    def write(text: str) -> None:
        # A log that cannot be written must not end a login.
        with suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()

    return Journal(write, stamp=stamp_for(sys.stderr), soon=soon)
