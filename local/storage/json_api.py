"""What both APIs do with one object: its bytes with ranges, its headers, and the JSON API's other calls."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from itertools import islice

from flask import Response, request
from flask.typing import ResponseReturnValue

from local.storage.errors import invalid
from local.storage.model import METAGENERATION, NAMED_HEADERS, Preconditions, StoredObject, number
from local.storage.store import BEHIND_EVERY_NAME, Store
from local.storage.uploads import json_object

PAGE = 1000


def download(store: Store, bucket: str, name: str, conditions: Preconditions) -> Response:
    """Return the whole object, or the range that was asked for."""
    found, data = store.read(bucket, name, generation(), conditions)
    response = Response(data, headers=headers_of(found))
    response.make_conditional(request, accept_ranges=True, complete_length=found.size)
    return response


def generation() -> int | None:
    """Return the generation that the call names."""
    return number(request.args.get("generation"), "generation")


def headers_of(found: StoredObject) -> dict[str, str]:
    """Return the object's own headers, with the checksums by which a client verifies a download."""
    named = {header: found.attribute(name) for header, name in NAMED_HEADERS.items() if found.attribute(name)}
    custom = {f"x-goog-meta-{key}": value for key, value in found.custom_metadata.items()}
    own = {
        "ETag": f'"{found.etag}"',
        "Last-Modified": format_datetime(datetime.fromisoformat(found.created), usegmt=True),
        "x-goog-generation": str(found.generation),
        "x-goog-metageneration": str(METAGENERATION),
        "x-goog-hash": f"crc32c={found.crc32c},md5={found.md5}",
        "x-goog-stored-content-length": str(found.size),
        "x-goog-stored-content-encoding": found.attribute("contentEncoding") or "identity",
        "x-goog-storage-class": "STANDARD",
    }
    return custom | named | own


@dataclass(frozen=True, slots=True)
class JsonApi:
    """The JSON API (https://cloud.google.com/storage/docs/json_api/v1): each method is one call."""

    store: Store

    def create_bucket(self) -> ResponseReturnValue:
        resource = json_object(request.get_data())
        name = str(resource.get("name") or "")
        if not name:
            raise invalid("Required parameter: name")
        return self.store.put_bucket(name, resource)

    def get_bucket(self, bucket: str) -> ResponseReturnValue:
        return self.store.bucket(bucket)

    def get_object(self, bucket: str, name: str) -> ResponseReturnValue:
        """Return its resource, or with `alt=media` its bytes."""
        if request.args.get("alt") == "media":
            return download(self.store, bucket, name, Preconditions.from_query(request.args))
        found = self.store.get(bucket, name, generation(), Preconditions.from_query(request.args))
        return found.resource(request.host_url[:-1])

    def delete_object(self, bucket: str, name: str) -> ResponseReturnValue:
        self.store.delete(bucket, name, generation(), Preconditions.from_query(request.args))
        return Response(status=204)

    def list_objects(self, bucket: str) -> ResponseReturnValue:
        """Return one page. Its token is the last name or folder that it shows."""
        self.store.bucket(bucket)
        size = min(number(request.args.get("maxResults"), "maxResults") or PAGE, PAGE)
        shown, token = self._page(bucket, request.args.get("delimiter", ""), size)
        found = {
            "items": [item.resource(request.host_url[:-1]) for item in shown.values() if item],
            "prefixes": [folder for folder, item in shown.items() if not item],
            "nextPageToken": token,
        }
        return {"kind": "storage#objects"} | {key: value for key, value in found.items() if value}

    def _page(self, bucket: str, delimiter: str, size: int) -> tuple[dict[str, StoredObject | None], str]:
        """Return objects by name, and folders, which stand for all that is in them; and the next page's token."""
        prefix, after = request.args.get("prefix", ""), request.args.get("pageToken", "")
        if delimiter and after.endswith(delimiter):
            after += BEHIND_EVERY_NAME
        entries: dict[str, StoredObject | None] = {}
        for found in self.store.named(bucket, prefix, after, -1 if delimiter else size + 1):
            head, cut, _ = found.name[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            entries[prefix + head + cut if cut else found.name] = None if cut else found
        shown = dict(islice(entries.items(), size))
        return shown, list(shown)[-1] if len(entries) > size else ""
