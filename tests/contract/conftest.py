"""Fixtures of several files: an issuer of tokens, Google's storage client as ours, and what signs URLs."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from pytest_httpserver import HTTPServer

from imagegen.google import storage as gcs
from imagegen.google.json_api import JsonApi
from imagegen.google.storage import GcsObjects
from local.storage import StorageServer
from tests.contract.storage_clients import DATA, NAME, Signer, signer_for
from tests.harness.issuer import AUDIENCE, EC, RSA, Token, jwk, publish


@pytest.fixture
def gcs_api(storage: StorageServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[JsonApi]:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage.url)
    made = gcs.client(8)
    yield made
    made.close()


@pytest.fixture
def objects(gcs_api: JsonApi) -> GcsObjects:
    """Return the results bucket as the function sees it."""
    return GcsObjects(gcs_api, "results")


@pytest.fixture
def signer(storage: StorageServer, storage_key: Path) -> Iterator[Signer]:
    """Return what signs for the results bucket, where an object lies."""
    storage.put("results", NAME, DATA, content_type="image/jpeg", prompt="x")
    yield from signer_for(storage, storage_key)


@pytest.fixture
def issuer(httpserver: HTTPServer) -> str:
    publish(httpserver, [jwk("RS256", RSA.public_key(), "rsa"), jwk("ES256", EC.public_key(), "ec")])
    return httpserver.url_for("").rstrip("/")


@pytest.fixture
def token(issuer: str) -> Token:
    """Return what makes a good token, or one with these claims (None: left out), key, algorithm or kid."""

    def make(key: Any = RSA, algorithm: str = "RS256", kid: str | None = "rsa", **changed: object) -> str:  # noqa: ANN401
        now = datetime.now(UTC)
        good = {"iss": issuer, "aud": AUDIENCE, "sub": "ada", "iat": now, "exp": now + timedelta(minutes=5)}
        claims = {name: value for name, value in {**good, **changed}.items() if value is not None}
        return jwt.encode(claims, key, algorithm, headers={"kid": kid} if kid else None)

    return make
