"""Service-account keys for this machine: real RSA key files, which google.auth loads and signs URLs with.

A file has the form that Google Cloud hands out, but no Google account stands behind it: only a local storage
that is given the same file knows its public half.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

LOCAL_ACCOUNT = "local@local-project.iam.gserviceaccount.com"


def ensure_key(path: Path, *, email: str = LOCAL_ACCOUNT, server: str = "http://127.0.0.1:9") -> Path:
    """Return `path`, a service-account key file that is made once and kept, so that URLs outlive a restart.

    `server` is the storage server that hands out access tokens for it; signing needs none.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(_key_resource(email, server), indent=2))
    return path


def _key_resource(email: str, server: str) -> dict[str, str]:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    return {
        "type": "service_account",
        "project_id": "local-project",
        "private_key_id": "local",
        "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "client_email": email,
        "client_id": "0",
        "token_uri": f"{server}/_local/token",
    }


def load_keys(files: Iterable[Path]) -> dict[str, RSAPublicKey]:
    """Return public keys by their accounts, out of key files; raises `ValueError` for a file that is none."""
    return dict(map(_load, files))


def _load(path: Path) -> tuple[str, RSAPublicKey]:
    try:
        resource = json.loads(path.read_text())
        private = load_pem_private_key(resource["private_key"].encode(), password=None)
    except (ValueError, KeyError, TypeError, UnsupportedAlgorithm):
        private = None
    if not isinstance(private, RSAPrivateKey):
        raise ValueError(f"{path} holds no RSA key")  # noqa: TRY004  # the file's content is wrong, not its type
    return resource["client_email"], private.public_key()
