"""What ``ninsho.compose`` writes is what is read, in each charset, and as CRLF or LF."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ninsho
from ninsho import Attachment
from ninsho.mail.charsets.charset import charset
from ninsho.mail.charsets.kana import full_width
from ninsho.mail.reading import Address, read

# Hiragana, katakana, kanji of both levels of JIS X 0208, and what CP50221 has besides.
JAPANESE = 'あいうえおゞァヶ亜熙①Ⅷ㈱髙﨑～－∥¢£¬―、。・ー ABCxyz09!?<>@,;:"\\(){}='
TEXTS = {
    "utf-8": st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]) | st.just(" "), min_size=1),
    "iso-2022-jp": st.text(st.sampled_from(JAPANESE), min_size=1),
    # What is UTF-8 as well is taken for that, whatever the label: 熙― said twice.
    "shift_jis": st.text(st.sampled_from(JAPANESE.replace("熙", "")), min_size=1),
    "euc-jp": st.text(st.sampled_from(JAPANESE), min_size=1),
    "iso-8859-1": st.text(st.sampled_from("äöüßéèÀñ ABC.,:;<>()@"), min_size=1),
}


@pytest.mark.parametrize("name", TEXTS)
@given(data=st.data())
def test_what_is_composed_is_read(name, data):
    subject, sender, text = (data.draw(TEXTS[name]).strip() or "x" for _ in range(3))
    quoted = sender.replace("\\", "\\\\").replace('"', '\\"')
    composed = ninsho.compose(
        from_=f'"{quoted}" <a@b.example>',
        to="c@d.example",
        subject=subject,
        text=f"{text}\n{text}\n",
        charset=name,
        attach=[Attachment(filename="f.bin", data=b"\0\xff", content_type="x/y")],
    )

    def words(told):
        # What a charset has twice comes back as one of them.
        return charset(name).decode(charset(name).encode(told)).split()

    for octets in (composed.as_bytes(), composed.as_bytes().replace(b"\r\n", b"\n")):
        mail = read(octets)
        assert mail.subject.split() == words(subject)
        assert (mail.from_[0].name.split(), mail.from_[0].address) == (words(sender), "a@b.example")
        assert mail.text.split() == words(f"{text}\n{text}\n")
        assert mail.attachments[0].data == b"\0\xff"
        assert mail.defects == ()


def test_all_of_japanese_in_its_own_charset():
    text = "株式会社髙島屋 ① ～－∥ ｱｲｳ"
    octets = ninsho.compose(
        from_="山田太郎 <taro@example.jp>", to="a@b.example", subject=text, text=f"{text}\n", charset="iso-2022-jp"
    ).as_bytes()
    assert octets.isascii()
    mail = read(octets)
    assert charset("iso-2022-jp").encode(text)
    assert (full_width(mail.subject), full_width(mail.text.strip())) == (full_width(text), full_width(text))
    assert mail.from_ == (Address("山田太郎", "taro@example.jp"),)
