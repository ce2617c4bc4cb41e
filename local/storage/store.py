"""The objects of all buckets: an index that one lock guards, and each object's content as a file beside it.

Every condition is checked under the lock that also makes the change, so of two racing calls one wins. The
index is sqlite in write-ahead mode without fsync: a killed process loses nothing that was answered. A content
file is never changed once it is visible, and only its row in the index makes it an object, so a kill leaves at
most an orphan, which the next start removes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import google_crc32c

from local.sqlite import open_index
from local.storage import errors
from local.storage.model import StoredObject, Write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COLUMNS = "bucket, name, generation, size, md5, crc32c, created, content, attributes"
SCHEMA = f"CREATE TABLE IF NOT EXISTS objects ({COLUMNS}, PRIMARY KEY (bucket, name)) WITHOUT ROWID"
SELECT = f"SELECT {COLUMNS} FROM objects WHERE bucket = ? AND "  # noqa: S608  # our own words
INSERT = f"INSERT OR REPLACE INTO objects ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  # likewise
BEHIND_EVERY_NAME = "\U0010ffff" * 257
"""After any prefix this sorts behind each name, because a name has at most 1,024 bytes."""


def timestamp() -> str:
    """Now, as the API writes it: RFC 3339 in UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Objects:
    """The objects; raises `sqlite3.OperationalError` if another process serves this folder.

    `announce` is told of each object just before it becomes visible: a kill in between costs an event without an
    object, which its receiver has to expect anyway, and never an object without its event.
    """

    def __init__(self, directory: Path, announce: Callable[[StoredObject], object] = str) -> None:
        self._announce = announce
        self._contents = directory / "contents"
        self._contents.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._index = open_index(directory / "index.sqlite", SCHEMA)
        self._generation = 0
        self._remove_orphans()

    def _remove_orphans(self) -> None:
        known = {row[0] for row in self._index.execute("SELECT content FROM objects")}
        for path in self._contents.iterdir():
            if path.name not in known:
                path.unlink()

    def commit(self, write: Write) -> StoredObject:
        """Make it an object; raises 400 if its checksums are wrong and 412 if its condition does not hold."""
        content = self._contents / secrets.token_hex(16)
        checksums = _checksums(write.data)
        for kind, given in write.checksums.items():
            if checksums[kind] != given:
                raise errors.bad_digest(kind.upper(), given, checksums[kind])
        content.write_bytes(write.data)
        with self._lock:
            before = self._find(write.bucket, write.name)
            if not _holds(write.if_generation, before):
                content.unlink()
                raise errors.precondition_failed()
            after = self._described(write, content.name, checksums)
            self._announce(after)
            self._save(after)
            self._remove_content(before)
        return after

    def _described(self, write: Write, content: str, checksums: dict[str, str]) -> StoredObject:
        self._generation = max(self._generation + 1, time.time_ns() // 1000)
        return StoredObject(
            bucket=write.bucket,
            name=write.name,
            generation=self._generation,
            size=len(write.data),
            md5=checksums["md5"],
            crc32c=checksums["crc32c"],
            created=timestamp(),
            content=content,
            attributes=write.attributes,
        )

    def check(self, write: Write) -> None:
        """Raise 412 if `commit` would; a resumable upload asks before the first byte is sent."""
        with self._lock:
            if not _holds(write.if_generation, self._find(write.bucket, write.name)):
                raise errors.precondition_failed()

    def get(
        self, bucket: str, name: str, generation: int | None = None, if_generation: int | None = None
    ) -> StoredObject:
        """Return the object; raises 404 or 412."""
        with self._lock:
            return self._existing(bucket, name, generation, if_generation)

    def read(
        self, bucket: str, name: str, generation: int | None = None, if_generation: int | None = None
    ) -> tuple[StoredObject, bytes]:
        """Return the object and its bytes; its file is opened under the lock, so a delete cannot come between."""
        with self._lock:
            found = self._existing(bucket, name, generation, if_generation)
            file = (self._contents / found.content).open("rb")
        with file:
            return found, file.read()

    def delete(self, bucket: str, name: str, generation: int | None = None, if_generation: int | None = None) -> None:
        """Remove the object; raises 404 or 412."""
        with self._lock:
            found = self._existing(bucket, name, generation, if_generation)
            self._index.execute("DELETE FROM objects WHERE bucket = ? AND name = ?", (bucket, name))
            self._remove_content(found)

    def named(self, bucket: str, prefix: str = "", after: str = "", limit: int = -1) -> list[StoredObject]:
        """Return the objects whose name starts with `prefix` and comes after `after`, sorted as UTF-8."""
        query = SELECT + "name > ? AND name >= ? AND name < ? ORDER BY name LIMIT ?"
        end = prefix + BEHIND_EVERY_NAME
        with self._lock:
            return [_loaded(row) for row in self._index.execute(query, (bucket, after, prefix, end, limit))]

    def clear(self) -> None:
        """Forget every object of every bucket."""
        with self._lock:
            self._index.execute("DELETE FROM objects")
            self._remove_orphans()

    def close(self) -> None:
        with self._lock:
            self._index.close()

    def _existing(self, bucket: str, name: str, generation: int | None, if_generation: int | None) -> StoredObject:
        found = self._find(bucket, name)
        if found is None or generation not in {None, found.generation}:
            raise errors.no_such_object(bucket, name)
        if not _holds(if_generation, found):
            raise errors.precondition_failed()
        return found

    def _find(self, bucket: str, name: str) -> StoredObject | None:
        row = self._index.execute(SELECT + "name = ?", (bucket, name)).fetchone()
        return _loaded(row) if row else None

    def _save(self, stored: StoredObject) -> None:
        fields = [getattr(stored, name) for name in StoredObject.__slots__[:-1]]
        row = (*fields, json.dumps(stored.attributes))
        self._index.execute(INSERT, row)

    def _remove_content(self, stored: StoredObject | None) -> None:
        if stored:
            (self._contents / stored.content).unlink()


def _holds(if_generation: int | None, found: StoredObject | None) -> bool:
    """Whether the condition holds; an object that does not exist has generation 0."""
    return if_generation in {None, found.generation if found else 0}


def _checksums(data: bytes | bytearray) -> dict[str, str]:
    crc32c = google_crc32c.value(bytes(data)).to_bytes(4)
    md5 = hashlib.md5(data, usedforsecurity=False).digest()
    return {"md5": base64.b64encode(md5).decode(), "crc32c": base64.b64encode(crc32c).decode()}


def _loaded(row: tuple[str, str, int, int, str, str, str, str, str]) -> StoredObject:
    return StoredObject(*row[:-1], attributes=json.loads(row[-1]))
