"""Objects in Google Cloud Storage.

Imported on first use: it costs a good part of a cold start, and many requests end before they need it.
"""

import base64
import errno
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import google.auth
import google_crc32c
from google.auth.exceptions import GoogleAuthError
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from imagegen import connections, log
from imagegen.errors import StorageUnavailable
from imagegen.google.json_api import ATTEMPT_SECONDS, HOST, SCOPE, JsonApi, parsed
from imagegen.ports import Deadline, ObjectInfo

STREAM_CHUNK = 256 * 1024
_SMALL_BYTES = 64 * 1024  # joined and sent at once; larger ones are sent from where they lie
_PAGE = 1000
_BOUNDARY = secrets.token_hex(16)  # no content can hold it: it is known to this process alone
_FIELDS = "name,generation,size,contentType,timeCreated,metadata"


def client(pool_size: int) -> JsonApi:
    """Return a caller of the storage service, or of the emulator that STORAGE_EMULATOR_HOST names."""
    emulator = os.environ.get("STORAGE_EMULATOR_HOST")
    if emulator:
        return JsonApi(emulator if "://" in emulator else f"http://{emulator}", None, pool_size)
    try:
        credentials, _ = google.auth.default(scopes=[SCOPE])
    except GoogleAuthError as e:
        raise StorageUnavailable("There are no Google credentials to reach Cloud Storage with.") from e
    return JsonApi(HOST, credentials, pool_size)


class GcsObjects:
    """Implements `ports.Objects` on one bucket."""

    def __init__(self, api: JsonApi, bucket: str) -> None:
        self._api, self._objects = api, f"/storage/v1/b/{quote(bucket, safe='')}/o"

    def create(
        self,
        name: str,
        data: bytes,
        content_type: str,
        deadline: Deadline,
        metadata: Mapping[str, str] | None = None,
    ) -> int | None:
        """Write an object that does not exist; return its generation, or None where another was first.

        A write that was answered with 503, or not at all, may have happened, so its repetition can meet itself as a
        412. What is there is read back, and the same bytes are our own.
        """
        parts, content = _multipart(name, data, content_type, metadata or {})
        response = self._api.call(
            "create",
            "POST",
            f"/upload{self._objects}",
            deadline,
            query={"uploadType": "multipart", "ifGenerationMatch": 0},
            body=b"".join(parts) if len(data) <= _SMALL_BYTES else parts,
            headers={"Content-Type": content, "Content-Length": str(sum(map(len, parts)))},
            expected=(200, 412),
        )
        if response.status != HTTPStatus.OK:
            return self._ours(name, data, deadline)
        return _info(parsed("create", response.data)).generation

    def read(self, name: str, deadline: Deadline, generation: int | None = None) -> bytes | None:
        """Return the whole object, or None where there is none."""
        while True:
            response = self._get("read", name, deadline, alt="media", generation=generation)
            if response.status != HTTPStatus.OK:
                return None
            if _is_whole(response.data, response.headers.get("x-goog-hash", "")):
                return response.data

    def stat(self, name: str, deadline: Deadline, generation: int | None = None) -> ObjectInfo | None:
        """Return what is known of the object, or None where there is none."""
        response = self._get("stat", name, deadline, fields=_FIELDS, generation=generation)
        return _info(parsed("stat", response.data)) if response.status == HTTPStatus.OK else None

    def stream(self, name: str, deadline: Deadline) -> Iterator[bytes] | None:
        """Return the object in pieces of 256 KiB: memory does not grow with the readers."""
        response = self._get("stream", name, deadline, alt="media", stream=True)
        if response.status == HTTPStatus.OK:
            return _pieces(response)
        response.drain_conn()
        return None

    def list(
        self, prefix: str, deadline: Deadline, *, shallow: bool = False, versions: bool = False
    ) -> Iterator[ObjectInfo]:
        """Yield every object under `prefix`, page by page."""
        query: dict[str, object] = {"prefix": prefix, "maxResults": _PAGE, "fields": f"items({_FIELDS}),nextPageToken"}
        query |= {"delimiter": "/"} if shallow else {}
        query |= {"versions": "true"} if versions else {}
        while True:
            page = parsed("list", self._api.call("list", "GET", self._objects, deadline, query=query).data)
            yield from map(_info, page.get("items", ()))
            if not page.get("nextPageToken"):
                return
            query["pageToken"] = page["nextPageToken"]

    def delete(self, name: str, generation: int, deadline: Deadline) -> None:
        """Delete that generation, for good. A repeated delete can never hit an object that was written since."""
        query = {"generation": generation, "ifGenerationMatch": generation}
        self._api.call("delete", "DELETE", self._path(name), deadline, query=query, expected=(200, 204, 404, 412))

    def _get(
        self, operation: str, name: str, deadline: Deadline, *, stream: bool = False, **query: object
    ) -> BaseHTTPResponse:
        path, known = self._path(name), {key: value for key, value in query.items() if value is not None}
        return self._api.call(operation, "GET", path, deadline, query=known, expected=(200, 404), stream=stream)

    def _path(self, name: str) -> str:
        return f"{self._objects}/{quote(name, safe='')}"

    def _ours(self, name: str, data: bytes, deadline: Deadline) -> int | None:
        """Return the generation of an object with exactly these bytes, or None where it is another's."""
        there = self.stat(name, deadline)
        if there is None or there.size != len(data):
            return None
        return there.generation if self.read(name, deadline, there.generation) == data else None


