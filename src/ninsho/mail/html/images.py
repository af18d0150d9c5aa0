"""Images that HTML names by their files, or carries as data: URIs, made parts of the message (RFC 2392)."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from urllib.parse import unquote_to_bytes

from ninsho.mail.html.folder import Folder
from ninsho.mail.html.image_types import extension_of, type_of_name, type_of_octets
from ninsho.mail.html.references import Reference, references
from ninsho.mail.unsendable import Unsendable, excerpt

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+:|//")  # RFC 3986 §3.1, §4.2
_DATA = re.compile(r"data:(image/[a-z0-9.+-]++)((?:;[^,;]*+)*+),(.*)", re.IGNORECASE | re.DOTALL)  # RFC 2397
_SPACE = re.compile(rb"[\t\n\f\r ]+")


@dataclass(frozen=True, slots=True)
class InlineImage:
    """An image that HTML shows as ``cid:…``."""

    cid: str
    filename: str
    content_type: str
    data: bytes = field(repr=False)


def with_inline_images(
    html: str, folder: Path | None, *, token: Callable[[int], str] = token_hex
) -> tuple[str, list[InlineImage]]:
    """Return HTML whose images are shown as ``cid:…``, and these images; the rest of the HTML stays as it was.

    A relative reference names a file in *folder*; without one nothing is read. What stands at a URL, or is ``cid:…``
    already, is left alone. Raises ``Unsendable`` for a file that is not there, is none of the folder's, or no image.
    """
    gathered = _Gathered(None if folder is None else Folder(folder), token(16))
    written, at = [], 0
    for reference in references(html):
        cid = gathered.cid(reference)
        if cid:
            written += [html[at : reference.start], f"cid:{cid}"]
            at = reference.end
    return "".join([*written, html[at:]]), list(gathered.images.values())


class _Gathered:
    """The images of one message, each once."""

    def __init__(self, folder: Folder | None, token: str) -> None:
        self._folder = folder
        self._token = token
        self.images: dict[str | Path, InlineImage] = {}

    def cid(self, reference: Reference) -> str | None:
        """Return the Content-ID of the image that is named; None where its name stays."""
        url = reference.url.strip(" \t\n\f\r")
        if data := _DATA.match(url):
            return self._of_data(url, data)
        if not self._folder or not url or url.startswith("#") or _SCHEME.match(url):
            return None
        # A style names fonts as well.
        if reference.optional and not type_of_name(re.split("[?#]", url, maxsplit=1)[0]):
            return None
        return self._of_file(url, self._folder)

    def _of_data(self, url: str, data: re.Match[str]) -> str:
        if url not in self.images:
            kind = data[1].lower().replace("image/jpg", "image/jpeg")
            self._add(url, f"image{len(self.images) + 1}{extension_of(kind)}", kind, _decoded(data))
        return self.images[url].cid

    def _of_file(self, url: str, folder: Folder) -> str:
        file = folder.file(url)
        if file not in self.images:
            octets = folder.octets(file)
            kind = type_of_octets(octets) or type_of_name(file.name)
            if not kind:
                raise Unsendable(
                    f"html: src {excerpt(url)}: expected an image (such as PNG, JPEG, GIF), got a file of none"
                )
            self._add(file, file.name, kind, octets)
        return self.images[file].cid

    def _add(self, key: str | Path, name: str, kind: str, octets: bytes) -> None:
        # A message that quotes another, images and all, has those of both (RFC 2392 §2): none may be named the same.
        cid = f"image{len(self.images) + 1}.{self._token}@ninsho"
        self.images[key] = InlineImage(cid, name, kind, octets)


def _decoded(data: re.Match[str]) -> bytes:
    octets = unquote_to_bytes(data[3])
    if not data[2].lower().rstrip().endswith(";base64"):
        return octets
    octets = _SPACE.sub(b"", octets).rstrip(b"=")
    try:
        return base64.b64decode(octets + b"=" * (-len(octets) % 4), validate=True)
    except binascii.Error:
        raise Unsendable(f"html: src {excerpt(data[0])}: expected base64") from None
