"""The options that the commands of ``ninsho ledger`` share."""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from cyclopts import Parameter

from ninsho.bulk.states import State

LedgerArgument: TypeAlias = Annotated[str, Parameter(help="The ledger: a file, or a database URL.")]
MailingOption: TypeAlias = Annotated[
    str | None, Parameter(help="The name of a mailing; not needed where the ledger has only one.")
]


@Parameter(name="*")
@dataclass(frozen=True)
class StateOptions:
    """Which recipients."""

    deferred: bool = False
    """Those who were refused for the time being."""
    refused: bool = False
    """Those who were refused for good."""
    bounced: bool = False
    """Those whose mail came back."""
    unknown: bool = False
    """Those whose mail was on its way when the connection or the run broke: they may have it."""
    invalid: bool = False
    """Rows from which no message could be made."""

    @property
    def states(self) -> list[State]:
        """The states that are asked for."""
        return [State(name) for name in self.__dataclass_fields__ if getattr(self, name)]
