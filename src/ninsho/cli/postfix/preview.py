"""Edits seen before they are made, and made so that there is a way back."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from difflib import unified_diff
from pathlib import Path
from tempfile import TemporaryDirectory

from ninsho.cli.endings import CommandError
from ninsho.cli.postfix.changes import Changes
from ninsho.cli.postfix.postconf import Postconf

FILES = ("main.cf", "master.cf")


@contextmanager
def preview(directory: Path, changes: Changes) -> Iterator[Postconf]:
    """Give a copy of the configuration in *directory* with the changes, made by Postfix's own program."""
    with TemporaryDirectory(prefix="ninsho-") as copy:
        for name in FILES:
            _copy(directory / name, Path(copy) / name)
        postconf = Postconf(Path(copy))
        changes.apply(postconf)
        # Postfix's programs wait until these are some seconds old, lest they read a file that is half written.
        for name in FILES:
            os.utime(Path(copy) / name, (0, 0))
        yield postconf


def read(directory: Path) -> dict[str, str]:
    """Return the files as they are; what is not UTF-8 in them is kept."""
    return {name: (directory / name).read_text(errors="surrogateescape") for name in FILES}


def difference(directory: Path, old: dict[str, str], new: dict[str, str]) -> list[str]:
    """Return the lines of a unified diff."""
    return [
        line
        for name in FILES
        for line in unified_diff(
            old[name].splitlines(),
            new[name].splitlines(),
            str(directory / name),
            f"{directory / name} (new)",
            lineterm="",
        )
    ]


def apply(changes: Changes, directory: Path, expected: dict[str, str], *, now: datetime) -> list[Path]:
    """Make the changes and return the copies of the old files; where it goes wrong, all is as it was before."""
    with _backed_up(directory, f"{now:%Y%m%dT%H%M%S}") as copies:
        changes.apply(Postconf(directory))
        if read(directory) != expected:
            raise CommandError(f"{directory}: expected the files as shown, got others: somebody else edits them")
    return copies


@contextmanager
def _backed_up(directory: Path, stamp: str) -> Iterator[list[Path]]:
    """Copy the files beside themselves; copy them back if the block fails."""
    copies = [_copy(directory / name, directory / f"{name}.{stamp}") for name in FILES]
    try:
        yield copies
    except BaseException:
        for name, copy in zip(FILES, copies, strict=True):
            _copy(copy, directory / name)
            copy.unlink()
        raise


def _copy(source: Path, target: Path) -> Path:
    """Copy a file with its times and mode."""
    try:
        shutil.copy2(source, target)
    except OSError as error:
        raise CommandError(f"{error.filename}: cannot be copied: {error.strerror}") from None
    return target
