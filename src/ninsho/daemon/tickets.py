"""GSSAPI as a configuration wants it: with the service's keys, which have to be there where it is offered."""

from ninsho.daemon.config import Config
from ninsho.errors import ConfigurationError
from ninsho.sasl.gssapi import GSSAPI, with_keys
from ninsho.sasl.kerberos import ServiceKeys
from ninsho.sasl.mechanism import Mechanism


def configured_gssapi(config: Config) -> Mechanism:
    """Return the mechanism; raise ``ConfigurationError`` where a listener names it and there are no keys for it."""
    table = config.gssapi
    keys = ServiceKeys(str(table.keytab or ""), table.service, table.host or "")
    if any(GSSAPI.name in map(str.upper, listen.mechanisms or ()) for listen in config.listen):
        _check(keys, config.source)
    return with_keys(keys, table.realms)


def _check(keys: ServiceKeys, source: str) -> None:
    try:
        keys.check()
    except ConfigurationError as error:
        raise ConfigurationError(f"{source}: gssapi: {problem}" for problem in error.problems) from None
