"""An object's bytes as an answer, the same for both APIs: headers and ranges."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

from local.storage import errors
from local.storage.model import NAMED_HEADERS
from local.storage.response import Response

if TYPE_CHECKING:
    from local.storage.model import StoredObject
    from local.storage.request import Request
    from local.storage.store import Objects

RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def download(objects: Objects, request: Request) -> Response:
    """Return the whole object, or the range that was asked for; raises 404, 412 or 416."""
    found, data = objects.read(request.bucket, request.name, request.generation, request.if_generation)
    selected = _selected(request.headers.get("Range", ""), found.size)
    if selected is None:
        return Response(200, headers_of(found), data)
    shown = f"bytes {selected.start}-{selected.stop - 1}/{found.size}"
    return Response(206, {**headers_of(found), "Content-Range": shown}, data[selected.start : selected.stop])


def headers_of(found: StoredObject) -> dict[str, str]:
    """Return the object's own headers, with the checksums by which a client verifies a download."""
    named = {header: found.attribute(name) for header, name in NAMED_HEADERS.items()}
    custom = {f"x-goog-meta-{key}": value for key, value in found.custom_metadata.items()}
    return {
        **custom,
        **{header: value for header, value in named.items() if value},
        "ETag": f'"{found.etag}"',
        "Last-Modified": format_datetime(datetime.fromisoformat(found.created), usegmt=True),
        "Accept-Ranges": "bytes",
        "x-goog-generation": str(found.generation),
        "x-goog-metageneration": "1",
        "x-goog-hash": f"crc32c={found.crc32c},md5={found.md5}",
        "x-goog-stored-content-length": str(found.size),
        "x-goog-stored-content-encoding": found.attribute("contentEncoding") or "identity",
        "x-goog-storage-class": "STANDARD",
    }


def _selected(asked: str, size: int) -> range | None:
    """Return the bytes to send, or None for all: a range that is not understood is ignored (RFC 9110, section 14.2)."""
    match = RANGE.fullmatch(asked)
    if not match or match.group() == "bytes=-":
        return None
    first, last = match.groups()
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last), size - 1) if first and last else size - 1
    if start > end:
        raise errors.range_not_satisfiable()
    return range(start, end + 1)
