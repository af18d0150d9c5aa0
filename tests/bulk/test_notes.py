"""A run's notes: what is read of them by those who come after, and who may."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
    notes.take(1)
    notes.take(2)
    notes.take(30)
    notes.hear(1, ACCEPTED)
    notes.close(keep=True)
    again = found(notes.path).read([1, 2, 3])
    assert (again.taken, again.heard) == ({1, 2}, {1: ACCEPTED})
    again.close(remove=True)
    assert found(notes.path) is None


@pytest.mark.parametrize("end", range(1, 8))
def test_a_last_line_that_was_cut_was_not_begun(ledger: Path, end: int) -> None:
    notes = Notes(ledger)
    notes.take(1)
    whole = notes.path.stat().st_size
    notes.take(123456)
    os.truncate(notes.path, whole + end)
    notes.close(keep=True)
    again = found(notes.path).read([1, 12, 123456])
    assert again.taken == {1}
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
