"""How a login ended and how that came about, for people and for programs."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ninsho.cli.endings import EX_TEMPFAIL, NO
from ninsho.cli.terminal import say, say_json, visible

Verdict: TypeAlias = Literal["granted", "denied", "cannot tell"]

STATUSES: dict[Verdict, int] = {"granted": 0, "denied": NO, "cannot tell": EX_TEMPFAIL}


@dataclass(frozen=True, slots=True)
class Testimony:
    """What one store said about the user called *name*; *schemes* are those of the stored forms, in their order."""

    store: str
    name: str
    user: Literal["known", "unknown", "cannot tell"]
    schemes: tuple[str, ...]
    seconds: float

    def sentence(self) -> str:
        """Say it in one line."""
        match self.user:
            case "known":
                stored = f", whose password is stored as {', '.join(self.schemes)}" if self.schemes else ""
                finding = f"knows {visible(self.name)}{stored}"
            case "unknown":
                finding = f"does not know {visible(self.name)}"
            case _:
                finding = "cannot tell"
        return f"{self.store}: {finding} ({milliseconds(self.seconds)} ms)"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict, what led to it, and how long it took.

    *cause* is the log's word, or the server's code; *remark* is what an administrator should know besides.
    """

    user: str
    mechanism: str
    verdict: Verdict
    reason: str
    cause: str | None
    seconds: float
    path: tuple[Testimony, ...] = ()
    remark: str = ""

    def tell(self, *, as_json: bool) -> int:
        """Write it; return the exit status."""
        if as_json:
            say_json(self.facts())
        else:
            say(*(testimony.sentence() for testimony in self.path), *filter(None, [self.remark]))
            reason = f": {self.reason}" if self.reason else ""
            # The server at the other end may be anybody's.
            say(visible(f"{self.verdict}: {self.user} by {self.mechanism}{reason} ({milliseconds(self.seconds)} ms)"))
        return STATUSES[self.verdict]

    def facts(self) -> dict[str, Any]:
        """Return what ``--json`` writes."""
        return {
            "user": self.user,
            "mechanism": self.mechanism,
            "verdict": self.verdict,
            "reason": self.reason,
            "cause": self.cause,
            "milliseconds": milliseconds(self.seconds),
            "stores": [
                {
                    "store": testimony.store,
                    "name": testimony.name,
                    "user": testimony.user,
                    "schemes": list(testimony.schemes),
                    "milliseconds": milliseconds(testimony.seconds),
                }
                for testimony in self.path
            ],
            "remark": self.remark,
        }


def milliseconds(seconds: float) -> float:
    """Round to what is worth reading."""
    return round(seconds * 1000, 2)
