"""A run's notes: what is read of them by those who come after, and who may."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ninsho.bulk.database import LedgerUnavailable
from ninsho.bulk.notes import Notes, StillHeld, found
from ninsho.bulk.outcomes import Settled
from ninsho.bulk.processes import Process
from ninsho.bulk.states import State

ACCEPTED = Settled(State.ACCEPTED, 1, "<1@example.org>", "news@example.org", 250, "2.0.0", "queued as Q\n日本", "Q")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "news.db"


def test_they_tell_what_was_handed_over_and_what_was_heard(ledger: Path) -> None:
    notes = Notes(ledger)
    notes.list([1, 2, 3, 30])
    for row in (2, 1, 30):
        notes.take(row)
    notes.hear(1, ACCEPTED)
    notes.list([4, 3])
    notes.close(keep=True)
    assert notes.path.read_bytes().startswith(b"+1\n+2\n-3\n+30\n=1 [")
    again = found(notes.path).read([1, 2, 3, 4, 5])
    assert (again.listed, again.taken, again.heard) == ({1, 2, 3, 4}, {1, 2}, {1: ACCEPTED})
    again.close(remove=True)
    assert found(notes.path) is None


@pytest.mark.parametrize("left", range(12))
def test_what_they_have_lost_they_do_not_list(ledger: Path, left: int) -> None:
    notes = Notes(ledger)
    notes.list([1, 12, 123])
    notes.take(12)
    os.truncate(notes.path, left)
    notes.close(keep=True)
    again = found(notes.path).read([1, 12, 123])
    assert again.listed == {row for row, end in ((1, 3), (12, 7), (123, 12)) if left >= end}
    assert again.taken == {12} & again.listed
    again.close(remove=True)


def test_what_is_written_behind_a_gap_is_read(ledger: Path) -> None:
    notes = Notes(ledger)
    notes.list([1, 2])
    os.truncate(notes.path, 0)
    notes.take(2)
    notes.list([3])
    notes.hear(3, ACCEPTED)
    notes.close(keep=True)
    again = found(notes.path).read([1, 2, 3])
    # Where the first of them begins, nobody can tell.
    assert (again.listed, again.heard) == (set(), {3: ACCEPTED})
    again.close(remove=True)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A disk with room for so many octets more."""

    def has_room(octets: int) -> None:
        left, write = octets, os.pwrite

        def pwrite(file: int, data: bytes, place: int) -> int:
            nonlocal left
            more = max(0, place + len(data) - os.fstat(file).st_size)
            if more and not left:
                raise OSError(errno.ENOSPC, "no space left on device")
            fits = data[: len(data) - max(0, more - left)]
            left -= min(more, left)
            return write(file, fits, place)

        monkeypatch.setattr(os, "pwrite", pwrite)

    return has_room


def test_where_the_disk_is_full_nothing_is_claimed_and_no_line_is_half(
    ledger: Path, disk: Callable[[int], None]
) -> None:
    notes = Notes(ledger)
    notes.list([1, 2])
    whole = notes.path.read_bytes()
    disk(8)
    with pytest.raises(LedgerUnavailable, match="no space left"):
        notes.list([3, 4, 5])
    assert notes.path.read_bytes() == whole
    notes.take(1)
    # The ledger may be told what became of it; but nothing more is begun.
    notes.hear(1, ACCEPTED)
    with pytest.raises(LedgerUnavailable, match="no space left"):
        notes.take(2)
    assert notes.path.read_bytes() == b"+1\n-2\n"
    notes.close(keep=False)


def test_what_they_are_made_of_by_others_stops_nobody(ledger: Path) -> None:
    ledger.write_bytes(b"=1 [1]\n=2 []\n=3 [not json]\n-4\n\0\0+5\n*6\n")
    again = found(ledger).read([1, 2, 3, 4, 5, 6])
    assert (again.listed, again.taken, again.heard) == ({4}, set(), {})
    again.close(remove=True)


def test_nobody_reads_them_while_their_process_lives(ledger: Path) -> None:
    notes = Notes(ledger)
    with pytest.raises(StillHeld):
        found(notes.path)
    notes.close(keep=True)
    first = found(notes.path)
    with pytest.raises(StillHeld):
        found(notes.path)
    first.close(remove=False)
    found(notes.path).close(remove=True)


def test_they_are_for_nobody_elses_eyes(ledger: Path) -> None:
    notes = Notes(ledger)
    assert notes.path.stat().st_mode & 0o077 == 0
    notes.close(keep=False)
    assert not notes.path.exists()


def test_those_of_another_user_are_not_believed(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = Notes(ledger)
    notes.close(keep=True)
    notes.path.chmod(0o666)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    if owner == 0:
        os.chown(notes.path, 65534, -1)
    assert found(notes.path) is None


def test_a_link_in_their_place_is_not_followed(ledger: Path, tmp_path: Path) -> None:
    (tmp_path / "forged").write_text("+1\n")
    ledger.symlink_to(tmp_path / "forged")
    assert found(ledger) is None


def test_a_process_is_known_by_its_number_and_its_start() -> None:
    this = Process.this()
    assert this.is_beside(this)
    assert this.knows(this)
    assert this.lives
    assert not Process(this.host, this.boot, this.pid, "1").lives
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        stat = Path(f"/proc/{other.pid}/stat").read_bytes().rpartition(b")")[2].split()
        process = Process(this.host, this.boot, other.pid, stat[19].decode())
        assert process.lives
        other.communicate(b"\n")
    assert not process.lives
