"""A user base of the site's own: a function in a Python file that says whether a password is right."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ninsho.errors import ConfigurationError
from ninsho.stores import python_file
from ninsho.stores.accounts import Store

T = TypeVar("T")

# Set on what @store marks; the function itself is left as it is, so that its own tests can call it.
_MARK = "_ninsho_store"


def store(marked: T) -> T:
    """Mark a function, or a class or object with ``find`` or ``verify``, as the user base of its file.

    A function is called as ``function(username, password, request)`` and returns True, False for a wrong password, or
    None where it does not know the user: then the next store is asked. A plain function runs in a thread, of which
    there are several at a time; a coroutine function is awaited. Whatever either raises is a temporary failure.
    """
    setattr(marked, _MARK, True)
    return marked


@dataclass(frozen=True)
class HookStore:
    """The user base in the Python file at *path*: what is called *name* there, or what ``@store`` marks.

    At most *threads* plain functions run at a time.
    """

    path: Path
    name: str | None = None
    threads: int = 8

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise ConfigurationError([f"threads: expected at least 1, got {self.threads}"])

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Store]:
        """Run the file; raise ``ConfigurationError`` for one without a user base."""
        # Brings asyncio, which a file of mechanisms that says `import ninsho` need not wait for.
        from ninsho.stores.hooked import opened  # noqa: PLC0415

        found = self._find_in(vars(python_file.load(self.path)))
        async with opened(found, self.path, threads=self.threads) as user_base:
            yield user_base

    def _find_in(self, names: dict[str, Any]) -> Any:  # noqa: ANN401 - anything may stand in a file
        if self.name is not None:
            if self.name not in names:
                raise ConfigurationError([f"{self.path}: expected a user base called {self.name!r}, found none"])
            return names[self.name]
        marked = {id(value): value for value in names.values() if _is_marked(value)}
        if len(marked) != 1:
            raise ConfigurationError([f"{self.path}: expected one user base marked with @store, found {len(marked)}"])
        return next(iter(marked.values()))


def _is_marked(value: object) -> bool:
    # Looked for in itself: an object of a marked class is not marked with it.
    return _MARK in getattr(value, "__dict__", ())
