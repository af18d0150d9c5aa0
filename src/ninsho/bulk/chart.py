"""A small picture of a mailing, as SVG that needs nothing besides itself."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from ninsho.bulk.states import State

COLOURS: Final[Mapping[State, str]] = {
    State.ACCEPTED: "#2e7d32",
    State.WAITING: "#90a4ae",
    State.SENDING: "#0277bd",
    State.DEFERRED: "#f9a825",
    State.REFUSED: "#c62828",
    State.BOUNCED: "#6a1b9a",
    State.UNKNOWN: "#ef6c00",
    State.INVALID: "#5d4037",
}
_WIDTH: Final = 720
_BAR: Final = 28
_THINNEST: Final = 2.0  # pixels that can be seen
_HEIGHT: Final = 120


def states_bar(counts: Mapping[State, int]) -> str:
    """Draw one bar that all recipients make up, by state."""
    pieces, at = [], 0.0
    for state, width in _widths(counts).items():
        title = escape(f"{state.value}: {counts[state]}")
        pieces.append(
            f'<rect x="{at:.2f}" y="0" width="{width:.2f}" height="{_BAR}" fill="{COLOURS[state]}">'
            f"<title>{title}</title></rect>"
        )
        at += width
    return _drawing(_BAR, "recipients by state", pieces)


def _widths(counts: Mapping[State, int]) -> dict[State, float]:
    """Return how wide each state is that there is; one in ten thousand is as wide as can be seen."""
    there = {state: counts[state] for state in COLOURS if counts.get(state)}
    total = sum(there.values())
    room = _WIDTH - _THINNEST * len(there)
    return {state: _THINNEST + room * count / total for state, count in there.items()}


def over_time(settled: Sequence[int]) -> str:
    """Draw how many were settled in each of as many equal spans of time."""
    most = max(settled, default=0) or 1
    step = _WIDTH / max(1, len(settled))
    pieces = [
        f'<rect x="{number * step:.2f}" y="{_HEIGHT - height:.2f}" width="{max(step - 1, 0.5):.2f}" '
        f'height="{height:.2f}" fill="#0277bd"><title>{count}</title></rect>'
        for number, count in enumerate(settled)
        if (height := count and max(_THINNEST, _HEIGHT * count / most))
    ]
    return _drawing(_HEIGHT, "messages over time", pieces)


def _drawing(height: int, label: str, pieces: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(label)}">{"".join(pieces)}</svg>'
    )
