"""Why a login is denied, with what the administrator may know and the end user must not."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from ninsho.cli.auth.witness import Found
from ninsho.cli.user.suitability import hindrance
from ninsho.daemon.config import Config
from ninsho.daemon.growing import forms_of
from ninsho.daemon.offer import Means, obstacle, shortcoming
from ninsho.sasl.dialogue import Denial
from ninsho.sasl.mechanism import Mechanism
from ninsho.stores.accounts import Request
from ninsho.stores.networks import write_networks

REASONS: Mapping[Denial, str] = {
    Denial.MALFORMED: "the message is not one of this mechanism's",
    Denial.MISMATCH: "wrong password",
    Denial.UNKNOWN: "no store knows the user",
    Denial.NO_SECRET: "the account has no stored form that this mechanism can use",
    Denial.TOKEN: "the token is not good here",
    Denial.BINDING: "the client sees another channel than the server",
    Denial.DISABLED: "the account is disabled",
    Denial.EXPIRED: "the account has expired",
    Denial.NETWORK: "the account may not log in from there",
    Denial.AUTHORIZATION: "the user may not act as somebody else",
    Denial.ABORTED: "the login was taken back",
    Denial.UNAVAILABLE: "a store cannot tell",
    Denial.ERROR: "an error, which is not the user's",
}


def reason(  # noqa: PLR0913 - all that is known of the login
    cause: Denial, detail: str, found: Sequence[Found], *, request: Request, mechanism: Mechanism, config: Config
) -> str:
    """Say why; *found* are the user's account, and that of whom to act as."""
    account, grows = found[0] if found else (None, False)
    match cause:
        case Denial.EXPIRED if account is not None and account.expires is not None:
            return f"the account expired on {datetime.fromtimestamp(account.expires, UTC):%Y-%m-%d %H:%M} UTC"
        case Denial.NETWORK if account is not None:
            place = request.remote_ip or "an unknown address (see --remote-ip)"
            return f"the account may log in from {write_networks(account.networks)}, not from {place}"
        case Denial.AUTHORIZATION:
            return f"{REASONS[cause]}: {_unauthorized(found, config)}"
        case Denial.NO_SECRET | Denial.ERROR if account is not None:
            hindered = hindrance(mechanism, account.secrets, forms_of(config), grows=grows)
            return hindered or _with(detail, REASONS[cause])
        case _:
            return _with(detail, REASONS[cause])


def _with(detail: str, words: str) -> str:
    return f"{words}: {detail}" if detail else words


def _unauthorized(found: Sequence[Found], config: Config) -> str:
    if not config.accounts.masters:
        return "accounts.masters is false"
    if not (found and found[0].account.master):
        return "the account is no master, see `ninsho user master`"
    if len(found) == 1:
        return "no store knows whom to act as"
    return "whom to act as could not log in"


def unoffered(config: Config, mechanism: Mechanism, means: Means) -> str:
    """Why no listener offers *mechanism*; empty if one does."""
    named = [listen.mechanisms for listen in config.listen]
    if any(names is not None and mechanism.name in map(str.upper, names) for names in named):
        return ""
    if None in named and mechanism.default and not shortcoming(mechanism, means):
        return ""
    why = obstacle(mechanism, means) or shortcoming(mechanism, means) or "no mechanisms = [...] names it"
    return f"no listener offers {mechanism.name}: {why}"
