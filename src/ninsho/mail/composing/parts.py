"""The parts of a message: texts, files, and what holds them together."""

import re
from collections.abc import Sequence
from email.message import EmailMessage

from ninsho.mail.attachment import Attachment, content_id, content_type, file_name, place_of
from ninsho.mail.charsets.charset import Charset, charset
from ninsho.mail.charsets.encoding import Unencodable, settled
from ninsho.mail.composing.bodies import Encoding, transfer_encoded
from ninsho.mail.content import crlf, is_plain, with_line_ends
from ninsho.mail.entity import encoded
from ninsho.mail.parameters import extended, parameter, worded
from ninsho.mail.policy import Written

_CHARSET = re.compile(r";\s*charset\s*=", re.IGNORECASE)


def text_part(  # noqa: PLR0913 - by keyword only
    text: str,
    subtype: str,
    *,
    charset: Charset,
    unencodable: Unencodable,
    encoding: Encoding,
    place: str,
    parameters: Sequence[str] = (),
    policy: Written,
) -> EmailMessage:
    """Return a part of type ``text/…``; its lines may end with LF or CRLF, and the last is ended."""
    settled_text, used = settled(text, charset, unencodable=unencodable, place=place)
    lines = settled_text.replace("\r\n", "\n").replace("\r", "\n")
    lines = lines if lines.endswith("\n") or not lines else f"{lines}\n"
    octets = used.encode(lines.replace("\n", "\r\n"))
    body, cte = transfer_encoded(octets, encoding, charset=used, place=place)
    return _part([f"text/{subtype}", parameter("charset", used.label), *parameters], cte, body, policy)


def file_part(attachment: Attachment, *, names: Charset, inline: bool, policy: Written) -> EmailMessage:
    """Return an attachment, its name in both ways that readers know; text has its charset.

    It is in base64, unless it is a message (RFC 2046 §5.2.1).
    """
    data = attachment.octets()
    name = file_name(attachment)
    text, names = settled(name, names, unencodable="utf-8", place=place_of(attachment))
    if is_message(attachment) and is_plain(with_line_ends(data)):
        kind, body, cte = "message/rfc822", data, "7bit"
    else:
        kind = _with_charset(content_type(attachment, name), attachment, data)
        body, cte = encoded(data, text=False)
    named = bool(name)
    part = _part([kind, *([worded("name", text, names)] if named else [])], cte, body, policy)
    disposition = ["inline" if inline else "attachment", *(extended("filename", text, names) if named else ())]
    part["Content-Disposition"] = "; ".join(disposition)
    if attachment.content_id is not None:
        part["Content-ID"] = f"<{content_id(attachment)}>"
    return part


def is_message(attachment: Attachment) -> bool:
    """Tell whether it was told to be a message; what only has such a name is a file like others."""
    kind = attachment.content_type
    return isinstance(kind, str) and kind.partition(";")[0].strip().lower() == "message/rfc822"


def multipart(subtype: str, parts: Sequence[EmailMessage], boundary: str, *, policy: Written) -> EmailMessage:
    """Return a multipart of *parts*; *boundary* must not occur in them."""
    whole = EmailMessage(policy)
    whole["Content-Type"] = f'multipart/{subtype}; boundary="{boundary}"'
    whole.set_payload(list(parts))
    return whole


def _with_charset(kind: str, attachment: Attachment, data: bytes) -> str:
    if not kind.lower().startswith("text/") or _CHARSET.search(kind):
        return kind
    if told := attachment.told_charset:
        return f"{kind}; {parameter('charset', charset(told, place=place_of(attachment)).label)}"
    from ninsho.mail.charsets.detection import detect  # noqa: PLC0415 - few files are text

    return f"{kind}; {parameter('charset', detect(data).label)}"


def _part(content_type: Sequence[str], cte: str, body: bytes, policy: Written) -> EmailMessage:
    part = EmailMessage(policy)
    part["Content-Type"] = "; ".join(content_type)
    part["Content-Transfer-Encoding"] = cte
    # The generator ends lines as whoever asks for octets wants them ended; the last has an end, as the library has it.
    lines = crlf(body).replace(b"\r\n", b"\n").decode("ascii", "surrogateescape")
    lines = lines if lines.endswith("\n") or not lines else f"{lines}\n"
    # But for those of a message within, which it writes as they are: these go to a server without being looked at.
    part.set_payload(lines.replace("\n", "\r\n") if content_type[0] == "message/rfc822" else lines)
    return part
