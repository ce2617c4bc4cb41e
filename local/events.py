"""Finalize events: each object that is written into a watched bucket is POSTed as a CloudEvent until it is taken.

At least once, as the platform promises: an event is kept from before its object is visible until a 2xx answers
it, also over a restart. A subscription can ask for what the platform is allowed to do and rarely does: to deliver
every event several times, and in another order.
"""

import heapq
import random
import secrets
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import NamedTuple

from local.calls import HTTPError, call
from local.pending_events import Event, PendingEvents

ANSWER_SECONDS = 600.0
"""What the platform gives a function for one event."""

REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who hears of new objects in which buckets. Pauses between two tries double from the first to the longest."""

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
        """Return seconds until a delivery is tried for the first time: random where events are to be shuffled."""
        return random.uniform(0, self.shuffled_over) if self.shuffle else 0.0  # noqa: S311  # no secret

    def pause(self, tries: int) -> float:
        """Return seconds to wait after so many tries have failed."""
        return float(min(self.first_pause * 2.0 ** min(tries - 1, 30), self.longest_pause))


class Delivery(NamedTuple):
    """One delivery that is due at a moment of the monotonic clock; `number` keeps equal moments in order."""

    at: float
    number: int
    event: Event
    tries: int = 0


@dataclass(slots=True)
class Account:
    """What is known of events: those under way, the last ones that were taken, and how many there were."""

    pending: dict[str, Event] = field(default_factory=dict)
    done: deque[Event] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    delivered: int = 0
    attempts: int = 0


class Events:
    """Delivers in threads of its own, as many at once as the subscription has workers."""

    def __init__(self, directory: Path, subscription: Subscription | None) -> None:
        self._subscription = subscription
        self._file = PendingEvents(directory)
        self._changed = threading.Condition()
        self._account = Account(pending={event.id: event for event in self._file.events()})
        self._due: list[Delivery] = []
        self._numbers = count()
        self._closed = False

    def start(self) -> None:
        """Begin with what an earlier run has left; without a subscription there is no receiver."""
        to = self._subscription
        if to is None:
            return
        with self._changed:
            for event in self._account.pending.values():
                self._schedule_all(event, to)
        for _ in range(to.workers):
            threading.Thread(target=self._work, args=(to,), daemon=True).start()

    def announce(self, bucket: str, resource: Mapping[str, object]) -> None:
        """Keep the event of an object that is about to become visible, and deliver it soon."""
        to = self._subscription
        if to is None or bucket not in to.buckets:
            return
        event = Event(f"{secrets.randbelow(10**16):016}", resource, to.deliveries)
        with self._changed:
            self._file.save(event)
            self._account.pending[event.id] = event
            self._schedule_all(event, to)
            self._changed.notify_all()

    def settle(self, seconds: float = 60.0) -> None:
        """Return when every event has been taken as often as it is to be delivered; raises `TimeoutError`."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._account.pending, seconds):
                waiting = [event.listed() for event in self._account.pending.values()]
                raise TimeoutError(f"not delivered within {seconds:g} s: {waiting}")

    def report(self, bucket: str = "", name: str = "") -> dict[str, object]:
        """Return the counts, and the events of one object or of all; of those taken, the last thousand."""
        with self._changed:
            known = [*self._account.done, *self._account.pending.values()]
            listed = [event.listed() for event in known if event.is_about(bucket, name)]
            counts = {"delivered": self._account.delivered, "attempts": self._account.attempts}
            return {"pending": len(self._account.pending), **counts, "events": listed}

    def clear(self) -> None:
        """Forget every event; the answer to one that is under way is not waited for."""
        with self._changed:
            self._due = []
            self._account = Account()
            self._file.clear()
            self._changed.notify_all()

    def close(self) -> None:
        """End the workers; what is under way is delivered after the next start."""
        with self._changed:
            self._closed = True
            self._file.close()
            self._changed.notify_all()

    def _schedule_all(self, event: Event, to: Subscription) -> None:
        for _ in range(event.outstanding):
            self._schedule(event, to.delay())

    def _schedule(self, event: Event, delay: float, tries: int = 0) -> None:
        heapq.heappush(self._due, Delivery(time.monotonic() + delay, next(self._numbers), event, tries))

    def _work(self, to: Subscription) -> None:
        while delivery := self._next():
            self._record(delivery, _posted(to.url, delivery.event), to)

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
            if self._closed or event.id not in self._account.pending:
                return
            self._account.attempts += 1
            event.answers.append(status)
            if 200 <= status < 300:
                self._take(event)
            else:
                self._schedule(event, to.pause(tries), tries)
            self._changed.notify_all()

    def _take(self, event: Event) -> None:
        event.outstanding -= 1
        self._file.save(event)
        if not event.outstanding:
            del self._account.pending[event.id]
            self._account.done.append(event)
            self._account.delivered += 1


def _posted(url: str, event: Event) -> int:
    """Return the status of the answer, 0 where there was none."""
    try:
        return call("POST", url, json=event.resource, headers=event.headers(), timeout=ANSWER_SECONDS).status
    except HTTPError:
        return 0
