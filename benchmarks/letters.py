"""The letters that cases o and p send: Japanese, with values in the address, the subject and the text."""

import json
from base64 import b64encode
from pathlib import Path

AUTHOR, SENDER = "通販サイト「山猫軒」", "news@example.test"
SUBJECT = "{name}様へ、山猫軒より今月のお知らせとポイント残高のご案内"
GREETING = """\
{name}様

いつも山猫軒をご利用いただき、誠にありがとうございます。
今月末の時点で、{name}様のポイント残高は {points} ポイントです。
有効期限は来年の三月三十一日ですので、お早めにお使いください。

"""
PARAGRAPH = """さて、当軒は注文の多い料理店ですから、どうかそこはご承知ください。
お客さまがた、ここで髪をきちんとして、それからはきものの泥を落してください。
ことに肥ったお方や若いお方は、大歓迎いたします。詳しくは添付の書類をご覧ください。

"""
# About 1.4 kB of UTF-8.
TEXT = GREETING + PARAGRAPH * 3 + "山猫軒 主人\nhttps://example.test/\n"
FILENAME = "ご案内.pdf"
FILE_SIZE = 10_000


def file() -> bytes:
    """Ten kilobytes that look like a PDF."""
    return (b"%PDF-1.7\n" + bytes(range(256)) * (FILE_SIZE // 256 + 1))[:FILE_SIZE]


def write_letter(path: Path, *, with_file: bool = True) -> None:
    """Write the letter for ``clients/letter.py``."""
    told = {"author": AUTHOR, "sender": SENDER, "subject": SUBJECT, "text": TEXT, "filename": FILENAME}
    path.write_text(json.dumps({**told, "file": b64encode(file()).decode() if with_file else ""}))
