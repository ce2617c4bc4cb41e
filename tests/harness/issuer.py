<<<<<<< HEAD
"""An OpenID Connect issuer on this machine, whose documents come, fail, lie or break off as its mood says."""

import json
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

AUDIENCE = "imagegen"
SLOW_SECONDS = 0.5


def _slowly(good: Response) -> Response:
    time.sleep(SLOW_SECONDS)
    return good


MOODS: dict[str, Callable[[Response], Response]] = {
    "well": lambda good: good,
    "slow": _slowly,
    "down": lambda _: Response("no", 503),
    "html": lambda _: Response("<html>", 200),
    "empty": lambda _: Response("{}", 200, content_type="application/json"),
    "elsewhere": lambda _: Response("", 302, {"Location": "http://127.0.0.1:9/"}),
}


def jwk(algorithm: str, public: Any, kid: str) -> dict[str, Any]:  # noqa: ANN401 - any kind of key
    """Return a public key as an issuer publishes it."""
=======
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
>>>>>>> 2ea97a6ee7b5a81708d3cdf34dd55181cc59e7c3
    made: dict[str, Any] = json.loads(jwt.get_algorithm_by_name(algorithm).to_jwk(public))
    return {**made, "kid": kid, "use": "sig", "alg": algorithm}


<<<<<<< HEAD
class Issuer:
    """`bearer()` is a header's value that names `subject`; `failed` counts the answers that were not good."""

    def __init__(self, subject: str = "ada") -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._server, self._subject = HTTPServer(), subject
        self.mood, self.failed = "well", Counter[str]()

    def __enter__(self) -> Self:
        self._server.start()
        self._server.expect_request("/.well-known/openid-configuration").respond_with_handler(self._configuration)
        self._server.expect_request("/jwks").respond_with_handler(self._jwks)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        return self._server.url_for("").rstrip("/")

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a deployment that believes this issuer."""
        return {"AUTH": "oidc", "OIDC_ISSUER": self.url, "OIDC_AUDIENCE": AUDIENCE}

    def bearer(self) -> str:
        now = datetime.now(UTC)
        claims = {"iss": self.url, "aud": AUDIENCE, "sub": self._subject, "iat": now, "exp": now + timedelta(hours=1)}
        return f"Bearer {jwt.encode(claims, self._key, 'RS256', headers={'kid': 'rsa'})}"

    def _configuration(self, _: Request) -> Response:
        return self._answer({"jwks_uri": f"{self.url}/jwks"})

    def _jwks(self, _: Request) -> Response:
        return self._answer({"keys": [jwk("RS256", self._key.public_key(), "rsa")]})

    def _answer(self, document: object) -> Response:
        mood = self.mood
        if mood != "well":
            self.failed[mood] += 1
        return MOODS[mood](Response(json.dumps(document), 200, content_type="application/json"))
=======
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
>>>>>>> 2ea97a6ee7b5a81708d3cdf34dd55181cc59e7c3
