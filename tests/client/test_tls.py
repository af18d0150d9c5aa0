"""Trust put to the proof against small TLS servers, and what went wrong put in words."""

import errno
import socket
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from OpenSSL import crypto

from ninsho.client.settings import Endpoint, TLSMode, Trust
from ninsho.client.tls import check_pin, context_of, explain, server_name_of
from ninsho.errors import ConfigurationError

YESTERDAY = datetime.now(UTC) - timedelta(days=1)
LONG_AGO = YESTERDAY - timedelta(days=30)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def ca(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture(scope="module")
def leaf(authority):
    return authority.issue_cert("localhost", "127.0.0.1")


@pytest.fixture(scope="module")
def own(authority, tmp_path_factory):
    """Certificate and key of the client, in one file."""
    path = tmp_path_factory.mktemp("own") / "own.pem"
    authority.issue_cert("alice@example.test").private_key_and_cert_chain_pem.write_to_path(path)
    return str(path)


def server_context(leaf):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    return context


@contextmanager
def serving(answer):
    """A server that gives its one connection to *answer*; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, _ = listener.accept()
            connection.settimeout(20)
            with connection:
                try:
                    answer(connection)
                    while connection.recv(4096):
                        pass
                except OSError:
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(20)
        assert not thread.is_alive()


def speaking_tls(context):
    def answer(connection):
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.sendall(b"220 ready\r\n")
            secured.recv(4096)

    return answer


def greeting(trust, answer, *, host="127.0.0.1", mode=TLSMode.IMPLICIT, timeout=20.0):
    """The server's greeting through TLS, or in words why there is none."""
    with serving(answer) as port:
        endpoint = Endpoint(host, port)
        with socket.create_connection(("127.0.0.1", port), timeout) as plain:
            try:
                with context_of(trust).wrap_socket(plain, server_hostname=server_name_of(trust, endpoint)) as secured:
                    check_pin(trust, secured.getpeercert(binary_form=True))
                    return secured.recv(4096).decode()
            except OSError as error:
                return explain(error, endpoint, mode).replace(str(port), "PORT")


def test_a_server_of_a_known_authority(ca, leaf):
    assert greeting(Trust(ca=ca), speaking_tls(server_context(leaf))) == "220 ready\r\n"


def test_authorities_in_a_directory(authority, leaf, tmp_path):
    directory = tmp_path / "authorities"
    directory.mkdir()
    # OpenSSL finds them by a hash of the subject.
    subject = crypto.load_certificate(crypto.FILETYPE_PEM, authority.cert_pem.bytes()).subject_name_hash()
    authority.cert_pem.write_to_path(directory / f"{subject:08x}.0")
    assert greeting(Trust(ca=str(directory)), speaking_tls(server_context(leaf))) == "220 ready\r\n"


def test_the_server_s_own_certificate_as_authority(leaf, tmp_path):
    path = tmp_path / "leaf.pem"
    leaf.cert_chain_pems[0].write_to_path(path)
    assert greeting(Trust(ca=str(path)), speaking_tls(server_context(leaf))) == "220 ready\r\n"


def test_nobody_is_believed_unverified(leaf):
    assert greeting(Trust(), speaking_tls(server_context(leaf))) == (
        "the server's certificate comes from an authority that is not known here: name its certificate with ca="
    )
    assert greeting(Trust(verify=False), speaking_tls(server_context(leaf))) == "220 ready\r\n"


def test_a_certificate_for_another_name(ca, authority):
    other = server_context(authority.issue_cert("other.example"))
    assert greeting(Trust(ca=ca), speaking_tls(other), host="localhost") == (
        "the server's certificate is for another name: connect to that one, or say it with server_name="
    )
    assert greeting(Trust(ca=ca), speaking_tls(other)).startswith(
        "the server's certificate is not for this address: connect to its name"
    )
    assert greeting(Trust(ca=ca, server_name="other.example"), speaking_tls(other)) == "220 ready\r\n"


def test_an_expired_certificate(ca, authority):
    expired = authority.issue_cert("127.0.0.1", not_before=LONG_AGO, not_after=YESTERDAY)
    assert greeting(Trust(ca=ca), speaking_tls(server_context(expired))) == (
        "the server's certificate has expired: it must be renewed there"
    )


def test_a_certificate_of_tomorrow(ca, authority):
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    early = authority.issue_cert("127.0.0.1", not_before=tomorrow, not_after=tomorrow + timedelta(days=1))
    assert "is not valid yet" in greeting(Trust(ca=ca), speaking_tls(server_context(early)))


def self_signed(tmp_path):
    """An authority's certificate and key, which a server uses as its own."""
    authority = trustme.CA()
    path = tmp_path / "own.pem"
    path.write_bytes(authority.private_key_pem.bytes() + authority.cert_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return authority, context


def test_a_certificate_signed_by_itself_and_pinned(tmp_path):
    authority, context = self_signed(tmp_path)
    assert greeting(Trust(), speaking_tls(context)) == (
        "the server's certificate is signed by nobody but itself: name it with ca=, or its fingerprint="
    )
    pin = sha256(ssl.PEM_cert_to_DER_cert(authority.cert_pem.bytes().decode())).hexdigest()
    assert greeting(Trust(fingerprint=pin.upper()), speaking_tls(context)) == "220 ready\r\n"
    colons = ":".join(pin[place : place + 2] for place in range(0, 64, 2))
    assert greeting(Trust(fingerprint=f"{'00' * 32}, {colons}"), speaking_tls(context)) == "220 ready\r\n"
    assert greeting(Trust(fingerprint="00" * 32), speaking_tls(context)) == (
        f"fingerprint: expected {'00' * 32}, got {pin}"
    )


def test_a_pin_counts_beside_a_context_of_ones_own(ca, leaf):
    trust = Trust(context=ssl.create_default_context(cafile=ca), fingerprint="00" * 32)
    assert greeting(trust, speaking_tls(server_context(leaf))).startswith("fingerprint: expected")


def test_a_pin_and_no_certificate():
    check_pin(Trust(), None)
    with pytest.raises(ssl.CertificateError, match="got none"):
        check_pin(Trust(fingerprint=sha256(b"").hexdigest()), None)


def test_a_server_that_wants_a_certificate_of_ours(ca, authority, leaf, own):
    context = server_context(leaf)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    assert greeting(Trust(ca=ca), speaking_tls(context)) == (
        "the server wants a certificate of ours: name one with certificate= and key="
    )
    assert greeting(Trust(ca=ca, certificate=own), speaking_tls(context)) == "220 ready\r\n"


def test_a_server_that_refuses_our_certificate(ca, leaf, own):
    context = server_context(leaf)
    context.verify_mode = ssl.CERT_REQUIRED
    trustme.CA().configure_trust(context)
    assert greeting(Trust(ca=ca, certificate=own), speaking_tls(context)) == (
        "the server does not know the authority of our certificate"
    )


def test_a_server_that_knows_only_old_tls(ca, leaf):
    context = server_context(leaf)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert greeting(Trust(ca=ca, minimum_version="1.3"), speaking_tls(context)) == (
        "the server knows no TLS as new as minimum_version asks for"
    )
    assert greeting(Trust(ca=ca), speaking_tls(context)) == "220 ready\r\n"


def test_no_cipher_in_common(ca, leaf):
    ours, theirs = ssl.create_default_context(cafile=ca), server_context(leaf)
    ours.maximum_version = ssl.TLSVersion.TLSv1_2
    ours.set_ciphers("ECDHE+AES128")
    theirs.set_ciphers("ECDHE+CHACHA20")
    assert greeting(Trust(context=ours), speaking_tls(theirs)) == (
        "the server shares no cipher with us, or wants a certificate of ours (certificate=)"
    )


def plaintext(connection):
    connection.sendall(b"220 mail.example.com ESMTP\r\n")


def test_a_server_that_speaks_plaintext_first():
    assert greeting(Trust(), plaintext) == "port PORT speaks plaintext first: use tls=starttls"
    assert greeting(Trust(), plaintext, mode=TLSMode.STARTTLS) == (
        "the server agreed to STARTTLS and then spoke no TLS: something in between may have spoilt it"
    )


def test_a_server_that_hangs_up_in_the_handshake():
    def hang_up(connection):
        connection.recv(4096)
        connection.shutdown(socket.SHUT_RDWR)

    assert greeting(Trust(), hang_up) == (
        "the server ended the TLS handshake without a word: if port PORT speaks plaintext first, use tls=starttls"
    )


def test_a_server_that_says_nothing():
    assert greeting(Trust(), lambda _: None, timeout=0.2) == (
        "no answer in time: if port PORT speaks plaintext first, use tls=starttls"
    )


def test_a_port_where_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionRefusedError) as caught:
        socket.create_connection(("127.0.0.1", port))
    assert explain(caught.value, Endpoint("127.0.0.1", port), TLSMode.NONE) == (
        "nothing listens there: is the port right, and the server running?"
    )


def test_a_socket_that_is_not_there(tmp_path):
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as connection, pytest.raises(FileNotFoundError) as caught:
        connection.connect(path)
    assert explain(caught.value, Endpoint("", 0, path), TLSMode.NONE).startswith("there is no such socket")


MAIL = Endpoint("mail.example.com", 587)
TLS_FIRST = Endpoint("mail.example.com", 465)


@pytest.mark.parametrize(
    ("error", "endpoint", "mode", "words"),
    [
        (socket.gaierror(socket.EAI_NONAME, "x"), MAIL, "none", "no host is known by this name: is it spelt right?"),
        (socket.gaierror(socket.EAI_AGAIN, "x"), MAIL, "none", "the name cannot be looked up at present"),
        (TimeoutError(), MAIL, "starttls", "no answer in time"),
        (
            TimeoutError("timed out"),
            TLS_FIRST,
            "starttls",
            "no answer in time: port 465 begins with TLS: use tls=implicit",
        ),
        (TimeoutError(errno.ETIMEDOUT, "Connection timed out"), TLS_FIRST, "implicit", "no answer in time"),
        (TimeoutError("proxy p:1: gone"), MAIL, "none", "proxy p:1: gone"),
        (ConnectionError("proxy p:1: expected 200, got 403"), MAIL, "none", "proxy p:1: expected 200, got 403"),
        (ConnectionResetError(errno.ECONNRESET, "x"), MAIL, "implicit", "the server cut the connection: if port 587"),
        (OSError(errno.ENETUNREACH, "x"), MAIL, "none", "no way leads to the host's network"),
        (OSError(errno.EIO, "Input/output error"), MAIL, "none", "Input/output error"),
        (OSError("a\x1b[31m\r\n"), MAIL, "none", "a?[31m??"),
        (ValueError(), MAIL, "none", "ValueError"),
        (ssl.SSLError(1, "[SSL: ODD] odd (_ssl.c:1)"), MAIL, "implicit", "[SSL: ODD] odd (_ssl.c:1)"),
    ],
)
def test_words(error, endpoint, mode, words):
    found = explain(error, endpoint, TLSMode(mode))
    assert found.startswith(words)
    assert found.isprintable()


@pytest.mark.parametrize(
    ("trust", "endpoint", "name"),
    [
        (Trust(), MAIL, "mail.example.com"),
        (Trust(), Endpoint("mail.example.com.", 25), "mail.example.com"),
        (Trust(server_name="other.example"), MAIL, "other.example"),
        (Trust(), Endpoint("fe80::1%eth0", 25), "fe80::1"),
        (Trust(), Endpoint("", 0, "/run/socket"), "localhost"),
        (Trust(server_name="other.example"), Endpoint("", 0, "/run/socket"), "other.example"),
    ],
)
def test_the_name_that_the_certificate_must_be_for(trust, endpoint, name):
    assert server_name_of(trust, endpoint) == name


class TestContexts:
    def test_what_is_default(self):
        context = context_of(Trust())
        assert context.check_hostname
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2

    def test_one_of_ones_own_is_used_as_it_is(self):
        own = ssl.create_default_context()
        assert context_of(Trust(context=own)) is own

    def test_files_that_cannot_be_used(self, tmp_path, own):
        (tmp_path / "not.pem").write_text("hunter2")
        no_pem, nothing = str(tmp_path / "not.pem"), str(tmp_path / "none")
        for trust, words in [
            (Trust(ca=nothing), f"ca: {nothing}: cannot be read: No such file or directory"),
            (Trust(ca=no_pem), f"ca: {no_pem}: expected certificates and keys in PEM"),
            (Trust(certificate=nothing), f"certificate: {nothing}: cannot be read: No such file or directory"),
            (Trust(certificate=own, key=no_pem), f"certificate: {own} and {no_pem}: expected certificates and keys in"),
        ]:
            with pytest.raises(ConfigurationError) as caught:
                context_of(trust)
            assert str(caught.value).startswith(words)
            assert "hunter2" not in str(caught.value)

    def test_another_s_key(self, authority, own, tmp_path):
        key = tmp_path / "key.pem"
        authority.issue_cert("bob.example").private_key_pem.write_to_path(key)
        with pytest.raises(ConfigurationError, match="expected the certificate's own key, got another"):
            context_of(Trust(certificate=own, key=str(key)))

    def test_a_key_with_a_password(self, authority, tmp_path):
        certificate, key = locked(authority.issue_cert("alice.example"), b"hunter2", tmp_path)
        context_of(Trust(certificate=certificate, key=key, key_password=lambda: "hunter2"))
        for wrong in (None, "hunter3"):
            with pytest.raises(ConfigurationError, match="and the key's password where it has one") as caught:
                context_of(Trust(certificate=certificate, key=key, key_password=wrong))
            assert "hunter" not in str(caught.value)


def locked(leaf, password, folder):
    private = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
    key = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password),
    )
    (folder / "key.pem").write_bytes(key)
    leaf.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    return str(folder / "certificate.pem"), str(folder / "key.pem")
