"""waitress, on a thread of this process: one loop serves all connections, so a client that stalls holds up no other."""

import logging
import select
import socket
import struct
import threading
from wsgiref.types import WSGIApplication, WSGIEnvironment

from flask import Response, request
from waitress import wasyncore
from waitress.channel import ClientDisconnected, HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import WSGITask

THREADS = 64
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER of no seconds: the peer sees a reset, and no polite end of the stream before it."""


class _Task(WSGITask):  # type: ignore[misc]  # waitress is untyped
    def get_environment(self) -> WSGIEnvironment:
        """Return the usual one, with the socket, and with the path as it was sent, still encoded."""
        environ: WSGIEnvironment = super().get_environment()
        path = environ["REQUEST_URI"].partition("?")[0]
        return environ | {"local.socket": self.channel.socket, "PATH_INFO": path}


class _Channel(HTTPChannel):  # type: ignore[misc]  # waitress is untyped
    task_class = _Task


def hang_up() -> Response:
    """Reset the connection of the current call instead of answering."""
    request.environ["local.socket"].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    raise ClientDisconnected


class HttpServer(TcpWSGIServer):  # type: ignore[misc]  # waitress is untyped
    """Listens from the start; raises `OSError` if the port is taken."""

    channel_class = _Channel

    def __init__(self, port: int, app: WSGIApplication) -> None:
        logging.getLogger("waitress").setLevel(logging.ERROR)  # a full queue and a cut answer are what tests ask for
        super().__init__(
            app,
            host="127.0.0.1",
            port=port,
            threads=THREADS,
            connection_limit=2000,
            recv_bytes=1 << 18,
            inbuf_overflow=1 << 26,
            asyncore_use_poll=True,
            clear_untrusted_proxy_headers=False,
        )
        self.adj.send_bytes = 1 << 16  # a small answer's head and body in one packet: half the time of a call
        self.port = int(self.effective_port)
        self._thread = threading.Thread(target=self.run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def is_at_work(self) -> bool:
        """Whether a call is under way, or has come and was not read yet."""
        channels, unread = dict(self.active_channels), select.poll()
        for descriptor in (self.socket.fileno(), *channels):
            unread.register(descriptor, select.POLLIN)
        return bool(unread.poll(0)) or any(channel.requests for channel in channels.values())

    def stop(self) -> None:
        """End every connection and thread."""
        self.trigger.pull_trigger(self._close_all)
        self._thread.join()
        self.task_dispatcher.shutdown()

    def _close_all(self) -> None:
        for channel in list(self.active_channels.values()):
            channel.handle_close()
        wasyncore.close_all(self._map)
