"""Writing message objects of the standard library as octets, without changing them."""

import copy
from email.errors import MessageError
from email.generator import BytesGenerator
from email.policy import SMTP, EmailPolicy, Policy
from io import BytesIO
from typing import TYPE_CHECKING, Any

from ninsho.client.encoded_fields import encoded_value
from ninsho.client.terms import Terms
from ninsho.client.unsendable import Unsendable

if TYPE_CHECKING:
    from email.message import Message

# Those whose addresses may want SMTPUTF8.
_ADDRESSES = frozenset(
    f"{prefix}{name}" for prefix in ("", "resent-") for name in ("from", "sender", "reply-to", "to", "cc", "bcc")
)


def written(message: "Message[Any, Any]", terms: Terms) -> bytes:
    """Write *message* with CRLF; its header in UTF-8 where an address needs that and the server offers it."""
    out = BytesIO()
    try:
        changed, utf8 = _fitted(message)
        if utf8 and not terms.utf8:
            raise Unsendable("expected a server that offers SMTPUTF8 for an address in the header, got one without")
        # ">From " is for mailboxes, not for the way there.
        BytesGenerator(out, mangle_from_=False, policy=_policy(message.policy, utf8=utf8)).flatten(changed)
    except (MessageError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise Unsendable(f"the message cannot be written: {error}") from error
    return out.getvalue()


def _policy(policy: Policy, *, utf8: bool) -> Policy:
    if isinstance(policy, EmailPolicy):
        return policy.clone(linesep="\r\n", utf8=utf8)
    return policy.clone(linesep="\r\n")


def _fitted(message: "Message[Any, Any]") -> "tuple[Message[Any, Any], bool]":
    """Return *message*, or a twin whose address fields can be written, and whether it needs a header in UTF-8.

    The generator encodes addresses as if they were words, where a domain is not ASCII, or the field a plain string.
    """
    changed = {}
    for place, (name, value) in enumerate(message.raw_items()):
        if name.lower() in _ADDRESSES and _is_international(value):
            if any(not address.username.isascii() for address in SMTP.header_factory(name, value).addresses):
                return message, True
            changed[place] = encoded_value(name, str(value))
    return (_twin(message, changed) if changed else message), False


def _is_international(value: object) -> bool:
    # Surrogates are octets of somebody else's message: they are dealt with as such.
    return isinstance(value, str) and not value.isascii() and not any("\ud800" <= char <= "\udfff" for char in value)


def _twin(message: "Message[Any, Any]", changed: dict[int, str]) -> "Message[Any, Any]":
    twin = copy.copy(message)
    fields = list(message.raw_items())
    for name, _ in fields:
        del twin[name]
    for place, (name, value) in enumerate(fields):
        twin.set_raw(name, changed.get(place, value))
    return twin
