"""An object's bytes as an answer, the same for both APIs: headers, ranges, conditions."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

from local.storage import errors
from local.storage.request import Part, Request, Response

if TYPE_CHECKING:
    from local.storage.model import Preconditions, StoredObject
    from local.storage.store import Objects

NAMED_HEADERS = {
    "Content-Type": "contentType",
    "Cache-Control": "cacheControl",
    "Content-Disposition": "contentDisposition",
    "Content-Encoding": "contentEncoding",
    "Content-Language": "contentLanguage",
}
RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def download(objects: Objects, request: Request, conditions: Preconditions) -> Response:
    """Return the whole object, or the range that was asked for."""
    found, file = objects.open(request.bucket, request.name, request.generation, conditions)
    try:
        start, length, headers = _selected(request.headers.get("Range"), found.size)
    except errors.StorageError:
        file.close()
        raise
    return Response(206 if headers else 200, headers_of(found) | headers, Part(file, start, length))


def headers_of(found: StoredObject) -> dict[str, str]:
    """Return the object's own headers, with the checksums by which a client verifies a download."""
    named = {header: found.attribute(name) for header, name in NAMED_HEADERS.items()}
    custom = {f"x-goog-meta-{key}": value for key, value in found.custom_metadata.items()}
    return (
        custom
        | {header: value for header, value in named.items() if value}
        | {
            "ETag": f'"{found.etag}"',
            "Last-Modified": format_datetime(datetime.fromisoformat(found.updated), usegmt=True),
            "Accept-Ranges": "bytes",
            "x-goog-generation": str(found.generation),
            "x-goog-metageneration": str(found.metageneration),
            "x-goog-hash": f"crc32c={found.crc32c},md5={found.md5}",
            "x-goog-stored-content-length": str(found.size),
            "x-goog-stored-content-encoding": found.attribute("contentEncoding") or "identity",
            "x-goog-storage-class": "STANDARD",
        }
    )


def _selected(asked: str | None, size: int) -> tuple[int, int, dict[str, str]]:
    """Start, length and extra headers; a range that is not understood is ignored (RFC 9110, section 14.2)."""
    match = RANGE.fullmatch(asked or "")
    if not match or match.group() == "bytes=-":
        return 0, size, {}
    first, last = match.groups()
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last), size - 1) if first and last else size - 1
    if start > end:
        raise errors.range_not_satisfiable()
    return start, end - start + 1, {"Content-Range": f"bytes {start}-{end}/{size}"}
