"""The storage server as an object: start it, point `STORAGE_EMULATOR_HOST` at its `url`, see what it holds.

with StorageServer(tmp_path, keys=load_keys([key_file]), buckets=["results"]) as storage:
    os.environ["STORAGE_EMULATOR_HOST"] = storage.url
"""

from __future__ import annotations

import json
import socket
import socketserver
import sys
import threading
import time
from collections import deque
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from local.events import Events, Subscription
from local.storage.admin import Call, State
from local.storage.app import App
from local.storage.buckets import Buckets
from local.storage.faults import Faults
from local.storage.handler import Handler
from local.storage.routes import Router
from local.storage.signatures import Verifier
from local.storage.store import Objects
from local.storage.uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from local.keys import VerificationKey
    from local.storage.model import Attributes, StoredObject

REMEMBERED_CALLS = 100_000
GOODBYE_SECONDS = 5.0


class HttpServer(ThreadingHTTPServer):
    """Listens, and knows its open connections, so that closing it ends them all."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, port: int, app: App) -> None:
        self.app = app
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(("127.0.0.1", port), Handler)

    def server_bind(self) -> None:
        """Bind without the base class's look-up of the host's name, which can take seconds."""
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # as the base class
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401  # as the base class
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # as the base class
        """Keep quiet about a client that went away: that is no error."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def hang_up(self) -> None:
        """End every connection and wait until their threads are done."""
        with self._changed:
            for connection in self._open:
                _end(connection)
            self._changed.wait_for(lambda: not self._open, GOODBYE_SECONDS)


def _end(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


class StorageServer:
    """Cloud Storage over a folder that keeps everything; raises `OSError` if the port is taken."""

    def __init__(  # noqa: PLR0913  # each has its name, and most their default
        self,
        directory: Path,
        port: int = 0,
        *,
        keys: Sequence[VerificationKey] = (),
        buckets: Sequence[str] = (),
        subscription: Subscription | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.faults = Faults()
        self.calls: deque[Call] = deque(maxlen=REMEMBERED_CALLS)
        self.events = Events(directory, subscription, lambda: self.url)
        self._objects = Objects(directory, self.events.announce)
        self._buckets = Buckets(directory)
        self._state = State(self._buckets, self._objects, Uploads(self._objects), self.events, self.faults, self.calls)
        self._standard = buckets
        self._http = HttpServer(port, App(self._state, Router(self._state, Verifier(keys, clock))))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._ensure_buckets()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        self.events.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self.faults.clear()
        self._http.hang_up()
        self._http.server_close()
        self._state.uploads.clear()
        self.events.close()
        self._objects.close()

    def clear(self) -> None:
        """Forget everything but the buckets that were named at the start, which are empty again."""
        self._state.clear()
        self._ensure_buckets()

    def _ensure_buckets(self) -> None:
        for name in self._standard:
            self._buckets.ensure(name)

    def create_bucket(self, name: str, **resource: object) -> None:
        """Create a bucket, with settings such as `cors=[…]`; raises if it exists."""
        self._buckets.create(name, resource)

    def objects(self, bucket: str, prefix: str = "") -> list[str]:
        """Return the names of a bucket's objects, sorted."""
        return [found.name for found in self._objects.named(bucket, prefix)]

    def object(self, bucket: str, name: str) -> StoredObject:
        """One object's metadata; raises `StorageError` 404."""
        return self._objects.get(bucket, name)

    def read(self, bucket: str, name: str) -> bytes:
        """One object's bytes."""
        _, file = self._objects.open(bucket, name)
        with file:
            return file.read()

    def json(self, bucket: str, name: str) -> Any:  # noqa: ANN401  # whatever the object holds
        """One object's bytes as JSON."""
        return json.loads(self.read(bucket, name))

    def put(self, bucket: str, name: str, data: bytes, *, content_type: str = "", **metadata: str) -> StoredObject:
        """Write an object without a client."""
        attributes: Attributes = {
            "contentType": content_type or "application/octet-stream",
            "metadata": metadata,
        }
        staged = self._objects.stage().fill([data])
        return self._objects.commit(bucket, name, staged, attributes)
