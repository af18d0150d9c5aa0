"""``[[oauth]]``: what may stand in it, and the files that it names."""

import asyncio

import pytest
from joserfc.jwk import ECKey

from ninsho.cli.config.effective import settings_in, toml_lines
from ninsho.daemon.config import decode
from ninsho.daemon.tables import OauthTable
from ninsho.daemon.tokens import open_inspector
from ninsho.errors import ConfigurationError

GOOD = {"issuer": "https://id.example.org", "audience": ["smtp"]}
ASKED = {
    "audience": ["smtp"],
    "introspection_url": "https://id.example.org/introspect",
    "client_id": "ninsho",
    "client_secret_file": "secret",
}


def problems(*tables, folder):
    with pytest.raises(ConfigurationError) as raised:
        decode({"oauth": list(tables)}, source="ninsho.toml", folder=folder)
    return raised.value.problems


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"issuer": "https://id.example.org"}, "oauth[0].audience: expected a value, got none"),
        ({"audience": []}, "oauth[0]: expected issuer, which a signed token must name, got none"),
        ({**GOOD, "issuer": "id"}, "oauth[0]: issuer: expected a URL with https, or with http and a loopback address; or one of jwks_url, jwks_file, public_key_file, introspection_url, got neither"),
        ({**GOOD, "issuer": "http://id.example.org"}, "oauth[0]: issuer: expected a URL with https"),
        ({**GOOD, "jwks_url": "http://id.example.org/k"}, "oauth[0].jwks_url: expected a URL with https, or with http and a loopback address, got 'http://id.example.org/k'"),
        ({**GOOD, "jwks_url": "http://127.0.0.1.evil.example/"}, "oauth[0].jwks_url: expected a URL with https"),
        ({**GOOD, "jwks_url": "file:///etc/passwd"}, "oauth[0].jwks_url: expected a URL with https"),
        ({**GOOD, "jwks_url": "https://"}, "oauth[0].jwks_url: expected a URL with https"),
        ({**GOOD, "jwks_url": "https://[::1"}, "oauth[0].jwks_url: expected a URL"),
        ({**GOOD, "jwks_url": "https://u@id.example.org/"}, "oauth[0].jwks_url: expected a URL without a user name and a password"),
        ({**GOOD, "jwks_file": "a", "public_key_file": "b"}, "oauth[0]: expected one of jwks_url, jwks_file, public_key_file, introspection_url, got jwks_file and public_key_file"),
        ({**GOOD, "client_id": "x"}, "oauth[0]: expected client_id and client_secret_file with introspection_url, and only there"),
        ({**ASKED, "client_id": ""}, "oauth[0]: expected client_id and client_secret_file with introspection_url"),
        ({**GOOD, "algorithms": ["HS256"]}, "oauth[0].algorithms[0]: expected 'RS256', "),
        ({**GOOD, "algorithms": ["none"]}, "oauth[0].algorithms[0]: expected 'RS256', "),
        ({**GOOD, "algorithms": []}, "oauth[0].algorithms: expected one at least, got none"),
        ({**GOOD, "leeway": "1h"}, "oauth[0].leeway: expected 600 at most"),
        ({**GOOD, "username_claim": ""}, "oauth[0].username_claim: "),
        ({**GOOD, "audiences": []}, "oauth[0].audiences: unknown key; did you mean audience?"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_told_with_its_place(tmp_path, table, told):
    (problem,) = problems(table, folder=tmp_path)
    assert problem.startswith(f"ninsho.toml: {told}"), problem


def test_a_secret_in_a_url_is_not_shown(tmp_path):
    (problem,) = problems({**GOOD, "jwks_url": "https://u:sesame@id.example.org/"}, folder=tmp_path)
    assert "sesame" not in problem


def test_an_issuer_stands_there_once(tmp_path):
    (problem,) = problems(GOOD, GOOD, folder=tmp_path)
    assert problem == "ninsho.toml: oauth: expected each issuer once, got more of https://id.example.org"


@pytest.mark.parametrize("url", ["http://localhost:8080/k", "http://127.0.0.1/k", "http://[::1]:1/k", "https://x/k"])
def test_what_never_leaves_the_machine_need_not_be_encrypted(url):
    assert OauthTable.model_validate({**GOOD, "jwks_url": url}).jwks_url == url


def test_paths_start_from_the_file_and_everything_is_shown(tmp_path):
    config = decode({"oauth": [ASKED]}, source="ninsho.toml", folder=tmp_path)
    assert config.oauth[0].client_secret_file == tmp_path / "secret"
    lines = list(toml_lines(settings_in(config)))
    assert "[[oauth]]" in lines
    assert f'client_secret_file = "{tmp_path}/secret"' in lines
    assert 'leeway = "60s"' in lines


@pytest.mark.parametrize(
    ("table", "files", "told"),
    [
        ({**GOOD, "jwks_file": "keys"}, {}, "oauth[0].jwks_file: {}/keys: cannot be read: No such file or directory"),
        ({**GOOD, "jwks_file": "keys"}, {"keys": b"{}"}, 'oauth[0].jwks_file: {}/keys: expected a JWK Set, {{"keys": […]}}'),
        ({**GOOD, "public_key_file": "keys"}, {"keys": b"x"}, "oauth[0].public_key_file: {}/keys: expected public keys in PEM, found none"),
        (ASKED, {"secret": b"\n"}, "oauth[0].client_secret_file: {}/secret: expected one line of printable ASCII"),
        (ASKED, {"secret": b"sesame\nsesame"}, "oauth[0].client_secret_file: {}/secret: expected one line of printable ASCII"),
        ({**GOOD, "ca_file": "ca"}, {}, "oauth[0].ca_file: {}/ca: expected certificates in PEM: No such file or directory"),
        ({**GOOD, "ca_file": "ca"}, {"ca": b"x"}, "oauth[0].ca_file: {}/ca: expected certificates in PEM: "),
    ],
)  # fmt: skip
def test_files_that_cannot_be_used_are_told_when_they_are_opened(tmp_path, table, files, told):
    for name, contents in files.items():
        (tmp_path / name).write_bytes(contents)
    config = decode({"oauth": [table]}, source="ninsho.toml", folder=tmp_path)

    async def play():
        async with open_inspector(config.oauth):
            pass

    with pytest.raises(ConfigurationError) as raised:
        asyncio.run(play())
    (problem,) = raised.value.problems
    assert problem.startswith(told.format(tmp_path))
    assert "sesame" not in problem


def test_keys_in_files_need_no_network(tmp_path):
    key = ECKey.generate_key("P-256")
    (tmp_path / "key.pem").write_bytes(key.as_pem(private=False))
    config = decode({"oauth": [{**GOOD, "public_key_file": "key.pem"}]}, source="ninsho.toml", folder=tmp_path)

    async def play():
        async with open_inspector(config.oauth) as inspector:
            return inspector.inspect("")

    assert asyncio.run(play()).detail == "expected a token, got none"
