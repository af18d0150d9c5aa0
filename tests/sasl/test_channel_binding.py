"""The data that bind a login to its TLS connection: the vectors, and both ends of real connections."""

import json
import socket
import ssl
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256, sha384, sha512
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from ninsho.sasl.channel_binding import EXPORTER_LABEL, EXPORTER_SIZE, bindings_of, tls_server_end_point
from ninsho.sasl.choosing import Chooser, channel_for
from ninsho.sasl.dialogue import Bound, BoundChallenge, Decoy, Granted, Identity, Lookup
from ninsho.sasl.exchange import Channel, Credentials, Exchange
from ninsho.sasl.scram import SCRAM_SHA_256, SCRAM_SHA_256_PLUS
from ninsho.sasl.secrets import ScramSha256Keys

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "channel_binding.json").read_text())
CERTIFICATES = [b64decode(vector["certificate_der_b64"]) for vector in VECTORS["tls_server_end_point"]["vectors"]]
HOST = "mail.example.com"


@pytest.mark.parametrize("vector", VECTORS["tls_server_end_point"]["vectors"], ids=lambda vector: vector["signature"])
def test_a_certificate_is_hashed_as_its_signature_is(vector):
    expected = vector["data_b64"] and b64decode(vector["data_b64"])
    assert tls_server_end_point(b64decode(vector["certificate_der_b64"])) == expected


def test_the_exporter_is_asked_as_its_rfc_says():
    assert VECTORS["tls_exporter"]["label"].encode() == EXPORTER_LABEL
    assert VECTORS["tls_exporter"]["length"] == EXPORTER_SIZE
    assert VECTORS["tls_exporter"]["context"] == ""


def certificate(key, hash_function, rsa_padding=None):
    """A certificate that *key* has signed itself, as DER."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    )
    return builder.sign(key, hash_function, rsa_padding=rsa_padding).public_bytes(serialization.Encoding.DER)


RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
PSS = padding.PSS(padding.MGF1(hashes.SHA512()), salt_length=32)
KEYS = [
    pytest.param(RSA_KEY, (hashes.SHA256(),), sha256, id="RSA SHA-256"),
    pytest.param(RSA_KEY, (hashes.SHA512(), PSS), sha512, id="RSA-PSS SHA-512"),
    pytest.param(EC_KEY, (hashes.SHA384(),), sha384, id="ECDSA SHA-384"),
    pytest.param(ED_KEY, (None,), None, id="Ed25519"),
]


def context_of(tmp_path, key, der, version):
    """A server's context with this key and certificate."""
    pem = tmp_path / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + ssl.DER_cert_to_PEM_cert(der).encode())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.minimum_version = context.maximum_version = version
    return context


def trusting(der):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=der)
    return context


