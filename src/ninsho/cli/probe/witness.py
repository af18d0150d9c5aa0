"""Watching a connection: the last reply, and how long each step took."""

import time
from collections.abc import Callable

from ninsho.client.secured import Secured
from ninsho.client.session import Opened
from ninsho.client.settings import Endpoint, Settings
from ninsho.client.sockets import SocketTransport
from ninsho.client.tls import context_of
from ninsho.client.transcript import Watch
from ninsho.wire.smtp import Reply


class Witness:
    """Keeps the ``last`` reply and the seconds of each step, and hands all on to *watch*."""

    def __init__(self, watch: Watch | None, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self.last: Reply | None = None
        self.seconds: dict[str, float] = {}
        self._watch = watch
        self._clock = clock
        self._step, self._begun = "", 0.0

    def begin(self, step: str) -> None:
        """Begin to measure."""
        self._step, self._begun = step, self._clock()

    def end(self) -> None:
        """Keep how long the step took; of several by one name the first."""
        if self._step:
            self.seconds.setdefault(self._step, self._clock() - self._begun)
        self._step = ""

    def sent(self, data: bytes | str) -> None:
        """Take a command."""
        verb = data if isinstance(data, str) else data.decode("utf-8", "replace")
        self.begin(verb.split()[0] if verb.split() else "")
        if self._watch is not None:
            self._watch.sent(data)

    def received(self, reply: Reply) -> None:
        """Take a reply."""
        self.end()
        self.last = reply
        if self._watch is not None:
            self._watch.received(reply)

    def noted(self, text: str, *, error: bool = False) -> None:
        """Take what happened."""
        if self._watch is not None:
            self._watch.noted(text, error=error)


class Measured(SocketTransport):
    """A blocking transport whose steps *witness* measures."""

    def __init__(self, settings: Settings, witness: Witness) -> None:
        super().__init__(settings, lambda: context_of(settings.trust))
        self._witness = witness

    def open(self, endpoint: Endpoint, timeout: float) -> Opened:
        """Connect."""
        self._witness.begin("connect")
        opened = super().open(endpoint, timeout)
        self._witness.end()
        self._witness.begin("greeting")
        return opened

    def start_tls(self, timeout: float) -> Secured:
        """Shake hands."""
        # What comes first where TLS does: the connection is there.
        self._witness.end()
        self._witness.begin("TLS")
        secured = super().start_tls(timeout)
        self._witness.end()
        return secured
