"""The JSON API's calls on buckets and objects (https://cloud.google.com/storage/docs/json_api/v1)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.storage import errors
from local.storage.content import chunks_of
from local.storage.media import download
from local.storage.model import WRITABLE, Attributes, Preconditions, StoredObject, writable
from local.storage.request import Request, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.storage.buckets import Buckets
    from local.storage.store import Objects

PAGE = 1000


@dataclass(frozen=True, slots=True)
class JsonApi:
    """Each method is one call: request in, answer out; what is refused is raised."""

    buckets: Buckets
    objects: Objects

    def list_buckets(self, _request: Request) -> Response:
        return json_response(
            {"kind": "storage#buckets", "items": [self.buckets.get(name) for name in self.buckets.names()]}
        )

    def create_bucket(self, request: Request) -> Response:
        resource = request.json()
        name = str(resource.get("name") or "")
        if not name:
            raise errors.bad_request("Required parameter: name")
        return json_response(self.buckets.create(name, resource))

    def get_bucket(self, request: Request) -> Response:
        return json_response(self.buckets.get(request.bucket))

    def patch_bucket(self, request: Request) -> Response:
        return json_response(self.buckets.patch(request.bucket, request.json()))

    def delete_bucket(self, request: Request) -> Response:
        self.buckets.get(request.bucket)
        if self.objects.named(request.bucket, limit=1):
            raise errors.conflict("BucketNotEmpty", "The bucket you tried to delete is not empty.")
        self.buckets.delete(request.bucket)
        return Response(204)

    def list_objects(self, request: Request) -> Response:
        self.buckets.get(request.bucket)
        page = _Page.of(request)
        found = self.objects.named(request.bucket, page.prefix, page.after, page.needed)
        items, prefixes, token = page.select(found)
        answer: dict[str, object] = {"kind": "storage#objects"}
        answer["items"] = [item.resource(request.base_url) for item in items]
        answer["prefixes"] = prefixes
        if token:
            answer["nextPageToken"] = token
        return json_response({key: value for key, value in answer.items() if value})

    def get_object(self, request: Request) -> Response:
        """Metadata, or with `alt=media` the bytes."""
        if request.query.get("alt") == "media":
            return self.download_object(request)
        found = self.objects.get(request.bucket, request.name, request.generation, request.conditions)
        return json_response(found.resource(request.base_url))

    def download_object(self, request: Request) -> Response:
        return download(self.objects, request, request.conditions)

    def patch_object(self, request: Request) -> Response:
        resource = request.json()
        change = {key: resource[key] for key in WRITABLE if key in resource}
        return self._changed(request, change)

    def update_object(self, request: Request) -> Response:
        """PUT replaces every attribute, so what is not named is removed."""
        change: Attributes = dict.fromkeys(WRITABLE)
        return self._changed(request, change | writable(request.json()))

    def _changed(self, request: Request, change: Attributes) -> Response:
        after = self.objects.patch(request.bucket, request.name, change, request.generation, request.conditions)
        return json_response(after.resource(request.base_url))

    def delete_object(self, request: Request) -> Response:
        self.objects.delete(request.bucket, request.name, request.generation, request.conditions)
        return Response(204)

    def copy_object(self, request: Request, bucket: str, name: str) -> Response:
        return json_response(self._copied(request, bucket, name).resource(request.base_url))

    def rewrite_object(self, request: Request, bucket: str, name: str) -> Response:
        """Copy, which here is always done at once."""
        copied = self._copied(request, bucket, name)
        size = str(copied.size)
        answer = {
            "kind": "storage#rewriteResponse",
            "done": True,
            "objectSize": size,
            "totalBytesRewritten": size,
        }
        return json_response(answer | {"resource": copied.resource(request.base_url)})

    def _copied(self, request: Request, bucket: str, name: str) -> StoredObject:
        self.buckets.get(bucket)
        wanted = request.query.get("sourceGeneration")
        source, file = self.objects.open(
            request.bucket,
            request.name,
            int(wanted) if wanted else None,
            Preconditions.from_query(request.query, "ifSource"),
        )
        staged = self.objects.stage().fill(chunks_of(file))
        attributes = source.attributes | writable(request.json())
        return self.objects.commit(bucket, name, staged, attributes, request.conditions)

    def compose_object(self, request: Request) -> Response:
        """Several objects of the bucket, one after the other, as a new one."""
        body = request.json()
        sources, destination = body.get("sourceObjects"), body.get("destination")
        staged = self.objects.stage().fill(self._joined(request.bucket, sources if isinstance(sources, list) else []))
        attributes = writable(destination if isinstance(destination, dict) else {})
        stored = self.objects.commit(request.bucket, request.name, staged, attributes, request.conditions)
        return json_response(stored.resource(request.base_url))

    def _joined(self, bucket: str, sources: list[dict[str, Any]]) -> Iterator[bytes]:
        for source in sources:
            conditions = Preconditions.from_query(source.get("objectPreconditions") or {})
            _, file = self.objects.open(bucket, source["name"], conditions=conditions)
            yield from chunks_of(file)


@dataclass(frozen=True, slots=True)
class _Page:
    """One page of a listing. The token is the last name or prefix that the page before showed."""

    prefix: str
    delimiter: str
    after: str
    skipped: str
    size: int

    @classmethod
    def of(cls, request: Request) -> _Page:
        kind, _, last = _decoded(request.query.get("pageToken", "")).partition(":")
        size = request.query.get("maxResults", str(PAGE))
        if not size.isdecimal() or not int(size):
            raise errors.bad_request(f"Invalid value for maxResults: {size}")
        return cls(
            prefix=request.query.get("prefix", ""),
            delimiter=request.query.get("delimiter", ""),
            after=last,
            skipped=last if kind == "prefix" else "",
            size=min(int(size), PAGE),
        )

    @property
    def needed(self) -> int:
        """How many objects decide this page: one more than it shows, or all (-1) where folders hide some."""
        return -1 if self.delimiter else self.size + 1

    def select(self, objects: list[StoredObject]) -> tuple[list[StoredObject], list[str], str]:
        """Return the objects and prefixes of this page, and the token of the next one, if any."""
        items: list[StoredObject] = []
        prefixes: list[str] = []
        token = ""
        for found in objects:
            folder = self._folder(found.name)
            if folder and folder in {self.skipped, *prefixes[-1:]}:
                continue
            if len(items) + len(prefixes) == self.size:
                return items, prefixes, token
            if folder:
                prefixes.append(folder)
            else:
                items.append(found)
            token = _encoded(f"prefix:{folder}" if folder else f"object:{found.name}")
        return items, prefixes, ""

    def _folder(self, name: str) -> str:
        """Return the part up to the delimiter after the prefix, where there is one."""
        if not self.delimiter:
            return ""
        head, found, _ = name[len(self.prefix) :].partition(self.delimiter)
        return self.prefix + head + found if found else ""


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def _decoded(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except ValueError:
        raise errors.bad_request(f"Invalid value for pageToken: {token}") from None
