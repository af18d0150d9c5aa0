"""Flows: a talk with a server as a generator, which asks a transport for what it needs; the two drivers.

A flow yields *wants* and receives their answers; it opens no socket and reads no clock. ``run`` has a blocking
transport answer, ``arun`` one of an event loop: the two differ in ``await`` and in nothing else. A want that fails is
raised inside the flow, where it was asked.
"""

from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from ninsho.client.job import Job
    from ninsho.client.settings import Endpoint

LONG_LOOK: Final = 0.05  # seconds, after which it is looked up whether the server has gone

T = TypeVar("T")
R = TypeVar("R")


class DeadlineOver(TimeoutError):
    """The time for a whole message is over."""


class Transport(Protocol):
    """What answers the wants of one connection, and waits where it must."""

    def open(self, endpoint: "Endpoint", timeout: float) -> Any:  # noqa: ANN401 - and so below: awaitable, or not
        """Connect; with implicit TLS shake hands as well."""

    def send(self, data: bytes) -> Any:  # noqa: ANN401
        """Send all of *data*."""

    def receive(self, timeout: float, *, anew: bool) -> Any:  # noqa: ANN401
        """Return the next octets, empty at the end; raise ``TimeoutError``, or ``DeadlineOver``."""

    def start_tls(self, timeout: float) -> Any:  # noqa: ANN401
        """Shake hands; raise ``TLSFailed``, also where octets wait that came before."""

    def compute(self, function: Callable[[], Any]) -> Any:  # noqa: ANN401
        """Return what *function* returns, which may take a while."""

    def take(self, desk: "Desk", *, wait: bool) -> Any:  # noqa: ANN401
        """Return the next job of *desk*; the time for a message begins anew."""

    def close(self) -> Any:  # noqa: ANN401
        """Close the connection at once."""


class Desk(Protocol):
    """Where a flow gets the messages to submit, and hands in what became of them."""

    # Whether the next message is at hand, so that looking for it cannot hold up the one before.
    eager: bool

    def take(self, *, wait: bool) -> Any:  # noqa: ANN401
        """Return the next job, or None; see ``Take``."""

    def at_once(self) -> "Job | None":
        """Return the next job where nobody has to wait for it; None where ``take`` must be asked."""

    def give(self, job: "Job") -> None:
        """Hand in a job whose every recipient has a fate."""

    def give_back(self, job: "Job") -> None:
        """Hand in a job that somebody else may try at once: nobody can have got it from here."""


class Want(Generic[T]):
    """Something that a flow asks for; ``yield from`` it returns its answer."""

    __slots__ = ()

    def of(self, transport: Any) -> Any:  # noqa: ANN401 - a blocking transport answers, another gives an awaitable
        """Ask *transport*."""
        raise NotImplementedError

    def __iter__(self) -> Generator["Want[Any]", Any, T]:
        answer: T = yield self
        return answer


Flow: TypeAlias = Generator[Want[Any], Any, T]
"""Yields wants, is sent their answers, and returns its result."""


@dataclass(slots=True)
class Open(Want[None]):
    """Connect to a server."""

    endpoint: "Endpoint"
    timeout: float

    def of(self, transport: Any) -> Any:  # noqa: ANN401
        """Ask *transport*."""
        return transport.open(self.endpoint, self.timeout)