def _multipart(
    name: str, data: bytes, content_type: str, metadata: Mapping[str, str]
) -> tuple[list[bytes | memoryview], str]:
    """Return an upload of one request in parts, the data where it lies, and the Content-Type of the whole."""
    resource = {"name": name, "contentType": content_type, "crc32c": _crc32c(data), "metadata": dict(metadata)}
    head = (
        f"--{_BOUNDARY}\r\nContent-Type: application/json\r\n\r\n{json.dumps(resource)}\r\n"
        f"--{_BOUNDARY}\r\nContent-Type: {content_type}\r\n\r\n"
    )
    parts: list[bytes | memoryview] = [head.encode(), memoryview(data), f"\r\n--{_BOUNDARY}--\r\n".encode()]
    return parts, f"multipart/related; boundary={_BOUNDARY}"


def _pieces(response: BaseHTTPResponse) -> Iterator[bytes]:
    """Yield the content. The answer's head is out: only a reset can tell the caller, and no server logs it."""
    try:
        for piece in response.stream(STREAM_CHUNK):
            yield piece
            connections.renew(response, ATTEMPT_SECONDS)
    except (HTTPError, OSError) as e:
        log.storage_failed("stream", type(e).__name__)
        raise ConnectionResetError(errno.ECONNRESET, "the stream broke") from None
    finally:
        response.release_conn()


def _crc32c(data: bytes) -> str:
    """Return the checksum by which Storage refuses an object that changed on the way."""
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()


def _is_whole(data: bytes, hashes: str) -> bool:
    return "crc32c=" not in hashes or f"crc32c={_crc32c(data)}" in hashes


def _info(found: Mapping[str, Any]) -> ObjectInfo:
    try:
        return ObjectInfo(
            name=str(found["name"]),
            generation=int(found["generation"]),
            size=int(found.get("size", 0)),
            content_type=str(found.get("contentType", "")),
            created_at=_time(found.get("timeCreated")),
            metadata=dict(found.get("metadata") or {}),
        )
    except (LookupError, TypeError, ValueError, AttributeError) as e:
        raise StorageUnavailable("Cloud Storage answered with what is no object.") from e


def _time(text: object) -> datetime:
    return datetime.fromisoformat(text) if isinstance(text, str) else datetime.fromtimestamp(0, UTC)
