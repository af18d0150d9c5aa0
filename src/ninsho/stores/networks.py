"""The networks that an account may log in from, as text: ``192.0.2.0/24 2001:db8::/32``."""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_network

from ninsho.stores.accounts import Network


# A site has few such texts, and they are read at each login.
@lru_cache(maxsize=1024)
def parse_networks(text: str) -> tuple[Network, ...]:
    """Read networks and addresses between commas or spaces; raise ``ValueError`` for what is neither."""
    return tuple(_parse(word) for word in re.split(r"[\s,]+", text) if word)


def write_networks(networks: Iterable[Network]) -> str:
    """Write what ``parse_networks`` reads."""
    return " ".join(map(str, networks))


def _parse(word: str) -> Network:
    try:
        # As in Dovecot's allow_nets, the bits behind the prefix do not count.
        return ip_network(word, strict=False)
    except ValueError:
        raise ValueError(f"expected a network such as 192.0.2.0/24, got {word[:50]!r}") from None
