"""Text as any database keeps it, whoever wrote it: servers, spreadsheets, people who send bounces."""

import re
from typing import Final

# PostgreSQL keeps no NUL, and no driver a surrogate that stands alone.
_UNKEPT: Final = re.compile("[\0\ud800-\udfff]")


def kept(text: str, most: int) -> str:
    """Return *text* cut to *most* characters, what no database keeps replaced."""
    return _UNKEPT.sub("�", text[:most])


def is_kept(text: str) -> bool:
    """Whether every database keeps it as it is."""
    return _UNKEPT.search(text) is None
