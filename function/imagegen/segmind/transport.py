"""HTTP with a deadline that holds, on `requests`.

`requests` applies its read timeout to each `recv`, so a server that drips a byte a second holds a caller for
ever. Here the read timeout is the time by which the whole answer, headers and body, has to be there. Three more
rules that paid calls need: whatever fails before the connection stands says so (nothing was sent), a connection
that idled long is not trusted with a POST, and a host that was not configured may not be a private address.
"""

import io
import ipaddress
import socket
import time
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from typing import Any, ClassVar, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError

# A NAT or load balancer on the way may forget a silent connection without telling; a POST into one would look
# like a generation that never answers. A new TLS connection is cheap beside a call of 30 seconds.
MAX_IDLE_SECONDS = 15.0
# Addresses that carry an IPv4 address inside, which a gateway on the way would unwrap: NAT64, 6to4, IPv4-compatible.
_WRAPPED = tuple(ipaddress.ip_network(net) for net in ("64:ff9b::/96", "2002::/16", "::/96"))


class PrivateAddress(NewConnectionError):
    """A host that was not configured is in our own network: nothing was sent, and nothing will be."""


class _DeadlineReader(io.RawIOBase):
    """The receiving half of a socket: every `recv` gets only the time that is left."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._sock = sock
        self._io = sock.makefile("rb", buffering=0)
        self.at = time.monotonic() + (sock.gettimeout() or 0.0)

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
        super().__init__(sock, debuglevel, method, url)
        self.fp.close()
        self.reader = _DeadlineReader(sock)
        self.fp = io.BufferedReader(self.reader)


class _Connection(HTTPConnection):
    """Says "nothing was sent" for everything that goes wrong while connecting, a TLS handshake included."""

    response_class = _DeadlineResponse
    public_only = False
    _used_at = 0.0

    def connect(self) -> None:
        try:
            super().connect()
        except NewConnectionError:
            raise
        except Exception as e:
            raise NewConnectionError(self, f"no connection: {type(e).__name__}") from e
        if self.public_only and not _is_public(self.sock):
            self.close()
            raise PrivateAddress(self, "refused: the host resolves to a private address")

    @property
    def is_connected(self) -> bool:
        idle = time.monotonic() - self._used_at
        return super().is_connected and (not self._used_at or idle < MAX_IDLE_SECONDS)

    def getresponse(self) -> Any:  # noqa: ANN401 - urllib3 narrows http.client's type
        self._used_at = time.monotonic()
        return super().getresponse()


class _SecureConnection(_Connection, HTTPSConnection):
    """The same over TLS."""


class _PublicConnection(_Connection):
    public_only = True


class _PublicSecureConnection(_SecureConnection):
    public_only = True


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _PublicPool(HTTPConnectionPool):
    ConnectionCls = _PublicConnection


class _PublicSecurePool(HTTPSConnectionPool):
    ConnectionCls = _PublicSecureConnection


class _Adapter(HTTPAdapter):
    pools: ClassVar = {"http": _Pool, "https": _SecurePool}

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - requests' own signature
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self.pools


class _PublicAdapter(_Adapter):
    pools: ClassVar = {"http": _PublicPool, "https": _PublicSecurePool}


class _Session(requests.Session):
    """Knows no redirects: even when not following one, `requests` parses its target and reads its body to the end."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        del resp


def session(pool_size: int, *, public_only: bool = False) -> requests.Session:
    """Return a pooled session that neither retries nor reads proxies, netrc or cookies from its surroundings."""
    made = _Session()
    made.trust_env = False
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    adapter = (_PublicAdapter if public_only else _Adapter)(pool_maxsize=pool_size, max_retries=0)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made


def extend(response: requests.Response, seconds: float) -> None:
    """Give the rest of an answer more time: what it spent in our own queue is not its sender's fault."""
    body: BaseHTTPResponse = response.raw
    original = getattr(body, "_original_response", None)
    if isinstance(original, _DeadlineResponse):
        original.reader.at += seconds


def _is_public(sock: socket.socket) -> bool:
    address = ipaddress.ip_address(sock.getpeername()[0].split("%")[0])
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.is_global and not mapped.is_multicast and not any(mapped in net for net in _WRAPPED)
