"""Objects in Google Cloud Storage. The only file, with `signing.py`, that imports google.cloud.

Imported on first use: it costs more than half of a cold start, and many requests end before they need it.
"""

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TypeVar

import requests
from google.api_core.exceptions import ClientError, GoogleAPIError, NotFound, PreconditionFailed, TooManyRequests
from google.auth.exceptions import GoogleAuthError
from google.cloud import storage
from google.cloud.exceptions import GoogleCloudError
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY
from requests.adapters import HTTPAdapter

from imagegen import log
from imagegen.errors import StorageUnavailable
from imagegen.ports import Deadline, ObjectInfo

CONNECT_SECONDS = 3.0
ATTEMPT_SECONDS = 10.0  # silence for so long means that this attempt is lost
STREAM_CHUNK = 256 * 1024
_FAILURES = (
    GoogleAPIError,
    GoogleCloudError,
    GoogleAuthError,
    InvalidResponse,
    DataCorruption,
    requests.RequestException,
    OSError,
    # The client's own ways of choking on an answer that is not Storage's: a paid image must not end in one.
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
T = TypeVar("T")


def client(project: str | None, pool_size: int) -> storage.Client:
    """Return a client whose pool holds a connection for every thread; the default of 10 opens the rest anew."""
    # On first use the client asks in the background for each bucket's metadata, to label traces: a call that needs a
    # role of its own, for traces that nobody records.
    os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
    made = storage.Client(project=project)
    for scheme in ("https://", "http://"):
        made._http.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=min(pool_size, 64)))  # noqa: SLF001 - the documented way
    return made


class GcsObjects:
    """Implements `ports.Objects` on one bucket."""

    def __init__(self, client: storage.Client, bucket: str) -> None:
        self._client = client
        self._bucket = client.bucket(bucket)

    def create(
        self,
        name: str,
        data: bytes,
        content_type: str,
        deadline: Deadline,
        metadata: Mapping[str, str] | None = None,
    ) -> int | None:
        """Write an object that does not exist; return its generation, or None where somebody was first.

        A write that was answered with 503, or not at all, may have happened, so its repetition can meet itself
        as a 412. What is there is read back: every object of ours carries its claimant's token, so the same
        bytes are our own.
        """
        blob = self._bucket.blob(name)
        blob.metadata = dict(metadata) if metadata else None

        def write() -> int:
            blob.upload_from_string(data, content_type, if_generation_match=0, **_patience(deadline))
            return int(blob.generation)

        try:
            return self._try("create", write, PreconditionFailed)
        except PreconditionFailed:
            return self._ours(name, data, deadline)

    def read(self, name: str, deadline: Deadline, generation: int | None = None) -> bytes | None:
        """Return the whole object, or None where there is none."""
        blob = self._bucket.blob(name, generation=generation)
        try:
            return self._try("read", lambda: bytes(blob.download_as_bytes(**_patience(deadline))), NotFound)
        except NotFound:
            return None

    def stat(self, name: str, deadline: Deadline, generation: int | None = None) -> ObjectInfo | None:
        """Return what is known of the object, or None where there is none."""
        blob = self._try("stat", lambda: self._bucket.get_blob(name, generation=generation, **_patience(deadline)))
        return None if blob is None else _info(blob)

    def stream(self, name: str, deadline: Deadline) -> Iterator[bytes] | None:
        """Return the object in pieces of 256 KiB: memory does not grow with the readers."""
        blob = self._try("stat", lambda: self._bucket.get_blob(name, **_patience(deadline)))
        return None if blob is None else self._pieces(blob, deadline)

    def list(
        self, prefix: str, deadline: Deadline, *, shallow: bool = False, versions: bool = False
    ) -> Iterator[ObjectInfo]:
        """Yield every object under `prefix`, page by page."""
        how = {"delimiter": "/" if shallow else None, "versions": versions or None}
        blobs = self._client.list_blobs(self._bucket, prefix=prefix, **how, **_patience(deadline))
        pages = iter(blobs.pages)
        while (page := self._try("list", lambda: next(pages, None))) is not None:
            yield from map(_info, page)

    def delete(self, name: str, generation: int, deadline: Deadline) -> None:
        """Delete that generation. A repeated delete can never hit an object that somebody wrote since."""
        blob = self._bucket.blob(name)

        def erase() -> None:
            blob.delete(if_generation_match=generation, **_patience(deadline))

        try:
            self._try("delete", erase, NotFound, PreconditionFailed)
        except (NotFound, PreconditionFailed):
            return

    def _ours(self, name: str, data: bytes, deadline: Deadline) -> int | None:
        """Return the generation of an object with exactly these bytes, or None where it is somebody else's."""
        there = self._try("stat", lambda: self._bucket.get_blob(name, **_patience(deadline)))
        if there is None or there.size != len(data):
            return None
        return int(there.generation) if self.read(name, deadline, int(there.generation)) == data else None

    def _pieces(self, blob: storage.Blob, deadline: Deadline) -> Iterator[bytes]:
        """Yield the content. The answer's head is out: only a reset can tell the caller, and no server logs it."""
        try:
            with blob.open("rb", chunk_size=STREAM_CHUNK, **_patience(deadline)) as file:
                for _ in range(0, int(blob.size or 0), STREAM_CHUNK):
                    yield file.read(STREAM_CHUNK)
        except _FAILURES as e:
            log.storage_failed("stream", e)
            raise ConnectionResetError(errno.ECONNRESET, "the stream broke") from None

    @staticmethod
    def _try(operation: str, act: Callable[[], T], *expected: type[Exception]) -> T:
        try:
            return act()
        except expected:
            raise
        except _FAILURES as e:
            log.storage_failed(operation, e)
            failed = StorageUnavailable(f"Cloud Storage could not be used ({operation}: {type(e).__name__}).")
            failed.refused = isinstance(e, (ClientError, GoogleAuthError)) and not isinstance(e, TooManyRequests)
            raise failed from e


def _patience(deadline: Deadline) -> dict[str, object]:
    """Return timeouts and retries that fit the request's own deadline; the client's default is two minutes."""
    left = max(deadline.left, 0.001)
    attempt = min(ATTEMPT_SECONDS, left)
    retry = DEFAULT_RETRY.with_delay(initial=0.1, maximum=2.0, multiplier=2.0).with_timeout(left)
    return {"timeout": (min(CONNECT_SECONDS, left), attempt), "retry": retry}


def _info(blob: storage.Blob) -> ObjectInfo:
    return ObjectInfo(
        name=str(blob.name),
        generation=int(blob.generation or 0),
        size=int(blob.size or 0),
        content_type=str(blob.content_type or ""),
        created_at=blob.time_created or datetime.fromtimestamp(0, UTC),
        metadata=dict(blob.metadata or {}),
    )
