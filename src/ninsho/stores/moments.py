"""Moments as people write them, and as Unix times in seconds."""

import math
from datetime import UTC, datetime


def parse_moment(text: str) -> float:
    """Read ``2027-01-31``, ``2027-01-31T12:00:00Z`` or a Unix time; UTC without an offset. Raises ``ValueError``."""
    seconds = _number(text)
    if seconds is None:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            # Not quoted: in a list that has lost a colon or a quote it may be a part of a password.
            raise ValueError("expected a date such as 2027-01-31 or 2027-01-31T12:00:00Z, got what is none") from None
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return check_moment(seconds)


def check_moment(seconds: float) -> float:
    """Return *seconds*; raise ``ValueError`` for what no clock will ever show: NaN would never be in the past."""
    try:
        moment = float(seconds)
    except OverflowError:
        moment = math.inf
    if not math.isfinite(moment):
        raise ValueError("expected a moment in time, got one that never comes")
    return moment


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
