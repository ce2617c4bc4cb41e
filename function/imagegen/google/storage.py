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
from typing import Any
from urllib.parse import quote

import google.auth
import google_crc32c
from google.auth.exceptions import GoogleAuthError
from urllib3.exceptions import HTTPError

from imagegen import connections, log
from imagegen.errors import StorageUnavailable
from imagegen.google.json_api import ATTEMPT_SECONDS, HOST, SCOPE, JsonApi, object_path, parsed
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
        self._api, self._bucket = api, bucket
        self._objects = f"/storage/v1/b/{quote(bucket, safe='')}/o"

    def create(
        self,
        name: str,
        data: bytes,
        content_type: str,
        deadline: Deadline,
        metadata: Mapping[str, str] | None = None,
    ) -> int | None:
        """Write an object that does not exist; return its generation, or None where another was first.

        A write that was answered with 503, or not at all, may have happened, so its repetition can meet itself
        as a 412. What is there is read back: every object of ours carries its claimant's token, so the same
        bytes are our own.
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
        if response.status != 200:  # noqa: PLR2004
            return self._ours(name, data, deadline)
        return _info(parsed("create", response.data)).generation

    def read(self, name: str, deadline: Deadline, generation: int | None = None) -> bytes | None:
        """Return the whole object, or None where there is none."""
        while True:
            query = {"alt": "media", **({} if generation is None else {"generation": generation})}
            path = object_path(self._bucket, name)
            response = self._api.call("read", "GET", path, deadline, query=query, expected=(200, 404))
            if response.status != 200:  # noqa: PLR2004
                return None
            if _is_whole(response.data, response.headers.get("x-goog-hash", "")):
                return response.data

    def stat(self, name: str, deadline: Deadline, generation: int | None = None) -> ObjectInfo | None:
        """Return what is known of the object, or None where there is none."""
        query = {"fields": _FIELDS, **({} if generation is None else {"generation": generation})}
        found = self._api.json("stat", object_path(self._bucket, name), deadline, query=query)
        return None if found is None else _info(found)

    def stream(self, name: str, deadline: Deadline) -> Iterator[bytes] | None:
        """Return the object in pieces of 256 KiB: memory does not grow with the readers."""
        path, query = object_path(self._bucket, name), {"alt": "media"}
        response = self._api.call("stream", "GET", path, deadline, query=query, expected=(200, 404), stream=True)
        if response.status == 200:  # noqa: PLR2004
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
        self._api.call(
            "delete",
            "DELETE",
            object_path(self._bucket, name),
            deadline,
            query={"generation": generation, "ifGenerationMatch": generation},
            expected=(200, 204, 404, 412),
        )

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


def _pieces(response: Any) -> Iterator[bytes]:  # noqa: ANN401 - urllib3's response
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
    told = next((part.strip()[7:] for part in hashes.split(",") if part.strip().startswith("crc32c=")), None)
    return told is None or told == _crc32c(data)


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
