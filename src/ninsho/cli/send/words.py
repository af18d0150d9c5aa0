"""What the client's errors call its keywords, in the words of the command line."""

import re

from ninsho.client.errors import RecipientsRefused, Refused
from ninsho.errors import ClientError

_OPTION = re.compile(
    r"(?<![\w?&-])(?P<name>ca|tls)=(?:(?P<value>implicit|starttls|opportunistic|none)\b|(?![^\s,.;:)]))"
)
_PARAMETER = re.compile(r"(?<![\w?&-])(?P<name>server_name|fingerprint)=(?![^\s,.;:)])")


def said(error: ClientError) -> str:
    """Return the error's sentence; a server's own words are left as they are."""
    sentence = str(error)
    return sentence if isinstance(error, Refused | RecipientsRefused) else in_options(sentence)


def in_options(sentence: str) -> str:
    """Return *sentence* with options where it names keywords, such as ``--ca`` for ``ca=``."""
    sentence = _OPTION.sub(lambda match: " ".join(filter(None, (f"--{match['name']}", match["value"]))), sentence)
    return _PARAMETER.sub(r"\g<name>= in the URL", sentence)
