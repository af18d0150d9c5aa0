"""Mail to many, each recipient once: a ledger of what became of each, and runs that go on where the last one ended."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ninsho.bulk.bulk import Bulk
    from ninsho.bulk.ledger import Ledger
    from ninsho.bulk.states import State

__all__ = ["Bulk", "Ledger", "State"]

_PLACES = {"Bulk": "bulk", "Ledger": "ledger", "State": "states"}


def __getattr__(name: str) -> object:
    # Loaded when asked for: the states need no SQLAlchemy.
    if name not in _PLACES:
        raise AttributeError(f"module 'ninsho.bulk' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    try:
        return getattr(import_module(f"ninsho.bulk.{_PLACES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name != "sqlalchemy":
            raise
        raise ModuleNotFoundError(
            "a ledger needs the package sqlalchemy: pip install 'ninsho[bulk]'", name=error.name
        ) from None
