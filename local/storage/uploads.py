"""The JSON API's three ways in: media (the body is the object), multipart (a resource first) and resumable.

An upload's object name may stand in the body, so `identify` reads that before faults are matched and anything is
written.
"""

import json
import re
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Response, g, request
from flask.typing import ResponseReturnValue
from werkzeug.http import parse_options_header

from local.storage.errors import StorageError, invalid
from local.storage.model import Attributes, Preconditions, StoredObject, writable
from local.storage.store import Store

CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
DEFAULT_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Upload:
    """What is to become an object, with the checksums that the writer expects."""

    name: str
    attributes: Attributes
    hashes: Mapping[str, str]
    media: bytes


@dataclass(slots=True)
class Session:
    """One resumable upload; `finished` once its object exists, and asked again it answers the same."""

    upload: Upload
    conditions: Preconditions
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
            return session.upload.name if session else ""
        g.upload = _upload()
        return str(g.upload.name)

    def insert(self, bucket: str) -> ResponseReturnValue:
        """Write a whole object, or open a session."""
        self._store.bucket(bucket)
        conditions = Preconditions.from_query(request.args)
        if request.args.get("uploadType") != "resumable":
            return self._write(bucket, g.upload, g.upload.media, conditions).resource(request.host_url[:-1])
        self._store.check(bucket, g.upload.name, conditions)
        key = secrets.token_urlsafe(24)
        self._sessions[key] = Session(g.upload, conditions)
        return Response(headers={"Location": f"{request.base_url}?uploadType=resumable&upload_id={key}"})

    def resume(self, bucket: str) -> ResponseReturnValue:
        """Take the next chunk, or say how much has come."""
        session = self._sessions.get(request.args.get("upload_id", ""))
        if session is None:
            raise StorageError("NoSuchKey", "No such upload session.")
        with session.lock:
            if session.finished is None:
                total, received = _append(session.received), len(session.received)
                if total != received:  # 308 in Cloud Storage's own sense: go on after this range
                    return Response(status=308, headers={"Range": f"bytes=0-{received - 1}"} if received else {})
                session.finished = self._write(bucket, session.upload, bytes(session.received), session.conditions)
            return session.finished.resource(request.host_url[:-1])

    def _write(self, bucket: str, upload: Upload, data: bytes, conditions: Preconditions) -> StoredObject:
        hashes = {**upload.hashes, **expected_hashes({})}
        return self._store.write(bucket, upload.name, data, upload.attributes, conditions, expected=hashes)

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
        raise invalid("Parse Error") from None
    if not isinstance(value, dict):
        raise invalid("A JSON object was expected")
    return value


def _upload() -> Upload:
    kind, data, resource = request.args.get("uploadType"), request.get_data(), b""
    media_type = request.headers.get("Content-Type", "")
    if kind == "multipart":
        resource, media_type, data = multipart(data, media_type)
    elif kind == "resumable":
        resource, media_type, data = data, request.headers.get("X-Upload-Content-Type", ""), b""
    elif kind != "media":
        raise invalid(f"Invalid upload type: {kind}")
    wanted = json_object(resource)
    name = str(wanted.get("name") or request.args.get("name") or "")
    if not name:
        raise invalid("Required parameter: name")
    attributes = {"contentType": media_type or DEFAULT_TYPE} | writable(wanted)
    return Upload(name, attributes, expected_hashes(wanted), data)


def multipart(data: bytes, content_type: str) -> tuple[bytes, str, bytes]:
    """Return resource, media type and media of a `multipart/related` body; raises 400."""
    boundary = parse_options_header(content_type)[1].get("boundary")
    if not boundary:
        raise invalid("A multipart upload needs a boundary")
    delimiter = b"\r\n--" + boundary.encode()
    _, _, rest = (b"\r\n" + data).partition(delimiter)
    resource, second, rest = rest.partition(delimiter)
    part, end, _ = rest.rpartition(delimiter + b"--")
    if not (second and end):
        raise invalid("The multipart body has no two parts, or no end")
    head, _, media = part.partition(b"\r\n\r\n")
    media_type = head.lower().partition(b"content-type:")[2].partition(b"\r\n")[0]
    return resource.partition(b"\r\n\r\n")[2], media_type.strip().decode("latin-1"), media


def _append(received: bytearray) -> int | None:
    """Take what is new of this chunk and return the upload's total size, None while it is not known."""
    data = request.get_data()
    header = request.headers.get("Content-Range", f"bytes 0-{len(data)}/{len(data)}")
    match = CONTENT_RANGE.fullmatch(header)
    if not match:
        raise invalid(f"Failed to parse Content-Range header: {header}")
    start, total = int(match[1] or 0), match[3]
    if start > len(received):
        raise invalid(f"The chunk starts at {start}, after {len(received)}")
    received += memoryview(data)[len(received) - start :]
    return None if total == "*" else int(total)
