"""Every character of CP50221, as Python's cp932 has them: what tests write and other programs read."""

LEADS = (*range(0x81, 0xA0), *range(0xE0, 0xF0))
TRAILS = (*range(0x40, 0x7F), *range(0x80, 0xFD))

HALF_WIDTH_KANA = [chr(code) for code in range(0xFF61, 0xFFA0)]


def _double_width():
    for lead in LEADS:
        for trail in TRAILS:
            try:
                yield bytes((lead, trail)).decode("cp932")
            except UnicodeDecodeError:
                continue


# Some stand in two rows; the order is that of the codes.
DOUBLE_WIDTH = list(dict.fromkeys(_double_width()))
