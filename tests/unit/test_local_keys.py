"""A local key file is a real one: google.auth loads it, and what it signs verifies with its public half."""

import json
import stat
from pathlib import Path

import google.auth
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from local.keys import ensure_key, load_keys
from local.storage import StorageServer


def test_google_auth_signs_with_it_and_the_loaded_key_verifies(
    storage_key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(storage_key))
    credentials, project = google.auth.default()
    ((email, key),) = load_keys([storage_key]).items()
    assert isinstance(credentials, service_account.Credentials)
    assert (project, credentials.signer_email) == ("local-project", email)
    key.verify(credentials.sign_bytes(b"message"), b"message", PKCS1v15(), hashes.SHA256())


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = ensure_key(tmp_path / "new" / "key.json", email="me@example.com", server="http://127.0.0.1:1")
    text = path.read_text()
    assert json.loads(text)["client_email"] == "me@example.com"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ensure_key(path).read_text() == text


def elliptic() -> str:
    """Return a key file whose key is of another kind."""
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    private = ec.generate_private_key(ec.SECP256R1()).private_bytes(*form).decode()
    return json.dumps({"client_email": "me@example.com", "private_key": private})


@pytest.mark.parametrize("content", ["", "{}", "not a key", '{"private_key": "x", "client_email": "y"}', None])
def test_a_file_without_an_rsa_key_is_refused(tmp_path: Path, content: str | None) -> None:
    (tmp_path / "key").write_text(elliptic() if content is None else content)
    with pytest.raises(ValueError, match="key" if content is not None else "no RSA key"):
        load_keys([tmp_path / "key"])


def test_the_server_hands_out_access_tokens_for_it(storage: StorageServer, tmp_path: Path) -> None:
    """So that code which insists on refreshing its credentials runs on this machine too."""
    path = ensure_key(tmp_path / "key.json", server=storage.url)
    credentials = service_account.Credentials.from_service_account_file(path, scopes=["any"])
    credentials.refresh(Request())
    assert credentials.valid
