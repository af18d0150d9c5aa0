"""From ``[[oauth]]`` tables to issuers: files read, and clients for their servers made."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias

from ninsho.daemon.tables import OauthTable
from ninsho.errors import ConfigurationError
from ninsho.stores.tokens.addresses import configuration_of
from ninsho.stores.tokens.documents import Fetched, discover, fetch_jwks
from ninsho.stores.tokens.expectations import Expectations
from ninsho.stores.tokens.introspection import ClientSecret, Introspection
from ninsho.stores.tokens.issuers import Issuer, Issuers, Signer
from ninsho.stores.tokens.keys import Keys, read_jwks, read_pem
from ninsho.stores.tokens.remembered import Remembered
from ninsho.stores.tokens.sources import FetchedKeys, FixedKeys, KeySource
from ninsho.stores.tokens.web import Web

Clock: TypeAlias = Callable[[], float]


@asynccontextmanager
async def opened(tables: Sequence[OauthTable], clock: Clock, ticks: Clock) -> AsyncIterator[Issuers]:
    """Open the issuers of *tables*; raise ``ConfigurationError`` with every file that cannot be used."""
    problems: list[str] = []
    issuers: list[Issuer] = []
    async with AsyncExitStack() as stack:
        for index, table in enumerate(tables):
            try:
                issuers.append(await _issuer(table, stack, clock, ticks))
            except ConfigurationError as error:
                problems += [f"oauth[{index}].{problem}" for problem in error.problems]
        if problems:
            raise ConfigurationError(problems)
        yield Issuers(issuers, Remembered(clock))


async def _issuer(table: OauthTable, stack: AsyncExitStack, clock: Clock, ticks: Clock) -> Issuer:
    expectations = _expectations(table)
    if table.introspection_url is not None:
        web = await stack.enter_async_context(_web(table))
        return Introspection(expectations, table.introspection_url, _client(table), web=web, clock=clock)
    return Signer(expectations, table.algorithms, await _keys(table, stack, ticks), clock=clock)


def _expectations(table: OauthTable) -> Expectations:
    configuration = table.openid_configuration or (configuration_of(table.issuer) if table.discovers else "")
    return Expectations(
        table.issuer,
        table.audience,
        table.scopes,
        table.username_claim,
        table.username_suffix,
        table.leeway,
        table.remember,
        configuration,
    )


async def _keys(table: OauthTable, stack: AsyncExitStack, ticks: Clock) -> KeySource:
    if table.jwks_file is not None:
        return FixedKeys(_read_keys("jwks_file", table.jwks_file, read_jwks))
    if table.public_key_file is not None:
        return FixedKeys(_read_keys("public_key_file", table.public_key_file, read_pem))
    web = await stack.enter_async_context(_web(table))
    fetch: Callable[[], Awaitable[Fetched]] = (
        partial(discover, web, table.issuer) if table.jwks_url is None else partial(fetch_jwks, web, table.jwks_url)
    )
    keys = FetchedKeys(fetch, ticks)
    stack.push_async_callback(keys.close)
    return keys


def _web(table: OauthTable) -> Web:
    try:
        return Web(table.ca_file)
    except OSError as error:
        raise ConfigurationError(
            [f"ca_file: {table.ca_file}: expected certificates in PEM: {error.strerror}"]
        ) from None


def _read_keys(name: str, path: Path, read: Callable[[bytes], Keys]) -> Keys:
    try:
        return read(_octets(name, path))
    except ValueError as error:
        problem = str(error)
    raise ConfigurationError([f"{name}: {path}: {problem}"])


def _client(table: OauthTable) -> ClientSecret:
    if table.client_secret_file is None:
        raise ConfigurationError(["client_secret_file: expected a file, got none"])
    # A line feed at the end is not part of it.
    secret = _octets("client_secret_file", table.client_secret_file).rstrip(b"\r\n")
    if not (secret and secret.isascii() and secret.decode().isprintable()):
        raise ConfigurationError(
            [f"client_secret_file: {table.client_secret_file}: expected one line of printable ASCII"]
        )
    return ClientSecret(table.client_id, secret.decode(), post=table.client_authentication == "post")


def _octets(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError([f"{name}: {path}: cannot be read: {error.strerror}"]) from None
