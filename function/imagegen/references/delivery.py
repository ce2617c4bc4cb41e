"""Reference images on their way to Segmind: staged in the uploads bucket, then handed over as URLs it can fetch."""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from imagegen.errors import InvalidRequest
from imagegen.failure import Problem
from imagegen.model import ImageRequest, Reference
from imagegen.ports import Deadline, ObjectInfo, Objects, Signer

MAX_REFERENCE_BYTES = 16 * 1024 * 1024  # Runway's own limit
_TYPES = ("image/png", "image/jpeg", "image/webp")


Upload: TypeAlias = Callable[[str, Deadline], str]
"""Puts a `data:` URI where the vendor keeps reference images, and returns its URL there. Raises SegmindError."""


class Direct:
    """Implements `ports.Delivery` where there is no uploads bucket: every reference is a public URL already."""

    def stage(self, request: ImageRequest, deadline: Deadline) -> ImageRequest:
        """Return the request as it is."""
        del deadline
        return request

    deliver = stage


class FromBucket:
    """Implements `ports.Delivery` for references in the uploads bucket: as signed URLs, or through the vendor."""

    def __init__(self, uploads: Objects, bucket: str, signer: Signer, upload: Upload | None) -> None:
        self._uploads, self._prefix = uploads, f"gs://{bucket}/"
        self._signer, self._upload = signer, upload

    def stage(self, request: ImageRequest, deadline: Deadline) -> ImageRequest:
        """Write inline images into the bucket, once each: their names are their contents. Raises StorageUnavailable."""
        return replace(request, references=tuple(self._staged(r, deadline) for r in request.references))

    def deliver(self, request: ImageRequest, deadline: Deadline) -> ImageRequest:
        """Return the request with URLs in place of `gs://` URIs, made now, since they do not live long."""
        references = tuple(self._delivered(i, r, deadline) for i, r in enumerate(request.references))
        return replace(request, references=references)

    def _staged(self, reference: Reference, deadline: Deadline) -> Reference:
        if reference.inline is None:
            return reference
        name = self._name(reference)
        extension = name.rpartition(".")[2].replace("jpg", "jpeg")
        self._uploads.create(name, reference.inline, f"image/{extension}", deadline)
        return replace(reference, inline=None)

    def _delivered(self, index: int, reference: Reference, deadline: Deadline) -> Reference:
        if not (reference.uri or "").startswith(self._prefix):
            return reference
        info = self._uploads.stat(self._name(reference), deadline)
        wrong = _problem_with(info)
        if info is None or wrong:
            raise InvalidRequest((Problem(f"/referenceImages/{index}/uri", wrong),))
        return replace(reference, uri=self._url_of(info, deadline))

    def _url_of(self, info: ObjectInfo, deadline: Deadline) -> str:
        if self._upload is None:
            return self._signer.sign(info.name).url
        data = self._uploads.read(info.name, deadline, info.generation) or b""
        return self._upload(f"data:{info.content_type};base64,{base64.b64encode(data).decode()}", deadline)

    def _name(self, reference: Reference) -> str:
        return (reference.uri or "").removeprefix(self._prefix)


def _problem_with(info: ObjectInfo | None) -> str:
    if info is None:
        return "there is no such object in the uploads bucket; upload the image first"
    if info.content_type not in _TYPES:
        return f"the object is not one of {', '.join(_TYPES)} by its content type"
    if not 0 < info.size <= MAX_REFERENCE_BYTES:
        return f"the object has {info.size:,} bytes; 1 to {MAX_REFERENCE_BYTES:,} are allowed"
    return ""
