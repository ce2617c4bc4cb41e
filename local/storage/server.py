"""The storage server as an object: start it, point `STORAGE_EMULATOR_HOST` at its `url`, see what it holds.

with StorageServer(tmp_path, keys=load_keys([key_file]), buckets=["results"]) as storage:
    os.environ["STORAGE_EMULATOR_HOST"] = storage.url
"""

from __future__ import annotations

import json
import threading
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from local.events import Events, Subscription
from local.storage.app import App
from local.storage.buckets import Buckets
from local.storage.http import HttpServer
from local.storage.model import DEFAULT_TYPE, Write
from local.storage.signatures import Verifier
from local.storage.store import Objects

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from local.storage.model import Attributes, StoredObject


class StorageServer:
    """Cloud Storage over a folder that keeps everything; raises `OSError` if the port is taken."""

    def __init__(  # noqa: PLR0913  # each has its name, and most their default
        self,
        directory: Path,
        port: int = 0,
        *,
        keys: Mapping[str, RSAPublicKey] = MappingProxyType({}),
        buckets: Sequence[str] = (),
        subscription: Subscription | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.events = Events(directory, subscription, lambda: self.url)
        self._objects, self._buckets = Objects(directory, self.events.announce), Buckets(directory)
        self._app = App(self._buckets, self._objects, self.events, Verifier(keys, clock))
        self.faults, self.calls = self._app.faults, self._app.calls
        self._standard = buckets
        self._http = HttpServer(port, self._app)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._ensure_buckets()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.port}"

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
        self._thread.join()
        self.events.close()
        self._objects.close()

    def clear(self) -> None:
        """Forget everything but the buckets that were named at the start, which are empty again."""
        self._app.clear()
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
        return self._objects.read(bucket, name)[1]

    def json(self, bucket: str, name: str) -> Any:  # noqa: ANN401  # whatever the object holds
        """One object's bytes as JSON."""
        return json.loads(self.read(bucket, name))

    def put(self, bucket: str, name: str, data: bytes, *, content_type: str = "", **metadata: str) -> StoredObject:
        """Write an object without a client."""
        attributes: Attributes = {"contentType": content_type or DEFAULT_TYPE, "metadata": metadata}
        return self._objects.commit(Write(bucket, name, attributes, data=data))
