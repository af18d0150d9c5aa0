"""Accounts for tests: examples, and hypothesis's idea of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Coroutine, Iterable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from hypothesis import strategies as st

from ninsho.stores import schema
from ninsho.stores.accounts import Account, Answer
from ninsho.stores.administration import administer
from ninsho.stores.entries import Entry
from ninsho.stores.names import MalformedEntry, prepare_name
from ninsho.stores.networks import parse_networks

T = TypeVar("T")

BCRYPT = "{BLF-CRYPT}$2y$05$abcdefghijklmnopqrstuuJgQQvEDFNLZ9eHZ0h0kGTLzeJhlLMhG"
ARGON2 = "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b2daQ"

# What has broken other people's queries, files and logs.
AWKWARD_NAMES = (
    "o'brien",
    'say "hello"',
    "back\\slash",
    "star*",
    "(paren)(|(uid=*))",
    "100%",
    "semi;colon -- comment",
    "' OR '1'='1",
    "alice'; DROP TABLE accounts; --",
    "%{password}",
    "../../etc/passwd",
    "a b",
    "日本語@例え.jp",
)


def settle(answer: Answer[T]) -> T:
    """The value of *answer*, in a loop of its own if it has to be awaited."""

    async def wait(awaitable: Awaitable[T]) -> T:
        return await awaitable

    return asyncio.run(wait(answer)) if isinstance(answer, Awaitable) else answer


def run(test: Coroutine[Any, Any, T], *, seconds: float = 30.0) -> T:
    return asyncio.run(asyncio.wait_for(test, seconds))


def url_of(path: Path, driver: str = "sqlite") -> str:
    return f"{driver}:///{path}"


@cache
def _empty_database() -> bytes:
    """An accounts database with nobody in it: alembic makes one in 0.1 s, which adds up."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "empty.db")
        run(schema.prepare(url_of(path)))
        return path.read_bytes()


def fill(path: Path, entries: Iterable[Entry] = ()) -> str:
    """Make the accounts database at *path*, if it is not there, and put *entries* in it; return its URL."""
    if not path.exists():
        path.write_bytes(_empty_database())

    async def work() -> None:
        async with administer(url_of(path)) as accounts:
            await accounts.import_accounts(entries, replace=True)

    run(work())
    return url_of(path)


async def collect(items: AsyncIterator[T]) -> list[T]:
    return [item async for item in items]


def passwords(account: Account | None) -> tuple[str, ...]:
    assert account is not None
    return account.secrets


def _storable(name: str) -> bool:
    try:
        return prepare_name(name).strip(" ") == prepare_name(name)
    except MalformedEntry:
        return False


# Most of Unicode may not stand in a name; what is tried here mostly may.
_letters = st.sampled_from("aZ0.@-_+%'\"\\ éßİΣσ日本") | st.characters(categories=("Ll", "Lu", "Lo", "Nd", "Po"))
names = st.sampled_from(AWKWARD_NAMES) | st.text(_letters, min_size=1, max_size=30).filter(_storable)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=30)
forms = st.one_of(
    st.sampled_from((BCRYPT, ARGON2, "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=")),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30).map("{PLAIN}".__add__),
)
moments = st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 4_000_000_000)
networks = st.lists(st.ip_addresses().map(str), max_size=3).map(lambda texts: parse_networks(" ".join(texts)))
entries = st.builds(
    Entry,
    names,
    st.lists(forms, max_size=3).map(tuple),
    st.booleans(),
    st.none() | moments,
    networks,
    texts,
    master=st.booleans(),
)
lists = st.lists(entries, max_size=8, unique_by=lambda entry: entry.key)
