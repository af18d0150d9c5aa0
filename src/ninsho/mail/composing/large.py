"""Messages from words whose large files stay where they are until they are sent."""

from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING

from ninsho.mail.attachment import Attachment
from ninsho.mail.attachments import StreamedMessage
from ninsho.mail.composing.compose import compose
from ninsho.mail.composing.letter import Letter
from ninsho.mail.composing.parts import is_message
from ninsho.mail.content import SMALL

if TYPE_CHECKING:
    from typing import Unpack

    from ninsho.mail.composing.words import Words


def composed(**words: "Unpack[Words]") -> EmailMessage | StreamedMessage:
    """Compose a message; the last of its files, where they are large, are read while it is sent."""
    letter = Letter.told(words)
    files = letter.attachments
    # They stand behind all others, so that the order stays.
    first = next((at for at, file in enumerate(files) if all(map(_is_large, files[at:]))), len(files))
    # What they stand behind is a text: a file alone is all of a message.
    if letter.text is None and letter.html is None:
        first = len(files)
    words["attach"] = files[:first]
    message = compose(**words)
    return StreamedMessage(message, files[first:]) if first < len(files) else message


def _is_large(file: Attachment) -> bool:
    # What is no file like others is looked at as a whole.
    if file.path is None or file.content_id is not None or is_message(file):
        return False
    try:
        return Path(file.path).stat().st_size > SMALL
    except (OSError, ValueError):
        # Said in its place, when it is read.
        return False
