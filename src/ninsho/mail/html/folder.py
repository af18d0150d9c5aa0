"""The one folder in which images are looked up: nothing outside of it is read, whatever a name says."""

import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from urllib.parse import unquote

from ninsho.mail.unsendable import Unsendable, excerpt

# A backslash parts a path on other systems, two begin a share's name there, and a letter with a colon a disk's.
_FOREIGN = re.compile(r"\A[A-Za-z]:|[\\\x00-\x1f\x7f]")
# Windows has streams behind a colon, and devices in each of its folders.
_ON_WINDOWS = re.compile(r":|(?:\A|/)(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])[ ]*(?:[./]|\Z)", re.IGNORECASE)
# A link is not followed, a pipe not waited for; some systems have neither.
_CAREFULLY = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


class Folder:
    """A folder; raises ``Unsendable`` where there is none."""

    def __init__(self, path: Path, *, windows: bool = os.name == "nt") -> None:
        self.path = path
        self._windows = windows
        try:
            self._root = path.resolve(strict=True)
        except (OSError, RuntimeError, ValueError) as error:
            raise Unsendable(f"images: expected a folder, got {excerpt(str(path))}: {_reason(error)}") from None
        if not self._root.is_dir():
            raise Unsendable(f"images: expected a folder, got {excerpt(str(path))}")

    def file(self, reference: str) -> Path:
        """Return the file that a relative reference names; raise ``Unsendable`` for one that is not there."""
        for name in _names(reference):
            if _leaves(name) or (self._windows and _ON_WINDOWS.search(name)):
                raise self._missing(reference, "a path that leads out of it")
            found = self._resolved(name, reference)
            if found:
                return found
        raise self._missing(reference, "no such file")

    def octets(self, file: Path) -> bytes:
        """Read a file of this folder, if it still is one."""
        try:
            with os.fdopen(os.open(file, _CAREFULLY), "rb") as stream:
                self._refuse_changed(file, stream.fileno())
                return stream.read()
        except (OSError, RuntimeError) as error:
            raise self._missing(file.name, _reason(error)) from None

    def _refuse_changed(self, file: Path, descriptor: int) -> None:
        """Look again at what is open: whoever may write there may have put a link in the place of a file."""
        found = os.fstat(descriptor)
        if not S_ISREG(found.st_mode):
            raise self._missing(file.name, "no such file")
        if file.resolve(strict=True) != file or not os.path.samestat(found, file.lstat()):
            raise self._missing(file.name, "another file than there was")

    def _resolved(self, name: str, reference: str) -> Path | None:
        try:
            found = (self._root / name).resolve(strict=True)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, RuntimeError, ValueError) as error:
            raise self._missing(reference, _reason(error)) from None
        if not found.is_relative_to(self._root):
            raise self._missing(reference, "a link that leads out of it")
        # Reading a pipe would wait for whoever writes to it.
        return found if found.is_file() else None

    def _missing(self, reference: str, finding: str) -> Unsendable:
        return Unsendable(f"html: src {excerpt(reference)}: expected a file in {self.path}, got {finding}")


def _names(reference: str) -> Iterator[str]:
    """Give what a reference may mean: a URL's path, or a name as it stands; Unicode composed, or not as on macOS."""
    path = re.split("[?#]", reference, maxsplit=1)[0]
    decoded = unquote(path, errors="surrogateescape"), unquote(reference, errors="surrogateescape"), reference
    seen = {}
    for name in decoded:
        seen.update(dict.fromkeys((name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name))))
    yield from (name for name in seen if name)


def _leaves(name: str) -> bool:
    return bool(_FOREIGN.search(name) or name.startswith("/") or ".." in PurePosixPath(name).parts)


def _reason(error: Exception) -> str:
    return error.strerror or "an error" if isinstance(error, OSError) else str(error)
