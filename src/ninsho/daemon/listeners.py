"""Opening what the configuration listens on: UNIX sockets that appear whole, and TCP with its allow list."""

import asyncio
import errno
import os
import shutil
import socket
from ipaddress import ip_address
from pathlib import Path

from ninsho.daemon.held_back import HeldBack
from ninsho.daemon.policy import Desk, Policy
from ninsho.daemon.session import Session
from ninsho.daemon.tables import Listen
from ninsho.errors import ConfigurationError

BACKLOG = 1024


class Listener:
    """One open listener; the policy on its ``desk`` may be replaced at any time."""

    def __init__(self, listen: Listen, policy: Policy, held_back: HeldBack, sessions: set[Session]) -> None:
        self.listen = listen
        self.desk = Desk(policy)
        self._held_back = held_back
        self._sessions = sessions
        self._server: asyncio.Server | None = None
        self._inode: tuple[int, int] | None = None

    async def open(self) -> None:
        """Begin to listen; raise ``ConfigurationError`` where that is not possible."""
        loop = asyncio.get_running_loop()
        try:
            if self.listen.unix is None:
                host, port = self.listen.endpoint
                self._server = await loop.create_server(self._accept, host, port, backlog=BACKLOG)
            else:
                bound = bind_unix(self.listen.unix, self.listen)
                self._inode = _inode(self.listen.unix)
                self._server = await loop.create_unix_server(self._accept, sock=bound, backlog=BACKLOG)
        except OSError as error:
            raise ConfigurationError([f"{self.listen.address}: cannot listen: {error.strerror or error}"]) from None

    def dress(self, listen: Listen) -> None:
        """Give the socket another mode and owner; raise ``ConfigurationError`` where that is not possible."""
        try:
            if listen.unix is not None:
                dress(listen.unix, listen)
        except OSError as error:
            raise ConfigurationError([f"{listen.address}: cannot be changed: {error.strerror or error}"]) from None

    def close(self) -> None:
        """Listen no more; open connections stay."""
        if self._server is not None:
            self._server.close()
        path = self.listen.unix
        # Another server may have put its own socket there in the meantime.
        if path is not None and self._inode is not None and _inode(path) == self._inode:
            path.unlink(missing_ok=True)

    def _accept(self) -> asyncio.Protocol:
        session = Session(self.desk, self._held_back, self._sessions)
        return Doorkeeper(session, self) if self.listen.tcp is not None else session


class Doorkeeper(asyncio.Protocol):
    """Lets a TCP connection in if its address may connect."""

    def __init__(self, session: Session, listener: Listener) -> None:
        self._session = session
        self._listener = listener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the connection over, or close it."""
        peer = transport.get_extra_info("peername")
        if peer is None:
            # It is gone already.
            transport.close()
            return
        host = peer[0]
        address = ip_address(host.partition("%")[0])
        if address.is_loopback or any(address in network for network in self._listener.listen.allow):
            transport.set_protocol(self._session)
            self._session.connection_made(transport)
        else:
            self._listener.desk.policy.journal.note(
                "connection-refused", listen=self._listener.listen.address, peer=host
            )
            transport.close()


def bind_unix(path: Path, listen: Listen) -> socket.socket:
    """Bind a socket under another name, give it its mode and owner, and move it to *path* once it is all right.

    A socket file that nobody listens on is replaced. Raises ``ConfigurationError`` where another server lives there.
    """
    _refuse_living(path)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        fresh.unlink(missing_ok=True)
        bound.bind(str(fresh))
        dress(fresh, listen)
        bound.listen(BACKLOG)
        fresh.rename(path)
    except BaseException:
        bound.close()
        fresh.unlink(missing_ok=True)
        raise
    return bound


def dress(path: Path, listen: Listen) -> None:
    """Give a socket file its mode and owner; in somebody's own folder, such as Postfix's, it is theirs unless told."""
    if listen.owner is not None or listen.group is not None:
        try:
            shutil.chown(path, listen.owner, listen.group)  # type: ignore[arg-type]  # typeshed wants one of them
        except LookupError as error:
            raise ConfigurationError([f"{listen.address}: {error}"]) from None
    elif os.geteuid() == 0:
        os.chown(path, path.parent.stat().st_uid, -1)
    path.chmod(listen.mode)


def _refuse_living(path: Path) -> None:
    if not path.exists():
        return
    if not path.is_socket():
        raise ConfigurationError([f"{path}: expected a socket or nothing, got another kind of file"])
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe:
        code = probe.connect_ex(str(path))
    # EAGAIN: it listens, and its backlog is full.
    if code in {0, errno.EAGAIN, errno.EINPROGRESS}:
        raise ConfigurationError([f"{path}: another server listens there"])


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
