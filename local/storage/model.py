"""What is stored, as values: an object with its attributes, and the conditions a call may put on it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from local.storage import errors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message

Attributes = dict[str, object]
"""What a writer may choose about an object, under the JSON API's names."""

WRITABLE = (
    "contentType",
    "cacheControl",
    "contentDisposition",
    "contentEncoding",
    "contentLanguage",
    "customTime",
    "metadata",
    "storageClass",
)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One live object; `content` is the file that holds its bytes, times are RFC 3339."""

    bucket: str
    name: str
    generation: int
    metageneration: int
    size: int
    md5: str
    crc32c: str
    created: str
    updated: str
    content: str
    attributes: Attributes

    @property
    def etag(self) -> str:
        return base64.b64encode(f"{self.generation}/{self.metageneration}".encode()).decode()

    @property
    def custom_metadata(self) -> dict[str, str]:
        found = self.attributes.get("metadata")
        return found if isinstance(found, dict) else {}

    def attribute(self, name: str) -> str:
        return str(self.attributes.get(name) or "")

    def resource(self, base_url: str) -> dict[str, object]:
        """Return the JSON API's object resource: integers are strings there."""
        link = f"{base_url}/storage/v1/b/{self.bucket}/o/{_segment(self.name)}"
        media = f"{base_url}/download/storage/v1/b/{self.bucket}/o/{_segment(self.name)}"
        return {
            "kind": "storage#object",
            "id": f"{self.bucket}/{self.name}/{self.generation}",
            "selfLink": link,
            "mediaLink": f"{media}?generation={self.generation}&alt=media",
            "name": self.name,
            "bucket": self.bucket,
            "generation": str(self.generation),
            "metageneration": str(self.metageneration),
            "size": str(self.size),
            "md5Hash": self.md5,
            "crc32c": self.crc32c,
            "etag": self.etag,
            "timeCreated": self.created,
            "updated": self.updated,
            "timeStorageClassUpdated": self.created,
            "timeFinalized": self.created,
            "storageClass": "STANDARD",
            **self.attributes,
        }


def _segment(name: str) -> str:
    return quote(name, safe="")


@dataclass(frozen=True, slots=True)
class Preconditions:
    """The conditions of one call; they are checked under the lock that also makes the change."""

    generation_match: int | None = None
    generation_not_match: int | None = None
    metageneration_match: int | None = None
    metageneration_not_match: int | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str], prefix: str = "if") -> Preconditions:
        """From the JSON API's parameters; `prefix` is `ifSource` for the source of a copy."""
        names = ("GenerationMatch", "GenerationNotMatch", "MetagenerationMatch", "MetagenerationNotMatch")
        return cls(*(_number(query.get(prefix + name), prefix + name) for name in names))

    @classmethod
    def from_headers(cls, headers: Message) -> Preconditions:
        """From the XML API's headers, which know no "not match"."""
        names = ("x-goog-if-generation-match", "x-goog-if-metageneration-match")
        generation, metageneration = (_number(headers.get(name), name) for name in names)
        return cls(generation, metageneration_match=metageneration)

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
        wanted = (self.generation_match, self.metageneration_match)
        if wanted[0] not in {None, generation} or wanted[1] not in {None, metageneration}:
            raise errors.precondition_failed()

    def _is_unwanted(self, found: StoredObject | None) -> bool:
        generation, metageneration = _versions(found)
        return self.generation_not_match == generation or self.metageneration_not_match == metageneration


def _versions(found: StoredObject | None) -> tuple[int, int]:
    return (found.generation, found.metageneration) if found else (0, 0)


def _number(text: object, name: str) -> int | None:
    try:
        return None if text is None else int(str(text))
    except ValueError:
        raise errors.bad_request(f"Invalid value for {name}: {text}") from None


def writable(resource: Mapping[str, object]) -> Attributes:
    """Return the part of a resource that a writer chooses; a null removes the attribute."""
    return {key: resource[key] for key in WRITABLE if resource.get(key) is not None}
