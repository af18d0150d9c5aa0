"""Growing: stored forms that an account lacks are made when its user logs in with the password, behind the login."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from types import TracebackType
from typing import NamedTuple, Protocol, Self, TypeAlias, runtime_checkable

from ninsho.errors import NinshoError
from ninsho.stores import hashing
from ninsho.stores.accounts import Account, Store
from ninsho.stores.pool import HashingPool, lower_priority
from ninsho.stores.reporting import report
from ninsho.stores.wanted_forms import WantedForms, grown

QUEUE = 50  # accounts; with 25 ms each for SCRAM-SHA-256, the last password is held for little more than a second
PAUSE = 60.0  # seconds without growth after an accident
SILENCE = 3600.0  # seconds from one report of an accident to the next
PATIENCE = 5.0  # seconds for the account under way when the server stops
SETTLED = 200_000  # accounts that need nothing; 15 MB


Salts: TypeAlias = Callable[[str, str], bytes | None]


class ReadOnly(NinshoError):
    """The store may not be changed from here."""


@runtime_checkable
class SecretWriter(Protocol):
    """A store whose stored forms can be changed while it serves."""

    async def replace_secrets(self, name: str, old: tuple[str, ...], new: tuple[str | None, ...]) -> bool:
        """Put *new* in the place of *old* in one transaction; False where the account's forms are not *old* any more.

        *new* is no shorter: each form stands in the place of an old one, or behind them; None where the old one goes.
        Raises ``ReadOnly``, or ``StoreUnavailable``.
        """


@dataclass(slots=True)
class Counts:
    """What became of the accounts that lacked a form: *overtaken* were changed by somebody else meanwhile."""

    saved: int = 0
    overtaken: int = 0
    dropped: int = 0
    failed: int = 0


class _Made(NamedTuple):
    """An account's forms, None where one goes; and what could not be made, empty if all could."""

    secrets: tuple[str | None, ...]
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class _Job:
    store: SecretWriter
    account: Account
    password: str = field(repr=False)

    def made(self, wanted: WantedForms, salts: Salts) -> _Made:
        """Make what is missing, as far as the schemes can take the password."""
        # Lower still than the logins' own hashes.
        lower_priority()
        secrets, name = self.account.secrets, self.account.name
        forms: dict[int, str | None] = {}
        trouble = ""
        for place, scheme in wanted.missing(secrets).items():
            try:
                forms[place] = scheme and hashing.make(
                    self.password, scheme, name, permitted=wanted.permitted, salt=salts(name, scheme)
                )
            except ValueError as error:
                # Only this one class says what was wrong in our words; those below it quote what they were given.
                trouble = str(error) if type(error) is ValueError else type(error).__name__
        if trouble:
            # No form goes before all those that are wanted are there.
            forms = {place: form for place, form in forms.items() if form}
        return _Made(grown(secrets, forms), trouble)


class Growth:
    """Makes and stores the forms that are *wanted*, one account at a time, in a thread of the lowest priority.

    Whatever would keep a login waiting is dropped instead, as the next login brings the password again: where
    the logins' own hashing is *busy*, or too many accounts wait. An async context manager; at its end the account under
    way is finished, and the others are dropped. *salts* gives an account's salt for a scheme, None for any: where a
    stranger is asked by the same salt each time, an account must not be betrayed by a new one.
    """

    def __init__(
        self,
        wanted: WantedForms,
        *,
        busy: Callable[[], bool] = lambda: False,
        salts: Salts = lambda _name, _scheme: None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.counts = Counts()
        self._salts = salts
        self._wanted = wanted
        self._busy = busy
        self._clock = clock
        self._pool = HashingPool(threads=1, queue=1)
        self._jobs: asyncio.Queue[_Job | None] = asyncio.Queue(QUEUE)
        self._under_way: set[str] = set()
        self._worker: asyncio.Task[None] | None = None
        # Hashes instead of the forms themselves: should two be the same, one account has to wait for a restart.
        self._settled: set[int] = set()
        self._read_only: set[int] = set()
        self._paused_until = self._silent_until = -PAUSE

    def consider(self, store: Store, account: Account, password: str) -> None:
        """Have the forms made that *account* lacks, whose *password* has just matched."""
        # Each login by PLAIN comes here: 0.2 µs for those who need nothing.
        if hash(account.secrets) ^ id(store) not in self._settled:
            self._consider(store, account, password)

    async def rest(self) -> None:
        """Wait until no account is under way."""
        await self._jobs.join()

    def _consider(self, store: Store, account: Account, password: str) -> None:
        if self._worker is None or account.name in self._under_way:
            return
        writable = isinstance(store, SecretWriter) and id(store) not in self._read_only
        lacking = writable and self._wanted.missing(account.secrets)
        # A password that was cut or mistyped would become the password.
        if not lacking or self._wanted.is_ambiguous(account.secrets, password):
            self._settle(store, account.secrets)
        elif self._clock() < self._paused_until or self._jobs.full():
            self.counts.dropped += 1
        else:
            self._under_way.add(account.name)
            self._jobs.put_nowait(_Job(store, account, password))  # type: ignore[arg-type]  # it is writable

    def _settle(self, store: object, secrets: tuple[str, ...]) -> None:
        if len(self._settled) >= SETTLED:
            self._settled.clear()
        self._settled.add(hash(secrets) ^ id(store))

    async def __aenter__(self) -> Self:
        self._worker = asyncio.get_running_loop().create_task(self._work())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        worker, self._worker = self._worker, None
        self.counts.dropped += self._jobs.qsize()
        while not self._jobs.empty():
            self._jobs.get_nowait()
            self._jobs.task_done()
        self._jobs.put_nowait(None)
        with suppress(TimeoutError):
            if worker is not None:
                await asyncio.wait_for(worker, PATIENCE)
        await self._pool.close()

    async def _work(self) -> None:
        while (job := await self._jobs.get()) is not None:
            try:
                await self._grow(job)
            except ReadOnly as error:
                self._read_only.add(id(job.store))
                report(f"{error}: accounts.derive and accounts.rehash do nothing here")
            except Exception as error:  # noqa: BLE001 - whatever it is, logins go on
                self._paused_until = self._clock() + PAUSE
                # What others raise may quote a secret.
                self._fail(str(error) if isinstance(error, NinshoError) else type(error).__name__)
            finally:
                self._under_way.discard(job.account.name)
                self._jobs.task_done()

    async def _grow(self, job: _Job) -> None:
        # Those behind an account that met with an accident would meet with the same.
        if self._busy() or self._clock() < self._paused_until or id(job.store) in self._read_only:
            self.counts.dropped += 1
            return
        made = await self._pool.submit(job.made, self._wanted, self._salts)
        if made.trouble:
            # The password's fault, which it stays until it is changed.
            self._settle(job.store, tuple(filter(None, made.secrets)))
            self._fail(f"account {job.account.name!r}: {made.trouble}")
        if made.secrets == job.account.secrets:
            return
        if await job.store.replace_secrets(job.account.name, job.account.secrets, made.secrets):
            self.counts.saved += 1
        else:
            self.counts.overtaken += 1

    def _fail(self, what: str) -> None:
        self.counts.failed += 1
        if self._clock() >= self._silent_until:
            self._silent_until = self._clock() + SILENCE
            report(f"stored forms could not be derived or renewed ({self.counts.failed} so far): {what}")