@contextmanager
def connected(server_context, client_context, session=None):
    """Both ends of one TLS connection over loopback."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        ThreadPoolExecutor(1) as other,
        socket.create_connection(listener.getsockname(), 10) as plain_client,
    ):
        plain_server, _ = listener.accept()
        plain_server.settimeout(10)
        accepted = other.submit(server_context.wrap_socket, plain_server, server_side=True)
        # Where the handshake fails, the socket itself is still to be closed.
        with (
            plain_server,
            client_context.wrap_socket(plain_client, server_hostname=HOST, session=session) as client,
            accepted.result(10) as server,
        ):
            yield server, client


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(("key", "signing", "hashed"), KEYS)
def test_both_ends_know_the_same(tmp_path, key, signing, hashed, version):
    der = certificate(key, *signing)
    with connected(context_of(tmp_path, key, der, version), trusting(der)) as (server, client):
        ours, theirs = bindings_of(client), bindings_of(server, own=der)
        assert ours == theirs
        assert ours.get("tls-server-end-point") == (hashed(der).digest() if hashed else None)
        # ssl returns it for TLS 1.3 too, where it must not be used.
        assert client.get_channel_binding("tls-unique")
        assert ("tls-unique" in ours) is (version == ssl.TLSVersion.TLSv1_2)


def test_the_finished_message_binds_better_than_the_certificate(tmp_path):
    der = certificate(EC_KEY, hashes.SHA256())
    with connected(context_of(tmp_path, EC_KEY, der, ssl.TLSVersion.TLSv1_2), trusting(der)) as (_, client):
        assert list(bindings_of(client)) == ["tls-unique", "tls-server-end-point"]
        assert bindings_of(client)["tls-unique"] == client.get_channel_binding("tls-unique")


def test_a_resumed_connection_has_no_unique_data(tmp_path):
    der = certificate(EC_KEY, hashes.SHA256())
    server_context = context_of(tmp_path, EC_KEY, der, ssl.TLSVersion.TLSv1_2)
    client_context = trusting(der)
    with connected(server_context, client_context) as (_, client):
        session = client.session
    with connected(server_context, client_context, session) as (server, client):
        assert client.session_reused
        assert list(bindings_of(client)) == list(bindings_of(server, own=der)) == ["tls-server-end-point"]


def test_a_server_does_not_take_the_clients_certificate_for_its_own(tmp_path):
    authority = trustme.CA()
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(server_context)
    authority.configure_trust(server_context)
    server_context.verify_mode = ssl.CERT_REQUIRED
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(client_context)
    authority.issue_cert("tim@example.com").configure_cert(client_context)
    with connected(server_context, client_context) as (server, client):
        assert server.getpeercert(binary_form=True)
        assert "tls-server-end-point" not in bindings_of(server)
        own = client.getpeercert(binary_form=True)
        assert bindings_of(server, own=own)["tls-server-end-point"] == bindings_of(client)["tls-server-end-point"]


def test_nothing_is_known_before_the_handshake():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unconnected = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=HOST)
    assert bindings_of(unconnected) == {}
    assert bindings_of(object()) == {}


def test_an_object_that_can_export_keys_is_asked_for_them_first():
    asked = []

    def export(label, size):
        asked.append((label, size))
        return b"key"

    tls = SimpleNamespace(
        version=lambda: "TLSv1.3", export_keying_material=export, getpeercert=lambda _: CERTIFICATES[0]
    )
    assert list(bindings_of(tls)) == ["tls-exporter", "tls-server-end-point"]
    assert asked == [(b"EXPORTER-Channel-Binding", 32)]
    tls.version = lambda: "TLSv1.2"
    assert list(bindings_of(tls)) == ["tls-server-end-point"]


def test_a_certificate_that_cannot_be_read_binds_nothing():
    tls = SimpleNamespace(version=lambda: "TLSv1.3", getpeercert=lambda _: b"\x30\x03abc")
    assert bindings_of(tls) == {}


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_two_ends_of_pyopenssl_export_the_same_key(version):
    openssl = pytest.importorskip("OpenSSL.SSL", reason="pyOpenSSL is not installed: ssl exports no keys")
    der = certificate(EC_KEY, hashes.SHA256())
    server_context, client_context = openssl.Context(openssl.TLS_METHOD), openssl.Context(openssl.TLS_METHOD)
    number = {"TLSv1.2": openssl.TLS1_2_VERSION, "TLSv1.3": openssl.TLS1_3_VERSION}[version]
    server_context.set_max_proto_version(number)
    server_context.use_privatekey(EC_KEY)
    server_context.use_certificate(x509.load_der_x509_certificate(der))
    server, client = openssl.Connection(server_context, None), openssl.Connection(client_context, None)
    server.set_accept_state()
    client.set_connect_state()
    shake_hands(client, server, openssl.WantReadError)
    ours, theirs = bindings_of(client), bindings_of(server, own=der)
    assert client.get_protocol_version_name() == version
    if version == "TLSv1.3":
        assert ours["tls-exporter"] == theirs["tls-exporter"] == client.export_keying_material(EXPORTER_LABEL, 32, b"")
        assert len(ours["tls-exporter"]) == 32
        assert_scram_binds(ours, theirs)
    else:
        assert "tls-exporter" not in {**ours, **theirs}


def shake_hands(client, server, unfinished):
    """Carry a handshake between two ends that have no socket."""
    for _ in range(4):
        for one, other in ((client, server), (server, client)):
            with suppress(unfinished):
                one.do_handshake()
            with suppress(unfinished):
                other.bio_write(one.bio_read(65_536))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_scram_binds_itself_to_a_real_connection(tmp_path, version):
    der = certificate(RSA_KEY, hashes.SHA256())
    with connected(context_of(tmp_path, RSA_KEY, der, version), trusting(der)) as (server, client):
        assert_scram_binds(bindings_of(client), bindings_of(server, own=der))


def test_scram_does_not_pass_somebody_in_between(tmp_path):
    """Whoever has got a certificate that the client trusts holds two connections, and passes on what is said."""
    genuine, forged = certificate(RSA_KEY, hashes.SHA256()), certificate(RSA_KEY, hashes.SHA256())
    server_context = context_of(tmp_path, RSA_KEY, genuine, ssl.TLSVersion.TLSv1_3)
    with connected(server_context, trusting(genuine)) as (server, _):
        theirs = bindings_of(server, own=genuine)
    with connected(context_of(tmp_path, RSA_KEY, forged, ssl.TLSVersion.TLSv1_3), trusting(forged)) as (_, client):
        ours = bindings_of(client)
    assert not isinstance(login(ours, theirs), Granted)


def assert_scram_binds(ours, theirs):
    assert login(ours, theirs) == Granted(Identity("tim"))
    assert not isinstance(login(ours, dict.fromkeys(theirs, b"another channel")), Granted)


def login(ours, theirs):
    """SCRAM between a client that knows *ours* of the channel, and a server that knows *theirs*; its verdict."""
    offered = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"]
    known = {one.name: one for one in (SCRAM_SHA_256, SCRAM_SHA_256_PLUS)}
    channel = Channel(bindings=ours)
    credentials = Credentials("tim", "sesame", channel=channel)
    (one,) = Chooser(credentials=credentials, tls=True, require_binding=True, clients=known).choose(offered).candidates
    exchange = Exchange(
        one.client(Credentials("tim", "sesame", channel=channel_for(one, offered, channel), iterations=(1, 10)))
    )
    dialogue = one.server(exchange.begin())
    answers = {
        Lookup: lambda _: ScramSha256Keys.of(b"sesame", iterations=1),
        BoundChallenge: lambda want: Bound(exchange.answer(want.data), theirs.get(want.binding)),
        Decoy: lambda _: ScramSha256Keys.of(b"nobody's", iterations=1),
    }
    answer = None
    while True:
        try:
            want = dialogue.send(answer)
        except StopIteration as end:
            if isinstance(end.value, Granted):
                exchange.conclude(end.value.data)
                end.value.data = None
            return end.value
        answer = answers[type(want)](want)


@given(
    der=st.sampled_from(CERTIFICATES), place=st.integers(0, 2000), octets=st.binary(max_size=8), cut=st.integers(0, 8)
)
def test_a_damaged_certificate_is_refused_or_hashed_and_nothing_else(der, place, octets, cut):
    place %= len(der) + 1
    try:
        found = tls_server_end_point(der[:place] + octets + der[place + cut :])
    except ValueError:
        return
    assert found is None or len(found) in {28, 32, 48, 64}


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (b"", "expected an element of tag 0x30"),
        (b"\x30", "expected an element of tag 0x30"),
        (b"\x31\x00", "expected an element of tag 0x30"),
        (b"\x30\x05\x30\x00\x31\x01\x06", "expected an element of tag 0x30"),
        (b"\x30\x05\x30\x00\x30\x01\x05", "expected an element of tag 0x06"),
        # X.690 §10.1: DER has no length that is left open.
        (b"\x30\x80\x00\x00", "expected a length of 1 to 3 octets, got 0"),
        (b"\x30\x84\x00\x00\x00\x02\x30\x00", "expected a length of 1 to 3 octets, got 4"),
        (b"\x30\x82\x01", "expected 1 octets, got 0"),
        (CERTIFICATES[0] + b"\x00", "expected one certificate, got 1 octets behind it"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_told(octets, told):
    with pytest.raises(ValueError, match=told):
        tls_server_end_point(octets)


@given(st.binary(max_size=300))
def test_what_is_no_certificate_is_refused(octets):
    with pytest.raises(ValueError, match=r"expected"):
        tls_server_end_point(octets)


def test_an_endless_number_does_not_keep_us_busy():
    def element(tag, content):
        return bytes([tag, 0x83]) + len(content).to_bytes(3, "big") + content

    endless = element(0x06, b"\xff" * 1_000_000 + b"\x01")
    with pytest.raises(ValueError, match="whole object identifier"):
        tls_server_end_point(element(0x30, element(0x30, b"") + element(0x30, endless)))


@given(st.sampled_from(CERTIFICATES))
def test_every_cut_certificate_is_refused(der):
    for size in range(len(der)):
        with pytest.raises(ValueError, match=r"DER: expected"):
            tls_server_end_point(der[:size])
