"""Which of Japan's carriers an address belongs to, by its domain."""

from collections.abc import Iterable
from enum import Enum
from typing import Final

from ninsho.mail.addresses import single
from ninsho.mail.unsendable import Unsendable, excerpt


class Carrier(Enum):
    """Whose handsets read the mail; ``PC`` is everybody else."""

    DOCOMO = "docomo"
    AU = "au"
    SOFTBANK = "softbank"
    WILLCOM = "willcom"
    EMOBILE = "emobile"
    PC = "pc"

    @property
    def emoji(self) -> "Carrier":
        """Whose emoji its handsets have; ``PC`` stands for Unicode's."""
        return Carrier.DOCOMO if self in (Carrier.WILLCOM, Carrier.EMOBILE) else self


# What ends so belongs there, too: carriers gave out names below some of them.
_DOMAINS: Final = {
    **dict.fromkeys(("docomo.ne.jp", "dwmail.jp"), Carrier.DOCOMO),
    **dict.fromkeys(("ezweb.ne.jp", "au.com", "uqmobile.jp", "ido.ne.jp"), Carrier.AU),
    **dict.fromkeys(("softbank.ne.jp", "i.softbank.jp", "vodafone.ne.jp", "disney.ne.jp"), Carrier.SOFTBANK),
    **dict.fromkeys(("ymobile.ne.jp", "y-mobile.ne.jp", "ymobile1.ne.jp", "vertuclub.ne.jp"), Carrier.SOFTBANK),
    **dict.fromkeys((f"jp-{region}.ne.jp" for region in "cdhknqrst"), Carrier.SOFTBANK),
    **dict.fromkeys(("pdx.ne.jp", "willcom.com", "wcm.ne.jp"), Carrier.WILLCOM),
    **dict.fromkeys(("emnet.ne.jp", "emobile.ne.jp", "emobile-s.ne.jp"), Carrier.EMOBILE),
}


def carrier_of(address: str) -> Carrier:
    """Return whose *address* it is; it may have a display name. Raises ``Unsendable`` for what is no address."""
    domain = single(address, "recipient").rpartition("@")[2].lower()
    while domain:
        if domain in _DOMAINS:
            return _DOMAINS[domain]
        domain = domain.partition(".")[2]
    return Carrier.PC


def shared_carrier(addresses: Iterable[str]) -> Carrier:
    """Return whose all *addresses* are; raise ``Unsendable`` where they belong to several."""
    found = list(dict.fromkeys(map(carrier_of, addresses)))
    if len(found) > 1:
        names = ", ".join(carrier.value for carrier in found)
        raise Unsendable(f"decoration: expected recipients of one carrier, or to be told which, got {names}")
    return found[0] if found else Carrier.PC


def named_carrier(name: str) -> Carrier:
    """Return the carrier called *name*; raise ``Unsendable``."""
    try:
        return Carrier(name.lower())
    except (ValueError, AttributeError):
        known = ", ".join(carrier.value for carrier in Carrier)
        raise Unsendable(f"decoration: expected one of {known}, got {excerpt(name)}") from None
