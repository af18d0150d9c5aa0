"""The real mail servers that mail clients are tried with: their names, what starts each, and how one may log in."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType

import submission_dovecot
import submission_exim
import submission_postfix
from certificates import Certificates
from exim import PROGRAM as EXIM
from mail_server import MailServer

STARTED: Mapping[str, Callable[[Path, Certificates], AbstractContextManager[MailServer]]] = MappingProxyType(
    {
        "postfix+ninsho": submission_postfix.postfix_with_ninsho,
        "postfix+cyrus": submission_postfix.postfix_with_cyrus,
        "dovecot": submission_dovecot.dovecot,
        "exim": submission_exim.exim,
    }
)

# Programs: without one of them the server is left out.
NEEDED: Mapping[str, tuple[str | Path, ...]] = MappingProxyType(
    {
        "postfix+ninsho": ("postconf",),
        "postfix+cyrus": ("postconf", "saslpasswd2"),
        "dovecot": ("postconf", "dovecot", "/usr/lib/dovecot/submission"),
        "exim": (EXIM,),
    }
)

WITH_PASSWORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "postfix+ninsho": submission_postfix.NINSHO_OFFERS,
        "postfix+cyrus": submission_postfix.CYRUS_OFFERS,
        "dovecot": submission_dovecot.MECHANISMS,
        "exim": submission_exim.MECHANISMS,
    }
)
WITH_TOKENS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"postfix+ninsho": submission_postfix.TOKENS, "dovecot": submission_dovecot.WITH_TOKENS}
)


def pairs(offered: Mapping[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    """Return each server's name with each of its mechanisms."""
    return [(server, mechanism) for server, mechanisms in offered.items() for mechanism in mechanisms]
