"""The networks that an account may log in from, as text: ``192.0.2.0/24 2001:db8::/32``."""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_network

from ninsho.stores.accounts import Network


# A site has few such texts, and they are read at each login.
@lru_cache(maxsize=1024)
def parse_networks(text: str) -> tuple[Network, ...]:
    """Read networks and addresses between commas or blanks, none from no text; raise ``ValueError`` for other words.

    So does a text of commas and blanks alone: somebody meant it to keep others out.
    """
    networks = tuple(_parse(word) for word in re.split(r"[\s,]+", text) if word)
    if text and not networks:
        raise ValueError("expected networks, got none")
    return networks


def write_networks(networks: Iterable[Network]) -> str:
    """Write what ``parse_networks`` reads."""
    return " ".join(map(str, networks))


def _parse(word: str) -> Network:
    try:
        # As in Dovecot's allow_nets, the bits behind the prefix do not count.
        return ip_network(word, strict=False)
    except ValueError:
        # Not quoted: in a list that has lost a colon or a quote it may be a part of a password.
        raise ValueError("expected networks such as 192.0.2.0/24 or 2001:db8::1, got what is none") from None
