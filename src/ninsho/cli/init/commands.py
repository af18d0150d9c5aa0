"""``ninsho init``."""

import asyncio
import os
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ninsho.cli.endings import CommandError, WrongUsage
from ninsho.cli.init.first_configuration import text
from ninsho.cli.init.mail_servers import sockets_for
from ninsho.cli.recipes import name_of
from ninsho.cli.settings import configuration
from ninsho.cli.terminal import say
from ninsho.cli.user.database import database_of
from ninsho.daemon.config import DEFAULT_PATH, Config
from ninsho.stores.database import DatabaseStore
from ninsho.stores.database_url import sqlite_path
from ninsho.stores.schema import prepare


def init(
    *,
    config: Annotated[Path | None, Parameter(help=f"Where to write the configuration; else {DEFAULT_PATH}.")] = None,
    database: Annotated[
        str | None,
        Parameter(help="The accounts database: a file, or a URL of SQLAlchemy; else /var/lib/ninsho/accounts.db."),
    ] = None,
) -> None:
    """Write a first configuration and make the database of accounts; nothing that exists is overwritten."""
    path = config or DEFAULT_PATH
    if not path.exists():
        store = DatabaseStore() if database is None else DatabaseStore(url_of(database))
        # Before the configuration, which would speak of a database that could not be made.
        make_database(store)
        sockets = sockets_for(path.absolute().parent)
        write_new(path, text(sockets, store.url))
        make_folders([socket.path.parent for socket in sockets])
        say(f"{path}: written")
    elif database is not None:
        raise WrongUsage(f"{path}: is there already and stays as it is: expected no --database")
    else:
        say(f"{path}: is there already, and stays as it is")
        make_database(database_of(configuration(path)))
    loaded = configuration(path)
    say(f"{name_of(database_of(loaded))}: ready", "", "Next:", *(f"  {line}" for line in next_commands(loaded, config)))


def make_database(store: DatabaseStore) -> None:
    """Make the database, or bring it up to date."""
    if (file := sqlite_path(store.url)) is not None:
        make_folders([file.parent], mode=0o750)
    asyncio.run(prepare(store.url, password_file=store.password_file))


def make_folders(paths: Iterable[Path], *, mode: int = 0o755) -> None:
    """Make folders that are not there."""
    for path in paths:
        try:
            path.mkdir(mode=mode, parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(f"{path}: cannot be made: {error.strerror}") from None


def url_of(database: str) -> str:
    """Return the URL of a database that may be given as a file."""
    return database if "://" in database else f"sqlite:///{Path(database).absolute()}"


def write_new(path: Path, contents: str) -> None:
    """Write a file that its owner may change and its group may read, with the folders above it."""
    make_folders([path.parent])
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), "w") as opened:
            opened.write(contents)
    except OSError as error:
        raise CommandError(f"{path}: cannot be written: {error.strerror}") from None


def next_commands(config: Config, path: Path | None) -> Iterator[str]:
    """Yield what to do next, as it may be typed."""
    option = "" if path is None else f" --config {shlex.quote(str(path))}"
    addresses = [listen.address for listen in config.listen]
    yield f"ninsho user add alice@example.org{option}"
    yield f"ninsho auth test alice@example.org{option}"
    # First the server: a Postfix that finds nobody at its socket turns its clients away.
    yield f"ninsho serve{option} &"
    if any("postfix" in address for address in addresses):
        yield f"ninsho postfix setup{option}"
    if any("exim" in address for address in addresses):
        yield f"ninsho exim print{option}"
