"""The options that several commands share."""

from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import Parameter

UserArgument: TypeAlias = Annotated[str, Parameter(help="The user name.")]
ConfigOption: TypeAlias = Annotated[
    Path | None,
    Parameter(help="The configuration file; else $NINSHO_CONFIG, else /etc/ninsho/ninsho.toml."),
]
JsonOption: TypeAlias = Annotated[bool, Parameter(name="--json", help="Write JSON.")]
QuietOption: TypeAlias = Annotated[bool, Parameter(help="Show only how it ended.")]
YesOption: TypeAlias = Annotated[bool, Parameter(help="Do it without asking.")]
PasswordStdinOption: TypeAlias = Annotated[
    bool, Parameter(help="Read the password from the first line of standard input.")
]
ListenOption: TypeAlias = Annotated[
    str | None,
    Parameter(help="The address of the listener to ask, as the configuration has it; else the one that suits best."),
]
