"""Where the demonstration speaks, and where it checks what it shows."""

from ninsho.cli.terminal import coloured, say


class Stage:
    """Shows a conversation line by line, unless *quiet*; keeps what was not as expected in ``surprises``."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self.surprises: list[str] = []
        self.checks = 0

    def heading(self, text: str) -> None:
        """Begin a scene."""
        self._show("", coloured(f"== {text}", "1"))

    def sent(self, line: str) -> None:
        """Show a line of the client's."""
        self._show(f"C: {line}")

    def received(self, *lines: str) -> None:
        """Show lines of the server's."""
        self._show(*(f"S: {line}" for line in lines))

    def remark(self, *lines: str) -> None:
        """Show what else there is to see."""
        self._show(*(f"   {line}" for line in lines))

    def expect(self, step: str, expected: object, got: object) -> None:
        """Check what *step* led to."""
        self.checks += 1
        if got != expected:
            self.surprises.append(f"{step}: expected {expected}, got {got}")
            self._show(coloured(f"!  expected {expected}, got {got}", "31"))

    def _show(self, *lines: str) -> None:
        if not self._quiet:
            say(*lines)
