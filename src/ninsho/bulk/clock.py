"""Two clocks: one that nobody sets, for spans of time; the database's, which all machines share."""

import time
from typing import Final

from sqlalchemy import Connection, text

# Where the system has it: the other one stands still while the machine sleeps.
_BOOT_TIME: Final = getattr(time, "CLOCK_BOOTTIME", None)
_NOW: Final = {
    "postgresql": text("SELECT extract(epoch FROM clock_timestamp())"),
    "mysql": text("SELECT unix_timestamp(now(6))"),
    "mariadb": text("SELECT unix_timestamp(now(6))"),
}


def elapsed() -> float:
    """Return seconds since some moment in the past, in which the machine may have slept."""
    return time.monotonic() if _BOOT_TIME is None else time.clock_gettime(_BOOT_TIME)


def moment(connection: Connection) -> float:
    """Return the database's own time as a Unix time; where it has none that is known here, this machine's."""
    asking = _NOW.get(connection.dialect.name)
    return time.time() if asking is None else float(connection.execute(asking).scalar_one())
