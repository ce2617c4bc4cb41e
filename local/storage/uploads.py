"""The JSON API's three ways in: media (the body is the object), multipart (a resource first) and resumable."""

from __future__ import annotations

import re
import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from werkzeug.http import parse_options_header

from local.storage import errors
from local.storage.model import DEFAULT_TYPE, WRITABLE, StoredObject, Write
from local.storage.request import Request, parsed
from local.storage.response import Response, json_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.storage.store import Objects

CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
MULTIPART = rb"--%(edge)b\r\n(?:[^\r\n]+\r\n)*\r\n(.*?)\r\n--%(edge)b\r\n((?:[^\r\n]+\r\n)*)\r\n(.*)\r\n--%(edge)b--"
PART_TYPE = re.compile(rb"^content-type:[ \t]*(.*?)\r\n", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Upload:
    """What a body says: the resource as the writer wants it, the media's type, and the media."""

    resource: Mapping[str, object]
    media_type: str
    media: bytes = b""


@dataclass(slots=True)
class Session:
    """One resumable upload, whose data grows; once `finished` it answers the same to every further call."""

    write: Write
    lock: threading.Lock = field(default_factory=threading.Lock)
    finished: StoredObject | None = None


class Uploads:
    """The upload routes. Sessions live in memory: a restart ends them with 404, as age does in the cloud."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._sessions: dict[str, Session] = {}

    def identify(self, request: Request) -> None:
        """Fill in the object's name, which may stand in the body, and what else the body says; raises 400."""
        if "upload_id" in request.args:
            session = self._sessions.get(request.args["upload_id"])
            request.name = session.write.name if session else ""
            return
        request.upload = upload_of(request)
        request.name = str(request.upload.resource.get("name") or request.args.get("name") or "")
        if not request.name:
            raise errors.bad_request("Required parameter: name")

    def receive(self, request: Request) -> Response:
        """Write a whole object, open a session, or go on with one."""
        if request.upload is None:
            return self._resume(request)
        write = _write_of(request, request.upload)
        if request.args["uploadType"] == "resumable":
            return self._start(request, write)
        return json_response(self._objects.commit(write).resource(request.server_url))

    def _start(self, request: Request, write: Write) -> Response:
        self._objects.check(write)
        key = secrets.token_urlsafe(24)
        write.data = bytearray()
        self._sessions[key] = Session(write)
        location = f"{request.server_url}/upload/storage/v1/b/{request.bucket}/o?uploadType=resumable&upload_id={key}"
        return Response(200, {"Location": location, "X-GUploader-UploadID": key})

    def _resume(self, request: Request) -> Response:
        """Take the next chunk, or say how much has come: 308 means "go on after this range" here."""
        session = self._session(request)
        with session.lock:
            if session.finished is None:
                received = _append(session.write, request)
                if received is not None:
                    return Response(308, {"Range": f"bytes=0-{received - 1}"} if received else {})
                session.finished = self._finish(session, request)
            return json_response(session.finished.resource(request.server_url))

    def _finish(self, session: Session, request: Request) -> StoredObject:
        """Make the object; a refusal ends the session."""
        write = session.write
        write.checksums = {**write.checksums, **checksums_of({}, request)}
        try:
            return self._objects.commit(write)
        except errors.StorageError:
            del self._sessions[request.args["upload_id"]]
            raise
        finally:
            write.data = b""

    def clear(self) -> None:
        """Forget every session."""
        self._sessions.clear()

    def _session(self, request: Request) -> Session:
        session = self._sessions.get(request.args["upload_id"])
        if session is None:
            raise errors.no_such_object(request.bucket, request.name or "upload session")
        return session


def upload_of(request: Request) -> Upload:
    """Return what the body says; raises 400."""
    kind, content_type = request.args.get("uploadType"), request.headers.get("Content-Type", "")
    if kind == "multipart":
        return multipart_of(request.body, content_type)
    if kind == "resumable":
        return Upload(request.resource(), request.headers.get("X-Upload-Content-Type", ""))
    if kind == "media":
        return Upload({}, content_type, request.body)
    raise errors.bad_request(f"Invalid upload type: {kind}")


def multipart_of(body: bytes, content_type: str) -> Upload:
    """Return the two parts of a `multipart/related` body: a JSON resource, then the media; raises 400."""
    boundary = parse_options_header(content_type)[1].get("boundary", "").encode()
    found = re.match(MULTIPART % {b"edge": re.escape(boundary)}, body, re.DOTALL)
    if not boundary or not found:
        raise errors.bad_request("A multipart upload is a resource and its media, between boundaries")
    resource, headers, media = found.groups()
    kind = PART_TYPE.search(headers)
    return Upload(parsed(resource), kind[1].decode("latin-1") if kind else "", media)


def checksums_of(resource: Mapping[str, object], request: Request) -> dict[str, str]:
    """Return the checksums that a writer sent along: in the resource, as x-goog-hash, or as Content-MD5."""
    pairs = [item.strip().partition("=") for item in request.headers.get("x-goog-hash", "").split(",")]
    given = {kind: value for kind, _, value in pairs if kind in {"md5", "crc32c"}}
    named = {"md5": resource.get("md5Hash") or request.headers.get("Content-MD5"), "crc32c": resource.get("crc32c")}
    return given | {kind: str(value) for kind, value in named.items() if value}


def _write_of(request: Request, upload: Upload) -> Write:
    chosen = {key: upload.resource[key] for key in WRITABLE if upload.resource.get(key) is not None}
    return Write(
        bucket=request.bucket,
        name=request.name,
        attributes={"contentType": upload.media_type or DEFAULT_TYPE} | chosen,
        if_generation=request.if_generation,
        checksums=checksums_of(upload.resource, request),
        data=upload.media,
    )


def _append(write: Write, request: Request) -> int | None:
    """Add what is new of this chunk; return how many bytes have come, or None if that is all; raises 400."""
    start, total = _content_range(request)
    received = len(write.data)
    if start > received:
        raise errors.bad_request(f"The chunk starts at {start}, after {received}")
    write.data += request.body[received - start :]
    return None if len(write.data) == total else len(write.data)


def _content_range(request: Request) -> tuple[int, int | None]:
    """Where the chunk starts and how long the whole is; without the header the body is all of it."""
    header = request.headers.get("Content-Range")
    if header is None:
        return 0, len(request.body)
    match = CONTENT_RANGE.fullmatch(header)
    if not match:
        raise errors.bad_request(f"Failed to parse Content-Range header: {header}")
    start, _, total = match.groups()
    return int(start or 0), None if total == "*" else int(total)
