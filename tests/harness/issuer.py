"""An OpenID Connect issuer on this machine, and tokens of every kind."""

import base64
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pytest_httpserver import HTTPServer
from werkzeug.datastructures import Headers

from imagegen.doors.auth import Caller
from imagegen.doors.oidc import OidcTokens
from imagegen.doors.signing_keys import SigningKeys
from imagegen.errors import Unauthenticated
from tests.harness.clock import FakeClock

AUDIENCE = "imagegen"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC_PEM = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
Token = Callable[..., str]
HS256 = {"alg": "HS256", "typ": "JWT", "kid": "rsa"}
RS256 = {"alg": "RS256", "kid": "rsa"}


def jwk(algorithm: str, public: Any, kid: str) -> dict[str, Any]:  # noqa: ANN401 - either kind of key
    made: dict[str, Any] = json.loads(jwt.get_algorithm_by_name(algorithm).to_jwk(public))
    return {**made, "kid": kid, "use": "sig", "alg": algorithm}


def publish(server: HTTPServer, keys: list[dict[str, Any]]) -> None:
    """Be an issuer with these keys, and forget what was asked before."""
    server.clear()
    url = server.url_for("/jwks")
    server.expect_request("/.well-known/openid-configuration").respond_with_json({"jwks_uri": url})
    server.expect_request("/jwks").respond_with_json({"keys": keys})


def by_hand(head: object, claims: object, key: bytes = PUBLIC_PEM) -> str:
    """Return a token that no library would make, signed with HMAC."""

    def part(value: bytes) -> bytes:
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    texts = (each if isinstance(each, bytes) else json.dumps(each).encode() for each in (head, claims))
    signed = b".".join(part(text) for text in texts)
    return (signed + b"." + part(hmac.digest(key, signed, "sha256"))).decode()


def of(issuer: str, clock: FakeClock | None = None) -> OidcTokens:
    return OidcTokens(issuer, AUDIENCE, SigningKeys(issuer, clock or FakeClock(), 0.3))


def caller(tokens: OidcTokens, token: str) -> Caller:
    return tokens.caller(Headers({"Authorization": f"Bearer {token}"}))


def refused(tokens: OidcTokens, token: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        caller(tokens, token)
    assert len(token) < 9 or token not in caught.value.detail
    return caught.value.detail
