"""All that is known of a server, for people and for programs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ninsho.cli.probe.certificate import Certificate
from ninsho.cli.probe.faults import Fault, faults_of
from ninsho.cli.probe.logins import Attempt
from ninsho.cli.probe.look import Hello, Look
from ninsho.cli.probe.mechanisms import Standing
from ninsho.cli.terminal import visible
from ninsho.wire.smtp import shown

_COLUMN = 14
_LIMITS = ("MAILMAX", "RCPTMAX", "RCPTDOMAINMAX")  # RFC 9422 §4


@dataclass(slots=True)
class Report:
    """A look at a server, and what follows from it."""

    look: Look
    standings: list[Standing]
    certificate: Certificate | None
    faults: list[Fault]
    now: datetime
    attempts: list[Attempt]

    @classmethod
    def of(cls, look: Look, standings: list[Standing]) -> "Report":
        """Work out what follows; nobody has logged in yet."""
        now = datetime.now(UTC)
        certificate = _read(look)
        return cls(look, standings, certificate, faults_of(look, certificate, now), now, [])

    @property
    def good(self) -> bool:
        """Whether nothing grave is wrong, and logins that were tried let us in, one at least."""
        ends = {attempt.verdict for attempt in self.attempts}
        let_in = not ends or ("granted" in ends and ends <= {"granted", "not tried"})
        return let_in and not any(fault.grave for fault in self.faults)

    def lines(self) -> Iterator[str]:
        """Say it for people."""
        look = self.look
        yield visible(str(look.endpoint))
        if not look.reached:
            yield from _row("not reached", [str(look.error).removeprefix(f"{look.endpoint}: ")])
            return
        yield from _row("greeting", [] if look.greeting is None else [str(look.greeting)])
        yield from _row("name", [look.last.capabilities.name] if look.last else [])
        yield from _row("before TLS", _offers(look.before))
        yield from _row("TLS", [f"{look.secured.version} {look.secured.cipher}"] if look.secured else [])
        yield from _row("certificate", self._certificate())
        yield from _row("inside of TLS", _offers(look.after))
        yield from _row("limits", [", ".join(f"{name} {number}" for name, number in _limits(look).items())])
        yield from _row("took", [", ".join(f"{name} {1000 * taken:.1f} ms" for name, taken in look.seconds.items())])
        yield from _row("mechanisms", self._mechanisms())
        yield from _row("logins", self._logins())
        for word, grave in (("wrong", True), ("remarks", False)):
            yield from _row(word, [_fault(fault) for fault in self.faults if fault.grave is grave])

    def facts(self) -> dict[str, Any]:
        """Return what ``--json`` writes."""
        look = self.look
        return {
            "host": look.endpoint.path or look.endpoint.host,
            "port": look.endpoint.port,
            "reached": look.reached,
            "good": self.good,
            "greeting": str(look.greeting) if look.greeting else None,
            "name": look.last.capabilities.name if look.last else None,
            "before_tls": _extensions(look.before),
            "inside_tls": _extensions(look.after),
            "tls": {"version": look.secured.version, "cipher": look.secured.cipher} if look.secured else None,
            "certificate": self._certificate_facts(),
            "limits": _limits(look),
            "mechanisms": [one._asdict() for one in self.standings],
            "logins": [attempt.facts() for attempt in self.attempts],
            "milliseconds": {name: round(taken * 1000, 2) for name, taken in look.seconds.items()},
            "faults": [fault._asdict() for fault in self.faults],
        }

    def _mechanisms(self) -> list[str]:
        width = max((len(one.name) for one in self.standings), default=0)
        return [f"{one.place or '-'!s:>2} {one.name:{width}}  {one.reason}" for one in self.standings]

    def _logins(self) -> list[str]:
        tried = [_login(attempt) for attempt in self.attempts if attempt.verdict != "not tried"]
        passed_over: dict[str, list[str]] = {}
        for attempt in self.attempts:
            if attempt.verdict == "not tried":
                passed_over.setdefault(attempt.reason, []).append(attempt.mechanism)
        return [*tried, *(f"not tried: {', '.join(names)}: {reason}" for reason, names in passed_over.items())]

    def _certificate(self) -> list[str]:
        if (one := self.certificate) is None:
            return []
        left = one.days_left(self.now)
        state = f"{left} days left" if left >= 0 else "expired"
        return [
            f"for {', '.join(one.names) or one.subject or 'nobody'}",
            f"from {one.issuer or 'nobody'}, until {one.not_after:%Y-%m-%d %H:%M} UTC ({state})",
            f"not believed: {self.look.distrust}" if self.look.distrust else "believed, and for this name",
        ]

    def _certificate_facts(self) -> dict[str, Any] | None:
        if (one := self.certificate) is None:
            return None
        return {
            "subject": one.subject,
            "issuer": one.issuer,
            "names": list(one.names),
            "not_before": one.not_before.isoformat(),
            "not_after": one.not_after.isoformat(),
            "days_left": one.days_left(self.now),
            "believed": not self.look.distrust,
            "reason": self.look.distrust,
        }


def _read(look: Look) -> Certificate | None:
    if look.secured is None:
        return None
    try:
        return Certificate.read(look.secured.certificate)
    except ValueError:
        return None


def _row(name: str, values: list[str]) -> Iterator[str]:
    """Write what there is of it, each on a line of its own, the name in front of the first."""
    for number, value in enumerate(filter(None, values)):
        yield f"  {name if number == 0 else '':{_COLUMN}} {visible(value)}"


def _offers(hello: Hello | None) -> list[str]:
    return [", ".join(shown(line) for line in hello.reply.lines[1:])] if hello else []


def _extensions(hello: Hello | None) -> dict[str, list[str]] | None:
    return None if hello is None else {name: list(words) for name, words in hello.capabilities.extensions.items()}


def _limits(look: Look) -> dict[str, int]:
    if look.last is None:
        return {}
    capabilities = look.last.capabilities
    every = {"SIZE": capabilities.size_limit, **{name: capabilities.limit(name) for name in _LIMITS}}
    return {name: number for name, number in every.items() if number}


def _login(attempt: Attempt) -> str:
    why = f": {attempt.reason}" if attempt.reason else ""
    taken = f" ({1000 * attempt.seconds:.1f} ms)" if attempt.seconds else ""
    return f"{attempt.verdict}: {attempt.mechanism}{why}{taken}"


def _fault(fault: Fault) -> str:
    return f"{fault.what} -> {fault.remedy}" if fault.remedy else fault.what
