"""A real mail server for tests: SMTP or LMTP on a free port of this machine, in threads of its own."""

import select
import socket
import tempfile
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Self
from urllib.parse import quote

from ninsho.sasl.dialogue import Inspection
from ninsho.sasl.mechanism import Mechanism
from ninsho.testing.accounts import Accounts, Secret
from ninsho.testing.certificates import Certificate
from ninsho.testing.conversation import Conversation, Options, Protocol, Site, TLSMode
from ninsho.testing.faults import Faults
from ninsho.testing.offer import Offer
from ninsho.testing.received import Ledger, Received
from ninsho.testing.session import Session
from ninsho.testing.stream import SocketWire, Stream, Talk

PATIENCE = 10.0  # seconds


class MailServer(Faults):
    """A mail server for ``with``; ``fail``, ``drop``, ``cut`` … let things go wrong.

    *users* have passwords (or secrets of ``ninsho.sasl.secrets``), *tokens* tell whose a bearer token is; *masters* may
    act as others. *mechanisms* are names, and mechanisms of one's own; all that users and tokens can answer are
    offered unless told otherwise. *tls* is ``none``, ``starttls`` or ``implicit``; without a *certificate*, one is made
    (by the package trustme). *without* are extensions that are not offered, *extensions* more of them, with their
    arguments; *limits* those of RFC 9422, which hold whether or not they are offered. *protect_passwords* refuses
    mechanisms that show the password in clear. *reply_size* is how many octets of a reply are sent at a time.
    *path* is that of a unix socket to listen on instead. Raises ``ValueError`` for a word that is none.
    """

    def __init__(  # noqa: PLR0913 - a server has many sides, each of them optional
        self,
        *,
        protocol: Protocol = "smtp",
        users: Mapping[str, Secret | Collection[Secret]] | None = None,
        tokens: Mapping[str, str | Inspection] | None = None,
        masters: Collection[str] = (),
        mechanisms: Iterable[str | Mechanism] | None = None,
        tls: TLSMode = "none",
        certificate: Certificate | None = None,
        require_auth: bool = False,
        require_tls: bool = False,
        protect_passwords: bool = False,
        without: Collection[str] = (),
        extensions: Mapping[str, str] | None = None,
        size_limit: int = 0,
        limits: Mapping[str, int] | None = None,
        reply_size: int = 0,
        hostname: str = "localhost",
        path: Path | str | None = None,
    ) -> None:
        super().__init__()
        _check("protocol", protocol, "smtp", "lmtp")
        _check("tls", tls, "none", "starttls", "implicit")
        accounts = Accounts(users=users or {}, tokens=tokens or {}, masters=masters)
        told = None if mechanisms is None else tuple(mechanisms)
        self.certificate = Certificate.made() if certificate is None and tls != "none" else certificate
        self._options = Options(
            protocol=protocol,
            tls=tls,
            certificate=self.certificate,
            accounts=accounts,
            mechanisms=Offer(told, accounts, protect_passwords=protect_passwords),
            without=frozenset(without),
            extensions=extensions or {},
            size_limit=size_limit,
            limits=limits or {},
            require_auth=require_auth,
            require_tls=require_tls,
            protect_passwords=protect_passwords,
            hostname=hostname,
        )
        self._reply_size = reply_size
        self._path = path
        self._ledger = Ledger()
        self._talks: list[Talk] = []
        self._running: _Running | None = None

    @property
    def messages(self) -> list[Received]:
        """The messages that were taken, the oldest first."""
        return self._ledger.messages

    @property
    def violations(self) -> list[str]:
        """What clients did that their protocol does not allow, in words."""
        return self._ledger.violations

    @property
    def talks(self) -> list[Talk]:
        """All that was said, by connection: passwords, too."""
        return self._talks

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return int(self._started.listener.getsockname()[1])

    @property
    def url(self) -> str:
        """The server's URL, with its authority where it has TLS."""
        return self.url_for("")

    @property
    def ca_file(self) -> Path:
        """A file of the authority that clients must believe."""
        if self.certificate is None:
            raise RuntimeError("ca_file: expected a server with TLS")
        file = Path(self._started.folder.name) / "authority.pem"
        file.write_text(self.certificate.authority)
        return file

    def url_for(self, username: str, password: str = "") -> str:
        """The URL with a user name and password in it; without one given, that of the server's own user."""
        options = self._options
        scheme = "lmtp" if options.protocol == "lmtp" else "smtps" if options.tls == "implicit" else "smtp"
        query = f"?tls={options.tls}" + (f"&ca={quote(str(self.ca_file))}" if options.tls != "none" else "")
        if not password:
            known = options.accounts.users.get(username)
            password = known if isinstance(known, str) else ""
        login = f"{quote(username, safe='')}:{quote(password, safe='')}@" if username else ""
        if self._path is not None:
            return f"{scheme}+unix://{login}{quote(str(self._path))}{query}"
        return f"{scheme}://{login}{'127.0.0.1' if options.tls == 'none' else 'localhost'}:{self.port}{query}"

    def wait_for(self, count: int = 1, timeout: float = PATIENCE) -> list[Received]:
        """Return the messages once there are *count*; raise ``TimeoutError``."""
        return self._ledger.wait_for(count, timeout)

    def hang_up(self, reply: str = "421 4.4.2 Closing") -> None:
        """Close all connections now, with a last reply that nobody asked for; an empty one: without a word."""
        self._started.hang_up(f"{reply}\r\n".encode() if reply else b"")

    def clear(self) -> None:
        """Forget messages, violations and faults."""
        self._ledger.clear()
        self.forgive()

    def start(self) -> Self:
        """Listen, and serve."""
        site = Site(self._options, self, self._ledger, Event())
        self._talks = []
        self._running = _Running(self._listener(), site, self._talks, self._reply_size)
        return self

    def stop(self) -> None:
        """Close everything; raise what a mechanism of one's own, or the server itself, has failed with."""
        if self._running is not None:
            running, self._running = self._running, None
            running.stop()
            if self._path is not None:
                Path(self._path).unlink(missing_ok=True)
        if self._ledger.errors:
            raise self._ledger.errors[0]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self.stop()
        except Exception:
            # The test's own error says more.
            if kind is None:
                raise

    @property
    def _started(self) -> "_Running":
        if self._running is None:
            raise RuntimeError("expected a server that runs: with MailServer() as server: …")
        return self._running

    def _listener(self) -> socket.socket:
        if self._path is None:
            return socket.create_server(("127.0.0.1", 0), backlog=128)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(self._path))
        listener.listen(128)
        return listener


