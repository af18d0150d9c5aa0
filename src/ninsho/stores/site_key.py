"""The site's own key, which makes strangers' salts look like everybody's: a file, as it has to outlive the server."""

import os
from contextlib import suppress
from pathlib import Path
from secrets import token_bytes, token_hex

KEY_SIZE = 32  # octets
KEY_LIMIT = 64  # octets that BLAKE2b takes (RFC 7693 §2.1)


def load(path: Path) -> bytes:
    """Return the key in the file at *path*, which is made if it is not there; raise ``OSError`` or ``ValueError``."""
    with suppress(FileNotFoundError):
        return _read(path)
    # Whole from the beginning: another process may be here at the same time, and then both take what the first made.
    draft = path.with_name(f"{path.name}.{token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(token_bytes(KEY_SIZE))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return _read(path)


def _read(path: Path) -> bytes:
    key = path.read_bytes()
    if not KEY_SIZE <= len(key) <= KEY_LIMIT:
        raise ValueError(f"expected {KEY_SIZE} to {KEY_LIMIT} octets, got {len(key)}")
    return key
