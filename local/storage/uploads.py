"""The JSON API's three ways in: media (the body is the object), multipart (a resource first) and resumable.

An upload's object name may stand in the body, so `identify` reads that much before faults are matched and anything
is written.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import Response, g, request
from werkzeug.http import parse_options_header

from local.storage import errors
from local.storage.model import Attributes, Preconditions, StoredObject, writable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

    from local.storage.store import Store

CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
DEFAULT_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Upload:
    """What is to become of the bytes: the resource as the writer wants it, and the media."""

    resource: Mapping[str, object]
    media_type: str = ""
    media: bytes = b""

    @property
    def name(self) -> str:
        return str(self.resource.get("name") or request.args.get("name") or "")

    @property
    def attributes(self) -> Attributes:
        return {"contentType": self.media_type or DEFAULT_TYPE} | writable(self.resource)


@dataclass(slots=True)
class Session:
    """One resumable upload; `finished` once its object exists, and asked again it answers the same."""

    name: str
    upload: Upload
    conditions: Preconditions
    hashes: Mapping[str, str]
    received: bytearray = field(default_factory=bytearray)
    lock: threading.Lock = field(default_factory=threading.Lock)
    finished: StoredObject | None = None


class Uploads:
    """The upload routes. Sessions live in memory: a restart ends them with 404, as age does in the cloud."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sessions: dict[str, Session] = {}

    def identify(self) -> str:
        """Return the name of the object that this call is about; raises 400 where a new upload names none."""
        if "upload_id" in request.args:
            session = self._sessions.get(request.args["upload_id"])
            return session.name if session else ""
        g.upload = _upload()
        if not g.upload.name:
            raise errors.bad_request("Required parameter: name")
        return str(g.upload.name)

    def insert(self, bucket: str) -> ResponseReturnValue:
        """Write a whole object, or open a session."""
        self._store.bucket(bucket)
        upload, conditions = g.upload, Preconditions.from_query(request.args)
        hashes = expected_hashes(upload.resource)
        if request.args.get("uploadType") == "resumable":
            self._store.check(bucket, upload.name, conditions)
            return self._opened(Session(upload.name, upload, conditions, hashes))
        stored = self._store.write(bucket, upload.name, upload.media, upload.attributes, conditions, expected=hashes)
        return stored.resource(request.host_url[:-1])

    def _opened(self, session: Session) -> Response:
        key = secrets.token_urlsafe(24)
        self._sessions[key] = session
        return Response(headers={"Location": f"{request.base_url}?uploadType=resumable&upload_id={key}"})

    def resume(self, bucket: str) -> ResponseReturnValue:
        """Take the next chunk, or say how much has come."""
        session = self._sessions.get(request.args.get("upload_id", ""))
        if session is None:
            raise errors.no_such_object(bucket, "upload session")
        with session.lock:
            if session.finished is None:
                if _append(session.received) != len(session.received):
                    return _incomplete(len(session.received))
                session.finished = self._finish(bucket, session)
            return session.finished.resource(request.host_url[:-1])

    def _finish(self, bucket: str, session: Session) -> StoredObject:
        """Make the object; a refusal ends the session."""
        data, attributes = bytes(session.received), session.upload.attributes
        try:
            return self._store.write(
                bucket, session.name, data, attributes, session.conditions, expected=session.hashes
            )
        except errors.StorageError:
            del self._sessions[request.args["upload_id"]]
            raise

    def clear(self) -> None:
        """Forget every session, with what has come of its object."""
        self._sessions.clear()


def expected_hashes(resource: Mapping[str, object]) -> dict[str, str]:
    """Return the checksums a writer sent along: in the resource, as x-goog-hash, or as Content-MD5."""
    pairs = [item.strip().partition("=") for item in request.headers.get("x-goog-hash", "").split(",")]
    given = {kind: value for kind, _, value in pairs if kind in {"md5", "crc32c"}}
    named = {"md5": resource.get("md5Hash") or request.headers.get("Content-MD5"), "crc32c": resource.get("crc32c")}
    return given | {kind: str(value) for kind, value in named.items() if value}


def json_object(data: bytes) -> dict[str, object]:
    """Return `data` as a JSON object, nothing as an empty one; raises 400."""
    try:
        value = json.loads(data or b"{}")
    except ValueError:
        raise errors.bad_request("Parse Error") from None
    if not isinstance(value, dict):
        raise errors.bad_request("A JSON object was expected")
    return value


def _upload() -> Upload:
    kind, data = request.args.get("uploadType"), request.get_data()
    content_type = request.headers.get("Content-Type", "")
    if kind == "multipart":
        return multipart(data, content_type)
    if kind == "resumable":
        return Upload(json_object(data), request.headers.get("X-Upload-Content-Type", ""))
    if kind == "media":
        return Upload({}, content_type, data)
    raise errors.bad_request(f"Invalid upload type: {kind}")


def multipart(data: bytes, content_type: str) -> Upload:
    """Return the two parts of a `multipart/related` body: a JSON resource, then the media; raises 400."""
    boundary = parse_options_header(content_type)[1].get("boundary")
    if not boundary:
        raise errors.bad_request("A multipart upload needs a boundary")
    delimiter = b"\r\n--" + boundary.encode()
    _, _, rest = (b"\r\n" + data).partition(delimiter)
    resource, second, rest = rest.partition(delimiter)
    media, end, _ = rest.rpartition(delimiter + b"--")
    if not (second and end):
        raise errors.bad_request("The multipart body has no two parts, or no end")
    head, _, content = media.partition(b"\r\n\r\n")
    media_type = head.lower().partition(b"content-type:")[2].partition(b"\r\n")[0]
    return Upload(json_object(resource.partition(b"\r\n\r\n")[2]), media_type.strip().decode("latin-1"), content)


def _append(received: bytearray) -> int | None:
    """Take what is new of this chunk and return the upload's total size, None while it is not known."""
    start, total = _content_range()
    if start > len(received):
        raise errors.bad_request(f"The chunk starts at {start}, after {len(received)}")
    received += memoryview(request.get_data())[len(received) - start :]
    return total


def _content_range() -> tuple[int, int | None]:
    """Return where the chunk starts and how long the whole is; without the header the body is all of it."""
    header = request.headers.get("Content-Range")
    if header is None:
        return 0, len(request.get_data())
    match = CONTENT_RANGE.fullmatch(header)
    if not match:
        raise errors.bad_request(f"Failed to parse Content-Range header: {header}")
    start, _, total = match.groups()
    return int(start or 0), None if total == "*" else int(total)


def _incomplete(received: int) -> Response:
    """Return 308 in Cloud Storage's own sense: go on after this range."""
    return Response(status=308, headers={"Range": f"bytes=0-{received - 1}"} if received else {})
