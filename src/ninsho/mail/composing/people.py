"""Whom a message names: addresses as people write them, put into one field."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias, Union, cast

from ninsho.mail.addresses import mailboxes
from ninsho.mail.unsendable import Unsendable, excerpt

if TYPE_CHECKING:
    from email.headerregistry import Address

Mailbox: TypeAlias = Union[str, tuple[str, str], "Address"]
Mailboxes: TypeAlias = Mailbox | Iterable[Mailbox]

# RFC 5322 §3.2.3, and what is not ASCII: a name of these needs no quotes. A dot is obsolete, and read everywhere but at
# the beginning (§4.1: obs-phrase).
_PHRASE = re.compile(r"(?![ \t]*\.)[^\x00-\x1f\"(),:;<>@\[\\\]\x7f]*")
_SPECIAL = re.compile(r'(["\\])')


def address_list(given: Mailboxes, place: str) -> str:
    """Return *given* as the value of an address field, one line; raise ``Unsendable`` for what is no address.

    A string is read as a To line is: ``"山田太郎 <taro@example.jp>, Bob <bob@example.org>"``. Of several, each may be
    such a string, a pair of name and address, or an ``email.headerregistry.Address``; a pair may stand alone.
    """
    each = [cast("Mailbox", given)] if _is_one(given) else list(cast("Iterable[Mailbox]", given))
    return ", ".join(_written(one, place) for one in each)


def _is_one(given: Mailboxes) -> bool:
    match given:
        case (str(name), str(address)) if isinstance(given, tuple) and "@" in address:
            # Of two addresses, the first has one as well.
            return "@" not in name
        case _:
            return isinstance(given, str) or not isinstance(given, Iterable)


def addresses_in(value: str, place: str) -> list[str]:
    """Return the addresses of an address list; raise ``Unsendable`` where one is a name only."""
    found = mailboxes(value, place)
    for address in found:
        # A name with a comma in it that nobody quoted reads as two mailboxes.
        if "@" not in address:
            raise Unsendable(f"{place}: expected an address with '@', got {excerpt(address)} in {excerpt(value)}")
    return found


def _written(one: Mailbox, place: str) -> str:
    match one:
        case str():
            value = one.strip(" \t\r\n")
        case (str(name), str(address)):
            value = f"{_quoted(name)} <{address}>" if name else address
        case _ if hasattr(one, "addr_spec") and hasattr(one, "display_name"):
            value = f"{_quoted(one.display_name)} <{one.addr_spec}>" if one.display_name else one.addr_spec
        case _:
            raise TypeError(f"{place}: expected an address, or a name and an address, got {type(one).__name__}")
    if not addresses_in(value, place):
        raise Unsendable(f"{place}: expected an address, got {excerpt(value)}")
    return value


def _quoted(name: str) -> str:
    return name if _PHRASE.fullmatch(name) else '"' + _SPECIAL.sub(r"\\\1", name) + '"'
