"""The tests that docs/testing.md shows pass where pytest knows the plugin."""

import re
from importlib.metadata import entry_points
from pathlib import Path

pytest_plugins = "pytester"

DOCUMENT = Path(__file__).parents[2] / "docs" / "testing.md"
PLUGIN = [] if entry_points(group="pytest11", name="ninsho") else ["-p", "ninsho.testing.plugin"]


def test_the_tests_that_are_shown_pass(pytester):
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    shown = sum(block.count("\ndef test_") for block in blocks)
    pytester.makepyfile("\n".join(blocks))
    result = pytester.runpytest_subprocess(*PLUGIN, "-p", "no:cacheprovider", "-W", "error", "--strict-markers")
    assert shown == 3
    result.assert_outcomes(passed=shown)
