"""The talk with a server on standard error, coloured where somebody looks at it."""

import sys
from typing import Final

from ninsho.cli.terminal import coloured, remark, visible
from ninsho.client.transcript import Transcript

_COLOURS: Final = {">": "36", "<": "32", "=": "2", "!": "31"}


def chat() -> Transcript:
    """Return a transcript for people: secrets are hidden where they would be said."""
    return Transcript(lambda line: remark(coloured(visible(line), _COLOURS.get(line[:1], ""), stream=sys.stderr)))
