"""Perl's \\X knows where a character ends for a reader: lines are never broken anywhere else."""

import json
import random
import subprocess

from ninsho.mail.columns import graphemes

AWKWARD = [
    chr(code) for code in (0x61, 0x20, 0x31, 0x7F, 0xAD, 0x301, 0x600, 0x661, 0x903, 0x915, 0x93F, 0x94D, 0xE33)
] + [
    chr(code)
    for code in (0xEB3, 0x1100, 0x1161, 0x11A8, 0x200B, 0x200C, 0x200D, 0x2028, 0x20E3, 0x2764, 0x3042, 0x3099)
]
AWKWARD += [
    chr(code) for code in (0xAC00, 0xAC01, 0xFE0F, 0xFEFF, 0xFF76, 0x110BD, 0x1F1EF, 0x1F1F5, 0x1F3F4, 0x1F3FD, 0x1F468)
]
AWKWARD += [chr(code) for code in (0x845B, 0xE0067, 0xE007F, 0xE0100)]

PERL = r"""
my $json = JSON::PP->new->ascii->allow_nonref;
while (<STDIN>) { my $text = $json->decode($_); print $json->encode([$text =~ /\X/g]), "\n" }
"""


def ends(pieces):
    at = 0
    found = set()
    for piece in pieces:
        at += len(piece)
        found.add(at)
    return found


def test_what_perl_sees_as_one_character_is_never_cut(require):
    chance = random.Random(20260101)
    texts = ["".join(chance.choices(AWKWARD, k=chance.randint(1, 8))) for _ in range(5000)]
    told = "".join(f"{json.dumps(text)}\n" for text in texts)
    run = subprocess.run(
        [require("perl"), "-MJSON::PP", "-e", PERL], input=told, capture_output=True, text=True, check=True
    )
    seen = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(seen) == len(texts)
    for text, pieces in zip(texts, seen, strict=True):
        assert ends(graphemes(text)) <= ends(pieces), ascii(text)
        # A joiner joins whatever is behind it, be it no emoji; else nothing more is one character for us.
        assert "\u200d" in text or list(graphemes(text)) == pieces, ascii(text)
