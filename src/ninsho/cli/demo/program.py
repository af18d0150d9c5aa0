"""The real ``ninsho serve``, run for a moment."""

from collections.abc import Sequence
from pathlib import Path

from ninsho.cli.demo.site import NINSHO, Site, environment
from ninsho.cli.throwaway import ThrowawayProgram


class ThrowawayNinsho(ThrowawayProgram):
    """Serves *site* until the end of the block."""

    name = "ninsho"
    log_name = "output"
    ready = r"(?m)\bready\b"

    def __init__(self, site: Site) -> None:
        self._site = site
        self.environment = environment()

    def lay_out(self) -> Sequence[str | Path]:
        """Return the command: all files are the site's."""
        return [*NINSHO, "serve", "--config", self._site.config]

    def decisions(self) -> list[str]:
        """Return what it has written about logins, without the times."""
        return [line[line.index("auth: ") :] for line in self.log_text().splitlines() if "auth: " in line]
