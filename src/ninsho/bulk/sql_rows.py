"""Recipients from a database: the rows of a query, a few hundred in memory at a time."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import ArgumentError, ProgrammingError, SQLAlchemyError

from ninsho.bulk.database import finding, url_of
from ninsho.bulk.recipients import Row
from ninsho.errors import ConfigurationError

PAGE = 500  # rows


def sql_rows(place: str, query: str) -> Iterator[Row]:
    """Give the rows of *query*, whose columns are named by it; raise ``ConfigurationError`` where that cannot be."""
    url = url_of(place)
    try:
        engine = create_engine(url, hide_parameters=True)
    except (ImportError, ArgumentError) as error:
        raise ConfigurationError([f"rows: {error}"]) from None
    try:
        with engine.connect() as connection:
            result = connection.execution_options(yield_per=PAGE).execute(text(query))
            for number, row in enumerate(result.mappings(), 1):
                yield Row(number, dict[str, Any](row))
    except SQLAlchemyError as error:
        raise ConfigurationError([f"rows: {_said(error, url)}"]) from None
    finally:
        engine.dispose()


def _said(error: SQLAlchemyError, url: URL) -> str:
    # A query that is wrong is the caller's own: it is told in full, without the parameters that it has none of.
    return " ".join(str(error.orig).split()) if isinstance(error, ProgrammingError) else finding(error, url)
