"""Files whose paths have values: each stays in the folder that the template itself names."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ninsho.mail.attachment import Attachment
from ninsho.mail.merging.filling import Filling, Values
from ninsho.mail.unsendable import Unsendable, excerpt

# A backslash parts a path on other systems, a colon stands behind a disk's letter there.
_FOREIGN: Final = re.compile(r"[\\:\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class FileFilling:
    """A file to send along, and its *path* where that is text: of a template with values, or of one without."""

    attachment: Attachment
    path: Filling | None

    @property
    def changes(self) -> bool:
        """Whether each row has a file of its own."""
        return self.path is not None and bool(self.path.places)

    def filled(self, values: Values, names: Sequence[str]) -> Attachment:
        """Return the file for the values of a row; raise ``Unsendable`` for one that is somewhere else."""
        if self.path is None:
            return self.attachment
        told = self.path.line(values, names, "attach")
        if self.path.places:
            _refuse_elsewhere(told, self._folder)
        return replace(self.attachment, path=told)

    @property
    def _folder(self) -> str:
        """What the template has before its first value up to the last slash; empty where it has none."""
        first = self.path.pieces[0] if self.path else ""
        return first[: max(first.rfind("/"), first.rfind(os.sep)) + 1] if isinstance(first, str) else ""


def _refuse_elsewhere(told: str, folder: str) -> None:
    """Refuse what a value leads to that is no file below the folder: values come from anybody."""
    below = told.removeprefix(folder)
    shown = Path(folder)
    # Among those that begin with a dot are "..", and what nobody wants to be seen.
    if below.startswith("/") or _FOREIGN.search(below) or any(part.startswith(".") for part in below.split("/")):
        raise Unsendable(f"attach: expected a file in {shown}, got {excerpt(below)}")
    try:
        found, root = Path(told).resolve(), shown.resolve()
    except (OSError, RuntimeError) as error:
        raise Unsendable(f"attach: expected a file in {shown}, got {excerpt(below)}: {error}") from None
    if not found.is_relative_to(root):
        raise Unsendable(f"attach: expected a file in {shown}, got {excerpt(below)}: a link that leads out of it")
