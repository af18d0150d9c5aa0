"""Templates of decoration mail, which handsets keep in files: docomo's .dmt, au's .khm, SoftBank's .hmt.

Each is a line, or two, that says what it is, and then a message without addresses, its line ends CRLF.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from secrets import token_hex
from typing import Final

from ninsho.mail.charsets.charset import Charset, charset
from ninsho.mail.charsets.encoding import encoded
from ninsho.mail.decoration.carriers import Carrier
from ninsho.mail.emoji.charsets import carrier_charset
from ninsho.mail.emoji.mapping import to_carrier, to_unicode
from ninsho.mail.emoji.octets import decode
from ninsho.mail.encoded_fields import FAULTS
from ninsho.mail.entity import encoded as in_seven_bits
from ninsho.mail.html.line_ends import without_line_ends
from ninsho.mail.unsendable import Unsendable, excerpt


@dataclass(frozen=True, slots=True)
class Format:
    """How a carrier's template is written: its first lines, the kind of multipart, the charset in so many bits."""

    carrier: Carrier
    content_type: str
    first_line: str
    subtype: str
    charset: str
    transfer_encoding: str


FORMATS: Final = {
    "dmt": Format(
        Carrier.DOCOMO, "application/x-decomail-template", "Decomail-Template", "related", "Shift_JIS", "8bit"
    ),
    "khm": Format(Carrier.AU, "application/x-kddi-htmlmail", "KDDI_HTML_MAIL_2_0", "mixed", "ISO-2022-JP", "7bit"),
    "hmt": Format(
        Carrier.SOFTBANK,
        "application/x-htmlmail-template",
        "HTMLMail-Template-Version:1.0",
        "related",
        "Shift_JIS",
        "8bit",
    ),
}
# Before the message proper: a line in which none of its fields can be.
_FIRST_LINES: Final = re.compile(
    rb"(?P<dmt>Decomail-Template)[ \t]*\r?\n\s*"
    rb"|(?P<khm>KDDI_HTML_MAIL_[0-9]+_[0-9]+)[ \t]*\r?\n\s*"
    rb"|(?P<hmt>HTMLMail-Template-Version:[^\r\n]*)\r?\n(?:HTMLMail-Template-Title:(?P<title>[^\r\n]*)\r?\n)?\s*",
    re.IGNORECASE,
)
_ONE_LINE: Final = re.compile(r"[^\x00-\x1f\x7f]*")
_TYPE: Final = re.compile(r"image/[a-z0-9.+-]+|application/x-shockwave-flash")
_CID: Final = re.compile(r"[!-;=?-~]+")


@dataclass(frozen=True, slots=True)
class TemplateImage:
    """An image that the HTML shows as ``cid:`` and its *cid*."""

    cid: str
    content_type: str
    data: bytes
    filename: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """What a template holds; emoji are Unicode's. *title* is SoftBank's; the others show the HTML's."""

    html: str
    images: Sequence[TemplateImage] = ()
    text: str = ""
    title: str = ""


def read_template(octets: bytes) -> tuple[Carrier, Template]:
    """Return a template, and whose it is; raise ``ValueError`` for what is none."""
    if not (first := _FIRST_LINES.match(octets)):
        raise ValueError(f"expected a template of decoration mail (.dmt, .khm or .hmt), got {excerpt(octets[:40])}")
    kind = next(name for name in FORMATS if first[name])
    form = FORMATS[kind]
    title = _shown((first["title"] or b"").strip(), form, form.charset)
    try:
        return form.carrier, _template(octets[first.end() :], form, title)
    except FAULTS as error:
        raise ValueError(f"the template cannot be read: {error}") from error


