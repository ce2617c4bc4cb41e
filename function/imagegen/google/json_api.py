"""Cloud Storage's JSON API over pooled connections: one call, its retries, and the caller's own deadline.

The storage client copies an upload twice, prepares each request anew and looks up proxies each time, which was most of
an image's CPU (`make bench`). What it is better at, signing, it still does (`signing.py`).
"""

import json
import random
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from google.auth.exceptions import GoogleAuthError
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from imagegen import connections, log
from imagegen.errors import StorageUnavailable
from imagegen.ports import Deadline

HOST = "https://storage.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
ATTEMPT_SECONDS = 10.0  # an attempt that takes longer is lost
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
_PAUSE_SECONDS, _LONGEST_PAUSE = 0.1, 2.0
_MAX_CONNECTIONS = 64
_UNAUTHORIZED = 401
# Every write of ours may be repeated, so a connection that broke unseen costs one attempt and no money.
_RULES = connections.Rules(max_idle_seconds=120.0)


class JsonApi:
    """Calls one storage service. `credentials` of None: an emulator, which asks for none."""

    def __init__(self, host: str, credentials: Any, pool_size: int) -> None:  # noqa: ANN401 - google.auth is untyped
        self._credentials = credentials
        self._pools = connections.pools(min(pool_size, _MAX_CONNECTIONS), _RULES)
        self._pool = self._pools.connection_from_url(host)  # asked directly: finding it takes a tenth of a call's CPU
        self._refreshing = threading.Lock()
        self._refused: str | None = None  # the token that was refused last

    def close(self) -> None:
        """Close idle connections."""
        self._pools.clear()

    def call(  # noqa: PLR0913 - one call, all of it
        self,
        operation: str,
        method: str,
        path: str,
        deadline: Deadline,
        *,
        query: Mapping[str, object] | None = None,
        body: bytes | Iterable[bytes | memoryview] | None = None,
        headers: Mapping[str, str] | None = None,
        expected: tuple[int, ...] = (200,),
        stream: bool = False,
    ) -> BaseHTTPResponse:
        """Return an answer with one of the expected statuses. Raises StorageUnavailable, at the deadline at the latest.

        An answer to a repeated call may tell of the first one: a 412 where that one had written.
        """
        url = path + (f"?{urlencode(query)}" if query else "")
        pause, cause = _PAUSE_SECONDS, "no time was left"
        while deadline.left > 0:
            seconds = min(ATTEMPT_SECONDS, deadline.left)
            try:
                told = {**(headers or {}), **self._authorization(seconds)}
                response = connections.send(self._pool, method, url, seconds, told, body, whole=not stream)
            except (HTTPError, OSError) as error:
                cause = type(error).__name__
            except GoogleAuthError as error:
                raise _unavailable(operation, type(error).__name__, refused=True) from error
            else:
                if response.status in expected:
                    return response
                response.drain_conn()
                cause = f"status {response.status}"
                if not self._may_pass(response.status):
                    raise _unavailable(operation, cause, refused=True)
            if deadline.left <= pause:
                break
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads retries, guards nothing
            pause = min(2 * pause, _LONGEST_PAUSE)
        raise _unavailable(operation, cause, refused=False)

    def _may_pass(self, status: int) -> bool:
        """Tell whether another attempt may end otherwise: a token that was refused is fetched anew, once."""
        if status != _UNAUTHORIZED or self._credentials is None or self._credentials.token is None:
            return status in _AGAIN
        fresh, self._refused = bool(self._refused != self._credentials.token), self._credentials.token
        self._credentials.token = None
        return fresh

    def _authorization(self, seconds: float) -> dict[str, str]:
        if self._credentials is None:
            return {}
        if not self._credentials.valid:
            with self._refreshing:
                if not self._credentials.valid:
                    self._refresh(seconds)
        return {"Authorization": f"Bearer {self._credentials.token}"}

    def _refresh(self, seconds: float) -> None:
        """Fetch a token over our pool; google.auth's own timeouts give way to the time that is left."""
        from google.auth.transport import urllib3 as transport  # noqa: PLC0415 - only where there are credentials

        request = transport.Request(self._pools)
        self._credentials.refresh(lambda *args, **options: request(*args, **{**options, "timeout": seconds}))


def parsed(operation: str, data: bytes) -> dict[str, Any]:
    """Return the JSON object in an answer. Raises StorageUnavailable: an answer that is none confirms nothing."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _unavailable(operation, "an answer that is no JSON object", refused=False)
    return value


def _unavailable(operation: str, cause: str, *, refused: bool) -> StorageUnavailable:
    log.storage_failed(operation, cause)
    error = StorageUnavailable(f"Cloud Storage could not be used ({operation}: {cause}).")
    error.refused = refused
    return error
