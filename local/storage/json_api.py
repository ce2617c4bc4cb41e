"""The JSON API's calls on buckets and objects (https://cloud.google.com/storage/docs/json_api/v1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.storage import errors
from local.storage.media import download
from local.storage.response import Response, json_response

if TYPE_CHECKING:
    from local.storage.buckets import Buckets
    from local.storage.model import StoredObject
    from local.storage.request import Request
    from local.storage.store import Objects

PAGE = 1000


@dataclass(frozen=True, slots=True)
class JsonApi:
    """Each method is one call: request in, answer out; what is refused is raised."""

    buckets: Buckets
    objects: Objects

    def create_bucket(self, request: Request) -> Response:
        resource = request.resource()
        name = str(resource.get("name") or "")
        if not name:
            raise errors.bad_request("Required parameter: name")
        return json_response(self.buckets.create(name, resource))

    def get_bucket(self, request: Request) -> Response:
        return json_response(self.buckets.get(request.bucket))

    def list_objects(self, request: Request) -> Response:
        """Return one page; its token is the last name or folder that it shows."""
        self.buckets.get(request.bucket)
        prefix, delimiter = request.args.get("prefix", ""), request.args.get("delimiter", "")
        after, size = request.args.get("pageToken", ""), _page_size(request)
        found = self.objects.named(request.bucket, prefix, after, -1 if delimiter else size + 1)
        entries = _entries(found, prefix, delimiter)
        keys = [key for key in entries if key > after]
        shown = keys[:size]
        items = [entry.resource(request.server_url) for key in shown if (entry := entries[key])]
        answer = {"items": items, "prefixes": [key for key in shown if entries[key] is None]}
        token = {"nextPageToken": shown[-1]} if len(keys) > size else {}
        return json_response(
            {"kind": "storage#objects", **{key: value for key, value in answer.items() if value}, **token}
        )

    def get_object(self, request: Request) -> Response:
        """Return metadata, or with `alt=media` the bytes."""
        if request.args.get("alt") == "media":
            return download(self.objects, request)
        found = self.objects.get(request.bucket, request.name, request.generation, request.if_generation)
        return json_response(found.resource(request.server_url))

    def delete_object(self, request: Request) -> Response:
        self.objects.delete(request.bucket, request.name, request.generation, request.if_generation)
        return Response(204)


def _page_size(request: Request) -> int:
    text = request.args.get("maxResults", str(PAGE))
    if not text.isdecimal() or not int(text):
        raise errors.bad_request(f"Invalid value for maxResults: {text}")
    return min(int(text), PAGE)


def _entries(found: list[StoredObject], prefix: str, delimiter: str) -> dict[str, StoredObject | None]:
    """Return objects by name and, where they lie behind the delimiter, None by folder; both in order."""
    entries: dict[str, StoredObject | None] = {}
    for item in found:
        head, behind, _ = item.name[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        if behind:
            entries[prefix + head + behind] = None
        else:
            entries[item.name] = item
    return entries
