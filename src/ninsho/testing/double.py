"""What stands in for a client: messages are made ready as for a server, and then kept; with true receipts."""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import count
from types import TracebackType
from typing import Final, Self, get_args

from ninsho.client.job import Job, Transaction
from ninsho.client.office import Sendable, delivered, submission
from ninsho.client.outbox import Order, Progress
from ninsho.client.receipt import Receipt, Via
from ninsho.client.settings import Settings
from ninsho.errors import ClientError
from ninsho.mail.addresses import path
from ninsho.mail.message import Prepared, Preparer, Recipient, Submission
from ninsho.mail.options import NO_OPTIONS, Options
from ninsho.testing.commands import Envelope
from ninsho.testing.received import Received
from ninsho.wire.ehlo import Capabilities
from ninsho.wire.smtp import Reply

OFFERED: Final = (
    "8BITMIME",
    "SMTPUTF8",
    "DSN",
    "SIZE",
    "AUTH",
    "REQUIRETLS",
    "DELIVERBY",
    "FUTURERELEASE",
    "MT-PRIORITY",
)
ORDERS: Final = get_args(Order)
_OK = Reply(250, (b"2.0.0 Ok",))


class Double:
    """A client's inside: what is given becomes ``Received``, and is kept; a subclass says where.

    *refuse* are recipients that get nothing, each with the reply that says so, such as ``550 5.1.1 no such user``.
    """

    def __init__(self, *, refuse: Mapping[str, str] | None = None) -> None:
        self._refuse = {address: _reply(text) for address, text in (refuse or {}).items()}
        self._serial = count(1)
        capabilities = Capabilities("localhost", dict.fromkeys(OFFERED, ()))
        # By DATA: nothing binary is left in what is kept.
        self._preparer = Preparer(capabilities, chunking=False)

    @cached_property
    def settings(self) -> Settings:
        """A client's, where it has been told of nothing but this machine."""
        return Settings.of("smtp://localhost")

    def _let_go(self) -> None:
        """Close what is held open."""

    def _keep(self, received: Received) -> None:
        raise NotImplementedError

    def _submit(self, given: Submission) -> Receipt:
        job = Job(given)
        try:
            prepared = self._preparer.prepare(given)
        except ClientError as error:
            job.fail(error)
            return job.receipt()
        transaction = job.begin(prepared, Via(type(self).__name__))
        self._serve(transaction, prepared)
        transaction.settle()
        return job.receipt()

    def _serve(self, transaction: Transaction, prepared: Prepared) -> None:
        """Give each recipient a reply, as a server would, and keep the message for those who may have it."""
        transaction.answered(_OK)
        for recipient in prepared.recipients:
            transaction.answered(self._refuse.get(recipient, _OK))
        if transaction.accepted:
            queue_id = f"{next(self._serial):08X}"
            self._keep(_received(prepared, transaction, queue_id))
            transaction.ends = [Reply(250, (b"2.0.0 Ok: queued as %b" % queue_id.encode(),))]


class Blocking(Double):
    """The face of ``ninsho.Client``."""

    def send(
        self,
        message: Sendable,
        /,
        *,
        sender: str | None = None,
        recipients: Sequence[str | Recipient] | None = None,
        options: Options = NO_OPTIONS,
    ) -> Receipt:
        """Keep one message; raise where nobody gets it, as a client does."""
        return delivered(self._submit(submission(message, sender, recipients, options)))

    def send_many(
        self,
        messages: Iterable[Sendable],
        /,
        *,
        order: Order = "submitted",
        progress: Callable[[Progress], None] | None = None,
    ) -> Iterator[Receipt]:
        """Keep many messages, and give their receipts."""
        _check(order)
        tally = _Tally(messages, progress)
        return (tally.told(self._submit(submission(message))) for message in messages)

    def connect(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Close what is held open."""
        self._let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._let_go()


class Asynchronous(Double):
    """The face of ``ninsho.AsyncClient``."""

    async def send(
        self,
        message: Sendable,
        /,
        *,
        sender: str | None = None,
        recipients: Sequence[str | Recipient] | None = None,
        options: Options = NO_OPTIONS,
    ) -> Receipt:
        """Keep one message; raise where nobody gets it, as a client does."""
        return delivered(self._submit(submission(message, sender, recipients, options)))

    def send_many(
        self,
        messages: Iterable[Sendable] | AsyncIterable[Sendable],
        /,
        *,
        order: Order = "submitted",
        progress: Callable[[Progress], None] | None = None,
    ) -> AsyncIterator[Receipt]:
        """Keep many messages, and give their receipts."""
        _check(order)
        tally = _Tally(messages, progress)
        return (tally.told(self._submit(submission(message))) async for message in _each(messages))

    async def connect(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Close what is held open."""
        self._let_go()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._let_go()


class _Tally:
    """Counts the messages of one run."""

    def __init__(self, messages: object, progress: Callable[[Progress], None] | None) -> None:
        self._total = len(messages) if isinstance(messages, Sequence) else None
        self._progress = progress
        self._done = self._accepted = 0

    def told(self, receipt: Receipt) -> Receipt:
        self._done += 1
        self._accepted += receipt.ok
        if self._progress is not None:
            self._progress(Progress(self._done, self._accepted, self._total))
        return receipt


async def _each(
    messages: Iterable[Sendable] | AsyncIterable[Sendable],
) -> AsyncIterator[Sendable]:
    if isinstance(messages, AsyncIterable):
        async for message in messages:
            yield message
    else:
        for message in messages:
            yield message


def _check(order: Order) -> None:
    # Here they are the same, and wrong is what a client finds wrong.
    if order not in ORDERS:
        raise ValueError(f'order: expected "submitted" or "completed", got {order!r}')


def _received(prepared: Prepared, transaction: Transaction, queue_id: str) -> Received:
    """Return what a server would have got."""
    said = map(_envelope, prepared.recipients, prepared.rcpts)
    taken = [one for one, reply in zip(said, transaction.rcpts, strict=True) if reply.positive]
    sender = _envelope(prepared.sender, prepared.mail)
    return Received(
        sender=sender.address,
        recipients=tuple(one.address for one in taken),
        content=b"".join(prepared.content.plain()),
        mail_parameters=sender.parameters,
        rcpt_parameters={one.address: one.parameters for one in taken},
        queue_id=queue_id,
    )


def _envelope(address: str, line: bytes) -> Envelope:
    """Return the address as it stands in the *line* of MAIL or RCPT, and what stands behind it."""
    written = path(address) if address else b""
    words = line.partition(b"<%b>" % written)[2].decode().split()
    return Envelope(written.decode(), {word.upper(): value for word, _, value in (one.partition("=") for one in words)})


def _reply(text: str) -> Reply:
    code, _, rest = text.partition(" ")
    if not (len(code) == 3 and code.isascii() and code.isdigit() and code[0] in "45"):
        raise ValueError(f"refuse: expected a reply such as '550 5.1.1 no such user', got {text!r}")
    return Reply(int(code), (rest.encode(),))
