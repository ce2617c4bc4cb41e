"""Cloud Storage's events as the platform sends them: binary CloudEvents with the object's resource as their body."""

import json
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Self

from local.storage import StorageServer

FINALIZED = "google.cloud.storage.object.v1.finalized"
UPLOADS = "uploads"


@dataclass(frozen=True, slots=True)
class Event:
    """One CloudEvent; delivering it twice sends the same id and the same bytes."""

    headers: dict[str, str]
    body: bytes
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def aged(self, seconds: float) -> Self:
        """Return this event as it looks when the platform has tried it for so long."""
        return self.headed(time=(datetime.now(UTC) - timedelta(seconds=seconds)).isoformat())

    def headed(self, **attributes: str) -> Self:
        """Return this event with other attributes."""
        return replace(self, headers=self.headers | {f"ce-{name}": value for name, value in attributes.items()})


def event_of(data: object, subject: str = "objects/x", bucket: str = UPLOADS, **attributes: str) -> Event:
    """Return an event that carries `data`; bytes are sent as they are."""
    headers = {
        "ce-specversion": "1.0",
        "ce-type": FINALIZED,
        "ce-source": f"//storage.googleapis.com/projects/_/buckets/{bucket}",
        "ce-subject": subject,
        "ce-time": datetime.now(UTC).isoformat(),
        "Content-Type": "application/json",
    }
    made = Event(headers, data if isinstance(data, bytes) else json.dumps(data).encode())
    return made.headed(**{"id": made.id, **attributes})


class Uploads:
    """The uploads bucket, seen by a test."""

    def __init__(self, storage: StorageServer) -> None:
        self.storage = storage

    def names(self, prefix: str = "") -> list[str]:
        return self.storage.objects(UPLOADS, prefix)

    def event(self, name: str, bucket: str = UPLOADS) -> Event:
        """Return the event of an object that is there now."""
        data = self.storage.object(bucket, name).resource(self.storage.url)
        subject = f"objects/{name}".encode("ascii", "ignore").decode()
        return event_of(data, subject, bucket, time=str(data["timeCreated"]))

    def events(self) -> list[Event]:
        """Return the event of every object, as the platform would have sent them by now."""
        return [self.event(name) for name in self.names()]

    def put(self, name: str, body: object) -> Event:
        """Put a job file there and return its event."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.storage.put(UPLOADS, name, data, content_type="application/json")
        return self.event(name)

    def put_photo(self, name: str, data: bytes, kind: str = "image/png", **metadata: str) -> Event:
        """Put an image with custom metadata there and return its event."""
        self.storage.put(UPLOADS, name, data, content_type=kind, **metadata)
        return self.event(name)
