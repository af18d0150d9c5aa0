"""What S/MIME makes of a message; openssl reads it in tests/peers."""

import re
import sys
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12

from ninsho.errors import ConfigurationError
from ninsho.mail.signing.smime import SmimeEncrypted, SmimeSigned
from ninsho.mail.unsendable import Unsendable

PLAIN = serialization.NoEncryption()
MESSAGE = b"From: a@example.com\r\nBcc: b@example.com\r\nSubject: x\r\nMIME-Version: 1.0\r\n\r\nHello \r\n"


@cache
def owner(kind="rsa", name="a@example.com", *, extensions=()):
    """A key, and a certificate by itself."""
    make = {"rsa": lambda: rsa.generate_private_key(65537, 2048), "ec": lambda: ec.generate_private_key(ec.SECP256R1())}
    key = make.get(kind, ed25519.Ed25519PrivateKey.generate)()
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return key, builder.sign(key, None if kind == "ed25519" else hashes.SHA256())


def pem(thing, password=None):
    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(serialization.Encoding.PEM)
    encryption = serialization.BestAvailableEncryption(password) if password else PLAIN
    return thing.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def signer(**options):
    key, certificate = owner()
    return SmimeSigned(pem(certificate), pem(key), **options)


def test_a_signed_message_is_readable_without_smime():
    octets = signer().sign(MESSAGE)
    message = message_from_bytes(octets, policy=policy.default)
    assert octets.startswith(
        b"From: a@example.com\r\nBcc: b@example.com\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: "
    )
    assert message.get_content_type() == "multipart/signed"
    assert message.get_param("protocol") == "application/pkcs7-signature"
    assert message.get_param("micalg") == "sha-256"
    text, signature = message.iter_parts()
    assert text.get_content() == "Hello \r\n"
    assert signature.get_content_type() == "application/pkcs7-signature"
    assert signature.get_filename() == "smime.p7s"
    assert max(map(len, octets.split(b"\r\n"))) <= 78


def test_signed_and_encrypted_data_are_one_part():
    for made, kind in (
        (signer(detached=False), "signed-data"),
        (SmimeEncrypted([pem(owner()[1])]), "enveloped-data"),
    ):
        message = message_from_bytes(made.sign(MESSAGE), policy=policy.default)
        assert message.get_content_type() == "application/pkcs7-mime"
        assert message.get_param("smime-type") == kind
        assert message.get_filename() == "smime.p7m"
        assert [name for name in message if name.startswith("Content-")] == [
            *("Content-Type", "Content-Transfer-Encoding", "Content-Disposition"),
        ]


@pytest.mark.parametrize("cipher", ["aes-256-cbc", "aes-128-cbc"])
def test_what_is_encrypted_is_read_by_each_recipient(cipher):
    owners = [owner("rsa", name) for name in ("a@example.com", "b@example.com")]
    octets = SmimeEncrypted([pem(certificate) for _, certificate in owners], cipher=cipher).sign(MESSAGE)
    data = message_from_bytes(octets).get_payload(decode=True)
    for key, certificate in owners:
        entity = pkcs7.pkcs7_decrypt_der(data, certificate, key, [])
        assert entity.startswith(b"Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: quoted")
    assert b"Hello" not in octets


def test_the_chain_goes_along():
    key, certificate = owner()
    other, third = owner("ec", "authority")[1], owner("rsa", "root")[1]
    made = SmimeSigned(pem(certificate) + pem(other), pem(key), chain=[pem(third)], detached=False)
    data = message_from_bytes(made.sign(MESSAGE)).get_payload(decode=True)
    found = {one.subject for one in pkcs7.load_der_pkcs7_certificates(data)}
    assert found == {certificate.subject, other.subject, third.subject}


def test_keys_are_read_in_all_their_forms(tmp_path):
    key, certificate = owner()
    both = tmp_path / "both.pem"
    both.write_bytes(pem(certificate) + pem(key))
    store = pkcs12.serialize_key_and_certificates(
        b"x", key, certificate, None, serialization.BestAvailableEncryption(b"secret")
    )
    for made in (
        SmimeSigned(both, both),
        SmimeSigned(pem(certificate).decode(), pem(key, b"secret"), password="secret"),
        SmimeSigned(certificate.public_bytes(serialization.Encoding.DER), pem(key)),
        SmimeSigned.from_pkcs12(store, "secret"),
    ):
        assert made.subject == "CN=a@example.com"
        assert b"multipart/signed" in made.sign(MESSAGE)
    assert SmimeSigned(pem(owner("ec")[1]), pem(owner("ec")[0])).sign(MESSAGE)


