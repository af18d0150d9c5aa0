"""The socket below smtplib's face: made by the program's own ``_get_socket``, or brought along by it."""

import socket
from collections.abc import Callable
from dataclasses import replace
from ssl import SSLContext, SSLSocket

from ninsho.client.secured import Secured, secured_by
from ninsho.client.session import Opened
from ninsho.client.settings import Endpoint, Settings, TLSMode
from ninsho.client.sockets import SocketTransport

Way = Callable[[str, int, float], socket.socket]


class HookedTransport(SocketTransport):
    """Connects by *way*, which is told host, port and seconds; a unix socket takes none."""

    def __init__(self, settings: Settings, context: Callable[[], SSLContext], way: Way) -> None:
        super().__init__(settings, context)
        self._way = way

    def open(self, endpoint: Endpoint, timeout: float) -> Opened:
        """Connect; raise ``ConnectionFailed`` or ``TLSFailed``."""
        opened = super().open(endpoint, timeout)
        return replace(opened, secured=opened.secured or self._shaken())

    def start_tls(self, timeout: float) -> Secured:
        """Shake hands, but where TLS comes first, and the program has seen to it."""
        is_first = self._settings.tls is TLSMode.IMPLICIT
        return (self._shaken() if is_first else None) or super().start_tls(timeout)

    def adopt(self, connection: socket.socket) -> Secured | None:
        """Go on with *connection*; return its TLS, if it has that."""
        self._socket, self._timeout = connection, None
        return self._shaken()

    def _connected(self, endpoint: Endpoint, timeout: float) -> socket.socket:
        if endpoint.path:
            return super()._connected(endpoint, timeout)
        return self._way(endpoint.host, endpoint.port, self._left(timeout))

    def _shaken(self) -> Secured | None:
        connection = self._socket
        return secured_by(connection, self._settings.trust) if isinstance(connection, SSLSocket) else None
