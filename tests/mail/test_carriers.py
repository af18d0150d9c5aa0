"""Whose an address is, by its domain."""

import pytest

from ninsho.mail.decoration.carriers import Carrier, carrier_of, named_carrier, shared_carrier
from ninsho.mail.unsendable import Unsendable


@pytest.mark.parametrize(
    ("domain", "carrier"),
    [
        ("docomo.ne.jp", Carrier.DOCOMO),
        ("DoCoMo.NE.JP", Carrier.DOCOMO),
        ("ezweb.ne.jp", Carrier.AU),
        ("biz.ezweb.ne.jp", Carrier.AU),
        ("au.com", Carrier.AU),
        ("uqmobile.jp", Carrier.AU),
        ("softbank.ne.jp", Carrier.SOFTBANK),
        ("i.softbank.jp", Carrier.SOFTBANK),
        ("t.vodafone.ne.jp", Carrier.SOFTBANK),
        ("jp-k.ne.jp", Carrier.SOFTBANK),
        ("disney.ne.jp", Carrier.SOFTBANK),
        ("ymobile.ne.jp", Carrier.SOFTBANK),
        ("pdx.ne.jp", Carrier.WILLCOM),
        ("dk.pdx.ne.jp", Carrier.WILLCOM),
        ("willcom.com", Carrier.WILLCOM),
        ("emnet.ne.jp", Carrier.EMOBILE),
        ("gmail.com", Carrier.PC),
        ("docomo.co.jp", Carrier.PC),
        ("docomo.ne.jp.example.com", Carrier.PC),
        ("notdocomo.ne.jp", Carrier.PC),
        ("softbank.jp", Carrier.PC),
        ("ne.jp", Carrier.PC),
        ("[192.0.2.1]", Carrier.PC),
    ],
)
def test_the_domain_tells(domain, carrier):
    assert carrier_of(f"a@{domain}") is carrier
    assert carrier_of(f"山田 太郎 <a..b@{domain}>") is carrier


def test_without_a_domain_it_is_nobodys():
    assert carrier_of("postmaster") is Carrier.PC


def test_what_is_no_address_is_refused():
    with pytest.raises(Unsendable, match="recipient: expected"):
        carrier_of("a@b@docomo.ne.jp")


def test_all_recipients_have_one():
    assert shared_carrier(["a@docomo.ne.jp", "b@docomo.ne.jp"]) is Carrier.DOCOMO
    assert shared_carrier([]) is Carrier.PC
    with pytest.raises(Unsendable, match=r"expected recipients of one carrier, or to be told which, got docomo, pc$"):
        shared_carrier(["a@docomo.ne.jp", "b@example.com"])


def test_one_is_told_by_its_name():
    assert [named_carrier(name) for name in ("docomo", "AU", "SoftBank", "pc")] == [
        Carrier.DOCOMO,
        Carrier.AU,
        Carrier.SOFTBANK,
        Carrier.PC,
    ]
    for name in ("vodafone", "", None):
        with pytest.raises(
            Unsendable, match="decoration: expected one of docomo, au, softbank, willcom, emobile, pc, got "
        ):
            named_carrier(name)
