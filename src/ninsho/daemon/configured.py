"""The mechanisms as a configuration wants them: ours with its settings, and those of its files."""

from collections.abc import Iterator

from ninsho.daemon.config import Config
from ninsho.daemon.offer import mechanisms_in
from ninsho.daemon.tickets import configured_gssapi
from ninsho.errors import ConfigurationError
from ninsho.sasl.anonymous import with_user
from ninsho.sasl.digest_md5 import with_realms
from ninsho.sasl.mechanism import Mechanism
from ninsho.sasl.registry import mechanisms


def configured(config: Config) -> dict[str, Mechanism]:
    """Return all mechanisms by name; raise ``ConfigurationError`` for settings or files that make none."""
    own = [one for path in config.mechanism_files for one in mechanisms_in(path)]
    return mechanisms(_with_settings(config), own)


def _with_settings(config: Config) -> Iterator[Mechanism]:
    try:
        yield with_realms(config.digest_md5.realms)
    except ValueError as error:
        raise ConfigurationError([f"{config.source}: digest-md5.realms: {error}"]) from None
    yield configured_gssapi(config)
    yield with_user(config.anonymous.user)
