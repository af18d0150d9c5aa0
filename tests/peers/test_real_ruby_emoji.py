"""The carriers' emoji as Ruby has them, whose tables were made by other people, and as the Unicode Consortium has them."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ninsho.mail.decoration.carriers import Carrier
from ninsho.mail.emoji.areas import shift_jis_codes
from ninsho.mail.emoji.octets import decode, encode
from ninsho.mail.emoji.table import COLUMNS, into_unicode

NAMES = {Carrier.DOCOMO: "DoCoMo", Carrier.AU: "KDDI", Carrier.SOFTBANK: "SoftBank"}
SOURCES = Path("/usr/share/unicode/EmojiSources.txt")

# Octets in hexadecimal, line by line, from one encoding to another.
CONVERT = """
STDIN.each_line do |line|
  octets = [line.strip].pack("H*").force_encoding(ARGV[0])
  begin
    puts octets.encode(ARGV[1]).unpack1("H*")
  rescue EncodingError => error
    puts "! #{error.message}"
  end
end
"""

Convert = Callable[[list[bytes], str, str], list[str]]


@pytest.fixture
def convert(require: Callable[..., str]) -> Convert:
    """What has Ruby convert octets, in hexadecimal."""
    ruby = require("ruby")

    def converted(texts: list[bytes], source: str, target: str) -> list[str]:
        lines = "".join(f"{octets.hex()}\n" for octets in texts)
        command = [ruby, "-e", CONVERT, source, target]
        done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True, timeout=60)
        return done.stdout.splitlines()

    return converted


@pytest.mark.parametrize("carrier", COLUMNS)
def test_ruby_has_the_same_shift_jis_codes(convert: Convert, carrier: Carrier) -> None:
    codes = shift_jis_codes(carrier)
    shown = convert(list(codes.values()), f"SJIS-{NAMES[carrier]}", f"UTF8-{NAMES[carrier]}")
    assert shown == [character.encode().hex() for character in codes]


@pytest.mark.parametrize("carrier", COLUMNS)
def test_ruby_reads_what_we_write_in_shift_jis(convert: Convert, carrier: Carrier) -> None:
    texts = [f"山{character}、{character}a" for character in shift_jis_codes(carrier)]
    shown = convert([encode(text, carrier) for text in texts], f"SJIS-{NAMES[carrier]}", f"UTF8-{NAMES[carrier]}")
    assert shown == [text.encode().hex() for text in texts]


def test_ruby_reads_what_we_write_for_au_in_iso_2022_jp_and_writes_what_we_read(convert: Convert) -> None:
    texts = [f"山{character}、{character}a" for character in shift_jis_codes(Carrier.AU)]
    octets = [encode(text, Carrier.AU, "iso-2022-jp") for text in texts]
    shown = convert(octets, "ISO-2022-JP-KDDI", "UTF8-KDDI")
    assert shown == [text.encode().hex() for text in texts]
    written = convert([text.encode() for text in texts], "UTF8-KDDI", "ISO-2022-JP-KDDI")
    assert [decode(bytes.fromhex(line), Carrier.AU, "iso-2022-jp") for line in written] == texts


def test_the_unicode_consortium_has_the_same_equivalents(require: Callable[..., str]) -> None:
    if not SOURCES.exists():
        require(SOURCES)
    lines = [line.split(";") for line in SOURCES.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    for place, carrier in enumerate(COLUMNS, 1):
        equivalents = {
            decode(bytes.fromhex(fields[place]), carrier): "".join(chr(int(one, 16)) for one in fields[0].split())
            for fields in lines
            if fields[place]
        }
        assert into_unicode(carrier) == equivalents
