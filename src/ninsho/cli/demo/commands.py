"""``ninsho demo``: everything at once on real programs, checked while it is shown, and gone afterwards."""

from contextlib import ExitStack
from pathlib import Path

from ninsho.cli.demo.over_protocol import OverProtocol
from ninsho.cli.demo.over_smtp import OverSmtp, postfix_for_demo
from ninsho.cli.demo.stage import Stage
from ninsho.cli.endings import NO
from ninsho.cli.options import QuietOption
from ninsho.cli.terminal import remark, say
from ninsho.cli.throwaway import PostfixUnavailable
from ninsho.cli.throwaway.child import kept_directory
from ninsho.errors import NinshoError

# What a peer that misbehaves, or is not there any more, leads to.
TROUBLE = (NinshoError, OSError)


def demo(*, quiet: QuietOption = False) -> int:
    """See it work: a throw-away Postfix, real logins, real mail; nothing is left behind.

    Every step is checked: if one does not lead to what it should, the exit status is 1.
    """
    stage = Stage(quiet=quiet)
    with ExitStack() as stack:
        folder = stack.enter_context(kept_directory("demo", variable="NINSHO_DEMO"))
        try:
            scenes = _scenes(stack, folder, stage)
            scenes.play()
        except TROUBLE as error:
            stage.surprises.append(f"{type(error).__name__}: {error}")
    remark(*(f"ninsho: demo: {surprise}" for surprise in stage.surprises))
    if quiet and not stage.surprises:
        say(f"demo: {stage.checks} steps, each as expected")
    return NO if stage.surprises else 0


def _scenes(stack: ExitStack, folder: Path, stage: Stage) -> OverSmtp | OverProtocol:
    """Return the scenes with Postfix; where there is none, those without."""
    try:
        postfix = stack.enter_context(postfix_for_demo())
    except PostfixUnavailable as error:
        remark(f"No Postfix for this: {error}", "A client of the authentication protocol takes its part.")
        return OverProtocol(folder, stage)
    return OverSmtp(postfix, folder, stage)
