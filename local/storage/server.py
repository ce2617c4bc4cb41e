"""The storage server as an object: start it, point `STORAGE_EMULATOR_HOST` at its `url`, see what it holds.

with StorageServer(tmp_path, keys=load_keys([key_file]), buckets=["results"]) as storage:
    os.environ["STORAGE_EMULATOR_HOST"] = storage.url
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from local.completions import Completions
from local.events import Events, Subscription
from local.layout import RESULTS
from local.storage import cors
from local.storage.app import App
from local.storage.http_server import HttpServer, hang_up
from local.storage.model import StoredObject
from local.storage.signatures import Verifier
from local.storage.store import Store
from local.storage.uploads import DEFAULT_TYPE


class StorageServer:
    """Cloud Storage over a folder that keeps everything; raises `OSError` if the port is taken.

    Web pages of `origins` may use signed URLs of `buckets` as Terraform lets them. `completions` hears of what ends in
    the bucket `results`.
    """

    def __init__(  # noqa: PLR0913  # each has its name, and most their default
        self,
        directory: Path,
        port: int = 0,
        *,
        keys: Mapping[str, RSAPublicKey] = MappingProxyType({}),
        buckets: Sequence[str] = (),
        origins: Sequence[str] = ("*",),
        subscription: Subscription | None = None,
        completions: Completions | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.events = Events(directory, subscription)
        self._completions = completions
        self._store = Store(directory, self._announce)
        self._app = App(self._store, self.events, Verifier(keys, clock), hang_up)
        self.faults, self.calls = self._app.faults, self._app.calls
        self._standard, self._origins = buckets, origins
        self._http = HttpServer(port, self._app)
        self._make_standard_buckets()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.port}"

    @property
    def is_at_work(self) -> bool:
        """Whether a call is under way, or has come and was not read yet."""
        return self._http.is_at_work

    def __enter__(self) -> Self:
        self._http.start()
        self.events.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.faults.clear()
        self._http.stop()
        self.events.close()
        self._store.close()

    def _announce(self, stored: StoredObject) -> None:
        resource = stored.resource(self.url)
        self.events.announce(stored.bucket, resource)
        if self._completions and stored.bucket == RESULTS:
            self._completions.tell(resource)

    def clear(self) -> None:
        """Forget everything but the buckets that were named at the start, which are empty again."""
        for part in (self.faults, self.events, self._app.uploads, self._store, self.calls):
            part.clear()
        self._make_standard_buckets()

    def _make_standard_buckets(self) -> None:
        for name in self._standard:
            self._store.put_bucket(name, {"cors": cors.deployed_rules(name, self._origins)}, replace=True)

    def create_bucket(self, name: str, **resource: object) -> None:
        """Create a bucket, with settings such as `cors=[…]`; raises `StorageError` 409 if it exists."""
        self._store.put_bucket(name, resource)

    def objects(self, bucket: str, prefix: str = "") -> list[str]:
        """Return the names of a bucket's objects, sorted."""
        return [found.name for found in self._store.named(bucket, prefix)]

    def object(self, bucket: str, name: str) -> StoredObject:
        """Return one object's metadata; raises `StorageError` 404."""
        return self._store.get(bucket, name)

    def read(self, bucket: str, name: str) -> bytes:
        """Return one object's bytes; raises `StorageError` 404."""
        return self._store.read(bucket, name)[1]

    def json(self, bucket: str, name: str) -> Any:  # noqa: ANN401  # any JSON
        """Return one object's bytes as JSON."""
        return json.loads(self.read(bucket, name))

    def put(self, bucket: str, name: str, data: bytes, *, content_type: str = "", **metadata: str) -> StoredObject:
        """Write an object without a client."""
        attributes = {"contentType": content_type or DEFAULT_TYPE, "metadata": metadata}
        return self._store.write(bucket, name, data, attributes)
