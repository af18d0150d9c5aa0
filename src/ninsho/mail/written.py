"""Writing message objects of the standard library as octets; nothing of them changes but a boundary that they lack."""

import copy
from email.generator import BytesGenerator
from email.policy import SMTPUTF8, EmailPolicy, Policy
from io import BytesIO
from typing import TYPE_CHECKING, Any

from ninsho.mail.addresses import mailboxes
from ninsho.mail.encoded_fields import ADDRESS_FIELDS, FAULTS, encoded_value
from ninsho.mail.headers import SIGNATURES
from ninsho.mail.terms import Terms
from ninsho.mail.unsendable import Unsendable

if TYPE_CHECKING:
    from email.message import Message


def written(message: "Message[Any, Any]", terms: Terms) -> bytes:
    """Write *message* with CRLF; its header in UTF-8 where an address needs that and the server offers it."""
    out = BytesIO()
    try:
        changed, utf8 = _fitted(message)
        if utf8 and not terms.utf8_header:
            raise Unsendable("expected a server that offers SMTPUTF8 for an address in the header, got one without")
        # ">From " is for mailboxes, not for the way there.
        BytesGenerator(out, mangle_from_=False, policy=_policy(message, utf8=utf8)).flatten(changed)
    except FAULTS as error:
        raise Unsendable(f"the message cannot be written: {error}") from error
    return out.getvalue()


def _policy(message: "Message[Any, Any]", *, utf8: bool) -> Policy:
    policy = message.policy
    if SIGNATURES.intersection(map(str.lower, message.keys())):
        return _verbatim(policy)
    if isinstance(policy, EmailPolicy):
        return policy.clone(linesep="\r\n", utf8=utf8)
    return SMTPUTF8.clone(cte_type=policy.cte_type) if utf8 else policy.clone(linesep="\r\n")


def _verbatim(policy: Policy) -> Policy:
    """Fold nothing again that came folded: it would no longer be what was signed."""
    if isinstance(policy, EmailPolicy):
        return policy.clone(linesep="\r\n", refold_source="none")
    return policy.clone(linesep="\r\n", max_line_length=0)


def _fitted(message: "Message[Any, Any]") -> "tuple[Message[Any, Any], bool]":
    """Return *message*, or a twin whose address fields can be written, and whether it needs a header in UTF-8.

    The generator encodes addresses as if they were words, where a domain is not ASCII, or the field a plain string.
    """
    changed = {}
    for place, (name, value) in enumerate(message.raw_items()):
        if name.lower() not in ADDRESS_FIELDS or not _is_international(value):
            continue
        addresses = _addresses(name, value)
        if any(not local.isascii() for local, _ in addresses):
            return message, True
        if not hasattr(value, "addresses") or any(not domain.isascii() for _, domain in addresses):
            changed[place] = encoded_value(name, _unfolded(value))
    return (_twin(message, changed) if changed else message), False


def _is_international(value: object) -> bool:
    # Surrogates are octets of somebody else's message: they are dealt with as such.
    return isinstance(value, str) and not value.isascii() and not any("\ud800" <= char <= "\udfff" for char in value)


def _addresses(name: str, value: str) -> list[tuple[str, str]]:
    """Return local parts and domains: of a header object as it knows them, of a string as it reads."""
    if hasattr(value, "addresses"):
        return [(address.username, address.domain) for address in value.addresses]
    parts = (address.rpartition("@") for address in mailboxes(_unfolded(value), name))
    return [(local, domain) if at else (domain, "") for local, at, domain in parts]


def _unfolded(value: str) -> str:
    return value.replace("\r", "").replace("\n", "")


def _twin(message: "Message[Any, Any]", changed: dict[int, str]) -> "Message[Any, Any]":
    twin = copy.copy(message)
    fields = list(message.raw_items())
    for name, _ in fields:
        del twin[name]
    for place, (name, value) in enumerate(fields):
        twin.set_raw(name, changed.get(place, value))
    return twin
