"""The keys of an OpenID Connect issuer: few fetches, however many tokens name keys that there are not.

PyJWT's own client tries again with every token while the issuer is down, under one lock, and reads an answer of any
size for as long as it drips. Imported only where AUTH=oidc.
"""

import json
import threading
from contextlib import closing

import jwt
from urllib3.exceptions import HTTPError

from imagegen import connections
from imagegen.ports import Clock

_EVERY_SECONDS = 60.0  # between two fetches, also for a key that was not there: keys are rotated slower
_AGAIN_SECONDS = 5.0  # between two fetches where there are no keys to go on with
_FRESH_SECONDS = 300.0  # so long keys are used without asking
_STALE_SECONDS = 3600.0  # so long they are used while the issuer cannot be asked
_FETCH_SECONDS = 5.0
_MAX_BYTES = 1024 * 1024
_NO_JWKS = (HTTPError, OSError, LookupError, TypeError, ValueError, RecursionError, jwt.PyJWTError)


class KeysUnavailable(Exception):
    """The issuer's keys cannot be fetched at the moment; the token may be good."""


class UnknownKey(Exception):
    """The issuer has no such key, or had none a moment ago."""


class SigningKeys:
    """Finds keys by their id (`kid`). The issuer may be down when we start: its keys are found on first use."""

    def __init__(self, issuer: str, clock: Clock, fetch_seconds: float = _FETCH_SECONDS) -> None:
        self._issuer, self._clock, self._fetch_seconds = issuer, clock, fetch_seconds
        self._pools = connections.pools(1, connections.Rules(max_idle_seconds=0.0))
        self._lock = threading.Lock()
        self._url = ""
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = self._tried_at = -_STALE_SECONDS

    def of(self, kid: str | None) -> jwt.PyJWK:
        """Return the key with this id. Raises KeysUnavailable, UnknownKey."""
        known = self._keys.get(kid or "")
        if known and self._age < _FRESH_SECONDS:
            return known
        with self._lock:
            self._refresh(kid or "")
            if self._age >= _STALE_SECONDS:
                raise KeysUnavailable
            try:
                return self._keys[kid or ""]
            except KeyError:
                raise (UnknownKey if self._fetched_at == self._tried_at else KeysUnavailable) from None

    @property
    def _age(self) -> float:
        return self._clock.monotonic() - self._fetched_at

    def _refresh(self, kid: str) -> None:
        """Fetch the keys, unless that was tried a moment ago, or another thread has just done it."""
        if kid in self._keys and self._age < _FRESH_SECONDS:
            return
        pause = _EVERY_SECONDS if self._age < _STALE_SECONDS else _AGAIN_SECONDS
        if self._clock.monotonic() - self._tried_at < pause:
            return
        self._tried_at = self._clock.monotonic()
        try:
            self._url = self._url or str(self._document(f"{self._issuer}/.well-known/openid-configuration")["jwks_uri"])
            found = jwt.PyJWKSet.from_dict(self._document(self._url)).keys
        except _NO_JWKS:
            self._url = ""
            return
        self._keys = {key.key_id: key for key in found if key.key_id and key.public_key_use in {"sig", None}}
        self._fetched_at = self._tried_at

    def _document(self, url: str) -> dict[str, object]:
        """Return the JSON object behind a URL; a redirect is not followed, and a page is none."""
        if not url.startswith(("https://", "http://")):
            raise ValueError("no URL")
        answer = connections.send(self._pools, "GET", url, self._fetch_seconds, {"Accept": "application/json"})
        with closing(answer):
            if answer.status != 200:  # noqa: PLR2004
                raise ValueError("not a 200")
            data = answer.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise ValueError("larger than any key set")
        return dict(json.loads(data))
