"""What is stored, as values: an object with its attributes, and the conditions a call may put on it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote

from werkzeug.datastructures import Headers

from local.storage.errors import StorageError, invalid

Attributes = dict[str, object]
"""What a writer may choose about an object, under the JSON API's names."""

METAGENERATION = 1
"""An object's attributes never change, because nothing here patches them."""

NAMED_HEADERS = {
    "Content-Type": "contentType",
    "Cache-Control": "cacheControl",
    "Content-Disposition": "contentDisposition",
    "Content-Encoding": "contentEncoding",
    "Content-Language": "contentLanguage",
}
"""Attributes by the headers that carry them."""

QUERY = ("ifGenerationMatch", "ifGenerationNotMatch", "ifMetagenerationMatch", "ifMetagenerationNotMatch")


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One live object; `content` is the file that holds its bytes, `created` is RFC 3339."""

    bucket: str
    name: str
    generation: int
    size: int
    md5: str
    crc32c: str
    created: str
    content: str
    attributes: Attributes

    @property
    def etag(self) -> str:
        return base64.b64encode(f"{self.generation}/{METAGENERATION}".encode()).decode()

    @property
    def custom_metadata(self) -> dict[str, str]:
        found = self.attributes.get("metadata")
        return found if isinstance(found, dict) else {}

    def attribute(self, name: str) -> str:
        return str(self.attributes.get(name) or "")

    def resource(self, base_url: str) -> dict[str, object]:
        """Return the JSON API's object resource: integers are strings there."""
        path = f"storage/v1/b/{self.bucket}/o/{quote(self.name, safe='')}"
        return {
            "kind": "storage#object",
            "id": f"{self.bucket}/{self.name}/{self.generation}",
            "selfLink": f"{base_url}/{path}",
            "mediaLink": f"{base_url}/download/{path}?generation={self.generation}&alt=media",
            "name": self.name,
            "bucket": self.bucket,
            "generation": str(self.generation),
            "metageneration": str(METAGENERATION),
            "size": str(self.size),
            "md5Hash": self.md5,
            "crc32c": self.crc32c,
            "etag": self.etag,
            "timeCreated": self.created,
            "updated": self.created,
            "timeFinalized": self.created,
            "storageClass": "STANDARD",
            **self.attributes,
        }


def writable(resource: Mapping[str, object]) -> Attributes:
    """Return the part of a resource that a writer chooses."""
    return {key: resource[key] for key in (*NAMED_HEADERS.values(), "metadata") if resource.get(key) is not None}


@dataclass(frozen=True, slots=True)
class Preconditions:
    """The conditions of one call; they are checked under the lock that also makes the change."""

    generation_match: int | None = None
    generation_not_match: int | None = None
    metageneration_match: int | None = None
    metageneration_not_match: int | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self:
        """Return the JSON API's, which are parameters."""
        return cls(*(number(query.get(name), name) for name in QUERY))

    @classmethod
    def from_headers(cls, headers: Headers) -> Self:
        """Return the XML API's, which are headers and know no "not match"."""
        names = ("x-goog-if-generation-match", "x-goog-if-metageneration-match")
        generation, metageneration = (number(headers.get(name), name) for name in names)
        return cls(generation, metageneration_match=metageneration)

    def check(self, found: StoredObject | None, *, reading: bool = False) -> None:
        """Raise 412, or 304 for a reader who has that version already; what does not exist has generation 0."""
        generation, metageneration = (found.generation, METAGENERATION) if found else (0, 0)
        if self.generation_match not in {None, generation} or self.metageneration_match not in {None, metageneration}:
            raise StorageError("PreconditionFailed")
        if self.generation_not_match == generation or self.metageneration_not_match == metageneration:
            raise StorageError("NotModified" if reading else "PreconditionFailed")


def number(text: str | None, name: str) -> int | None:
    """Return a parameter's number, None where it is missing; raises 400."""
    try:
        return None if text is None else int(text)
    except ValueError:
        raise invalid(f"Invalid value for {name}: {text}") from None
