"""Making 8-bit text, over-long lines and binary parts travel where they could not: part by part, the rest untouched."""

import re
from dataclasses import dataclass, replace

from ninsho.mail.content import crlf, has_long_line, has_strays
from ninsho.mail.encoded_fields import encoded_fields
from ninsho.mail.entity import ENCODED, Entity, decoded, encoded, first_line_end, pieces, with_encoding, with_mime
from ninsho.mail.headers import SIGNATURES
from ninsho.mail.unsendable import Unsendable, excerpt

DEPTH_LIMIT = 50  # entities within entities
LINE_LIMIT = 998  # octets before a CRLF (RFC 5321 §4.5.3.1.6)

_SEALED = re.compile(rb"^(%b)[ \t]*:" % "|".join(sorted(SIGNATURES)).encode(), re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What need not be converted: 8-bit text, binary parts, header fields that are not ASCII."""

    eight_bit: bool
    binary: bool
    utf8: bool


@dataclass(frozen=True, slots=True)
class Converted:
    """What came of it; *binary* where parts were left that only BINARYMIME carries."""

    octets: bytes
    binary: bool


def convert(raw: bytes, allowed: Allowed) -> Converted:
    """Re-encode what is not *allowed*; raise ``Unsendable`` where a signature forbids it (RFC 1847 §2.1, RFC 6376)."""
    conversion = _Conversion(allowed)
    octets = conversion.message(raw, _Place())
    return Converted(octets, conversion.binary)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the message an entity stands; *seal* names the signature that covers it."""

    depth: int = 0
    seal: str = ""
    message: bool = True

    def within(self, *, seal: str, message: bool) -> "_Place":
        if self.depth >= DEPTH_LIMIT:
            raise Unsendable(f"expected at most {DEPTH_LIMIT} entities within each other, got more")
        return replace(self, depth=self.depth + 1, seal=self.seal or seal, message=message)

    def unseal(self, what: str) -> None:
        if self.seal:
            raise Unsendable(f"{what} cannot travel to this server as it is, and {self.seal} forbids to re-encode it")


class _Conversion:
    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self.binary = False

    def message(self, octets: bytes, place: _Place) -> bytes:
        """Convert a whole message, the outermost or one that another carries."""
        entity = Entity.read(octets)
        sealed = _SEALED.search(entity.header)
        return self._entity(
            octets, entity, place.within(seal=f"its {sealed[1].decode()}" if sealed else "", message=True)
        )

    def _entity(self, octets: bytes, entity: Entity, place: _Place) -> bytes:
        header = self._header(entity.header, place)
        if header is entity.header and self._fits(octets):
            return crlf(octets)
        if entity.type.startswith("multipart/"):
            return entity.written(self._container(header, entity), self._multipart(entity, place))
        if entity.carries_message:
            return entity.written(self._container(header, entity), self.message(entity.body, place))
        return self._leaf(replace(entity, header=header), place)

    def _fits(self, octets: bytes) -> bool:
        return self._carried(octets) and not (b"binary" in octets.lower() and has_strays(octets))

    def _carried(self, octets: bytes) -> bool:
        return b"\0" not in octets and not _is_long(crlf(octets)) and (self._allowed.eight_bit or octets.isascii())

    def _header(self, header: bytes, place: _Place) -> bytes:
        # Fields of the parts are 8-bit text to a server, those of the outermost header want SMTPUTF8 (RFC 6531 §3.4).
        free = self._allowed.utf8 if place.depth == 1 else self._allowed.eight_bit
        if b"\0" not in header and not has_long_line(header) and (free or header.isascii()):
            return header
        place.unseal("its header")
        return encoded_fields(header)

    def _container(self, header: bytes, entity: Entity) -> bytes:
        """Take a promise back that no longer holds: what is within has seven bits, or eight (RFC 2045 §6.4)."""
        if entity.encoding not in ("8bit", "binary") or (entity.encoding == "binary" and self._allowed.binary):
            return header
        return with_encoding(header, "8bit" if self._allowed.eight_bit else "7bit")

    def _multipart(self, entity: Entity, place: _Place) -> bytes:
        if not entity.boundary:
            # RFC 2045 §6.4: what is multipart must not be encoded as a whole.
            raise Unsendable("expected a boundary in a multipart message to re-encode, got none")
        signed = "multipart/signed" if entity.type == "multipart/signed" else ""
        inner = place.within(seal=signed, message=False)
        found = list(pieces(entity.body, entity.boundary))
        if not any(piece.part for piece in found):
            raise Unsendable("expected a multipart message to re-encode, got one without its boundary")
        return b"".join(
            (self._part(piece.octets, entity.default_type, inner) if piece.part else self._outside(piece.octets, place))
            + crlf(piece.delimiter)
            for piece in found
        )

    def _part(self, octets: bytes, default: str, place: _Place) -> bytes:
        skipped = first_line_end(octets)
        line_end = crlf(octets[:skipped])
        entity = Entity.read(octets[skipped:], default=default)
        return line_end + self._entity(octets[skipped:], entity, place)

    def _outside(self, octets: bytes, place: _Place) -> bytes:
        octets = crlf(octets)
        if self._carried(octets):
            return octets
        # Preamble and epilogue are for nobody's eyes (RFC 2046 §5.1.1), and have no encoding.
        place.unseal("what stands around its parts")
        return b""

    def _leaf(self, entity: Entity, place: _Place) -> bytes:
        body = entity.body if entity.opaque else crlf(entity.body)
        if self._carried(body) and not has_strays(body):
            return entity.written(entity.header, body)
        if entity.encoding == "binary" and self._allowed.binary:
            self.binary = True
            return entity.written(entity.header, body)
        place.unseal("a part")
        _refuse_encoding(entity)
        return self._encoded(entity, place)

    def _encoded(self, entity: Entity, place: _Place) -> bytes:
        data = decoded(entity)
        text = entity.type.startswith("text/") and entity.encoding != "base64" and not entity.opaque
        body, encoding = encoded(data, text=text)
        header = with_mime(entity.header, data, described=entity.described) if place.message else entity.header
        return entity.written(with_encoding(header, encoding), body)


def _refuse_encoding(entity: Entity) -> None:
    """Raise ``Unsendable`` where another encoding would make something else of what *entity* holds."""
    if not entity.unencoded and entity.encoding not in ENCODED:
        raise Unsendable(
            "Content-Transfer-Encoding: expected a known one where a part is to get another, "
            f"got {excerpt(entity.encoding)}"
        )
    if entity.unencoded and not entity.encodable:
        raise Unsendable(
            "expected ASCII in lines of at most 998 octets in a part of type "
            f"{excerpt(entity.type)}, which must not be encoded, got something else"
        )


def _is_long(octets: bytes) -> bool:
    """Tell whether a line is too long, also the last one, whose end may belong to a boundary."""
    return has_long_line(octets) or len(octets) - octets.rfind(b"\n") - 1 > LINE_LIMIT
