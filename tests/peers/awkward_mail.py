"""Mail that has gone wrong somewhere: what it is told to say, and what every reader should make of it."""

from dataclasses import dataclass
from email.message import EmailMessage

from reader import Seen, digest

from ninsho import Attachment, compose
from ninsho.mail.composing.words import Charsets

# How a message is written: what ``compose`` is told, and the charsets of its header, its texts and its file names.
CHARSETS = {
    "utf-8": Charsets(),
    "iso-2022-jp": Charsets("iso-2022-jp", "iso-2022-jp", "iso-2022-jp"),
    "shift_jis": Charsets("shift_jis", "shift_jis", "shift_jis"),
    "euc-jp": Charsets("euc-jp", "euc-jp", "euc-jp"),
    "header iso-2022-jp": Charsets("iso-2022-jp", "utf-8", "utf-8"),
}

TARO = ("山田太郎", "taro@example.jp")
HANAKO = ("鈴木花子", "hanako@example.jp")


@dataclass(frozen=True)
class Mail:
    """What a message says, in plain data."""

    subject: str = "お知らせ"
    from_: tuple[str, str] = TARO
    to: tuple[tuple[str, str], ...] = (HANAKO,)
    text: str | None = "本文です。\n"
    html: str | None = None
    files: tuple[tuple[str, bytes], ...] = ()
    # Within the HTML, by their Content-IDs.
    images: tuple[tuple[str, bytes, str], ...] = ()
    references: tuple[str, ...] = ()

    def composed(self, charset: str) -> EmailMessage:
        """Have it composed."""
        shown = [Attachment(filename=name, data=data, content_id=cid) for name, data, cid in self.images]
        return compose(
            from_=[self.from_],
            to=self.to,
            subject=self.subject,
            text=self.text,
            html=self.html,
            attach=[*shown, *(Attachment(filename=name, data=data) for name, data in self.files)],
            references=self.references,
            charset=CHARSETS[charset],
            unencodable="utf-8",
            kana="keep",
            text_from_html=False,
        )

    def expected(self) -> Seen:
        """What it should be read as."""
        files = [*((name, data) for name, data, _ in self.images), *self.files]
        return Seen(
            subject=self.subject,
            from_name=self.from_[0],
            to_names=tuple(name for name, _ in self.to),
            text=self.text or "",
            html=self.html or "",
            files=tuple((name, digest(data)) for name, data in files),
            names=tuple(name for name, _ in files),
        )


FAMILY = "👨‍👩‍👧‍👦"
VOICED = "か\u3099き\u3099ハ\u309aヒ\u309a"
PDF = b"%PDF-1.7\r\n" + bytes(range(256)) * 8
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def with_subject(subject: str) -> Mail:
    return Mail(subject=subject)


def with_text(text: str) -> Mail:
    return Mail(text=text)


def with_file(name: str, data: bytes = PDF) -> Mail:
    return Mail(files=((name, data),))


def with_name(name: str) -> Mail:
    return Mail(from_=(name, "sender@example.jp"), to=((name, "recipient@example.jp"), HANAKO))


