"""Files of a message written to a folder: under names that harm nobody, and over nothing that is there."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import count
from mimetypes import guess_extension
from pathlib import Path
from typing import Final

from ninsho.cli.endings import CommandError
from ninsho.mail.reading import Attached

NAME_LIMIT = 200  # octets; file systems have 255, and a number may come behind
_HARMFUL: Final = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*]')
# Windows means its devices by them, whatever stands behind the dot.
_DEVICES: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|\Z)", re.IGNORECASE)
_MESSAGES: Final = ("message/rfc822", "message/global")


def saved(files: Iterable[Attached], folder: Path) -> Iterator[Path]:
    """Write each file into *folder*, which is made if need be; give where it is. Raises ``CommandError``."""
    try:
        folder.mkdir(exist_ok=True)
        for number, file in enumerate(files, 1):
            yield _written(file.data, folder, safe_name(file, number))
    except OSError as error:
        raise CommandError(f"--save: {folder}: cannot be written: {error.strerror}") from None


def safe_name(file: Attached, number: int) -> str:
    """Return a name that stays in its folder, is seen in it, and means nothing but itself to any system."""
    text = "".join(one for one in unicodedata.normalize("NFC", file.filename) if unicodedata.category(one) != "Cf")
    name = _HARMFUL.sub("_", text).strip(" .")
    if not name:
        extension = ".eml" if file.content_type in _MESSAGES else guess_extension(file.content_type)
        return f"attachment-{number}{extension or ''}"
    return _short(f"_{name}" if _DEVICES.match(name) else name)


def _short(name: str) -> str:
    path = Path(name)
    suffix = path.suffix if len(path.suffix.encode()) < NAME_LIMIT // 4 else ""
    stem = name.removesuffix(suffix).encode()[: NAME_LIMIT - len(suffix.encode())].decode(errors="ignore")
    return stem + suffix


def _written(data: bytes, folder: Path, name: str) -> Path:
    for number in count(1):
        path = folder / name if number == 1 else folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
        try:
            # Never over what is there, nor through a link.
            with path.open("xb") as file:
                file.write(data)
        except FileExistsError:
            continue
        break
    return path
