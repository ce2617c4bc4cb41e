"""The state: buckets and objects in an index that one lock guards, each object's bytes in a file beside it.

Every condition is checked under the lock that also makes the change, so of two racing calls one wins. A file is never
changed; only the row that points to it makes it an object, so a kill leaves at most a file without a row, which the
next start removes.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import google_crc32c

from local import sqlite
from local.storage.errors import StorageError
from local.storage.model import Preconditions, StoredObject

SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY, resource TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (bucket TEXT, name TEXT, stored TEXT, PRIMARY KEY (bucket, name)) WITHOUT ROWID;
"""
BUCKET = "SELECT resource FROM buckets WHERE name = ?"
ANY = Preconditions()
BEHIND_EVERY_NAME = "\U0010ffff" * 257
"""After any prefix this sorts behind each name, because a name has at most 1,024 bytes."""

Bucket = dict[str, object]
"""A bucket resource as the JSON API shows it."""


def timestamp() -> str:
    """Return the time as the API writes it: RFC 3339 in UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Store:
    """All buckets and objects in one folder; raises `sqlite3.OperationalError` if another process serves it.

    `announce` hears of each object just before it becomes visible: a kill in between costs an event without an
    object, which its receiver has to expect anyway, and never an object without its event.
    """

    def __init__(self, directory: Path, announce: Callable[[StoredObject], object] = repr) -> None:
        self._announce = announce
        self._contents = directory / "contents"
        self._contents.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._index = sqlite.opened(directory / "objects.sqlite", SCHEMA)
        self._generation = 0
        self._remove_orphans()

    def _remove_orphans(self) -> None:
        for path in set(self._contents.iterdir()) - self._known_contents():
            path.unlink()

    def _known_contents(self) -> set[Path]:
        rows = self._index.execute("SELECT json_extract(stored, '$.content') FROM objects")
        return {self._contents / name for (name,) in rows}

    def put_bucket(self, name: str, resource: Mapping[str, object], *, replace: bool = False) -> Bucket:
        """Create the bucket, or give it other settings; raises 409 if it exists and is not to be replaced."""
        now = timestamp()
        bucket = {"kind": "storage#bucket", "id": name, "name": name, "timeCreated": now, "location": "US", **resource}
        with self._lock:
            if not replace and self._index.execute(BUCKET, (name,)).fetchone():
                raise StorageError("BucketAlreadyOwnedByYou")
            self._index.execute("INSERT OR REPLACE INTO buckets VALUES (?, ?)", (name, json.dumps(bucket)))
        return bucket

    def bucket(self, name: str) -> Bucket:
        """Return the bucket; raises 404."""
        with self._lock:
            row = self._index.execute(BUCKET, (name,)).fetchone()
        if row is None:
            raise StorageError("NoSuchBucket")
        return dict(json.loads(row[0]))

    def write(  # noqa: PLR0913  # one call, all of it
        self,
        bucket: str,
        name: str,
        data: bytes,
        attributes: Mapping[str, object],
        conditions: Preconditions = ANY,
        *,
        expected: Mapping[str, str] | None = None,
    ) -> StoredObject:
        """Make `data` the object; raises 412, or 400 where `expected` names another md5 or crc32c."""
        hashes = _hashes(data)
        for kind, given in (expected or {}).items():
            if hashes[kind] != given:
                message = f'Provided {kind} "{given}" doesn\'t match calculated {kind} "{hashes[kind]}".'
                raise StorageError("BadDigest", message)
        content = self._contents / secrets.token_hex(16)
        content.write_bytes(data)
        try:
            with self._lock:
                before = self._find(bucket, name)
                conditions.check(before)
                self._generation = max(self._generation + 1, time.time_ns() // 1000)
                after = StoredObject(
                    bucket=bucket,
                    name=name,
                    generation=self._generation,
                    size=len(data),
                    created=timestamp(),
                    content=content.name,
                    attributes=dict(attributes),
                    **hashes,
                )
                self._announce(after)
                row = (bucket, name, json.dumps({field: getattr(after, field) for field in StoredObject.__slots__}))
                self._index.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?)", row)
                if before:
                    (self._contents / before.content).unlink()
        except StorageError:
            content.unlink()
            raise
        return after

    def get(
        self, bucket: str, name: str, generation: int | None = None, conditions: Preconditions = ANY
    ) -> StoredObject:
        """Return the object; raises 404, 412 or 304."""
        with self._lock:
            found = self._existing(bucket, name, generation)
        conditions.check(found, reading=True)
        return found

    def check(self, bucket: str, name: str, conditions: Preconditions) -> None:
        """Raise 412 if a write under these conditions would be refused now."""
        with self._lock:
            conditions.check(self._find(bucket, name))

    def read(
        self, bucket: str, name: str, generation: int | None = None, conditions: Preconditions = ANY
    ) -> tuple[StoredObject, bytes]:
        """Return the object and its bytes; raises as `get`."""
        with self._lock:
            found = self._existing(bucket, name, generation)
            conditions.check(found, reading=True)
            file = (self._contents / found.content).open("rb")
        with file:
            return found, file.read()

    def delete(self, bucket: str, name: str, generation: int | None = None, conditions: Preconditions = ANY) -> None:
        """Remove the object; raises 404 or 412."""
        with self._lock:
            found = self._existing(bucket, name, generation)
            conditions.check(found)
            self._index.execute("DELETE FROM objects WHERE bucket = ? AND name = ?", (bucket, name))
            (self._contents / found.content).unlink()

    def named(self, bucket: str, prefix: str = "", after: str = "", limit: int = -1) -> list[StoredObject]:
        """Return the objects whose name starts with `prefix` and comes after `after`, sorted as UTF-8."""
        query = "SELECT stored FROM objects WHERE bucket=? AND name>? AND name>=? AND name<? ORDER BY name LIMIT ?"
        end = prefix + BEHIND_EVERY_NAME
        with self._lock:
            rows = self._index.execute(query, (bucket, after, prefix, end, limit)).fetchall()
        return [StoredObject(**json.loads(text)) for (text,) in rows]

    def clear(self) -> None:
        """Forget every bucket and object."""
        with self._lock:
            contents = self._known_contents()
            self._index.executescript("DELETE FROM objects; DELETE FROM buckets")
            for path in contents:
                path.unlink()

    def close(self) -> None:
        with self._lock:
            self._index.close()

    def _existing(self, bucket: str, name: str, generation: int | None) -> StoredObject:
        found = self._find(bucket, name)
        if found is None or generation not in {None, found.generation}:
            raise StorageError("NoSuchKey", f"No such object: {bucket}/{name}")
        return found

    def _find(self, bucket: str, name: str) -> StoredObject | None:
        query = "SELECT stored FROM objects WHERE bucket = ? AND name = ?"
        row = self._index.execute(query, (bucket, name)).fetchone()
        return StoredObject(**json.loads(row[0])) if row else None


def _hashes(data: bytes) -> dict[str, str]:
    digest = hashlib.md5(data, usedforsecurity=False).digest()
    checksum = google_crc32c.value(data).to_bytes(4)
    return {"md5": base64.b64encode(digest).decode(), "crc32c": base64.b64encode(checksum).decode()}
