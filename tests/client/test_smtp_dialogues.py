"""The pitfalls of submission, as dialogues; the numbers in their names are those of the list of pitfalls."""

from pathlib import Path

import pytest

from dialogue import Dialogue, read
from smtp_dialogue import Plan, play, settings_of
from smtp_seen import check, everything, picture, secrets_of

FOLDER = Path(__file__).parent / "dialogues"
DIALOGUES = [dialogue for path in sorted(FOLDER.glob("*.txt")) for dialogue in read(path)]


@pytest.mark.parametrize("size", [1, 7, 0], ids=["by 1", "by 7", "all"])
@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda dialogue: dialogue.name)
def test_the_client_keeps_to(dialogue: Dialogue, size: int):
    plan = Plan.of(dialogue)
    blocking, awaited = play(plan, size, awaited=False), play(plan, size, awaited=True)
    check(plan, blocking)
    assert [*map(picture, blocking.results)] == [*map(picture, awaited.results)]
    assert blocking.lines == awaited.lines
    for secret in secrets_of(settings_of(plan)):
        assert secret not in everything(blocking)
        assert secret not in everything(awaited)


@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda dialogue: dialogue.name)
def test_the_client_does_the_same_when_nobody_watches(dialogue: Dialogue):
    plan = Plan.of(dialogue)
    watched, unwatched = play(plan, 0, awaited=False), play(plan, 0, awaited=False, watched=False)
    assert [*map(picture, watched.results)] == [*map(picture, unwatched.results)]


def test_the_dialogues_have_names_of_their_own():
    names = [dialogue.name for dialogue in DIALOGUES]
    assert len(names) == len(set(names))