def write_template(template: Template, kind: str) -> bytes:
    """Return *template* as the octets of a file: *kind* is ``dmt``, ``khm`` or ``hmt``; raise ``Unsendable``."""
    if kind not in FORMATS:
        raise Unsendable(f"template: expected one of {', '.join(FORMATS)}, got {excerpt(kind)}")
    form = FORMATS[kind]
    boundary = f"=_{token_hex(8)}"
    parts = [b"".join(part) for part in _parts(template, form)]
    delimiter = f"\r\n--{boundary}".encode()
    header = _first_lines(template, form) + _header(
        ("MIME-Version", "1.0"), ("Content-Type", f'multipart/{form.subtype}; boundary="{boundary}"')
    )
    return header + b"".join(delimiter + b"\r\n" + part for part in parts) + delimiter + b"--\r\n"


def _template(octets: bytes, form: Format, title: str) -> Template:
    message = BytesParser(policy=policy.default).parsebytes(octets)
    parts = [part for part in message.walk() if isinstance(part, EmailMessage) and not part.is_multipart()]
    texts = {part.get_content_subtype(): _text(part, form) for part in parts if part.get_content_maintype() == "text"}
    if "html" not in texts:
        raise ValueError(f"expected HTML in the template, got {', '.join(texts) or 'no text'}")
    return Template(texts["html"], tuple(_images(parts)), texts.get("plain", ""), title)


def _text(part: EmailMessage, form: Format) -> str:
    payload = part.get_payload(decode=True)
    octets = payload if isinstance(payload, bytes) else b""
    try:
        told: Charset | str = charset(part.get_content_charset(form.charset))
    except Unsendable:
        told = form.charset
    return _shown(octets, form, told)


def _shown(octets: bytes, form: Format, told: Charset | str) -> str:
    return to_unicode(decode(octets, form.carrier, told), form.carrier)


def _images(parts: Sequence[EmailMessage]) -> Iterator[TemplateImage]:
    for part in parts:
        cid = str(part.get("Content-ID", "")).strip().removeprefix("<").removesuffix(">")
        payload = part.get_payload(decode=True)
        if part.get_content_maintype() != "text" and cid and isinstance(payload, bytes):
            yield TemplateImage(cid, part.get_content_type(), payload, part.get_filename() or "")


def _first_lines(template: Template, form: Format) -> bytes:
    if form.carrier is not Carrier.SOFTBANK:
        return f"{form.first_line}\r\n".encode()
    title = template.title or "HTMLMail-Template"
    if not _ONE_LINE.fullmatch(title):
        raise Unsendable(f"template: title: expected one line, got {excerpt(title)}")
    return f"{form.first_line}\r\nHTMLMail-Template-Title:".encode() + _octets(title, "title", form) + b"\r\n\r\n"


def _parts(template: Template, form: Format) -> Iterator[tuple[bytes, bytes]]:
    if template.text:
        text = re.sub(r"\r\n?|\n", "\r\n", template.text)
        yield _text_header("plain", form), _octets(text, "text", form)
    yield _text_header("html", form), _octets(without_line_ends(template.html), "html", form)
    for image in template.images:
        yield _image_header(image), in_seven_bits(image.data, text=False)[0]


def _octets(text: str, place: str, form: Format) -> bytes:
    told = carrier_charset(form.carrier, form.charset)
    return encoded(to_carrier(text, form.carrier), told, unencodable="error", place=f"template: {place}")[0]


def _header(*fields: tuple[str, str]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode()


def _text_header(subtype: str, form: Format) -> bytes:
    return (
        _header(
            ("Content-Type", f"text/{subtype}; charset={form.charset}"),
            ("Content-Transfer-Encoding", form.transfer_encoding),
        )
        + b"\r\n"
    )


def _image_header(image: TemplateImage) -> bytes:
    if not _TYPE.fullmatch(image.content_type):
        raise Unsendable(f"template: image: expected the type of an image, got {excerpt(image.content_type)}")
    if not _CID.fullmatch(image.cid):
        raise Unsendable(f"template: image: expected a content id in ASCII, got {excerpt(image.cid)}")
    fields = (
        ("Content-Type", image.content_type),
        ("Content-Transfer-Encoding", "base64"),
        ("Content-ID", f"<{image.cid}>"),
    )
    return _header(*fields) + b"\r\n"
