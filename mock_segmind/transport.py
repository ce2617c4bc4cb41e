"""How an answer's bytes reach the client: usually `whole`; every other way is a fault in `faults/transport.py`."""

import os
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from mock_segmind.calls import Call
from mock_segmind.replies import Reply, reason

LINGER_ZERO = struct.pack("ii", 1, 0)
Pause: TypeAlias = Callable[[float], None]
"""Waits for so many seconds; raises Abandoned once the fake is cleared or stopped."""


class Abandoned(Exception):
    """Raised inside a wait when the fake is cleared or stopped: the connection is dropped unanswered."""


Transport: TypeAlias = Callable[["Response"], object]
"""Sends an answer; True where the connection may serve another request."""


def whole(response: "Response") -> bool:
    """Send everything with a right Content-Length and keep the connection: what a healthy server does."""
    response.send(response.head(response.sized, "Connection: keep-alive") + response.body)
    return True


def dropped(_: "Response") -> None:
    """Send nothing and close."""


@dataclass(frozen=True, slots=True)
class Response:
    """A reply to a call, and how its bytes are sent. That to HEAD has no body, and the headers of one that has."""

    call: Call
    reply: Reply
    transport: Transport = whole
    pause: Pause = lambda _: None

    @property
    def body(self) -> bytes:
        return b"" if self.call.method == "HEAD" else self.reply.body

    @property
    def sized(self) -> str:
        """The framing of a whole body."""
        return f"Content-Length: {len(self.reply.body)}"

    def head(self, *framing: str) -> bytes:
        """Return status line and headers, with the framing headers that the caller picked."""
        line = f"HTTP/1.1 {self.reply.status} {reason(self.reply.status)}"
        lines = [line, *(f"{name}: {value}" for name, value in self.reply.headers.items()), *framing]
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")

    def send(self, data: bytes) -> None:
        self.call.connection.sendall(data)

    def reset(self) -> None:
        """Close with RST instead of FIN; detached, because a buffered reader would hold the socket open."""
        self.call.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        os.close(self.call.connection.detach())


def client_has_gone(connection: socket.socket) -> bool:
    """Tell whether the client closed its end: the ledger notes a bill that no client waited for."""
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False  # it is there, and has nothing more to say
    except OSError:
        return True