class _Running:
    """The threads of a server: one that accepts, one for each connection."""

    def __init__(self, listener: socket.socket, site: Site, talks: list[Talk], reply_size: int) -> None:
        listener.setblocking(False)
        self.listener = listener
        self.talks = talks
        self.folder = tempfile.TemporaryDirectory()
        self._site = site
        self._reply_size = reply_size
        self._streams: list[Stream] = []
        # What ends the wait for connections.
        self._bell, self._ring = socket.socketpair()
        self._threads = [Thread(target=self._accept, name="ninsho.testing", daemon=True)]
        self._threads[0].start()

    def stop(self) -> None:
        """End them all."""
        self._site.stopping.set()
        self._ring.close()
        self._threads[0].join()
        self.hang_up(b"")
        for thread in self._threads:
            thread.join()
        for one in (self.listener, self._bell):
            one.close()
        self.folder.cleanup()

    def hang_up(self, last_words: bytes) -> None:
        """Break all connections."""
        for stream in list(self._streams):
            stream.hang_up(last_words)

    def _accept(self) -> None:
        # Not select: it knows no file descriptor above 1023.
        poll = select.poll()
        for one in (self.listener, self._bell):
            poll.register(one, select.POLLIN)
        while poll.poll() and not self._site.stopping.is_set():
            # Whoever has left since then is nobody.
            with suppress(BlockingIOError, ConnectionError):
                self._begin(self.listener.accept()[0])

    def _begin(self, connection: socket.socket) -> None:
        number = len(self.talks) + 1
        stream = Stream(
            SocketWire(connection),
            pieces=self._reply_size,
            client_cut=self._site.faults.cut_of("client", number),
            server_cut=self._site.faults.cut_of("server", number),
        )
        self.talks.append(stream.talk)
        self._streams.append(stream)
        thread = Thread(target=self._serve, args=(stream, number), name=f"ninsho.testing {number}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, stream: Stream, number: int) -> None:
        try:
            Session(Conversation(stream, self._site, number)).run()
        except Exception as error:  # noqa: BLE001 - it is raised where the server is stopped
            self._site.ledger.errors.append(error)
        finally:
            self._streams.remove(stream)


def _check(place: str, value: object, *words: str) -> None:
    if value not in words:
        raise ValueError(f"{place}: expected {', '.join(words[:-1])} or {words[-1]}, got {value!r}")
