"""Bytes on their way in and out: each object's content is one file that is never changed once it is visible.

A writer fills a file under a random name, hashing as it goes; only the index row that points to it makes it
an object. So a kill at any moment leaves at most an orphan, which the next start removes, and a reader keeps
its open file whatever is overwritten or deleted meanwhile.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import TYPE_CHECKING, BinaryIO

import google_crc32c

from local.storage import errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from email.message import Message
    from pathlib import Path


class Staged:
    """A file being written, hashed on the way, invisible until the store commits it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / secrets.token_hex(16)
        self.size = 0
        self._file = self.path.open("wb", buffering=0)
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._crc32c = 0

    @property
    def md5(self) -> str:
        return base64.b64encode(self._md5.digest()).decode()

    @property
    def crc32c(self) -> str:
        return base64.b64encode(self._crc32c.to_bytes(4)).decode()

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._md5.update(data)
        self._crc32c = google_crc32c.extend(self._crc32c, data)
        self.size += len(data)

    def fill(self, chunks: Iterable[bytes]) -> Staged:
        """Write all of `chunks`; a stream that breaks off leaves nothing behind."""
        try:
            for chunk in chunks:
                self.write(chunk)
        except BaseException:
            self.discard()
            raise
        return self

    def verify(self, expected: Mapping[str, str]) -> Staged:
        """Discard and raise 400 if the writer's own `md5` or `crc32c` is another one."""
        computed = {"md5": self.md5, "crc32c": self.crc32c}
        for kind, given in expected.items():
            if computed[kind] != given:
                self.discard()
                raise errors.bad_digest(kind.upper(), given, computed[kind])
        return self

    def close(self) -> None:
        self._file.close()

    def discard(self) -> None:
        self.close()
        self.path.unlink(missing_ok=True)


def chunks_of(file: BinaryIO, size: int = 1 << 20) -> Iterable[bytes]:
    """All of an open file, piece by piece; closes it."""
    with file:
        while chunk := file.read(size):
            yield chunk


def expected_hashes(resource: Mapping[str, object], headers: Message) -> dict[str, str]:
    """Return the checksums a writer sent along: in the resource, as x-goog-hash, or as Content-MD5."""
    pairs = [item.strip().partition("=") for item in (headers.get("x-goog-hash") or "").split(",")]
    given = {kind: value for kind, _, value in pairs if kind in {"md5", "crc32c"}}
    named = {"md5": resource.get("md5Hash") or headers.get("Content-MD5"), "crc32c": resource.get("crc32c")}
    return given | {kind: str(value) for kind, value in named.items() if value}
