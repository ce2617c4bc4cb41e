"""Pooled HTTP with a deadline that holds, on urllib3: what `segmind` and `google` call the world through.

urllib3 applies a timeout to each `recv`, so a server that drips a byte a second holds a caller for ever. Here a
timeout is the time by which the whole answer, sending the request included, has to be there. Three more rules:
a failure before the connection stands says so (`NewConnectionError`: nothing was sent), a connection that idled
long is not used again, and a host that was not configured may not be a private address.
"""

import functools
import io
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any, cast

import certifi
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

CONNECT_SECONDS = 4.0  # name, TCP and TLS; never more than the call's own timeout
_SMALL_BYTES = 64 * 1024  # below, a copy is cheaper than a system call of its own
_LEAST_SECONDS = 0.001  # a socket takes 0 for "do not block"
# Addresses that carry an IPv4 address inside, which a gateway on the way would unwrap: NAT64, 6to4, IPv4-compatible.
_WRAPPED = tuple(ipaddress.ip_network(net) for net in ("64:ff9b::/96", "2002::/16", "::/96"))


class PrivateAddress(NewConnectionError):
    """A host that was not configured is in our own network: not even a connection is made."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How far connections are trusted. `max_idle_seconds`: after so much silence a new one is opened."""

    max_idle_seconds: float
    public_only: bool = False