def test_a_wrong_key_is_told_and_never_shown():
    key, certificate = map(pem, owner())
    store = pkcs12.serialize_key_and_certificates(b"x", *owner(), None, serialization.BestAvailableEncryption(b"right"))
    for make, words in (
        (
            lambda: SmimeSigned(certificate, pem(owner("rsa", "b")[0])),
            "the one of the certificate for 'CN=a@example.com', got another",
        ),
        (
            lambda: SmimeSigned(pem(owner("ed25519")[1]), pem(owner("ed25519")[0])),
            "key: expected one for RSA or ECDSA, got one for ",
        ),
        (lambda: SmimeSigned(key, key), "certificate: expected a certificate in PEM or DER, got none that can be read"),
        (lambda: SmimeSigned("own.pem", key), "got none that can be read (a file is named by a Path)"),
        (lambda: SmimeSigned(certificate, certificate), "key: expected a private key in PEM, DER or base64, got none"),
        (lambda: SmimeSigned(certificate, key, chain=[b"x"]), "chain: expected a certificate in PEM or DER"),
        (lambda: SmimeSigned.from_pkcs12(store, "wrong-one"), "store: expected a PKCS #12 file and its password"),
        (lambda: SmimeEncrypted([]), "certificates: expected those of the recipients, got none"),
        (
            lambda: SmimeEncrypted([pem(owner("ec")[1])]),
            "certificates: expected one with an RSA key, got 'CN=a@example.com'",
        ),
        (lambda: SmimeEncrypted([certificate], cipher="des"), "cipher: expected aes-256-cbc or aes-128-cbc, got 'des'"),
    ):
        with pytest.raises(ConfigurationError, match=re.escape(words)) as raised:
            make()
        assert not re.search(r"wrong-one|[A-Za-z0-9+/]{24}", str(raised.value))
    with pytest.raises(TypeError, match="password: expected a str or bytes, got int"):
        SmimeSigned.from_pkcs12(store, 5)
    with pytest.raises(TypeError, match="certificates: expected a list of them, got bytes"):
        SmimeEncrypted(certificate)


def test_each_recipient_has_one_certificate():
    first, second = pem(owner()[1]), pem(owner("rsa", "b@example.com")[1])
    with pytest.raises(ConfigurationError, match="certificates: expected one for each recipient, got 2 in one"):
        SmimeEncrypted([first + second])
    assert len(SmimeEncrypted([first, second]).subjects) == 2


TIMES = [
    (timedelta(days=-1), "valid from "),
    (timedelta(days=2), "valid until "),
]


@pytest.mark.parametrize(("later", "words"), TIMES)
def test_a_certificate_is_good_for_its_time(later, words):
    key, certificate = map(pem, owner())
    with pytest.raises(ConfigurationError, match=f"^certificate: expected one .*'CN=a@example.com', {words}"):
        signer(now=lambda: datetime.now(UTC) + later)
    with pytest.raises(ConfigurationError, match=f"^certificates: expected one .*'CN=a@example.com', {words}"):
        SmimeEncrypted([certificate], now=lambda: datetime.now(UTC) + later)
    store = pkcs12.serialize_key_and_certificates(b"x", *owner(), None, PLAIN)
    with pytest.raises(ConfigurationError, match=words):
        SmimeSigned.from_pkcs12(store, None, now=lambda: datetime.now(UTC) + later)
    # It goes on while programs run.
    for make in (
        lambda now: SmimeSigned(certificate, key, now=now),
        lambda now: SmimeEncrypted([certificate], now=now),
    ):
        clock = [datetime.now(UTC)]
        made = make(lambda clock=clock: clock[0])
        made.sign(MESSAGE)
        clock[0] += later
        with pytest.raises(Unsendable, match=words):
            made.sign(MESSAGE)


USES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
USES += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")


def for_use(*uses):
    return x509.KeyUsage(**{use: use in uses for use in USES})


def for_purpose(*purposes):
    return x509.ExtendedKeyUsage([getattr(x509.ExtendedKeyUsageOID, purpose) for purpose in purposes])


@pytest.mark.parametrize(
    ("extension", "signs", "encrypts"),
    [
        (for_use("digital_signature"), True, False),
        (for_use("content_commitment"), True, False),
        (for_use("key_encipherment"), False, True),
        (for_use("digital_signature", "key_encipherment"), True, True),
        (for_use("data_encipherment", "key_cert_sign", "crl_sign"), False, False),
        (for_purpose("EMAIL_PROTECTION", "CLIENT_AUTH"), True, True),
        (for_purpose("ANY_EXTENDED_KEY_USAGE"), True, True),
        (for_purpose("SERVER_AUTH"), False, False),
        (x509.UnrecognizedExtension(x509.KeyUsage.oid, b"no ASN.1"), False, False),
    ],
    ids=lambda value: re.sub(r"\w+=False,? ?|[<>() ]", "", str(value)),
)
def test_a_certificate_is_good_for_what_it_says(extension, signs, encrypts):  # RFC 8550 §4.4.2, §4.4.4
    key, certificate = map(pem, owner(extensions=(extension,)))
    for made, good, words in (
        (lambda: SmimeSigned(certificate, key), signs, "certificate: expected one that may sign mail, got"),
        (
            lambda: SmimeEncrypted([certificate]),
            encrypts,
            "certificates: expected one that mail may be encrypted for, ",
        ),
    ):
        if good:
            made()
        else:
            with pytest.raises(ConfigurationError, match=f"^{words}.*'CN=a@example.com'"):
                made()


def test_nothing_of_a_key_is_in_the_repr():
    assert repr(signer()) == "SmimeSigned(detached=True, subject='CN=a@example.com')"
    assert (
        repr(SmimeEncrypted([pem(owner()[1])]))
        == "SmimeEncrypted(cipher='aes-256-cbc', subjects=('CN=a@example.com',))"
    )


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(Unsendable, match=r"S/MIME needs the package cryptography: pip install 'ninsho\[smime\]'"):
        SmimeEncrypted([b"x"])
