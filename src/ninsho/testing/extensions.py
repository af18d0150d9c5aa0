"""What the server offers in its reply to EHLO, and which parameters of MAIL and RCPT may follow from that."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from ninsho.testing.commands import XTEXT, BadCommand, Envelope


class Parameter(NamedTuple):
    """A parameter: the extension that it belongs to, and a pattern of its value; None for one without a value."""

    extension: str
    value: str | None = None


MAIL_PARAMETERS = {
    "SIZE": Parameter("SIZE", r"[0-9]{1,20}"),  # RFC 1870
    "BODY": Parameter("8BITMIME", r"7BIT|8BITMIME|BINARYMIME"),  # RFC 6152, RFC 3030
    "SMTPUTF8": Parameter("SMTPUTF8"),  # RFC 6531
    "RET": Parameter("DSN", r"FULL|HDRS"),  # RFC 3461
    "ENVID": Parameter("DSN", rf"(?=.{{1,100}}$){XTEXT}"),
    "AUTH": Parameter("AUTH", rf"<>|{XTEXT}"),  # RFC 4954
    "REQUIRETLS": Parameter("REQUIRETLS"),  # RFC 8689
    "BY": Parameter("DELIVERBY", r"-?[0-9]{1,9};[NR]T?"),  # RFC 2852
    "HOLDFOR": Parameter("FUTURERELEASE", r"[1-9][0-9]{0,8}"),  # RFC 4865
    "HOLDUNTIL": Parameter("FUTURERELEASE", r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,}(?:Z|[+-][0-9]{2}:[0-9]{2})"),
    "MT-PRIORITY": Parameter("MT-PRIORITY", r"-?[0-9]"),  # RFC 6710
}
RCPT_PARAMETERS = {
    "NOTIFY": Parameter("DSN", r"NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY))*"),
    "ORCPT": Parameter("DSN", rf"(?=.{{1,500}}$)[A-Za-z0-9-]+;(?:{XTEXT}|[^\x00-\x20]+)"),
}
# RFC 8689 §4: only under TLS.
UNDER_TLS = frozenset(("REQUIRETLS",))


def check(verb: str, envelope: Envelope, offered: Mapping[str, str]) -> None:
    """Refuse parameters that are not *offered*, or whose value is none of theirs; raise ``BadCommand``."""
    known = MAIL_PARAMETERS if verb == "MAIL" else RCPT_PARAMETERS
    for keyword, value in envelope.parameters.items():
        # One of an extension that the test has named itself.
        parameter = known.get(keyword) or Parameter(keyword, r".*")
        if parameter.extension not in offered:
            raise BadCommand(f"{verb}: {keyword} is not offered", code=555)
        if not re.fullmatch(parameter.value or "", value, re.IGNORECASE):
            raise BadCommand(f"{verb}: expected another value of {keyword}")
    if envelope.parameters.get("BODY", "").upper() == "BINARYMIME" and "BINARYMIME" not in offered:
        raise BadCommand(f"{verb}: BODY=BINARYMIME is not offered", code=555)
