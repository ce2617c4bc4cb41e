"""An OpenID Connect issuer whose documents come, fail, lie or break off, as its mood says."""

import json
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Self

import jwt
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.harness.issuer import AUDIENCE, RSA, jwk

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


class Issuer:
    """`bearer()` is a header's value that names `subject`; `failed` counts the answers that were not good."""

    def __init__(self, subject: str = "ada") -> None:
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
        return f"Bearer {jwt.encode(claims, RSA, 'RS256', headers={'kid': 'rsa'})}"

    def _configuration(self, _: Request) -> Response:
        return self._answer({"jwks_uri": f"{self.url}/jwks"})

    def _jwks(self, _: Request) -> Response:
        return self._answer({"keys": [jwk("RS256", RSA.public_key(), "rsa")]})

    def _answer(self, document: object) -> Response:
        mood = self.mood
        if mood != "well":
            self.failed[mood] += 1
        return MOODS[mood](Response(json.dumps(document), 200, content_type="application/json"))
