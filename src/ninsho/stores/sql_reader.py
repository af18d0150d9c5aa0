"""Reading the accounts database on a server, through SQLAlchemy."""

from collections.abc import Collection, Mapping
from time import time
from typing import Any

from sqlalchemy import Double, Executable, Integer, bindparam, distinct, exists, func, inspect, or_, select, text
from sqlalchemy.exc import DBAPIError

from ninsho.stores.accounts import Account
from ninsho.stores.census import Holder
from ninsho.stores.engines import Database
from ninsho.stores.names import key_of
from ninsho.stores.rows import account_of
from ninsho.stores.schema import FOUND_REVISION, check_revision
from ninsho.stores.tables import ACCOUNT_BY_KEY, accounts, secrets

SCHEMES = select(
    secrets.c.scheme,
    func.count(distinct(secrets.c.account_id)).label("accounts"),
).group_by(secrets.c.scheme)
LACKING = (
    select(func.count())
    .select_from(accounts)
    .where(
        ~accounts.c.disabled,
        or_(accounts.c.expires_at.is_(None), accounts.c.expires_at > bindparam("now", type_=Double)),
        ~exists().where(
            secrets.c.account_id == accounts.c.id, secrets.c.scheme.in_(bindparam("schemes", expanding=True))
        ),
    )
)
HOLDERS = (
    select(accounts.c.name, secrets.c.stored)
    .select_from(accounts.join(secrets))
    .where(secrets.c.scheme == bindparam("scheme"), accounts.c.id % bindparam("every", type_=Integer) == 0)
    .order_by(accounts.c.name_key)
    .limit(bindparam("limit"))
)


class SqlReader:
    """A store that asks the server at each login."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def check(self) -> None:
        """Raise ``ConfigurationError`` unless the tables are the expected ones."""
        with self._database.guarded():
            async with self._database.engine.connect() as connection:
                made = await connection.run_sync(lambda sync: inspect(sync).has_table("alembic_version"))
                found = await connection.scalar(text(FOUND_REVISION)) if made else None
        check_revision(found, self._database.place)

    async def find(self, username: str) -> Account | None:
        """Return the account of *username*, None if there is none; raise ``StoreUnavailable``."""
        key = key_of(username)
        return account_of(await self._rows(ACCOUNT_BY_KEY, {"key": key}), key)

    async def schemes(self) -> Mapping[str, int]:
        """How many accounts hold which scheme."""
        return dict(await self._rows(SCHEMES, {}))

    async def lacking(self, schemes: Collection[str]) -> int:
        """How many accounts that may log in now hold none of these *schemes*."""
        return int((await self._rows(LACKING, {"schemes": [*schemes], "now": time()}))[0][0])

    async def holders(self, scheme: str, limit: int, every: int = 1) -> list[Holder]:
        """Accounts that hold *scheme*, at most *limit*: the first ones, or only about one of *every* so many."""
        parameters = {"scheme": scheme, "limit": limit, "every": every}
        return [Holder(*row) for row in await self._rows(HOLDERS, parameters)]

    async def replace_secrets(self, name: str, old: tuple[str, ...], new: tuple[str | None, ...]) -> bool:
        """Do as ``growth.SecretWriter`` says."""
        from ninsho.stores import sql_writer  # noqa: PLC0415 - for sites whose accounts grow

        return await sql_writer.replace_secrets(self._database, name, old, new)

    async def _rows(self, question: Executable, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - of any columns
        with self._database.guarded():
            try:
                return await self._ask(question, parameters)
            except DBAPIError as error:
                # The server was started anew, or has closed what was idle too long; the pool then forgets all of them.
                if not error.connection_invalidated:
                    raise
            return await self._ask(question, parameters)

    async def _ask(self, question: Executable, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - of any columns
        async with self._database.engine.connect() as connection:
            return (await connection.execute(question, parameters)).all()
