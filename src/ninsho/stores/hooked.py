"""Running a user base of the site's own, so that no mistake in it becomes a wrong verdict or a leak."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from inspect import isawaitable, iscoroutinefunction
from pathlib import Path
from typing import Any, TypeVar

from ninsho.errors import ConfigurationError, StoreUnavailable
from ninsho.stores.accounts import NOBODY, Account, Answer, Checked, Request, Store
from ninsho.stores.pool import HashingPool
from ninsho.stores.python_file import place_of
from ninsho.stores.reporting import report

T = TypeVar("T")

QUEUE = 100  # calls that wait for a thread; more would not be answered before the mail server gives up


@asynccontextmanager
async def opened(hook: Any, path: Path, *, threads: int) -> AsyncIterator[Store]:  # noqa: ANN401 - it stood in a file
    """Make a store of *hook*, which stood in the file at *path*.

    It is a function, or a class or object with ``find`` or ``verify``. A class is called for its object; an object
    that is an async context manager is entered first, and left at the end. Raises ``ConfigurationError`` for anything
    else, ``StoreUnavailable`` where it cannot be made or entered.
    """
    async with AsyncExitStack() as stack:
        found = await _entered(hook, path, stack)
        if callable(getattr(found, "find", None)):
            yield HookedSecrets(found, path)
        elif callable(getattr(found, "verify", None)):
            yield HookedVerifier(found, path)
        elif callable(found):
            pool = await stack.enter_async_context(HashingPool(threads=threads, queue=QUEUE))
            yield HookedFunction(found, path, pool)
        else:
            kind = type(found).__name__
            raise ConfigurationError([f"{path}: expected a function, or an object with find or verify, got {kind}"])


async def _entered(hook: Any, path: Path, stack: AsyncExitStack) -> Any:  # noqa: ANN401 - it stood in a file
    try:
        found = hook() if isinstance(hook, type) else hook
        return await stack.enter_async_context(found) if hasattr(found, "__aenter__") else found
    except Exception as error:  # noqa: BLE001 - whatever the site's code raises
        failure = _failure(error, path)
    raise failure


def _failure(error: Exception | SystemExit, path: Path) -> StoreUnavailable:
    """What is told of *error*: never its text, which may hold the password."""
    if isinstance(error, StoreUnavailable):
        return error
    text = f"{place_of(error, path)}: raised {type(error).__name__}"
    report(text)
    return StoreUnavailable(text)


class Hooked:
    """What the site's code and ours have to do with each other."""

    def __init__(self, hook: Any, path: Path) -> None:  # noqa: ANN401 - it stood in a file
        self._hook = hook
        self._path = path

    def _answer(self, ask: Callable[[], object], check: Callable[[object], T]) -> Answer[T]:
        try:
            answer = ask()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, it is no wrong password
            failure = _failure(error, self._path)
        else:
            return self._later(answer, check) if isawaitable(answer) else check(answer)
        # Raised out here: a context would carry the site's error, and perhaps the password, into a traceback.
        raise failure

    async def _later(self, answer: Awaitable[object], check: Callable[[object], T]) -> T:
        try:
            settled = await answer
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, it is no wrong password
            failure = _failure(error, self._path)
        else:
            return check(settled)
        raise failure

    def _unexpected(self, expected: str, answer: object) -> StoreUnavailable:
        text = f"{self._path}: expected {expected} from the user base, got {type(answer).__name__}"
        report(text)
        return StoreUnavailable(text)


class HookedFunction(Hooked):
    """A function or coroutine function that says whether a password is right."""

    def __init__(self, hook: Any, path: Path, pool: HashingPool) -> None:  # noqa: ANN401 - it stood in a file
        super().__init__(hook, path)
        self._pool = pool
        self._awaits = iscoroutinefunction(hook) or iscoroutinefunction(type(hook).__call__)

    async def verify(self, username: str, password: str, request: Request) -> Checked:
        """Ask the function; raise ``StoreUnavailable`` where it does not say."""
        return await self._later(self._ask(username, password, request), partial(self._checked, username))

    async def _ask(self, username: str, password: str, request: Request) -> object:
        if self._awaits:
            return await self._hook(username, password, request)
        answer: object = await self._pool.submit(self._hook, username, password, request)
        # A plain function around a coroutine function, as decorators make them.
        return await answer if isawaitable(answer) else answer

    def _checked(self, username: str, answer: object) -> Checked:
        match answer:
            case True | False:
                return Checked(Account(username), matches=answer)
            case None:
                return NOBODY
        raise self._unexpected("True, False or None", answer)


class HookedSecrets(Hooked):
    """An object which finds accounts with their stored secrets."""

    def find(self, username: str) -> Answer[Account | None]:
        """Ask the object; raise ``StoreUnavailable`` where it does not say."""
        return self._answer(partial(self._hook.find, username), self._account)

    def _account(self, answer: object) -> Account | None:
        if answer is None or isinstance(answer, Account):
            return answer
        raise self._unexpected("an Account or None", answer)


class HookedVerifier(Hooked):
    """An object which verifies passwords itself."""

    def verify(self, username: str, password: str, request: Request) -> Answer[Checked]:
        """Ask the object; raise ``StoreUnavailable`` where it does not say."""
        return self._answer(partial(self._hook.verify, username, password, request), self._checked)

    def _checked(self, answer: object) -> Checked:
        match answer:
            # Exactly a bool: a coroutine that nobody awaited is true as well.
            case Checked(Account() | None, True | False):
                return answer
            case Checked(_, matches):
                raise self._unexpected("Checked with a bool", matches)
        raise self._unexpected("Checked", answer)
