"""Finalize events: each object that is written into a watched bucket is POSTed as a CloudEvent until it is taken.

At least once, as the platform promises: an event is kept in a file from before its object is visible until a 2xx
answers it, also over a restart. A subscription can ask for what the platform is allowed to do and rarely does: to
deliver every event several times, and in another order.
"""

from __future__ import annotations

import heapq
import json
import random
import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from local.calls import post_json
from local.sqlite import open_index

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from local.storage.model import StoredObject

ANSWER_SECONDS = 600.0
"""What the platform gives a function for one event."""

FINALIZED = "google.cloud.storage.object.v1.finalized"
UNQUOTED = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
"""What a header of a CloudEvent may hold as it is (HTTP protocol binding, section 3.1.3.2)."""

REMEMBERED = 1000
SCHEMA = "CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, resource TEXT, outstanding INTEGER)"


@dataclass(frozen=True, slots=True)
class Subscription:
    """Which URL is sent the events of which buckets. Pauses between two tries double from the first to the longest."""

    url: str
    buckets: tuple[str, ...]
    deliveries: int = 1
    shuffle: bool = False
    workers: int = 32
    first_pause: float = 0.5
    longest_pause: float = 30.0
    shuffled_over: float = 1.0

    def __post_init__(self) -> None:
        if self.deliveries < 1 or self.workers < 1:
            raise ValueError("an event is delivered at least once, by at least one worker")

    def delay(self) -> float:
        """Return the seconds until a delivery is tried for the first time: random where events are shuffled."""
        return random.uniform(0, self.shuffled_over) if self.shuffle else 0.0  # noqa: S311  # no secret

    def pause(self, tries: int) -> float:
        """Return the seconds to wait after so many tries have failed."""
        return float(min(self.first_pause * 2.0 ** min(tries - 1, 30), self.longest_pause))


@dataclass(slots=True)
class Event:
    """One object that was finalized; `outstanding` deliveries of it still wait for their 2xx."""

    id: str
    resource: Mapping[str, object]
    outstanding: int
    answers: list[int] = field(default_factory=list)

    def post(self, url: str) -> int:
        """Deliver it as a CloudEvent in binary mode; return the status of the answer, 0 where there was none."""
        attributes = {
            "ce-id": self.id,
            "ce-specversion": "1.0",
            "ce-type": FINALIZED,
            "ce-source": f"//storage.googleapis.com/projects/_/buckets/{self.resource['bucket']}",
            "ce-subject": f"objects/{quote(str(self.resource['name']), safe=UNQUOTED)}",
            "ce-time": str(self.resource["timeFinalized"]),
        }
        try:
            return post_json(url, self.resource, attributes, timeout=ANSWER_SECONDS).status_code
        except OSError:
            return 0

    def listed(self) -> dict[str, object]:
        """Return it as the admin route shows it; `answers` are statuses, 0 where none came."""
        about = {key: self.resource[key] for key in ("bucket", "name", "generation")}
        return {"id": self.id, **about, "outstanding": self.outstanding, "answers": self.answers}


class Delivery(NamedTuple):
    """One delivery that is due at a moment of the monotonic clock; `number` keeps equal moments in order."""

    at: float
    number: int
    event: Event
    tries: int


class Events:
    """Delivers in threads of its own, as many at once as the subscription has workers.

    Raises `sqlite3.OperationalError` if another process serves this folder.
    """

    def __init__(self, directory: Path, subscription: Subscription | None, server: Callable[[], str]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._subscription, self._server = subscription, server
        self._file = open_index(directory / "events.sqlite", SCHEMA)
        self._changed = threading.Condition()
        rows = self._file.execute("SELECT id, resource, outstanding FROM events ORDER BY rowid")
        self._pending = {row[0]: Event(row[0], json.loads(row[1]), row[2]) for row in rows}
        self._taken: deque[Event] = deque(maxlen=REMEMBERED)
        self._delivered = self._attempts = 0
        self._due: list[Delivery] = []
        self._numbers = count()
        self._closed = False

    def start(self) -> None:
        """Begin with what an earlier run has left. Without a subscription nothing is delivered."""
        to = self._subscription
        if to is None:
            return
        with self._changed:
            for event in self._pending.values():
                self._schedule_all(event, to)
        for _ in range(to.workers):
            threading.Thread(target=self._work, args=(to,), daemon=True).start()

    def announce(self, stored: StoredObject) -> None:
        """Keep the event of an object that is about to become visible, and deliver it soon."""
        to = self._subscription
        if to is None or stored.bucket not in to.buckets:
            return
        event = Event(f"{secrets.randbelow(10**16):016}", stored.resource(self._server()), to.deliveries)
        with self._changed:
            self._save(event)
            self._pending[event.id] = event
            self._schedule_all(event, to)
            self._changed.notify_all()

    def settle(self, seconds: float = 60.0) -> None:
        """Return when every event has been taken as often as it is to be delivered; raises `TimeoutError`."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._pending, seconds):
                waiting = [event.listed() for event in self._pending.values()]
                raise TimeoutError(f"not delivered within {seconds:g} s: {waiting}")

    def report(self, bucket: str = "", name: str = "") -> dict[str, object]:
        """Return the counts, and the events of one object or of all; of those taken, the last thousand."""
        with self._changed:
            known = [event.listed() for event in (*self._taken, *self._pending.values())]
            shown = [it for it in known if bucket in {"", it["bucket"]} and name in {"", it["name"]}]
            counts = {"pending": len(self._pending), "delivered": self._delivered, "attempts": self._attempts}
            return {**counts, "events": shown}

    def clear(self) -> None:
        """Forget every event; the answer to one that is under way is not waited for."""
        with self._changed:
            self._due.clear()
            self._pending.clear()
            self._taken.clear()
            self._delivered = self._attempts = 0
            self._file.execute("DELETE FROM events")
            self._changed.notify_all()

    def close(self) -> None:
        """End the workers; what is under way stays in the file for the next start."""
        with self._changed:
            self._closed = True
            self._file.close()
            self._changed.notify_all()

    def _save(self, event: Event) -> None:
        row = (event.id, json.dumps(event.resource), event.outstanding)
        self._file.execute("INSERT OR REPLACE INTO events VALUES (?, ?, ?)", row)

    def _schedule_all(self, event: Event, to: Subscription) -> None:
        for _ in range(event.outstanding):
            self._schedule(event, to.delay(), 0)

    def _schedule(self, event: Event, delay: float, tries: int) -> None:
        heapq.heappush(self._due, Delivery(time.monotonic() + delay, next(self._numbers), event, tries))

    def _work(self, to: Subscription) -> None:
        while delivery := self._next():
            self._record(delivery, delivery.event.post(to.url), to)

    def _next(self) -> Delivery | None:
        """Wait for a delivery that is due; None when it is over."""
        with self._changed:
            while not self._closed:
                wait = self._due[0].at - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)
                self._changed.wait(wait)
        return None

    def _record(self, delivery: Delivery, status: int, to: Subscription) -> None:
        event, tries = delivery.event, delivery.tries + 1
        with self._changed:
            if self._closed or event.id not in self._pending:
                return
            self._attempts += 1
            event.answers.append(status)
            if 200 <= status < 300:
                self._take(event)
            else:
                self._schedule(event, to.pause(tries), tries)
            self._changed.notify_all()

    def _take(self, event: Event) -> None:
        event.outstanding -= 1
        if event.outstanding:
            self._save(event)
            return
        self._file.execute("DELETE FROM events WHERE id = ?", (event.id,))
        self._taken.append(self._pending.pop(event.id))
        self._delivered += 1