class Send(Want[None]):
    """Send octets, all of them."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    def of(self, transport: Any) -> Any:  # noqa: ANN401
        """Ask *transport*."""
        return transport.send(self.data)


class Receive(Want[bytes]):
    """Receive octets: as many as there are, none at the end of the connection.

    *timeout* counts from the last one that was asked for *anew*: so a reply has an end, however slowly it comes.
    """

    __slots__ = ("anew", "timeout")

    def __init__(self, timeout: float, *, anew: bool = True) -> None:
        self.timeout = timeout
        self.anew = anew

    def of(self, transport: Any) -> Any:  # noqa: ANN401
        """Ask *transport*."""
        return transport.receive(self.timeout, anew=self.anew)


@dataclass(slots=True)
class StartTLS(Want[None]):
    """Begin TLS on the open connection."""

    timeout: float

    def of(self, transport: Any) -> Any:  # noqa: ANN401
        """Ask *transport*."""
        return transport.start_tls(self.timeout)


@dataclass(slots=True)
class Compute(Want[T]):
    """Have something computed, or asked of the system, that takes a while: elsewhere, if others would wait."""

    function: Callable[[], T]

    def of(self, transport: Any) -> Any:  # noqa: ANN401
        """Ask *transport*."""
        return transport.compute(self.function)


class Take(Want["Job | None"]):
    """Take the next message to submit; None where there is none now, or, if told to *wait*, none any more."""

    __slots__ = ("desk", "wait")

    def __init__(self, desk: "Desk", *, wait: bool) -> None:
        self.desk = desk
        self.wait = wait

    def of(self, transport: Any) -> Any:  # noqa: ANN401
        """Ask *transport*, which asks the desk."""
        return transport.take(self.desk, wait=self.wait)


class Close(Want[None]):
    """Close the connection at once."""

    __slots__ = ()

    def of(self, transport: Any) -> Any:  # noqa: ANN401
        """Ask *transport*."""
        return transport.close()


def run(flow: Flow[T], transport: Any) -> T:  # noqa: ANN401
    """Have a blocking *transport* answer *flow*; return its result."""
    try:
        want = next(flow)
        while True:
            try:
                answer = want.of(transport)
            except BaseException as error:  # noqa: BLE001 - the flow decides
                want = flow.throw(error)
            else:
                want = flow.send(answer)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def emit(flow: Flow[None], transport: Any, done: deque[R]) -> Iterator[R]:  # noqa: ANN401
    """Like ``run``, and give out what the flow puts into *done*, before more is sent."""
    try:
        want = next(flow)
        while True:
            if done:
                paused = monotonic()
                while done:
                    yield done.popleft()
                want = _still_wanted(want, flow, transport, monotonic() - paused)
            try:
                answer = want.of(transport)
            except BaseException as error:  # noqa: BLE001 - the flow decides
                want = flow.throw(error)
            else:
                want = flow.send(answer)
    except StopIteration:
        return
    finally:
        flow.close()


async def aemit(flow: Flow[None], transport: Any, done: deque[R]) -> AsyncGenerator[R, None]:  # noqa: ANN401
    """Like ``arun``, and give out what the flow puts into *done*, before more is sent."""
    try:
        want = next(flow)
        while True:
            if done:
                paused = monotonic()
                while done:
                    yield done.popleft()
                want = _still_wanted(want, flow, transport, monotonic() - paused)
            try:
                answer = await want.of(transport)
            except BaseException as error:  # noqa: BLE001 - the flow decides
                want = flow.throw(error)
            else:
                want = flow.send(answer)
    except StopIteration:
        return
    finally:
        flow.close()


def _still_wanted(want: Want[Any], flow: Flow[None], transport: Any, pause: float) -> Want[Any]:  # noqa: ANN401
    """Return *want*; or, where the server has gone while somebody looked at receipts, what the flow wants then."""
    if pause < LONG_LOOK or not isinstance(want, Send) or not transport.has_ended:
        return want
    gone = ConnectionResetError("the server closed the connection")
    gone.handed = 0  # type: ignore[attr-defined]
    return flow.throw(gone)


async def arun(flow: Flow[T], transport: Any) -> T:  # noqa: ANN401
    """Have a *transport* of an event loop answer *flow*; return its result."""
    try:
        want = next(flow)
        while True:
            try:
                answer = await want.of(transport)
            except BaseException as error:  # noqa: BLE001 - the flow decides
                want = flow.throw(error)
            else:
                want = flow.send(answer)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