class _DeadlineReader(io.RawIOBase):
    """The receiving half of a socket: every `recv` gets only the time that is left."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._sock = sock
        self._io = sock.makefile("rb", buffering=0)
        self.at = time.monotonic() + (sock.gettimeout() or 0.0)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return what http.client reads an answer from: all that it asks a socket for."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - io's own signature
        left = self.at - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        return cast("io.RawIOBase", self._io).readinto(buffer)

    def close(self) -> None:
        self._io.close()
        super().close()


class _DeadlineResponse(HTTPResponse):
    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        self.reader = _DeadlineReader(sock)
        super().__init__(cast("socket.socket", self.reader), debuglevel, method, url)


class _Connection(HTTPConnection):
    """`timeout` bounds a request from its first byte to the last of its answer."""

    response_class = _DeadlineResponse
    timeout: float
    _used_at = 0.0
    _until = 0.0
    _held: list[bytes | memoryview] | None = None

    def __init__(self, *args: Any, rules: Rules, **options: Any) -> None:  # noqa: ANN401 - urllib3's own signature
        super().__init__(*args, **options)
        self._rules = rules

    def connect(self) -> None:
        """Connect. Every failure before the connection stands, also of its TLS handshake, is a NewConnectionError."""
        begun, allowed = time.monotonic(), self.timeout
        self.timeout = min(CONNECT_SECONDS, allowed)
        try:
            super().connect()
        except NewConnectionError:
            raise
        except Exception as e:
            raise NewConnectionError(self, f"no connection: {type(e).__name__}") from e
        finally:
            self.timeout = max(_LEAST_SECONDS, allowed - (time.monotonic() - begun))
        self.sock.settimeout(self.timeout)

    def request(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - urllib3's own signature
        """Send a request, its head together with a small body: each `send` hands Python's lock to another thread."""
        self._until = time.monotonic() + self.timeout
        self._held = []
        try:
            super().request(*args, **options)
            self._flush()
        finally:
            self._held = None

    def send(self, data: Any) -> None:  # noqa: ANN401 - http.client's own signature
        """Send a part of a request, or hold it until there is more."""
        if self._held is None:
            super().send(data)
        elif len(data) <= _SMALL_BYTES:
            self._held.append(data)
        else:
            self._flush()
            super().send(data)

    def _flush(self) -> None:
        held, self._held = self._held, []
        if held:
            super().send(b"".join(held))

    def getresponse(self) -> Any:  # noqa: ANN401 - urllib3 narrows http.client's type
        """Return the answer, whose body has to come in the same time."""
        self._used_at = time.monotonic()
        self.timeout = max(_LEAST_SECONDS, self._until - self._used_at)
        return super().getresponse()

    @property
    def is_connected(self) -> bool:
        idle = time.monotonic() - self._used_at
        return super().is_connected and (not self._used_at or idle < self._rules.max_idle_seconds)

    def _new_conn(self) -> socket.socket:
        """Return a TCP connection. Where only public hosts are allowed, no other address is even tried."""
        if not self._rules.public_only:
            return super()._new_conn()
        error = None
        for address in self._public_addresses():
            try:
                return create_connection((address, self.port), self.timeout, socket_options=self.socket_options)
            except OSError as e:
                error = e
        raise NewConnectionError(self, "no connection") from error

    def _public_addresses(self) -> list[str]:
        host = self.host.strip("[]")
        try:
            found = socket.getaddrinfo(host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as e:
            raise NameResolutionError(host, self, cast("socket.gaierror", e)) from e
        public = [str(entry[4][0]) for entry in found if is_public(str(entry[4][0]))]
        if not public:
            raise PrivateAddress(self, "refused: the host resolves to a private address")
        return public


class _SecureConnection(_Connection, HTTPSConnection): ...


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection  # type: ignore[assignment]  # urllib3's protocol has timeouts of None


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection  # type: ignore[assignment]  # as above


@functools.cache
def _trust() -> ssl.SSLContext:
    """Read the CA bundle once: urllib3 would read it for each connection, which is 10 ms of CPU."""
    return ssl.create_default_context(cafile=certifi.where())


def pools(size: int, rules: Rules) -> PoolManager:
    """Return pools of connections, one a host, that read no proxies, netrc or cookies from their surroundings."""
    made = PoolManager(maxsize=size, retries=False, ssl_context=_trust())
    kinds = {"http": functools.partial(_Pool, rules=rules), "https": functools.partial(_SecurePool, rules=rules)}
    made.pool_classes_by_scheme = cast("dict[str, Any]", kinds)
    return made


def send(  # noqa: PLR0913, PLR0917 - one request, all of it
    pools: PoolManager | HTTPConnectionPool,
    method: str,
    url: str,
    seconds: float,
    headers: Mapping[str, str],
    body: bytes | Iterable[bytes | memoryview] | None = None,
    *,
    whole: bool = False,
) -> BaseHTTPResponse:
    """Return the answer of any status; its body is read if `whole`, else in the socket. One try, no redirect.

    Raises NewConnectionError where nothing was sent, else another urllib3.exceptions.HTTPError or an OSError.
    """
    headers = {"Accept-Encoding": "identity", **headers}
    return pools.urlopen(
        method,
        url,
        redirect=False,
        body=cast("Any", body),  # urllib3 sends a memoryview as it lies, and its types do not say so
        headers=headers,
        timeout=max(seconds, _LEAST_SECONDS),
        retries=False,
        preload_content=whole,
    )


def original(response: BaseHTTPResponse) -> HTTPResponse | None:
    """Return http.client's answer, which reads into one buffer of the right size; urllib3 joins pieces."""
    found = getattr(response, "_original_response", None)
    return found if isinstance(found, HTTPResponse) else None


def extend(response: BaseHTTPResponse, seconds: float) -> None:
    """Give the rest of an answer more time: what it spent in our own queue is not its sender's fault."""
    found = original(response)
    if isinstance(found, _DeadlineResponse):
        found.reader.at += seconds


def renew(response: BaseHTTPResponse, seconds: float) -> None:
    """Give the next piece of an answer so much time: a slow reader of ours is not its sender's fault either."""
    found = original(response)
    if isinstance(found, _DeadlineResponse):
        found.reader.at = time.monotonic() + seconds


def is_public(address: str) -> bool:
    """Tell an address of the internet from one of our own network, also where it is wrapped in another."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None) or found
    return mapped.is_global and not mapped.is_multicast and not any(mapped in net for net in _WRAPPED)
