"""Moments as people write them, and as Unix times in seconds."""

import math
from datetime import UTC, datetime


def parse_moment(text: str) -> float:
    """Read ``2027-01-31``, ``2027-01-31T12:00:00Z`` or a Unix time; without an offset it is UTC. Raises ``ValueError``."""
    seconds = _number(text)
    if seconds is None:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"expected a date such as 2027-01-31 or 2027-01-31T12:00:00Z, got {text[:50]!r}") from None
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return check_moment(seconds)


def check_moment(seconds: float) -> float:
    """Return *seconds*; raise ``ValueError`` for what no clock will ever show: NaN would never be in the past."""
    if not math.isfinite(seconds):
        raise ValueError(f"expected a moment in time, got {seconds}")
    return float(seconds)


def write_moment(seconds: float) -> str:
    """Write what ``parse_moment`` reads as the same number: a date where that is exact, else the number."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return repr(seconds)
    return moment.isoformat().replace("+00:00", "Z") if moment.timestamp() == seconds else repr(seconds)


def _number(text: str) -> float | None:
    # Eight digits are a date in ISO 8601 as well; a Unix time of so few lies in the 1970s.
    if len(text) == 8 and text.isdecimal():
        return None
    try:
        return float(text)
    except ValueError:
        return None
