"""The configuration as a command line asks for it: the file's, and what options add to it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ninsho.daemon.config import Config, load


def configuration(
    path: Path | None,
    *,
    mechanisms: Sequence[Path] = (),
    stores: Sequence[Path] = (),
    unix: Sequence[Path] = (),
    tcp: Sequence[str] = (),
) -> Config:
    """Read the file at *path* ($NINSHO_CONFIG, /etc/ninsho/ninsho.toml), or, with options, what they say.

    *mechanisms* and *stores* are Python files; *unix* and *tcp* are listened on. With options and no *path* no file is
    read. Raises ``ConfigurationError``.
    """
    added: dict[str, list[dict[str, Any]]] = {
        "mechanism": [{"file": file.absolute()} for file in mechanisms],
        "store": [{"type": "hook", "path": file.absolute()} for file in stores],
        "listen": [{"unix": file.absolute()} for file in unix] + [{"tcp": address} for address in tcp],
    }
    if any(added.values()):
        return load(path, added=added)
    if path is None and "NINSHO_CONFIG" in os.environ:
        path = Path(os.environ["NINSHO_CONFIG"])
    return load(path)
