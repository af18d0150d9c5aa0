"""Files that are told by their paths, and read whole: regular ones, as others may never come to an end."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ninsho.mail.unsendable import Unsendable, excerpt


def octets_of(told: "os.PathLike[str] | str", place: str) -> bytes:
    """Return what a file holds; raise ``Unsendable``, which names *place*, where it cannot be read."""
    path = regular(told, place)
    with reading(path, place):
        return path.read_bytes()


def regular(told: "os.PathLike[str] | str", place: str) -> Path:
    """Return the path of a file that can be read to its end; raise ``Unsendable`` for a pipe, a device or nothing."""
    if not os.fspath(told):
        raise Unsendable(f"{place}: expected the path of a file, got an empty one")
    path = Path(told)
    with reading(path, place):
        path.stat()
    if not path.is_file():
        raise Unsendable(f"{place}: {path}: expected a regular file, got something else")
    return path


@contextmanager
def reading(path: Path, place: str) -> Iterator[None]:
    """Raise ``Unsendable`` for what the system says of *path*."""
    try:
        yield
    except OSError as error:
        raise Unsendable(f"{place}: {path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        # A path with NUL.
        raise Unsendable(f"{place}: {excerpt(str(path))}: cannot be read: {error}") from None
