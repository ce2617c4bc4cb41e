"""The state: buckets and objects in an index that one lock guards, contents as files beside it.

Every condition is checked under the lock that also makes the change, so of two racing calls one wins. The
index is sqlite in write-ahead mode without fsync: a killed process loses nothing that was answered. A power
cut may lose something, and that is fine here.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO

from local.storage import errors
from local.storage.content import Staged
from local.storage.model import Attributes, Preconditions, StoredObject

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT, name TEXT, generation INTEGER, metageneration INTEGER, size INTEGER, md5 TEXT, crc32c TEXT,
    created TEXT, updated TEXT, content TEXT, attributes TEXT, PRIMARY KEY (bucket, name)
) WITHOUT ROWID
"""
ANY = Preconditions()
BEHIND_EVERY_NAME = "\U0010ffff" * 257
"""After any prefix this sorts behind each name, because a name has at most 1,024 bytes."""


def timestamp() -> str:
    """Now, as the API writes it: RFC 3339 in UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def nobody(_stored: StoredObject) -> None:
    """Tell nobody of a new object."""


class Objects:
    """The objects of all buckets; raises `sqlite3.OperationalError` if another process serves this folder.

    `announce` hears of each object just before it becomes visible: a kill in between costs an event without an
    object, which its receiver has to expect anyway, and never an object without its event.
    """

    def __init__(self, directory: Path, announce: Callable[[StoredObject], None] = nobody) -> None:
        self._announce = announce
        self._contents = directory / "contents"
        self._contents.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._index = sqlite3.connect(
            directory / "index.sqlite", isolation_level=None, check_same_thread=False, timeout=0
        )
        for statement in (
            "PRAGMA locking_mode=EXCLUSIVE",
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=OFF",
            SCHEMA,
        ):
            self._index.execute(statement)
        self._generation = 0
        self._remove_orphans()

    def _remove_orphans(self) -> None:
        known = {row[0] for row in self._index.execute("SELECT content FROM objects")}
        for path in self._contents.iterdir():
            if path.name not in known:
                path.unlink()

    def stage(self) -> Staged:
        """Return a new file to fill; nobody sees it before `commit`."""
        return Staged(self._contents)

    def commit(
        self, bucket: str, name: str, staged: Staged, attributes: Attributes, conditions: Preconditions = ANY
    ) -> StoredObject:
        """Make `staged` the object's content if the conditions hold; else discard it and raise 412."""
        staged.close()
        with self._lock:
            before = self._find(bucket, name)
            try:
                conditions.check_write(before)
            except errors.StorageError:
                staged.discard()
                raise
            after = self._described(bucket, name, staged, attributes)
            self._announce(after)
            self._save(after)
            self._remove_content(before)
        return after

    def _described(self, bucket: str, name: str, staged: Staged, attributes: Attributes) -> StoredObject:
        now = timestamp()
        self._generation = max(self._generation + 1, time.time_ns() // 1000)
        return StoredObject(
            bucket=bucket,
            name=name,
            generation=self._generation,
            metageneration=1,
            size=staged.size,
            md5=staged.md5,
            crc32c=staged.crc32c,
            created=now,
            updated=now,
            content=staged.path.name,
            attributes=attributes,
        )

    def get(
        self, bucket: str, name: str, generation: int | None = None, conditions: Preconditions = ANY
    ) -> StoredObject:
        """Return the object; raises 404, 412 or 304."""
        with self._lock:
            found = self._existing(bucket, name, generation)
        conditions.check_read(found)
        return found

    def check(self, bucket: str, name: str, conditions: Preconditions) -> None:
        """Raise 412 if a write would; a resumable upload asks before the first byte is sent."""
        with self._lock:
            conditions.check_write(self._find(bucket, name))

    def open(
        self, bucket: str, name: str, generation: int | None = None, conditions: Preconditions = ANY
    ) -> tuple[StoredObject, BinaryIO]:
        """Return the object and its open content: opened under the lock, so a delete cannot come between."""
        with self._lock:
            found = self._existing(bucket, name, generation)
            conditions.check_read(found)
            return found, (self._contents / found.content).open("rb")

    def patch(
        self,
        bucket: str,
        name: str,
        change: Attributes,
        generation: int | None = None,
        conditions: Preconditions = ANY,
    ) -> StoredObject:
        """Change attributes and count the metageneration up; nulls remove, `metadata` is merged by key."""
        with self._lock:
            before = self._existing(bucket, name, generation)
            conditions.check_write(before)
            after = replace(
                before,
                metageneration=before.metageneration + 1,
                updated=timestamp(),
                attributes=_merged(before.attributes, change),
            )
            self._save(after)
        return after

    def delete(self, bucket: str, name: str, generation: int | None = None, conditions: Preconditions = ANY) -> None:
        """Remove the object; raises 404 or 412."""
        with self._lock:
            found = self._existing(bucket, name, generation)
            conditions.check_write(found)
            self._index.execute("DELETE FROM objects WHERE bucket = ? AND name = ?", (bucket, name))
            self._remove_content(found)

    def named(self, bucket: str, prefix: str = "", after: str = "", limit: int = -1) -> list[StoredObject]:
        """Objects whose name starts with `prefix` and comes after `after`, sorted as UTF-8."""
        query = "SELECT * FROM objects WHERE bucket=? AND name>? AND name>=? AND name<? ORDER BY name LIMIT ?"
        end = prefix + BEHIND_EVERY_NAME
        with self._lock:
            return [_loaded(row) for row in self._index.execute(query, (bucket, after, prefix, end, limit))]

    def clear(self) -> None:
        """Forget every object of every bucket."""
        with self._lock:
            contents = self._index.execute("SELECT content FROM objects").fetchall()
            self._index.execute("DELETE FROM objects")
            for (content,) in contents:
                (self._contents / content).unlink()

    def close(self) -> None:
        with self._lock:
            self._index.close()

    def _existing(self, bucket: str, name: str, generation: int | None) -> StoredObject:
        found = self._find(bucket, name)
        if found is None or generation not in {None, found.generation}:
            raise errors.no_such_object(bucket, name)
        return found

    def _find(self, bucket: str, name: str) -> StoredObject | None:
        query = "SELECT * FROM objects WHERE bucket = ? AND name = ?"
        row = self._index.execute(query, (bucket, name)).fetchone()
        return _loaded(row) if row else None

    def _save(self, stored: StoredObject) -> None:
        fields = [getattr(stored, name) for name in StoredObject.__slots__[:-1]]
        row = (*fields, json.dumps(stored.attributes))
        self._index.execute("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def _remove_content(self, stored: StoredObject | None) -> None:
        if stored:
            (self._contents / stored.content).unlink()


def _loaded(row: tuple[str, str, int, int, int, str, str, str, str, str, str]) -> StoredObject:
    return StoredObject(*row[:-1], attributes=json.loads(row[-1]))


def _merged(before: Attributes, change: Attributes) -> Attributes:
    merged = {**before, **change}
    old, new = before.get("metadata"), change.get("metadata")
    if isinstance(old, dict) and isinstance(new, dict):
        merged["metadata"] = {key: value for key, value in {**old, **new}.items() if value is not None}
    return {key: value for key, value in merged.items() if value is not None}
