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
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from local.calls import HTTPError, call
from local.pending_events import Event, PendingEvents

ANSWER_SECONDS = 600.0
"""What the platform gives a function for one event."""


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


Delivery = tuple[float, int, Event, int]
"""When it is due on the monotonic clock, a number that keeps equal moments in order, the event, its tries so far."""


class Events:
    """Delivers in threads of its own, as many at once as the subscription has workers."""

    def __init__(self, directory: Path, subscription: Subscription | None) -> None:
        self._subscription = subscription
        self._file = PendingEvents(directory)
        self._changed = threading.Condition()
        self._pending = {event.id: event for event in self._file.events()}
        self._taken: list[Event] = []
        self._due: list[Delivery] = []
        self._numbers = count()
        self._closed = False

    def start(self) -> None:
        """Begin with what an earlier run has left; without a subscription there is no receiver."""
        if to := self._subscription:
            with self._changed:
                for event in self._pending.values():
                    self._schedule(event, *(to.delay() for _ in range(event.outstanding)))
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
            self._pending[event.id] = event
            self._schedule(event, *(to.delay() for _ in range(event.outstanding)))
            self._changed.notify_all()

    def settle(self, seconds: float = 60.0) -> None:
        """Return when every event has been taken as often as it is to be delivered; raises `TimeoutError`."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._pending, seconds):
                waiting = [event.listed() for event in self._pending.values()]
                raise TimeoutError(f"not delivered within {seconds:g} s: {waiting}")

    def report(self, bucket: str = "", name: str = "") -> dict[str, object]:
        """Return the counts of all events, and those of one object, or all, as a list."""
        with self._changed:
            known = [*self._taken, *self._pending.values()]
            return {
                "pending": len(self._pending),
                "delivered": len(self._taken),
                "attempts": sum(len(event.answers) for event in known),
                "events": [event.listed() for event in known if event.is_about(bucket, name)],
            }

    def clear(self) -> None:
        """Forget every event; the answer to one that is under way is not waited for."""
        with self._changed:
            self._pending, self._taken, self._due = {}, [], []
            self._file.clear()
            self._changed.notify_all()

    def close(self) -> None:
        """End the workers; what is under way is delivered after the next start."""
        with self._changed:
            self._closed = True
            self._file.close()
            self._changed.notify_all()

    def _schedule(self, event: Event, *delays: float, tries: int = 0) -> None:
        for delay in delays:
            heapq.heappush(self._due, (time.monotonic() + delay, next(self._numbers), event, tries))

    def _work(self, to: Subscription) -> None:
        while delivery := self._next():
            _, _, event, tries = delivery
            self._record(event, tries + 1, _posted(to.url, event), to)

    def _next(self) -> Delivery | None:
        """Wait for a delivery that is due; None when it is over."""
        with self._changed:
            while not self._closed:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)
                self._changed.wait(wait)
        return None

    def _record(self, event: Event, tries: int, status: int, to: Subscription) -> None:
        with self._changed:
            if self._closed or event.id not in self._pending:
                return
            event.answers.append(status)
            if 200 <= status < 300:
                event.outstanding -= 1
                self._file.save(event)
                if not event.outstanding:
                    self._taken.append(self._pending.pop(event.id))
            else:
                self._schedule(event, to.pause(tries), tries=tries)
            self._changed.notify_all()


def _posted(url: str, event: Event) -> int:
    """Return the status of the answer, 0 where there was none."""
    try:
        return call("POST", url, json=event.resource, headers=event.headers(), timeout=ANSWER_SECONDS).status
    except HTTPError:
        return 0
