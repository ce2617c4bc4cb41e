"""Fixtures of the tests with an issuer of tokens."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from pytest_httpserver import HTTPServer

from tests.harness.issuer import AUDIENCE, EC, RSA, Token, jwk, publish


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
