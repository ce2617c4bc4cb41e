"""The buckets: few and never changed, so one JSON file that is replaced as a whole."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

from local.storage import errors
from local.storage.store import timestamp

if TYPE_CHECKING:
    from pathlib import Path

Bucket = dict[str, object]
"""A bucket resource as the JSON API shows it."""

METHODS = ["GET", "HEAD", "PUT", "POST"]
OPEN_CORS = [{"origin": ["*"], "method": METHODS, "responseHeader": ["*"], "maxAgeSeconds": 3600}]
"""What a local bucket starts with: a page on any local port may show and upload images."""


class Buckets:
    """All buckets by name, kept in `directory`."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._file = directory / "buckets.json"
        self._lock = threading.Lock()
        self._all: dict[str, Bucket] = json.loads(self._file.read_text()) if self._file.exists() else {}

    def create(self, name: str, resource: Bucket) -> Bucket:
        """Create the bucket; raises 409 if it exists."""
        with self._lock:
            if name in self._all:
                raise errors.bucket_exists()
            self._all[name] = _defaults() | resource | {"id": name, "name": name}
            self._write()
            return self._all[name]

    def ensure(self, name: str) -> None:
        """Create the bucket unless it exists."""
        if name not in self._all:
            self.create(name, {})

    def get(self, name: str) -> Bucket:
        """Return the bucket; raises 404."""
        found = self._all.get(name)
        if found is None:
            raise errors.no_such_bucket()
        return found

    def clear(self) -> None:
        """Forget every bucket."""
        with self._lock:
            self._all.clear()
            self._write()

    def _write(self) -> None:
        scratch = self._file.with_suffix(".new")
        scratch.write_text(json.dumps(self._all, indent=1))
        scratch.replace(self._file)


def _defaults() -> Bucket:
    now = timestamp()
    named = {"kind": "storage#bucket", "projectNumber": "0", "metageneration": "1", "etag": "CAE=", "cors": OPEN_CORS}
    return {**named, "location": "US", "storageClass": "STANDARD", "timeCreated": now, "updated": now}
