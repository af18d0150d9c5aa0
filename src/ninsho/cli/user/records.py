"""Accounts as ``ninsho user`` shows them: never a secret, only how it is stored."""

import time
from collections.abc import Iterator
from typing import Any

from ninsho.cli.terminal import visible
from ninsho.errors import MalformedSecret
from ninsho.stores import hashing
from ninsho.stores.entries import Record
from ninsho.stores.moments import write_moment
from ninsho.stores.networks import write_networks

HEADINGS = ("NAME", "STATE", "STORED AS", "EXPIRES", "NETWORKS", "NOTE")


def facts(record: Record) -> dict[str, Any]:
    """Return what ``--json`` writes."""
    return {
        "name": record.name,
        "state": state(record),
        "disabled": record.disabled,
        "master": record.master,
        "schemes": [scheme(stored) for stored in record.secrets],
        "expires": None if record.expires is None else write_moment(record.expires),
        "networks": [str(network) for network in record.networks],
        "note": record.note,
        "created": write_moment(round(record.created)),
        "changed": write_moment(round(record.changed)),
    }


def row(record: Record) -> tuple[str, ...]:
    """Return the cells of a table's row."""
    told = facts(record)
    expires, networks = told["expires"] or "-", write_networks(record.networks) or "-"
    return record.name, shown_state(record), stored_as(record), expires, networks, record.note


def lines(record: Record) -> Iterator[str]:
    """Yield the lines that show one account."""
    for name, value in facts(record).items():
        match value:
            case None | [] | "" | bool():
                continue
            case list():
                yield f"{name + ':':10}{', '.join(value)}"
            case _:
                yield f"{name + ':':10}{visible(shown_state(record) if name == 'state' else value)}"


def state(record: Record) -> str:
    """Say whether the account can log in now."""
    if record.disabled:
        return "disabled"
    return "expired" if record.expires is not None and record.expires <= time.time() else "active"


def stored_as(record: Record) -> str:
    """Name the schemes of the stored forms."""
    return ", ".join(map(scheme, record.secrets)) or "nothing"


def shown_state(record: Record) -> str:
    """Say the same for people, and whether the user may act as others."""
    return state(record) + (", master" if record.master else "")


def scheme(stored: str) -> str:
    """Name the scheme of a stored form, which somebody may have written by other means."""
    try:
        return hashing.scheme_of(stored)
    except MalformedSecret:
        return "a form that is broken"
