"""Which stored forms an account lacks, and which of its forms are outdated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.stores import hashing
from ninsho.stores.wanted_forms import WantedForms, grown

SSHA = hashing.make("p", "SSHA")
SSHA512 = hashing.make("p", "SSHA512")
CRAM = hashing.make("p", "CRAM-MD5")
ARGON2ID = "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$vBb99oJ12p3WAdYlaMHz1A$jtFOtbo/sYV9OSlTxDo/nVNq3uArHd5GJSEx0ty85Cc"
MD5 = "{LDAP-MD5}g4fZ64yGYAzZTMeYKAF5Cw=="
SLOW_SCRAM = "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
WEAK = frozenset({"LDAP-MD5"})


@pytest.mark.parametrize(
    ("wanted", "secrets", "missing"),
    [
        (WantedForms(), (SSHA,), {}),
        (WantedForms(derive=("CRAM-MD5",)), (), {}),
        (WantedForms(derive=("CRAM-MD5", "SSHA512")), (SSHA,), {1: "CRAM-MD5", 2: "SSHA512"}),
        (WantedForms(derive=("CRAM-MD5", "SSHA512")), (SSHA, CRAM), {2: "SSHA512"}),
        # A label's suffix and case are no part of the scheme.
        (WantedForms(derive=("ssha.hex", "SSHA")), (SSHA,), {}),
        (WantedForms(derive=("cram-md5", "HMAC-MD5")), (SSHA,), {1: "cram-md5"}),
        # Outdated: of another scheme, or of less cost.
        (WantedForms("SSHA512", rehash=True), (SSHA,), {0: "SSHA512"}),
        (WantedForms("SSHA512", rehash=True), (SSHA512,), {}),
        (WantedForms("SSHA512", rehash=False), (SSHA,), {}),
        (WantedForms("SSHA512", rehash=True), (SSHA, CRAM), {0: "SSHA512"}),
        (WantedForms("SSHA512", rehash=True, permitted=WEAK), (MD5,), {0: "SSHA512"}),
        # The one that is verified, not the first; one new form is enough.
        (WantedForms("SSHA512", rehash=True, permitted=WEAK), (MD5, SSHA), {0: None, 1: "SSHA512"}),
        # Derive first, rehash later: what serves no mechanism does not stay because a better one stands beside it.
        (WantedForms("SSHA512", rehash=True), (SLOW_SCRAM, MD5), {0: "SCRAM-SHA-256", 1: "SSHA512"}),
        (WantedForms("SSHA512", rehash=True), (CRAM, MD5, SSHA), {1: "SSHA512", 2: None}),
        (WantedForms("SSHA512", rehash=True), (SSHA512, MD5), {1: None}),
        (WantedForms("SSHA512", rehash=True), (SSHA, SSHA512), {0: "SSHA512"}),
        (WantedForms("SSHA512", rehash=False), (SSHA512, MD5), {}),
        # No login accepts it, and no login is what it is for.
        (WantedForms("SSHA512", rehash=True), (SSHA512, "{NTLM}x"), {}),
        # A slow form never makes place for a quick one.
        (WantedForms("SSHA512", rehash=True), (ARGON2ID,), {}),
        (WantedForms("CRAM-MD5", rehash=True), (ARGON2ID, MD5), {1: "CRAM-MD5"}),
        (WantedForms("SSHA512", rehash=True), (ARGON2ID.replace("t=3", "t=2"),), {0: "ARGON2ID"}),
        # In the place of a form that serves a mechanism there is only another one that does.
        (WantedForms("SSHA512", rehash=True), (CRAM,), {}),
        (WantedForms("SSHA512", rehash=True), ("{PLAIN}p",), {}),
        (WantedForms("SSHA512", rehash=True), (SLOW_SCRAM,), {0: "SCRAM-SHA-256"}),
        (WantedForms("SSHA512", ("SCRAM-SHA-256",), rehash=True), (SSHA512, SLOW_SCRAM), {1: "SCRAM-SHA-256"}),
        (WantedForms("SSHA512", rehash=True), (SSHA512, SLOW_SCRAM), {}),
        # A form made anew is not made twice.
        (WantedForms("SSHA512", ("SSHA512",), rehash=True), (SSHA,), {0: "SSHA512"}),
        # What cannot be read is left as it is.
        (WantedForms("SSHA512", ("CRAM-MD5",), rehash=True), (SSHA512, "hunter2", "{NEW}x"), {3: "CRAM-MD5"}),
        (WantedForms("SSHA512", rehash=True), ("hunter2",), {}),
        (WantedForms("SSHA512", rehash=True), ("hunter2", "{NEW}x"), {}),
    ],
)
def test_what_is_missing(wanted: WantedForms, secrets: tuple[str, ...], missing: dict[int, str]) -> None:
    assert wanted.missing(secrets) == missing


def test_a_new_password_has_every_wanted_form_once() -> None:
    assert WantedForms("SSHA512", ("CRAM-MD5", "ssha512", "SSHA.hex")).schemes() == ("SSHA512", "CRAM-MD5", "SSHA.hex")


def known(secrets: tuple[str, ...]) -> list[str]:
    return [hashing.scheme_of(form) for form in secrets if form not in ("hunter2", "{NEW}x")]


FORMS = (SSHA, SSHA512, CRAM, SLOW_SCRAM, MD5, "{PLAIN}p", "hunter2", "{NEW}x")
SCHEMES = ("SSHA", "SSHA512", "CRAM-MD5", "SHA256", "DIGEST-MD5")


@given(
    secrets=st.lists(st.sampled_from(FORMS), unique=True, max_size=4).map(tuple),
    scheme=st.sampled_from(SCHEMES[:2]),
    derive=st.lists(st.sampled_from(SCHEMES), max_size=3).map(tuple),
    rehash=st.booleans(),
)
def test_an_account_that_has_grown_needs_nothing_and_has_lost_no_mechanism(
    secrets: tuple[str, ...], scheme: str, derive: tuple[str, ...], *, rehash: bool
) -> None:
    wanted = WantedForms(scheme, derive, rehash=rehash, permitted=WEAK)
    after = secrets
    # A form that is derived may become the one that is verified, and be outdated itself.
    for _ in range(2):
        made = {place: one and hashing.make("p", one, "alice") for place, one in wanted.missing(after).items()}
        before, forms = after, grown(after, made)
        assert forms[: len(before)] == tuple(made.get(place, form) for place, form in enumerate(before))
        after = tuple(form for form in forms if form is not None)
        assert not before or after
    assert wanted.missing(after) == {}
    assert {one for one in known(secrets) if hashing.serves(one, (object,))} <= set(known(after))
