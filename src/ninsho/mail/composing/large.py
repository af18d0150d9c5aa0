"""Messages from words whose large files stay where they are until they are sent."""

from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

from ninsho.mail.attachment import Attachment
from ninsho.mail.attachments import StreamedMessage
from ninsho.mail.composing.compose import compose
from ninsho.mail.composing.letter import Letter
from ninsho.mail.content import SMALL

if TYPE_CHECKING:
    from typing import Unpack

    from ninsho.mail.composing.words import Words


def composed(**words: "Unpack[Words]") -> EmailMessage | StreamedMessage:
    """Compose a message; the last of its files, where they are large, are read while it is sent."""
    files = Letter(**words).attachments
    words["attach"] = files
    # They stand behind all others, so that the order stays.
    first = next((at for at, file in enumerate(files) if all(map(_is_large, files[at:]))), len(files))
    if first == len(files):
        return compose(**words)
    words["attach"] = files[:first]
    return StreamedMessage(compose(**words), files[first:])


def _is_large(file: Attachment) -> bool:
    if file.path is None or file.content_id is not None:
        return False
    try:
        return Path(file.path).stat().st_size > SMALL
    except (OSError, ValueError):
        # Said in its place, when it is read.
        return False
