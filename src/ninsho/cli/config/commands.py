"""``ninsho config check`` and ``ninsho config show``."""

import asyncio

from ninsho.cli.config.effective import settings_in, toml_lines
from ninsho.cli.config.survey import survey
from ninsho.cli.options import ConfigOption, JsonOption
from ninsho.cli.settings import configuration
from ninsho.cli.terminal import say, say_json


def check(*, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Find everything that cannot work, or say what would be served."""
    found = asyncio.run(survey(configuration(config)))
    if as_json:
        say_json(found.facts())
    else:
        say(*found.sentences())


def show(*, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show the settings in force, secrets masked."""
    settings = settings_in(configuration(config))
    if as_json:
        say_json(settings)
    else:
        say(*toml_lines(settings))
