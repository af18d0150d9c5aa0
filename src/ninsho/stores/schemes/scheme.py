"""What a password scheme is: how it verifies a stored form, and makes one."""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import ClassVar, TypeAlias

from ninsho.errors import MalformedSecret
from ninsho.sasl.secrets import CramKey, DigestKey, Password, ScramKeys

Secret: TypeAlias = Password | CramKey | ScramKeys | DigestKey


class Encoding(Enum):
    """How the octets of a form are written; the value is the suffix of ``{SCHEME.suffix}``."""

    TEXT = ""
    BASE64 = "b64"
    HEX = "hex"


@dataclass(frozen=True, slots=True)
class Scheme(ABC):
    """One ``{SCHEME}``. A form is what stands behind the brace, decoded; forms and passwords are octets.

    Passwords hold no NUL and are not empty. ``verify``, ``check``, ``outdated`` and ``secret`` raise
    ``MalformedSecret`` for a form that is broken, or so dear that it would keep a thread for seconds. *weak* schemes
    are accepted only where the configuration permits them.
    """

    name: str
    weak: bool = field(default=False, kw_only=True)

    # For help texts; fields stand in braces.
    description: ClassVar[str]
    encoding: ClassVar[Encoding] = Encoding.TEXT
    # Whether verifying is over sooner than handing it to another thread would be.
    cheap: ClassVar[bool] = False
    # Whether the user's name is part of what is hashed.
    named: ClassVar[bool] = False

    @property
    def about(self) -> str:
        """What it is and what it costs, for help texts."""
        return self.description.format_map(asdict(self))

    @property
    def size(self) -> int | None:
        """The octets of a form, where all have the same: then it may be written in base64 or hex alike."""
        return None

    @property
    def secrets(self) -> tuple[type[Secret], ...]:
        """What challenge-response mechanisms can get out of a form."""
        return ()

    def phrases(self, password: bytes, username: str) -> tuple[bytes, ...]:  # noqa: ARG002 - few hash the name as well
        """Return what may have been hashed, what ``make`` hashes first."""
        return (password,)

    @abstractmethod
    def verify(self, form: bytes, password: bytes) -> bool:
        """Tell whether *form* was made from *password*, comparing in constant time."""

    @abstractmethod
    def make(self, password: bytes) -> bytes:
        """Return a new form; raise ``ValueError`` for a password that the scheme would cut or refuse."""

    def check(self, form: bytes) -> None:
        """Raise ``MalformedSecret`` where that takes no hash to tell."""
        self.outdated(form)

    def admit(self, form: bytes) -> None:
        """Raise ``MalformedSecret`` for a form that ought not to be stored anew, which ``check`` may let pass."""
        self.check(form)

    def cuts(self, form: bytes, password: bytes) -> bool:  # noqa: ARG002 - few look at a part
        """Tell whether *form*, which matches *password*, matches longer or other passwords as well."""
        return False

    def outdated(self, form: bytes) -> bool:  # noqa: ARG002 - a scheme without costs has nothing to look at
        """Tell whether *form* was made at less cost than ``make`` takes now."""
        return False

    def secret(self, form: bytes) -> Secret | None:  # noqa: ARG002 - a hash gives nothing back
        """Return what a challenge-response mechanism can use."""
        return None

    def malformed(self, finding: str) -> MalformedSecret:
        """Return the error to raise; *finding* must not quote the form."""
        return MalformedSecret(f"{{{self.name}}}: {finding}")
