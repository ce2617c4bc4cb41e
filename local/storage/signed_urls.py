"""The XML API's calls on one object by signed URL: what a browser or any HTTP client does with a link.

Nothing here works without a signature, because the buckets are private.
"""

from dataclasses import dataclass

from flask import Response, request

from local.storage import cors
from local.storage.errors import StorageError
from local.storage.json_api import download, generation, headers_of
from local.storage.model import NAMED_HEADERS, Attributes, Preconditions, number
from local.storage.signatures import Verifier
from local.storage.store import Store
from local.storage.uploads import DEFAULT_TYPE, expected_hashes

OVERRIDES = {"response-content-disposition": "Content-Disposition", "response-content-type": "Content-Type"}
METADATA_PREFIX = "x-goog-meta-"


@dataclass(frozen=True, slots=True)
class SignedUrls:
    """GET, HEAD, PUT, DELETE and a browser's preflight of `/bucket/object`."""

    store: Store
    verifier: Verifier

    def get(self, bucket: str, name: str) -> Response:
        """Return the bytes, under the type and file name that the URL's signer chose."""
        self.verifier.admit(request)
        response = download(self.store, bucket, name, Preconditions.from_headers(request.headers))
        for parameter, header in OVERRIDES.items():
            if request.args.get(parameter):
                response.headers[header] = request.args[parameter]
        return response

    def put(self, bucket: str, name: str) -> Response:
        """Write what the signature allows to write."""
        self.verifier.admit(request)
        self.store.bucket(bucket)
        data, conditions = request.get_data(), Preconditions.from_headers(request.headers)
        _check_length(len(data))
        stored = self.store.write(bucket, name, data, _attributes(), conditions, expected=expected_hashes({}))
        return Response(headers=headers_of(stored))

    def delete(self, bucket: str, name: str) -> Response:
        self.verifier.admit(request)
        self.store.delete(bucket, name, generation(), Preconditions.from_headers(request.headers))
        return Response(status=204)

    def preflight(self, bucket: str, name: str) -> Response:  # noqa: ARG002  # the URL names an object
        """Answer what a browser asks before it sends a page's request."""
        return Response(headers=cors.preflight_headers(self.store.bucket(bucket), request))


def _attributes() -> Attributes:
    named = {name: request.headers[header] for header, name in NAMED_HEADERS.items() if request.headers.get(header)}
    custom = {
        name.lower().removeprefix(METADATA_PREFIX): value
        for name, value in request.headers
        if name.lower().startswith(METADATA_PREFIX)
    }
    return {"contentType": DEFAULT_TYPE, **named} | ({"metadata": custom} if custom else {})


def _check_length(size: int) -> None:
    """Raise 400 outside of x-goog-content-length-range, to which the signature has bound the uploader."""
    name = "x-goog-content-length-range"
    if name not in request.headers:
        return
    low, high = (number(text, name) or 0 for text in request.headers[name].partition(",")[::2])
    if size < low:
        raise StorageError("EntityTooSmall", Details=f"Content-length below lower bound on range: {low}")
    if size > high:
        raise StorageError("EntityTooLarge", Details=f"Content-length exceeds upper bound on range: {high}")
