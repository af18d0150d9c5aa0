"""``ninsho user list --mechanisms``: by what the accounts can log in."""

from collections.abc import Sequence

from ninsho.cli.terminal import say, say_json, say_table
from ninsho.cli.user import records
from ninsho.cli.user.suitability import Usable, of_accounts, summary
from ninsho.daemon.config import Config
from ninsho.daemon.growing import forms_of
from ninsho.sasl.registry import mechanisms
from ninsho.stores.entries import Record

HEADINGS = ("NAME", "STATE", "STORED AS", "MECHANISMS")


def tell(found: Sequence[Record], config: Config, *, as_json: bool) -> None:
    """Say it of each account, and of each mechanism how many can use it."""
    known, wanted = of_accounts(mechanisms(), config), forms_of(config)
    usable = Usable(known, wanted)
    usable_by = [usable.by(record.secrets) for record in found]
    if as_json:
        say_json(
            [
                {**records.facts(record), "mechanisms": list(names)}
                for record, names in zip(found, usable_by, strict=True)
            ]
        )
        return
    rows = [
        (record.name, records.shown_state(record), records.stored_as(record), " ".join(names) or "none")
        for record, names in zip(found, usable_by, strict=True)
    ]
    say_table(HEADINGS, rows)
    say(*summary(found, usable_by, known))