MAIL = {
    # Subjects
    "a long subject": with_subject("お知らせ：" + "吾輩は猫である。名前はまだ無い。" * 20),
    "a subject of one long word": with_subject("x" * 200),
    "a long subject of short words": with_subject("the quick brown fox jumps over the lazy dog " * 8 + "."),
    "mixed scripts": with_subject("Re: 請求書 No.12 （Ünïcödé, Ελληνικά, кириллица, 한국어, 简体）の件 / urgent"),
    "one kanji between words": with_subject("Re: the 本 of all books, and " * 5 + "the end"),
    "right to left": Mail(subject="שלום עולם مرحبا بالعالم", text="שלום\nمرحبا abc مرحبا\n"),
    "emoji": Mail(subject=" ".join([f"{FAMILY}{FAMILY} 👍🏽 🇯🇵🏴‍☠️"] * 6), text=f"{FAMILY}\n👍🏽🇯🇵\n"),
    "combining kana": Mail(subject=f"{VOICED}と{VOICED}" * 10, text=f"{VOICED}\n"),
    "half-width kana": Mail(subject="ｶﾞｷﾞｸﾞ ﾊﾟﾋﾟﾌﾟ" * 6, text="ｶﾞｷﾞ ABC ﾊﾟﾋﾟ\n", from_=("ﾔﾏﾀﾞ ﾀﾛｳ", "a@example.jp")),
    "vendors' characters": Mail(subject="①②㈱髙﨑～－∥￠￡￢―№㍻纊", text="①②㈱髙﨑\n～－∥￠￡￢―\n"),
    "what looks encoded": with_subject("=?utf-8?B?SGVsbG8=?= is no greeting"),
    "question marks and underscores": with_subject("本当に？ =? _a_b_ ?= 100% =20"),
    "spaces inside": with_subject("件名  に   空白    が あ る"),
    "spaces around": with_subject("  件名  "),
    "an empty subject": with_subject(""),
    "kanji with a backslash's octet": Mail(
        subject="表示ソ能貼十構予申", text="表示\\ソ能~貼十\n", from_=("表 ソ", "a@example.jp")
    ),
    # Texts
    "a line of 2,000 letters": with_text("x" * 2000 + "\n"),
    "a line of 2,000 kanji": with_text("漢字" * 1000 + "\n"),
    "a long line of both": with_text("abc漢字" * 400 + "\nend\n"),
    "trailing spaces": with_text("two  \ntab\t\n全角　\n \n-- \nsignature\n"),
    "leading spaces": with_text("  two\n\ttab\n　全角\n"),
    "dots": with_text(".\n..\n.dot\n\n.\n"),
    "lines that begin with From": with_text("From here\nFrom: there\n>From where\n日本\nFrom now on\n"),
    "blank lines": with_text("\n\n\nbetween\n\n\n\n"),
    "no text": with_text(""),
    "without a last line end": with_text("終わり"),
    "what looks like a boundary": with_text("--=_0\n--\n----=_Part\n--=_0--\n"),
    "equals signs": with_text("a=3D b=\nc==\n=E3=81=82\n"),
    "escapes": with_text("tilde ~ backslash \\ yen ¥ ¥n bar ¦ overline ‾ no\xa0break\n"),
    # Files
    "files alone": Mail(text=None, files=(("見積書.pdf", PDF), ("図.png", PNG))),
    "an empty file": with_file("空.bin", b""),
    "a text as a file": with_file("メモ.txt", "日本語\r\n".encode()),
    "a file name with quotes": with_file('見積 "最終" (2).pdf'),
    "a plain file name with quotes": with_file('the "final" (2) version; a=b, c.pdf'),
    "a file name with percent and apostrophe": with_file("100%'完了' it's 50%.pdf"),
    "a plain file name with an asterisk": with_file("a*b'c%20d.pdf"),
    "a file name of emoji": with_file(f"{FAMILY}🎉.png", PNG),
    "a long file name": with_file("長い名前の見積書" * 20 + ".pdf"),
    "a long plain file name": with_file("a-long-name-" * 20 + ".pdf"),
    "a file name of combining kana": with_file(f"{VOICED}.txt"),
    "a file name of half-width kana": with_file("ﾐﾂﾓﾘｼｮ.pdf"),
    "a file name with a backslash's octet": with_file("表示ソ.pdf"),
    "many files": Mail(files=tuple((f"書類{number}.pdf", PDF[number:]) for number in range(20))),
    # People
    "a name with a comma": with_name("山田, 太郎"),
    "a plain name with a comma": with_name("Doe, John"),
    "a name with quotes": with_name('山田 "タロ" 太郎'),
    "a plain name with quotes and backslashes": with_name(r'John "Jo\hn" Doe'),
    "a name with an at sign": with_name("太郎@会社"),
    "a plain name like an address": with_name("other@example.org"),
    "a name with parentheses": with_name("太郎 (営業)"),
    "a plain name with parentheses": with_name("John (sales) Doe; Jr."),
    "a name with a colon": with_name("株式会社: 山田 <太郎>"),
    "a name that begins with a dot": with_name(".NET"),
    "a name of a dot": with_name("."),
    "a long name": with_name("寿限無寿限無五劫の擦り切れ" * 8),
    "a long plain name": with_name("Pablo Diego José Francisco de Paula " * 4 + "Picasso"),
    "a hundred recipients": Mail(to=tuple((f"受取人{number}号", f"r{number}@example.jp") for number in range(100))),
    "recipients without names": Mail(to=(("", "a@example.jp"), HANAKO, ("", "b@example.jp"))),
    # Trees
    "text and html": Mail(html="<p>本文です。</p>\n"),
    "html alone": Mail(text=None, html="<p>本文です。</p>\n"),
    "an image in html": Mail(
        html='<p>図<img src="cid:fig@example.jp"></p>\n', images=(("図.png", PNG, "fig@example.jp"),)
    ),
    "everything": Mail(
        subject="全部入り" * 20,
        html='<p>図<img src="cid:fig@example.jp"></p>\n',
        images=(("図.png", PNG, "fig@example.jp"),),
        files=(("見積書.pdf", PDF), ("plain.txt", b"plain\r\n")),
    ),
    "a long line of html": Mail(html=f"<p>{'漢字' * 600}</p>\n"),
    "many references": Mail(references=tuple(f"<{number:040}.{number:040}@mail.example.jp>" for number in range(60))),
}


def every_character() -> list[str]:
    """All that CP50221 has, in pieces: JIS X 0208, the vendors' rows, and half-width kana."""
    rows = [*range(0x81, 0x85), 0x87, *range(0x88, 0xA0), *range(0xE0, 0xEB), 0xED, 0xEE]
    pairs = (bytes((row, cell)) for row in rows for cell in (*range(0x40, 0x7F), *range(0x80, 0xFD)))
    characters = [found for pair in pairs if len(found := pair.decode("cp932", "ignore")) == 1]
    # Nobody else can have written the private ones; and each stands once.
    found = dict.fromkeys(each for each in characters if len(each.encode("cp932")) == 2)
    whole = "".join(found) + bytes(range(0xA1, 0xE0)).decode("cp932")
    return [whole[at : at + 250] for at in range(0, len(whole), 250)]
