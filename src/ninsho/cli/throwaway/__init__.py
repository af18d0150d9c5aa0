"""Other people's programs, run for a moment in a directory of their own; nothing of ninsho's own runs here."""

from ninsho.cli.throwaway.child import reserved_port
from ninsho.cli.throwaway.postfix import PostfixUnavailable, ThrowawayPostfix
from ninsho.cli.throwaway.program import ProgramUnavailable, ThrowawayProgram
from ninsho.cli.throwaway.settings import DOMAIN

__all__ = [
    "DOMAIN",
    "PostfixUnavailable",
    "ProgramUnavailable",
    "ThrowawayPostfix",
    "ThrowawayProgram",
    "reserved_port",
]
