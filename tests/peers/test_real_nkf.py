"""Japanese charsets with nkf, the filter that mail in Japan has passed through for decades."""

import subprocess
from collections.abc import Callable

import pytest

from cp50221_characters import DOUBLE_WIDTH, HALF_WIDTH_KANA
from ninsho.mail.charsets.charset import charset

# nkf's default tables name these as JIS does, and not as Microsoft: the same characters to the eye.
JIS_FORMS = {
    "～": "\u301c",
    "∥": "\u2016",
    "－": "\u2212",
    "―": "\u2014",
    "￣": "\u203e",
    "￥": "\u00a5",
    "￠": "\u00a2",
    "￡": "\u00a3",
    "￢": "\u00ac",
    "￤": "\u00a6",
}
# A line for each, and some with kana and kanji in turns.
LINES = [*DOUBLE_WIDTH, *HALF_WIDTH_KANA, "ab漢字ｱｲ①cdｳ㈱", "ｶﾞｷﾞ髙ﾃﾞ", "a～ｱ"]
MODES = pytest.mark.parametrize(
    ("name", "mode", "microsoft"),
    [("iso-2022-jp", "-J", "cp50221"), ("shift_jis", "-S", "cp932"), ("euc-jp", "-E", "cp51932")],
)


@pytest.fixture
def nkf(require: Callable[..., str]) -> Callable[..., bytes]:
    program = require("nkf")

    def run(octets: bytes, *options: str) -> bytes:
        # -m0: no encoded words; -x: half-width kana stay so.
        return subprocess.run([program, "-m0", "-x", *options], input=octets, capture_output=True, check=True).stdout

    return run


@MODES
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_73_nkf_reads_every_character(nkf, name, mode, microsoft, end):
    read = nkf(charset(name).encode(end.join(LINES)), "-w", mode).decode()
    assert read.split(end) == ["".join(JIS_FORMS.get(char, char) for char in line) for line in LINES]


@MODES
def test_73_nkf_reads_every_character_as_microsoft_has_it(nkf, name, mode, microsoft):
    read = nkf(charset(name).encode("\n".join(LINES)), "-w", f"--ic={microsoft}").decode()
    assert read.split("\n") == LINES


@MODES
def test_every_character_that_nkf_writes_is_read(nkf, name, mode, microsoft):
    written = nkf("\n".join(LINES).encode(), "-W", f"--oc={microsoft}")
    assert charset(name).decode(written).split("\n") == LINES


@pytest.mark.parametrize("name", ["iso-2022-jp", "shift_jis", "euc-jp"])
def test_nkf_guesses_what_it_is(nkf, name):
    text = "こんにちは、髙橋です。①メールをご覧ください。\n"
    assert nkf(charset(name).encode(text), "-w").decode() == text
