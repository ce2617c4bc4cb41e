"""The XML API's calls on one object by signed URL: what a browser or any HTTP client does with a link.

Nothing here works without a signature, because the buckets are private.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from local.storage import cors, errors
from local.storage.media import download, headers_of
from local.storage.model import DEFAULT_TYPE, NAMED_HEADERS, Attributes, Write
from local.storage.response import Response
from local.storage.uploads import checksums_of

if TYPE_CHECKING:
    from local.storage.buckets import Buckets
    from local.storage.request import Request
    from local.storage.signatures import Verifier
    from local.storage.store import Objects

OVERRIDES = {"response-content-disposition": "Content-Disposition", "response-content-type": "Content-Type"}
METADATA_PREFIX = "x-goog-meta-"


@dataclass(frozen=True, slots=True)
class XmlApi:
    """GET, HEAD, PUT, DELETE and OPTIONS of `/bucket/object`."""

    buckets: Buckets
    objects: Objects
    verifier: Verifier

    def get(self, request: Request) -> Response:
        """Return the bytes, under the type and file name that the URL's signer chose."""
        self.verifier.admit(request)
        response = download(self.objects, request)
        chosen = {header: request.args[name] for name, header in OVERRIDES.items() if request.args.get(name)}
        return replace(response, headers={**response.headers, **chosen})

    def put(self, request: Request) -> Response:
        self.verifier.admit(request)
        self.buckets.get(request.bucket)
        _check_length(request)
        stored = self.objects.commit(
            Write(
                bucket=request.bucket,
                name=request.name,
                attributes=_attributes(request),
                if_generation=request.if_generation,
                checksums=checksums_of({}, request),
                data=request.body,
            )
        )
        return Response(200, {key: value for key, value in headers_of(stored).items() if key != "Content-Type"})

    def delete(self, request: Request) -> Response:
        self.verifier.admit(request)
        self.objects.delete(request.bucket, request.name, request.generation, request.if_generation)
        return Response(204)

    def preflight(self, request: Request) -> Response:
        return Response(200, cors.preflight_headers(self.buckets.get(request.bucket), request))


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


def _check_length(request: Request) -> None:
    """Hold the uploader to x-goog-content-length-range, which the signature binds them to; raises 400."""
    header = request.headers.get("x-goog-content-length-range")
    if header is None:
        return
    low, _, high = header.partition(",")
    if not (low.strip().isdecimal() and high.strip().isdecimal()):
        raise errors.bad_request(f"Invalid x-goog-content-length-range: {header}")
    if not int(low) <= len(request.body) <= int(high):
        raise errors.wrong_length(int(low), int(high), len(request.body))
