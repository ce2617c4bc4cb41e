"""The JSON API's three ways in: media (the body is the object), multipart (a resource first) and resumable.

An upload's object name may stand in the body, so `identify` reads that much before faults are matched and
anything is written.
"""

from __future__ import annotations

import re
import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.storage import errors
from local.storage.bodies import Multipart, pieces
from local.storage.content import Staged, expected_hashes
from local.storage.model import Attributes, Preconditions, StoredObject, writable
from local.storage.request import Request, Response, json_response, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.storage.store import Objects

CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
DEFAULT_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Upload:
    """What is to become of the bytes: the resource as the writer wants it, and the media."""

    resource: Mapping[str, object]
    media_type: str
    media: Iterator[bytes]

    @property
    def attributes(self) -> Attributes:
        return {"contentType": self.media_type or DEFAULT_TYPE} | writable(self.resource)


@dataclass(slots=True)
class Session:
    """One resumable upload; `finished` once its object exists, and asked again it answers the same."""

    bucket: str
    name: str
    resource: Mapping[str, object]
    attributes: Attributes
    conditions: Preconditions
    staged: Staged
    lock: threading.Lock = field(default_factory=threading.Lock)
    finished: StoredObject | None = None

    def forget(self) -> None:
        """Discard what has come so far; a finished upload's bytes belong to its object."""
        if self.finished is None:
            self.staged.discard()


class Uploads:
    """The upload routes. Sessions live in memory: a restart ends them with 404, as age does in the cloud."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._sessions: dict[str, Session] = {}

    def identify(self, request: Request) -> Upload | None:
        """Read up to the object's name and put it into the request; None for a call on a running session."""
        session = self._sessions.get(request.query.get("upload_id", ""))
        if session:
            request.name = session.name
        if "upload_id" in request.query:
            return None
        upload = _upload_of(request)
        request.name = str(upload.resource.get("name") or request.query.get("name") or "")
        if not request.name:
            raise errors.bad_request("Required parameter: name")
        return upload

    def insert(self, request: Request, upload: Upload) -> Response:
        """Write a whole object, or open a session."""
        if request.query.get("uploadType") == "resumable":
            return self._start(request, upload)
        staged = self._objects.stage().fill(upload.media).verify(expected_hashes(upload.resource, request.headers))
        stored = self._objects.commit(request.bucket, request.name, staged, upload.attributes, request.conditions)
        return json_response(stored.resource(request.base_url))

    def _start(self, request: Request, upload: Upload) -> Response:
        conditions = request.conditions
        self._objects.check(request.bucket, request.name, conditions)
        key = secrets.token_urlsafe(24)
        self._sessions[key] = Session(
            request.bucket,
            request.name,
            upload.resource,
            upload.attributes,
            conditions,
            self._objects.stage(),
        )
        location = f"{request.base_url}/upload/storage/v1/b/{request.bucket}/o?uploadType=resumable&upload_id={key}"
        return Response(200, {"Location": location, "X-GUploader-UploadID": key})

    def resume(self, request: Request) -> Response:
        """Take the next chunk, or say how much has come."""
        session = self._session(request)
        with session.lock:
            if session.finished is None:
                total = self._append(session, request)
                if total != session.staged.size:
                    return _incomplete(session.staged.size)
                session.finished = self._finish(session, request)
            return json_response(session.finished.resource(request.base_url))

    def cancel(self, request: Request) -> Response:
        """Forget the session; 499 is what Cloud Storage answers to that."""
        session = self._session(request)
        with session.lock:
            session.forget()
        del self._sessions[request.query["upload_id"]]
        return Response(499)

    def clear(self) -> None:
        """Forget every session, with what has come of its object."""
        for session in self._sessions.values():
            session.forget()
        self._sessions.clear()

    def _session(self, request: Request) -> Session:
        session = self._sessions.get(request.query.get("upload_id", ""))
        if session is None:
            raise errors.no_such_object(request.bucket, request.name or "upload session")
        return session

    def _append(self, session: Session, request: Request) -> int | None:
        """Write what is new of this chunk and return the upload's total size, None while it is not known."""
        start, total = _content_range(request)
        if start > session.staged.size:
            raise errors.bad_request(f"The chunk starts at {start}, after {session.staged.size}")
        known = session.staged.size - start
        for piece in pieces(request.body):
            session.staged.write(piece[known:])
            known = max(known - len(piece), 0)
        return total

    def _finish(self, session: Session, request: Request) -> StoredObject:
        """Make the object; a refusal ends the session, because its bytes are gone."""
        try:
            staged = session.staged.verify(expected_hashes(session.resource, request.headers))
            return self._objects.commit(session.bucket, session.name, staged, session.attributes, session.conditions)
        except errors.StorageError:
            del self._sessions[request.query["upload_id"]]
            raise


def _upload_of(request: Request) -> Upload:
    kind = request.query.get("uploadType")
    content_type = request.headers.get("Content-Type") or ""
    if kind == "multipart":
        multipart = Multipart(request.body, content_type)
        resource = parsed(multipart.resource())
        return Upload(resource, multipart.media_type(), multipart.media())
    if kind == "resumable":
        return Upload(request.json(), request.headers.get("X-Upload-Content-Type") or "", iter(()))
    if kind == "media":
        return Upload({}, content_type, pieces(request.body))
    raise errors.bad_request(f"Invalid upload type: {kind}")


def _content_range(request: Request) -> tuple[int, int | None]:
    """Where the chunk starts and how long the whole is; without the header the body is all of it."""
    header = request.headers.get("Content-Range")
    if header is None:
        return 0, int(request.headers.get("Content-Length") or 0)
    match = CONTENT_RANGE.fullmatch(header)
    if not match:
        raise errors.bad_request(f"Failed to parse Content-Range header: {header}")
    start, _, total = match.groups()
    size = None if total == "*" else int(total)
    return int(start or 0), size


def _incomplete(received: int) -> Response:
    """308 in Cloud Storage's own sense: go on after this range."""
    return Response(308, {"Range": f"bytes=0-{received - 1}"} if received else {})
