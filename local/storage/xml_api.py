"""The XML API's calls on one object by signed URL: what a browser or any HTTP client does with a link.

Nothing here works without a signature, because the buckets are private.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from local.storage import errors
from local.storage.bodies import pieces
from local.storage.content import expected_hashes
from local.storage.media import NAMED_HEADERS, download, headers_of
from local.storage.model import Attributes, Preconditions
from local.storage.request import Request, Response
from local.storage.uploads import DEFAULT_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.storage.buckets import Buckets
    from local.storage.signatures import Verifier
    from local.storage.store import Objects

OVERRIDES = {"response-content-disposition": "Content-Disposition", "response-content-type": "Content-Type"}
METADATA_PREFIX = "x-goog-meta-"


@dataclass(frozen=True, slots=True)
class XmlApi:
    """GET, HEAD, PUT and DELETE of `/bucket/object`."""

    buckets: Buckets
    objects: Objects
    verifier: Verifier

    def get(self, request: Request) -> Response:
        """Return the bytes, under the type and file name that the URL's signer chose."""
        self.verifier.admit(request)
        response = download(self.objects, request, Preconditions.from_headers(request.headers))
        chosen = {header: request.query[name] for name, header in OVERRIDES.items() if request.query.get(name)}
        return replace(response, headers={**response.headers, **chosen})

    def put(self, request: Request) -> Response:
        self.verifier.admit(request)
        self.buckets.get(request.bucket)
        conditions = Preconditions.from_headers(request.headers)
        chunks = _bounded(pieces(request.body), *_length_range(request))
        staged = self.objects.stage().fill(chunks).verify(expected_hashes({}, request.headers))
        stored = self.objects.commit(request.bucket, request.name, staged, _attributes(request), conditions)
        return Response(200, {key: value for key, value in headers_of(stored).items() if key != "Content-Type"})

    def delete(self, request: Request) -> Response:
        self.verifier.admit(request)
        conditions = Preconditions.from_headers(request.headers)
        self.objects.delete(request.bucket, request.name, request.generation, conditions)
        return Response(204)


def _attributes(request: Request) -> Attributes:
    named = {name: request.headers.get(header) for header, name in NAMED_HEADERS.items()}
    chosen: Attributes = {"contentType": DEFAULT_TYPE}
    chosen.update((name, value) for name, value in named.items() if value)
    custom = {
        name.lower().removeprefix(METADATA_PREFIX): value
        for name, value in request.headers.items()
        if name.lower().startswith(METADATA_PREFIX)
    }
    return chosen | {"metadata": custom} if custom else chosen


def _length_range(request: Request) -> tuple[int, int | None]:
    """Return the bounds of x-goog-content-length-range, which the signature has bound the uploader to."""
    header = request.headers.get("x-goog-content-length-range")
    if header is None:
        return 0, None
    low, _, high = header.partition(",")
    if not (low.strip().isdecimal() and high.strip().isdecimal()):
        raise errors.bad_request(f"Invalid x-goog-content-length-range: {header}")
    return int(low), int(high)


def _bounded(chunks: Iterator[bytes], low: int, high: int | None) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if high is not None and size > high:
            raise errors.too_large(high)
        yield chunk
    if size < low:
        raise errors.too_small(low)
