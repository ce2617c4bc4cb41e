"""What is stored, as values: an object with its attributes, and the conditions a call may put on it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from local.storage import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.datastructures import Headers

Attributes = dict[str, object]
"""What a writer may choose about an object, under the JSON API's names."""

METAGENERATION = 1
"""An object's attributes never change, because nothing here patches them."""

WRITABLE = (
    "contentType",
    "cacheControl",
    "contentDisposition",
    "contentEncoding",
    "contentLanguage",
    "customTime",
    "metadata",
)
QUERY = ("ifGenerationMatch", "ifGenerationNotMatch", "ifMetagenerationMatch", "ifMetagenerationNotMatch")
HEADERS = ("x-goog-if-generation-match", "", "x-goog-if-metageneration-match", "")


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
            "timeStorageClassUpdated": self.created,
            "timeFinalized": self.created,
            "storageClass": "STANDARD",
            **self.attributes,
        }


def writable(resource: Mapping[str, object]) -> Attributes:
    """Return the part of a resource that a writer chooses."""
    return {key: resource[key] for key in WRITABLE if resource.get(key) is not None}


@dataclass(frozen=True, slots=True)
class Preconditions:
    """The conditions of one call; they are checked under the lock that also makes the change."""

    generation_match: int | None = None
    generation_not_match: int | None = None
    metageneration_match: int | None = None
    metageneration_not_match: int | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Preconditions:
        """Return the JSON API's, which are parameters."""
        return cls(*(number(query.get(name), name) for name in QUERY))

    @classmethod
    def from_headers(cls, headers: Headers) -> Preconditions:
        """Return the XML API's, which are headers and know no "not match"."""
        return cls(*(number(headers.get(name), name) for name in HEADERS))

    def check_read(self, found: StoredObject) -> None:
        """Raise 412, or 304 where a "not match" failed: the reader has that version already."""
        self._check_match(found)
        if self._is_unwanted(found):
            raise errors.not_modified()

    def check_write(self, found: StoredObject | None) -> None:
        """Raise 412; an object that does not exist has generation 0."""
        self._check_match(found)
        if self._is_unwanted(found):
            raise errors.precondition_failed()

    def _check_match(self, found: StoredObject | None) -> None:
        generation, metageneration = _versions(found)
        if self.generation_match not in {None, generation} or self.metageneration_match not in {None, metageneration}:
            raise errors.precondition_failed()

    def _is_unwanted(self, found: StoredObject | None) -> bool:
        generation, metageneration = _versions(found)
        return self.generation_not_match == generation or self.metageneration_not_match == metageneration


def _versions(found: StoredObject | None) -> tuple[int, int]:
    return (found.generation, METAGENERATION) if found else (0, 0)


def number(text: str | None, name: str) -> int | None:
    """Return a parameter's number, None where it is missing; raises 400."""
    try:
        return None if text is None else int(text)
    except ValueError:
        raise errors.bad_request(f"Invalid value for {name}: {text}") from None
