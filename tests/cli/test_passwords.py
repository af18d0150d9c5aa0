"""Passwords: asked for, read or made."""

import sys
from collections.abc import Callable

import pytest

from ninsho.cli import passwords
from ninsho.cli.endings import CommandError, WrongUsage


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Sit at a terminal and type these lines."""

    def answer(*lines: str) -> list[str]:
        left = list(lines)

        def getpass(_prompt: str) -> str:
            if not left:
                raise EOFError
            return left.pop(0)

        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(passwords, "getpass", getpass)
        return left

    return answer


def test_a_password_that_is_made_comes_in_groups_and_is_never_the_same() -> None:
    made = {passwords.generate() for _ in range(100)}
    assert len(made) == 100
    for password in made:
        groups = password.split("-")
        assert [len(group) for group in groups] == [5, 5, 5, 5]
        assert set("".join(groups)) <= set(passwords.LETTERS)


def test_no_letter_can_be_taken_for_another() -> None:
    assert not set(passwords.LETTERS) & set("ilo01")
    assert len(set(passwords.LETTERS)) == len(passwords.LETTERS) == 31


def test_a_new_password_is_typed_twice(typed: Callable[..., list[str]]) -> None:
    left = typed("p", "p")
    assert passwords.given(stdin=False, twice=True) == "p"
    assert not left


def test_a_known_password_is_typed_once(typed: Callable[..., list[str]]) -> None:
    left = typed("p", "q")
    assert passwords.given(stdin=False) == "p"
    assert left == ["q"]


def test_two_different_ones_are_refused(typed: Callable[..., list[str]]) -> None:
    typed("p", "q")
    with pytest.raises(CommandError, match="differ"):
        passwords.ask(twice=True)


@pytest.mark.parametrize("lines", [[""], []])
def test_no_password_is_refused(typed: Callable[..., list[str]], lines: list[str]) -> None:
    typed(*lines)
    with pytest.raises(WrongUsage, match="got none"):
        passwords.ask(twice=False)
