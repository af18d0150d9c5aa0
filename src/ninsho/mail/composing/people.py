"""Whom a message names: addresses as people write them, put into one field that every reader reads alike."""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias, Union, cast

from ninsho.mail.addresses import mailboxes, tokens, unquoted
from ninsho.mail.unsendable import Unsendable, excerpt

if TYPE_CHECKING:
    from email.headerregistry import Address

Mailbox: TypeAlias = Union[str, tuple[str, str], "Address"]
Mailboxes: TypeAlias = Mailbox | Iterable[Mailbox]

# RFC 5322 §3.2.3, and what is not ASCII: a name of these needs no quotes. A dot within is obsolete and read everywhere,
# one in front is not. What looks like an encoded word would be read as one.
_PHRASE = re.compile(r"(?![ \t]*\.)(?:(?!=\?)[^\x00-\x1f\"(),:;<>@\[\\\]\x7f])*")
_SPECIAL = re.compile(r'(["\\])')
_WORDS = ("atom", "quoted", "space")


def address_list(given: Mailboxes, place: str) -> str:
    """Return *given* as the value of an address field, one line; raise ``Unsendable`` for what is no address.

    A string is read as a To line is: ``"山田太郎 <taro@example.jp>, Bob <bob@example.org>"``. Of several, each may be
    such a string, a pair of name and address, or an ``email.headerregistry.Address``; a pair may stand alone.
    """
    each = [cast("Mailbox", given)] if _is_one(given, place) else list(cast("Iterable[Mailbox]", given))
    return ", ".join(_written(one, place) for one in each)


def addresses_in(value: str, place: str) -> list[str]:
    """Return the addresses of an address list; raise ``Unsendable`` where one is a name only."""
    found = mailboxes(value, place)
    for address in found:
        # A name with a comma in it that nobody quoted reads as two mailboxes.
        if "@" not in address:
            raise Unsendable(f"{place}: expected an address with '@', got {excerpt(address)}{_hint(value, address)}")
    return found


def _hint(value: str, address: str) -> str:
    """Say what it may have been meant as."""
    if "\N{FULLWIDTH COMMERCIAL AT}" in address:
        return ", whose \N{FULLWIDTH COMMERCIAL AT} is full-width"
    if "," in value:
        return f" in {excerpt(value)}: a name with a comma stands in quotes, or in a pair (name, address)"
    return "" if value == address else f" in {excerpt(value)}"


def _is_one(given: Mailboxes, place: str) -> bool:
    match given:
        case (str(name), str(address)) if isinstance(given, tuple) and "@" in name + address:
            # A name that a stranger chose must not become a recipient.
            if "@" in name and "@" in address:
                raise Unsendable(
                    f"{place}: expected a name and an address, or a list of addresses, got {excerpt(given)}"
                )
            return True
        case _:
            return isinstance(given, str) or not isinstance(given, Iterable)


def _written(one: Mailbox, place: str) -> str:
    match one:
        case str():
            return _list(one.strip(" \t\r\n"), place)
        case (str(name), str(address)) if isinstance(one, tuple):
            return _mailbox(name, address, place)
        case _ if hasattr(one, "addr_spec") and hasattr(one, "display_name"):
            return _mailbox(one.display_name, one.addr_spec, place)
        case _:
            raise TypeError(f"{place}: expected an address, or a name and an address, got {type(one).__name__}")


def _mailbox(name: str, address: str, place: str) -> str:
    if "@" in name and "@" not in address:
        raise Unsendable(f"{place}: expected a pair of name and address, got {excerpt((name, address))}")
    # Nothing but the address: what else stands there might be one more.
    if addresses_in(address, place) != [address]:
        raise Unsendable(f"{place}: expected one address without a name, got {excerpt(address)}")
    return f"{_quoted(name)} <{address}>" if name else address


def _list(value: str, place: str) -> str:
    """Write an address list anew: some readers stop at what is obsolete, or at what is between two commas and empty."""
    if not addresses_in(value, place) and not value.endswith(";"):
        raise Unsendable(f"{place}: expected an address, got {excerpt(value)}")
    return ", ".join(_item(item, place) for item in _items(value) if item)


def _items(value: str) -> Iterator[str]:
    """Cut an address list into mailboxes and groups; a semicolon that ends no group parts as a comma does."""
    item, inside, in_group = "", False, False
    for kind, text in tokens(value):
        mark = text if kind == "special" else ""
        inside = mark == "<" or (inside and mark != ">")
        if inside or mark not in (",", ";", ":") or (in_group and mark == ","):
            item += text
            continue
        if mark == ":" or in_group:
            item += text
        in_group = mark == ":"
        if not in_group:
            yield item.strip()
            item = ""
    yield item.strip()


def _item(item: str, place: str) -> str:
    """Write a mailbox as readers expect it: its name in quotes where it must be, its address without a source route."""
    found = list(tokens(item))
    if item.endswith(";"):
        return item
    addresses = mailboxes(item, place)
    if len(addresses) != 1:
        raise Unsendable(f"{place}: expected ';' behind the last of a group, got {excerpt(item)}")
    if any(token.kind == "comment" for token in found):
        return item
    name, bracket, _ = item.rpartition("<")
    return f"{_phrase(name)} <{addresses[0]}>".lstrip() if bracket else addresses[0]


def _phrase(name: str) -> str:
    """Return a display name; in quotes, all of it, where a word of it would be something else."""
    found = list(tokens(name.strip()))
    if not name.strip().startswith(".") and all(token.kind in _WORDS or token.text == "." for token in found):
        return name.strip()
    return _quoted("".join(unquoted(text) if kind == "quoted" else text for kind, text in found))


def _quoted(name: str) -> str:
    return name if _PHRASE.fullmatch(name) else '"' + _SPECIAL.sub(r"\\\1", name) + '"'
