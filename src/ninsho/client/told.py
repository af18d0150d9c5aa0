"""What the values of a client's keywords may be, for type checkers and editors; each may be None, which says nothing.

Where a text may stand for a number, a time or a switch, it is what a URL or an environment variable would say.
"""

from collections.abc import Iterable
from os import PathLike
from ssl import SSLContext
from typing import Literal, TypeAlias, TypedDict

from ninsho.client.settings import PopSettings, Protocol, Rate, Retry, Secret, Timeouts, TLSMode
from ninsho.mail.options import Dotted
from ninsho.sasl.mechanism import Mechanism

Text: TypeAlias = str | None
Hidden: TypeAlias = Secret | None
Switch: TypeAlias = bool | str | None
Count: TypeAlias = int | str | None
Seconds: TypeAlias = float | str | None
"""A number, or a text with a unit, such as ``5m``."""
Path: TypeAlias = str | PathLike[str] | None
Names: TypeAlias = str | Iterable[str] | None
"""Texts, or one with commas between."""
TLS: TypeAlias = TLSMode | Literal["required", "implicit", "starttls", "opportunistic", "none"] | bool | None


class Told(TypedDict, total=False):
    """The keywords of ``Client``, ``AsyncClient`` and ``Settings.of``."""

    # Where the server is; several hosts with commas between.
    host: Text
    port: Count
    # A unix socket's.
    path: Path
    protocol: Protocol | None
    # Whom to log in as.
    username: Text
    password: Hidden
    password_from: Literal["keyring", "netrc"] | None
    password_command: Text
    token: Hidden
    token_command: Text
    authzid: Text
    # A mechanism, or a level such as "mutual".
    auth: Text
    minimum: Text
    exclude: Names
    require_binding: Switch
    fall_through: Switch
    allow_cleartext: Switch
    iterations: str | tuple[int, int] | None
    mechanisms: Iterable[Mechanism] | None
    # TLS, and whom to believe.
    tls: TLS
    context: SSLContext | None
    ca: Path
    certificate: Path
    key: Path
    key_password: Hidden
    server_name: Text
    fingerprint: Text
    verify: Switch
    minimum_version: Literal["1.2", "1.3"] | None
    # How long, how many, how often.
    timeout: Seconds
    timeouts: Timeouts | None
    # For one whole message.
    deadline: Seconds
    connections: Count
    messages_per_connection: Count
    lifetime: Seconds
    idle: Seconds
    in_flight: Count
    # Such as "14/s", "100/min" or "2000/hour".
    rate: Rate | str | None
    attempts: Count
    retry: Retry | None
    # The talk itself.
    without: Names
    ehlo_name: Text
    proxy: Text
    source_address: str | tuple[str, int] | None
    # a..b@docomo.ne.jp as it is, or with quotes.
    dotted: Dotted | None
    # A host, or a URL.
    pop: PopSettings | str | None
