"""The buckets: few, rarely changed, so one JSON file that is replaced as a whole."""

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

OPEN_CORS = [
    {
        "origin": ["*"],
        "method": ["GET", "HEAD", "PUT", "POST"],
        "responseHeader": ["*"],
        "maxAgeSeconds": 3600,
    }
]
"""What a local bucket starts with: a page on any local port may show and upload images."""

FIXED = {"kind", "id", "name", "timeCreated", "updated", "metageneration", "etag"}


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
                message = "Your previous request to create the named bucket succeeded and you already own it."
                raise errors.conflict("BucketAlreadyOwnedByYou", message)
            return self._save(name, _new_bucket(name) | _chosen(resource))

    def ensure(self, name: str) -> None:
        """Create the bucket unless it exists."""
        with self._lock:
            if name not in self._all:
                self._save(name, _new_bucket(name))

    def get(self, name: str) -> Bucket:
        """Return the bucket; raises 404."""
        found = self._all.get(name)
        if found is None:
            raise errors.no_such_bucket()
        return found

    def patch(self, name: str, change: Bucket) -> Bucket:
        """Change what may be changed; a null removes."""
        with self._lock:
            before = self.get(name)
            after = {key: value for key, value in (before | _chosen(change)).items() if value is not None}
            version = int(str(before["metageneration"])) + 1
            return self._save(name, after | {"metageneration": str(version), "updated": timestamp()})

    def delete(self, name: str) -> None:
        """Remove the bucket; raises 404. That it is empty is the caller's to check."""
        with self._lock:
            self.get(name)
            del self._all[name]
            self._write()

    def names(self) -> list[str]:
        return sorted(self._all)

    def clear(self) -> None:
        """Forget every bucket."""
        with self._lock:
            self._all.clear()
            self._write()

    def _save(self, name: str, bucket: Bucket) -> Bucket:
        self._all[name] = bucket
        self._write()
        return bucket

    def _write(self) -> None:
        scratch = self._file.with_suffix(".new")
        scratch.write_text(json.dumps(self._all, indent=1))
        scratch.replace(self._file)


def _chosen(resource: Bucket) -> Bucket:
    return {key: value for key, value in resource.items() if key not in FIXED}


def _new_bucket(name: str) -> Bucket:
    now = timestamp()
    return {
        "kind": "storage#bucket",
        "id": name,
        "name": name,
        "projectNumber": "0",
        "metageneration": "1",
        "location": "US",
        "storageClass": "STANDARD",
        "timeCreated": now,
        "updated": now,
        "etag": "CAE=",
        "cors": OPEN_CORS,
    }
