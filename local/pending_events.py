"""Events that were not yet answered with a 2xx, in a file: a killed process loses none of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from local import sqlite

FINALIZED = "google.cloud.storage.object.v1.finalized"
UNQUOTED = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
"""What a header of a CloudEvent may hold as it is (HTTP protocol binding, section 3.1.3.2)."""

SCHEMA = "CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, resource TEXT, outstanding INTEGER)"


@dataclass(slots=True)
class Event:
    """One object that was finalized; `outstanding` deliveries of it still wait for their 2xx."""

    id: str
    resource: Mapping[str, object]
    outstanding: int
    answers: list[int] = field(default_factory=list)

    def headers(self) -> dict[str, str]:
        """Return the attributes as a CloudEvent in binary mode has them: the body is the resource alone."""
        return {
            "ce-id": self.id,
            "ce-specversion": "1.0",
            "ce-type": FINALIZED,
            "ce-source": f"//storage.googleapis.com/projects/_/buckets/{self.resource['bucket']}",
            "ce-subject": f"objects/{quote(str(self.resource['name']), safe=UNQUOTED)}",
            "ce-time": str(self.resource["timeFinalized"]),
        }

    def is_about(self, bucket: str, name: str) -> bool:
        """Whether it is an event of this object; empty stands for any."""
        return bucket in {"", self.resource["bucket"]} and name in {"", self.resource["name"]}

    def listed(self) -> dict[str, object]:
        """Return it as the admin route shows it; `answers` are statuses, 0 where none came."""
        about = {key: self.resource[key] for key in ("bucket", "name", "generation")}
        return {"id": self.id, **about, "outstanding": self.outstanding, "answers": self.answers}


class PendingEvents:
    """The outstanding events, oldest first; to be used by one thread at a time."""

    def __init__(self, directory: Path) -> None:
        self._file = sqlite.opened(directory / "events.sqlite", SCHEMA)

    def events(self) -> list[Event]:
        found = self._file.execute("SELECT id, resource, outstanding FROM events ORDER BY rowid")
        return [Event(key, json.loads(resource), outstanding) for key, resource, outstanding in found]

    def save(self, event: Event) -> None:
        """Keep what is outstanding of the event, and forget it when that is nothing."""
        if event.outstanding:
            row = (event.id, json.dumps(event.resource), event.outstanding)
            self._file.execute("INSERT OR REPLACE INTO events VALUES (?, ?, ?)", row)
        else:
            self._file.execute("DELETE FROM events WHERE id = ?", (event.id,))

    def clear(self) -> None:
        self._file.execute("DELETE FROM events")

    def close(self) -> None:
        self._file.close()
