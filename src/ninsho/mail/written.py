"""Writing message objects of the standard library as octets; nothing of them changes but a boundary that they lack."""

import copy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.errors import NonASCIILocalPartDefect, ObsoleteHeaderDefect
from email.generator import BytesGenerator
from email.policy import SMTPUTF8, EmailPolicy, Policy
from io import BytesIO
from typing import TYPE_CHECKING, Any, Self

from ninsho.mail.address_fields import ADDRESS_FIELDS, address_value, meant
from ninsho.mail.encoded_fields import FAULTS
from ninsho.mail.headers import SIGNATURES, fields, header_size
from ninsho.mail.policy import Told, Written
from ninsho.mail.terms import Terms
from ninsho.mail.unsendable import Unsendable, excerpt

if TYPE_CHECKING:
    from email.message import Message

_SURROGATE = re.compile("[\ud800-\udfff]")
# With these the library still has read all that there is.
_HARMLESS = (NonASCIILocalPartDefect, ObsoleteHeaderDefect)
_LIBRARY_TEXT = SMTPUTF8.clone(max_line_length=None)


def written(message: "Message[Any, Any]", terms: Terms) -> bytes:
    """Write *message* with CRLF; its header in UTF-8 where an address needs that and the server offers it."""
    try:
        given = list(_address_fields(message))
        utf8 = any(field.needs_utf8 for field in given)
        if utf8 and not terms.utf8_header:
            raise Unsendable("expected a server that offers SMTPUTF8 for an address in the header, got one without")
        # The generator takes domains for words, and encodes them as such.
        anew = [] if utf8 else [field for field in given if field.foreign]
        octets = _flattened(message, anew, utf8=utf8)
        # Read back: the envelope comes from there.
        if misread := list(_misread(given, octets)):
            octets = _flattened(message, [*anew, *(field for field, _ in misread)], utf8=utf8)
            _refuse(_misread(given, octets))
    except FAULTS as error:
        raise Unsendable(f"the message cannot be written: {error}") from error
    return octets


@dataclass(frozen=True, slots=True)
class _Given:
    """An address field as it stands in the message: its *text* in one line, *whom* it names if that is certain.

    *foreign* says whether it is beyond ASCII in places that the generator cannot write.
    """

    place: int
    name: str
    text: str
    whom: list[str] | None
    foreign: bool

    @property
    def needs_utf8(self) -> bool:
        """Whether an address goes by SMTPUTF8 only."""
        return self.whom is not None and not all(map(str.isascii, self.whom))


def _address_fields(message: "Message[Any, Any]") -> Iterator[_Given]:
    for place, (name, value) in enumerate(message.raw_items()):
        if name.rstrip(" \t").lower() in ADDRESS_FIELDS:
            # A Header of the older kind has encoded what it was given.
            text = _unfolded(value if isinstance(value, str) else value.encode())
            whom = _whom(text) if isinstance(message.policy, Written) or _is_sound(value) else None
            yield _Given(place, name, text, whom, foreign=whom is not None and _is_foreign(value, message.policy))


def _is_foreign(value: Any, policy: Policy) -> bool:  # noqa: ANN401 - whatever a policy makes of fields
    # Surrogates are octets of somebody else's message: the generator deals with them as such.
    if (
        isinstance(policy, Written)
        or isinstance(value, Told)
        or not isinstance(value, str)
        or value.isascii()
        or _SURROGATE.search(value)
    ):
        return False
    addresses = getattr(value, "addresses", None)
    return addresses is None or not all(address.domain.isascii() for address in addresses)


def _is_sound(value: Any) -> bool:  # noqa: ANN401 - whatever a policy makes of fields
    """Tell whether what the library has read in a field is all that was there."""
    if all(isinstance(defect, _HARMLESS) for defect in getattr(value, "defects", ())):
        return True
    source = _unfolded(value.fold(policy=_LIBRARY_TEXT)).partition(":")[2]
    return _whom(source) == _whom(value)


def _whom(text: str) -> list[str] | None:
    try:
        return meant(_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text), "")
    except Unsendable:
        return None


def _unfolded(value: str) -> str:
    return value.replace("\r", "").replace("\n", "")


def _misread(given: list[_Given], octets: bytes) -> Iterator[tuple[_Given, str]]:
    """Give the fields that name others, or nobody, now that they are written, and what they are now."""
    found = [field for field in fields(octets[: header_size(octets)]) if field.name in ADDRESS_FIELDS]
    if len(found) != len(given):
        raise Unsendable(f"the message cannot be written: expected {len(given)} address fields, got {len(found)}")
    wrong = [(field, now.value) for field, now in zip(given, found, strict=True) if field.whom != _whom(now.value)]
    _refuse(pair for pair in wrong if pair[0].whom is None)
    yield from wrong


def _refuse(misread: Iterable[tuple[_Given, str]]) -> None:
    for field, now in misread:
        raise Unsendable(
            f"{field.name}: expected addresses that can be read in one way only, "
            f"got what the library reads as {excerpt(field.text)} and writes as {excerpt(now)}"
        )


def _flattened(message: "Message[Any, Any]", anew: Iterable[_Given], *, utf8: bool) -> bytes:
    changed = {field.place: _Line(field, utf8=utf8) for field in anew}
    out = BytesIO()
    # ">From " is for mailboxes, not for the way there.
    generator = BytesGenerator(out, mangle_from_=False, policy=_policy(message, utf8=utf8))
    generator.flatten(_twin(message, changed) if changed else message)
    return out.getvalue()


class _Line(str):
    """The value of a field, folded; policies ask whatever has a name to fold itself."""

    __slots__ = ("name",)

    name: str

    def __new__(cls, field: _Given, *, utf8: bool) -> Self:
        """Write *field* anew."""
        line = super().__new__(cls, address_value(field.name, field.text, utf8=utf8))
        line.name = field.name
        return line

    def fold(self, *, policy: Policy) -> str:
        """Return the field."""
        return f"{self.name}: {self}{policy.linesep}"


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


def _twin(message: "Message[Any, Any]", changed: dict[int, _Line]) -> "Message[Any, Any]":
    twin = copy.copy(message)
    items = list(message.raw_items())
    for name, _ in items:
        del twin[name]
    for place, (name, value) in enumerate(items):
        twin.set_raw(name, changed.get(place, value))
    return twin
