"""What type checkers and editors know of a client's keywords: all of them, and nothing else."""

import pytest
from mypy import api

from ninsho.client.keywords import WORDS
from ninsho.client.told import Told

RIGHT = """\
import os
from pathlib import Path
from ninsho import AsyncClient, Client
from ninsho.client.settings import Settings, Rate, TLSMode

Client()
Client("smtp://h", connections=2, username=os.environ.get("U"), password=lambda: "x", ca=Path("x"), tls=True)
Client("smtp://h", without={"RSET"}, rate="14/s", deadline="5m", timeout=3, connections=os.environ["N"])
Client(Settings.of("smtp://h", environ={}, tls="starttls"))
AsyncClient(host="h", port=587, tls=TLSMode.NONE, rate=Rate(1, 2), source_address=("127.0.0.1", 0), exclude=["PLAIN"])
"""
WRONG = """\
from ninsho import AsyncClient, Client
from ninsho.client.settings import Settings

Client("smtp://h", conections=2)
Client("h", 587)
AsyncClient("smtp://h", connections=[2])
AsyncClient(password=b"secret")
Settings.of("smtp://h", tls="yess")
"""


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("types")
    names = [folder / "right.py", folder / "wrong.py"]
    for name, text in zip(names, (RIGHT, WRONG), strict=True):
        name.write_text(text)
    # Some 3 s; without a configuration, as it is for who has ninsho installed.
    said, complaints, _ = api.run(["--strict", "--config-file=", f"--cache-dir={folder}", *map(str, names)])
    assert not complaints
    return [line for line in said.splitlines() if ": error: " in line]


def test_each_keyword_has_its_type_and_there_are_no_others():
    assert set(Told.__annotations__) == set(WORDS)
    assert not Told.__required_keys__


def test_what_is_right_passes(checked):
    assert [line for line in checked if "right.py" in line] == []


def test_what_is_wrong_is_found(checked):
    lines = [line.partition("wrong.py:")[2].partition(":")[0] for line in checked if "wrong.py" in line]
    assert lines == ["4", "5", "6", "7", "8"]
    assert any('did you mean "connections"?' in line for line in checked)
