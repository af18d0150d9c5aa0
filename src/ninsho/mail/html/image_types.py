"""Which type of image a file is: by its first octets, else by its name."""

import re
from mimetypes import guess_extension, guess_type

# What browsers know an image by (MIME Sniffing §6.1), and SVG.
_SIGNS = (
    ("image/png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("image/jpeg", re.compile(rb"\xff\xd8\xff")),
    ("image/gif", re.compile(rb"GIF8[79]a")),
    ("image/webp", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("image/bmp", re.compile(rb"BM.{4}\0\0\0\0", re.DOTALL)),
    ("image/avif", re.compile(rb"....ftypavi[fs]", re.DOTALL)),
    (
        "image/svg+xml",
        re.compile(
            rb"(?:\xef\xbb\xbf)?\s*+(?:<\?xml\b[^>]*+>\s*+|<!--.*?-->\s*+|<!DOCTYPE svg\b[^>]*+>\s*+)*+<svg\b",
            re.DOTALL,
        ),
    ),
)
# What the system's tables may not have.
_EXTENSIONS = {
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".svg": "image/svg+xml",
    ".bmp": "image/bmp",
    ".jpg": "image/jpeg",
}
_NAMES = {kind: extension for extension, kind in _EXTENSIONS.items()}


def type_of_octets(octets: bytes) -> str | None:
    """Return an image's type; None if these octets begin none that is known."""
    return next((kind for kind, sign in _SIGNS if sign.match(octets)), None)


def type_of_name(name: str) -> str | None:
    """Return the image's type that a file's name tells; None if it tells none."""
    dot, extension = name.rpartition(".")[1:]
    kind = _EXTENSIONS.get((dot + extension).lower()) or guess_type(f"x{dot}{extension}")[0]
    return kind if kind and kind.startswith("image/") else None


def extension_of(kind: str) -> str:
    """Return how the names of files of this type end."""
    return _NAMES.get(kind) or guess_extension(kind) or ""
