"""The site's own key, which makes strangers' salts look like everybody's: a file, as it has to outlive the server."""

import os
from contextlib import suppress
from pathlib import Path
from secrets import token_bytes

KEY_SIZE = 32  # octets


def load(path: Path) -> bytes:
    """Return the key in the file at *path*, which is made if it is not there; raise ``OSError`` or ``ValueError``."""
    with suppress(FileNotFoundError):
        return _read(path)
    # Whole from the beginning: another process may be here at the same time, and then both take what the first made.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(token_bytes(KEY_SIZE))
    try:
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    return _read(path)


def _read(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) < KEY_SIZE:
        raise ValueError(f"expected {KEY_SIZE} octets, got {len(key)}")
    return key
