"""``ninsho auth test``: one login, and why it ends as it does."""

import asyncio

from ninsho.cli.auth.client import Address
from ninsho.cli.auth.decision import decide
from ninsho.cli.auth.options import LoginOptions
from ninsho.cli.auth.outcome import Outcome
from ninsho.cli.auth.server import ask_server
from ninsho.cli.options import UserArgument
from ninsho.cli.settings import configuration
from ninsho.cli.terminal import remark
from ninsho.daemon.configured import configured
from ninsho.sasl.registry import mechanisms


def try_login(user: UserArgument, /, *, options: LoginOptions = LoginOptions()) -> int:  # noqa: B008 - it is frozen
    """Log in as a mail server would, or ask the stores and tell how they decide."""
    address = options.address
    outcome = _ask_stores(user, options) if address is None else _ask_server(address, user, options)
    return outcome.tell(as_json=options.as_json)


def _ask_server(address: Address, user: str, options: LoginOptions) -> Outcome:
    # The server knows its mechanisms; a file is only read for the client's side of the site's own.
    known = mechanisms() if options.config is None else configured(configuration(options.config))
    return ask_server(
        address,
        lambda offered: options.choose(known, offered),
        lambda mechanism: options.credentials(user, mechanism),
        lambda mechanism: options.parameters(user, mechanism),
        log=remark if options.verbose else lambda _: None,
    )


def _ask_stores(user: str, options: LoginOptions) -> Outcome:
    config = configuration(options.config)
    known = configured(config)
    mechanism = options.choose(known, known)
    credentials, parameters = options.credentials(user, mechanism), options.parameters(user, mechanism)
    return asyncio.run(decide(config, known, mechanism, credentials, parameters))
