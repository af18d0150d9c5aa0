"""``ninsho probe``: a look at a mail server, and what is wrong with it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

from cyclopts import Parameter

from ninsho.cli.endings import EX_UNAVAILABLE, NO, WrongUsage
from ninsho.cli.probe.logins import attempts
from ninsho.cli.probe.look import ask_for_old, look, sneak_in
from ninsho.cli.probe.mechanisms import standings
from ninsho.cli.probe.options import ProbeOptions, servers
from ninsho.cli.probe.report import Report
from ninsho.cli.send.chat import chat
from ninsho.cli.send.hiding import hide
from ninsho.cli.send.server import ServerOptions
from ninsho.cli.terminal import say, say_json
from ninsho.client.settings import Settings
from ninsho.client.transcript import Watch


def probe(
    target: Annotated[str | None, Parameter(help="HOST, HOST:PORT or a URL; else $SMTP_URL and so on.")] = None,
    /,
    *,
    probing: ProbeOptions = ProbeOptions(),  # noqa: B008 - it is frozen
    server: ServerOptions = ServerOptions(),  # noqa: B008
) -> int:
    """Look at a mail server: what it offers, and what is wrong with it."""
    hide(target)
    known = servers(target, server)
    if probing.try_mechanisms and known[0].login is None:
        raise WrongUsage("--try-mechanisms: expected a user name and a password or token, got none")
    watch = chat() if probing.transcript else None
    # Ports that are closed take their time; a talk to be read goes by itself.
    with ThreadPoolExecutor(1 if watch else len(known)) as pool:
        reports = list(pool.map(lambda settings: _report(settings, probing, watch), known))
    if probing.try_mechanisms:
        _log_in(known, reports, probing, watch)
    _tell(reports, as_json=probing.as_json)
    if not any(report.look.reached for report in reports):
        return EX_UNAVAILABLE
    return 0 if all(report.good or not report.look.reached for report in reports) else NO


def _report(settings: Settings, probing: ProbeOptions, watch: Watch | None) -> Report:
    found = look(settings, watch)
    if found.secured and found.secured.version >= "TLSv1.2":
        ask_for_old(settings, found)
    if probing.sneak and found.before and "STARTTLS" in found.before.capabilities:
        sneak_in(settings, found, watch)
    return Report.of(found, standings(settings, found))


def _log_in(known: list[Settings], reports: list[Report], probing: ProbeOptions, watch: Watch | None) -> None:
    """Log in where that can be done first: a wrong password need not be refused on every port."""
    for settings, report in zip(known, reports, strict=True):
        if report.standings:
            tries = attempts(settings, report.look, report.standings, watch, anyway=probing.log_in_anyway)
            report.attempts.extend(tries)
            return


def _tell(reports: list[Report], *, as_json: bool) -> None:
    if as_json:
        say_json([report.facts() for report in reports])
        return
    for number, report in enumerate(reports):
        say(*([""] if number else []), *report.lines())
