"""What is stored, as values: an object, and a write that is to become one."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

Attributes = dict[str, object]
"""What a writer may choose about an object, under the JSON API's names."""

DEFAULT_TYPE = "application/octet-stream"
NAMED_HEADERS = {
    "Content-Type": "contentType",
    "Cache-Control": "cacheControl",
    "Content-Disposition": "contentDisposition",
    "Content-Encoding": "contentEncoding",
    "Content-Language": "contentLanguage",
}
WRITABLE = (*NAMED_HEADERS.values(), "customTime", "metadata", "storageClass")


@dataclass(slots=True)
class Write:
    """An object on its way in. `if_generation` must be there (0: nothing); `checksums` are the writer's own."""

    bucket: str
    name: str
    attributes: Attributes = field(default_factory=dict)
    if_generation: int | None = None
    checksums: Mapping[str, str] = field(default_factory=dict)
    data: bytes | bytearray = b""


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
        return base64.b64encode(str(self.generation).encode()).decode()

    @property
    def custom_metadata(self) -> dict[str, str]:
        found = self.attributes.get("metadata")
        return found if isinstance(found, dict) else {}

    def attribute(self, name: str) -> str:
        return str(self.attributes.get(name) or "")

    def resource(self, server: str) -> dict[str, object]:
        """Return the JSON API's object resource: integers are strings there."""
        path = f"storage/v1/b/{self.bucket}/o/{quote(self.name, safe='')}"
        return {
            "kind": "storage#object",
            "id": f"{self.bucket}/{self.name}/{self.generation}",
            "selfLink": f"{server}/{path}",
            "mediaLink": f"{server}/download/{path}?generation={self.generation}&alt=media",
            "name": self.name,
            "bucket": self.bucket,
            "generation": str(self.generation),
            "metageneration": "1",
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
