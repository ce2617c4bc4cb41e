"""Signing as in the cloud: the metadata server's credentials, IAM's signBlob, and a real server that checks it all."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from local.keys import LOCAL_ACCOUNT
from local.storage import StorageServer

ACCOUNTS = "/computeMetadata/v1/instance/service-accounts"
TOKEN = "ya29.sentinel-access-token"
FLAVOR = {"Metadata-Flavor": "Google"}
DATA = b"an image"
Sign = Callable[..., list[dict[str, Any]]]


class FakeGoogle:
    """A metadata server and IAM's signBlob, with as many failures in front as the test asks for."""

    def __init__(self, server: HTTPServer, key_file: Path) -> None:
        pem = json.loads(key_file.read_text())["private_key"].encode()
        key = serialization.load_pem_private_key(pem, None)
        assert isinstance(key, RSAPrivateKey)
        self._key = key
        self.failures: list[Response] = []
        self.signed: list[str] = []
        self.tokens = 0
        account = {"email": LOCAL_ACCOUNT, "aliases": ["default"], "scopes": ["cloud-platform"]}
        server.expect_request("/").respond_with_data("", headers=FLAVOR)
        server.expect_request("/computeMetadata/v1/project/project-id").respond_with_data("p", headers=FLAVOR)
        server.expect_request("/computeMetadata/v1/universe/universe-domain").respond_with_data("", 404, FLAVOR)
        server.expect_request(f"{ACCOUNTS}/default/").respond_with_json(account, headers=FLAVOR)
        server.expect_request(f"{ACCOUNTS}/default/token").respond_with_handler(self._token)
        server.expect_request(f"{ACCOUNTS}/{LOCAL_ACCOUNT}/token").respond_with_handler(self._token)
        for email in (LOCAL_ACCOUNT, "other@local-project.iam.gserviceaccount.com"):
            path = f"/v1/projects/-/serviceAccounts/{email}:signBlob"
            server.expect_request(path, method="POST").respond_with_handler(self._sign)

    def _token(self, request: Request) -> Response:
        del request
        self.tokens += 1
        body = {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"}
        return Response(json.dumps(body), headers=FLAVOR, content_type="application/json")

    def _sign(self, request: Request) -> Response:
        self.signed.append(request.path.rpartition("/")[2])
        if self.failures:
            return self.failures.pop(0)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return Response("expired", 401)
        payload = base64.b64decode(json.loads(request.get_data())["payload"])
        signature = self._key.sign(payload, PKCS1v15(), hashes.SHA256())
        return Response(json.dumps({"keyId": "1", "signedBlob": base64.b64encode(signature).decode()}))


@pytest.fixture
def google(httpserver: HTTPServer, storage_key: Path) -> FakeGoogle:
    return FakeGoogle(httpserver, storage_key)


@pytest.fixture
def sign(httpserver: HTTPServer, storage: StorageServer, tmp_path: Path) -> Sign:
    """Return what signs names in a process that finds the fakes where it would find Google."""
    host = f"127.0.0.1:{httpserver.port}"
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": "function",
        "HOME": str(tmp_path),
        "STORAGE_EMULATOR_HOST": storage.url,
        "FAKE_IAM": httpserver.url_for("").rstrip("/"),
        "GCE_METADATA_HOST": host,
        "GCE_METADATA_ROOT": host,
        "GCE_METADATA_IP": host,
    }

    def run(*names: str, **more: str) -> list[dict[str, Any]]:
        command = [sys.executable, "-m", "tests.contract.sign_names", *names]
        ran = subprocess.run(command, env={**env, **more}, capture_output=True, text=True, timeout=60, check=True)
        assert TOKEN not in ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr
        return [line for line in map(json.loads, ran.stdout.splitlines()) if "event" not in line]

    return run


def test_a_url_signed_by_iam_opens_the_object(sign: Sign, google: FakeGoogle, storage: StorageServer) -> None:
    """The email is found by a refresh, since compute credentials call themselves "default"; the signature holds."""
    storage.put("results", "jobs/1/image.jpg", DATA)
    (made,) = sign("jobs/1/image.jpg")
    assert requests.get(made["url"], timeout=10).content == DATA
    assert LOCAL_ACCOUNT.replace("@", "%40") in made["url"]
    assert google.signed == [f"{LOCAL_ACCOUNT}:signBlob"]


def test_another_account_may_sign(sign: Sign, google: FakeGoogle) -> None:
    """SIGNING_SERVICE_ACCOUNT names it, and the metadata server is not asked."""
    other = "other@local-project.iam.gserviceaccount.com"
    (made,) = sign("a", SIGNING_SERVICE_ACCOUNT=other)
    assert (google.signed, other.replace("@", "%40") in made["url"]) == ([f"{other}:signBlob"], True)


def test_the_token_is_fetched_once(sign: Sign, google: FakeGoogle) -> None:
    """Two names are two signatures, the same name twice is one; the token serves for all."""
    first, second, again = sign("a", "b", "a")
    assert (first == again, first == second) == (True, False)
    assert (len(google.signed), google.tokens) == (2, 1)


def test_a_503_of_iam_is_retried(sign: Sign, google: FakeGoogle) -> None:
    google.failures = [Response("busy", 503)]
    (made,) = sign("a")
    assert ("url" in made, len(google.signed)) == (True, 2)


@pytest.mark.parametrize(
    "failure",
    [
        Response('{"error": {"message": "quota sentinel"}}', 429),
        Response('{"error": {"message": "denied sentinel"}}', 403),
        Response("sentinel", 401),
        Response("{}", 200),
        Response("[]", 200),
        Response("<html>sentinel</html>", 200),
        Response('{"signedBlob": 5}', 200),
    ],
    ids=lambda failure: f"{failure.status_code}-{failure.get_data(as_text=True)[:8]}",
)
def test_a_refusal_is_told_and_the_next_try_is_fresh(sign: Sign, google: FakeGoogle, failure: Response) -> None:
    """No URL could be signed: that is all the caller hears; and the refusal is not remembered."""
    google.failures = [failure]
    first, second = sign("a", "a")
    assert "sentinel" not in first["error"]
    assert "url" in second


def test_a_metadata_server_without_a_token(sign: Sign, httpserver: HTTPServer) -> None:
    for path in ("/", "/computeMetadata/v1/project/project-id"):
        httpserver.expect_request(path).respond_with_data("p", headers=FLAVOR)
    httpserver.expect_request(f"{ACCOUNTS}/default/").respond_with_data("no", 404, FLAVOR)
    (made,) = sign("a")
    assert "No URL could be signed" in made["error"]
