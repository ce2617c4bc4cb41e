"""One HTTP call to Segmind, and the policy of repeating it. Only what was certainly not billed is repeated."""

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

from urllib3 import BaseHTTPResponse, PoolManager
from urllib3.exceptions import HTTPError, LocationValueError, NewConnectionError, ReadTimeoutError

from imagegen import connections, log
from imagegen.errors import OutcomeUnknown, SegmindBadImage, SegmindError, SegmindUnreachable
from imagegen.failure import Repeats
from imagegen.ports import Clock, Deadline
from imagegen.segmind.failures import error_of, said
from imagegen.segmind.images import read_error

# A NAT or load balancer on the way may forget a silent connection without telling; a POST into one would look
# like a generation that never answers. A new TLS connection is cheap beside a call of 30 seconds.
MAX_IDLE_SECONDS = 15.0
# A generation takes 30 s on average. A repeat that starts with less time than this would be cut off by our own
# deadline while Segmind goes on and bills it.
_LEAST_SECONDS = 60.0
T = TypeVar("T")
Policy = Callable[[SegmindError], Repeats]


class SegmindClient:
    """Segmind's endpoints over pooled connections. The key goes to the configured hosts and nowhere else."""

    def __init__(self, key: str, base_url: str, clock: Clock, pool_size: int) -> None:
        self._key, self._base_url, self._clock = key, base_url, clock
        self._own = connections.pools(pool_size, connections.Rules(MAX_IDLE_SECONDS))
        self._public = connections.pools(pool_size, connections.Rules(MAX_IDLE_SECONDS, public_only=True))

    def call(self, method: str, path: str, deadline: Deadline, body: object = None) -> BaseHTTPResponse:
        """Return an open 2xx answer whose headers are read and whose body is not. Raises SegmindError."""
        url = path if "://" in path else f"{self._base_url}{path}"
        headers = {"x-api-key": self._key, **({} if body is None else {"Content-Type": "application/json"})}
        data = None if body is None else json.dumps(body).encode()
        response = _send(self._own, method, url, deadline, headers, data)
        if 200 <= response.status < 300:  # noqa: PLR2004
            return response
        with response:
            text = read_error(response)
        raise error_of(response.status, response.headers, text, self._key, self._clock.now())

    def fetch(self, url: str, deadline: Deadline) -> BaseHTTPResponse:
        """Return an open answer from a hosted URL: without the key, https only, never from a private address.

        Segmind's own origin is exempt from both, so that a fake on this machine can host its images.
        Raises SegmindBadImage where another try could not help.
        """
        try:
            own = origin(url) == origin(self._base_url)
        except ValueError:
            raise SegmindBadImage("The hosted image's URL is not a valid one.") from None
        if not own and not url.lower().startswith("https://"):
            raise SegmindBadImage("The hosted image is not on https.")
        return _send(self._own if own else self._public, "GET", url, deadline, {})

    def said(self, text: str) -> str:
        """Return vendor text that may be shown to a caller."""
        return said(text, self._key)

    def buy(self, path: str, body: object, deadline: Deadline) -> BaseHTTPResponse:
        """Return the open answer to a call that costs money, repeated only while a repeat is not cut off by us."""
        least_seconds = min(_LEAST_SECONDS, deadline.left / 2)
        return self.repeating(lambda: self.call("POST", path, deadline, body), deadline, least_seconds)

    def repeating(
        self, attempt: Callable[[], T], deadline: Deadline, least_seconds: float = 0.0, policy: Policy | None = None
    ) -> T:
        """Return what `attempt` returns, repeating it by the failure's policy while time for another try is left."""
        tried: Counter[type[SegmindError]] = Counter()
        while True:
            try:
                return attempt()
            except SegmindError as error:
                tried[type(error)] += 1
                times, status = tried[type(error)], error.upstream_status
                repeats = policy(error) if policy else error.repeats
                pause = repeats.pause(times, error.retry_after, status, random.uniform)
                if pause is None or deadline.left - pause < least_seconds:
                    raise
                log.segmind_repeated(error.code, tried.total(), pause)
                self._clock.sleep(pause)


def _send(  # noqa: PLR0913, PLR0917 - one call, all of it
    pools: PoolManager,
    method: str,
    url: str,
    deadline: Deadline,
    headers: Mapping[str, str],
    data: bytes | None = None,
) -> BaseHTTPResponse:
    if deadline.left <= 0:
        raise SegmindUnreachable("No time was left to call Segmind.")
    try:
        return connections.send(pools, method, url, deadline.left, headers, data)
    except (HTTPError, OSError) as e:
        raise _transport_error(e) from e


def _transport_error(error: Exception) -> SegmindError:
    """Tell "nothing was sent" from "it may have arrived": only the first is free and may be repeated."""
    if isinstance(error, connections.PrivateAddress):
        return SegmindBadImage("The hosted image is on a private address.")
    if isinstance(error, NewConnectionError):
        return SegmindUnreachable("No connection to Segmind could be made; nothing was sent.")
    if isinstance(error, LocationValueError):
        return SegmindUnreachable("The URL is not one that can be called; nothing was sent.")
    if isinstance(error, ReadTimeoutError):
        return OutcomeUnknown("The request was sent, then Segmind was silent until the deadline.")
    return OutcomeUnknown("The request was sent, then the connection broke before an answer was there.")


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port. Raises ValueError for what is no URL."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(scheme)
