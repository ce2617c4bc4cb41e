"""What goes wrong while orders run, at random, and counted: storage, instances, the issuer, the platform's events."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import requests

from local.storage import Fault, StorageError
from tests.harness.control import When
from tests.harness.site import DOORS, Site
from tests.torture.issuer import MOODS, Issuer

NAMES = ("*", "*", "*/claim.json", "*/sent.json", "*/result.json", "*/image.*", "spend/*", "open/*", "ledger/*")
STATUSES = (429, 500, 502, 503, 504)
STRIKES = ("SIGKILL instance", "SIGKILL worker", "SIGTERM", "SIGKILL at a step", "none", "none")
WHENS: tuple[When, ...] = ("before", "after")
FIRST_STEPS = 30  # an order has about a dozen


class Weather:
    """Gusts of trouble from entering to leaving; `counts`: what came true. Without `strikes` no process is ended."""

    def __init__(self, site: Site, issuer: Issuer, rng: random.Random, *, strikes: bool = True) -> None:
        self._site, self._issuer, self._rng, self._strikes = site, issuer, rng, strikes
        self.counts: Counter[str] = Counter()
        self._over, self._known, self._newest = threading.Event(), set[str](), ""
        self._threads = [threading.Thread(target=self._repeat, args=(act,)) for act in self._acts()]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _acts(self) -> list[Callable[[random.Random], None]]:
        return [self._gust, self._deliver, self._sweep, self._sweep] if self._strikes else [self._gust]

    def _repeat(self, act: Callable[[random.Random], None]) -> None:
        rng = random.Random(self._rng.random())
        while not self._over.is_set():
            act(rng)

    def _gust(self, rng: random.Random) -> None:
        """Trouble for a moment, then calm for another."""
        faults = [self._scripted(rng) for _ in range(rng.randint(1, 5))]
        self._issuer.mood = rng.choice(("well", "well", *MOODS))  # what failed is not fetched again for a while
        if self._strikes:
            self._strike(rng)
        self._over.wait(rng.uniform(0.1, 0.6))
        for fault in faults:
            self.counts[f"storage {'applied, then ' * fault.applied}{fault.kind}"] += fault.fired
        self._site.storage.faults.clear()
        self._issuer.mood = "well"
        self._over.wait(rng.uniform(0.0, 0.2 if self._strikes else 1.0))

    def _scripted(self, rng: random.Random) -> Fault:
        faults, name = self._site.storage.faults, rng.choice(NAMES)
        skip, times, applied = rng.randrange(6), rng.randint(1, 4), rng.random() < 0.5
        return rng.choice(
            (
                lambda: faults.answer(rng.choice(STATUSES), name=name, skip=skip, times=times, applied=applied),
                lambda: faults.reset(name=name, skip=skip, times=times, applied=applied),
                lambda: faults.hang(name=name, skip=skip, times=times, applied=applied),
                lambda: faults.cut(name=name, skip=skip, times=times),
            )
        )()

    def _strike(self, rng: random.Random) -> None:
        """End a process of one door, or let one end itself at one of its next steps."""
        kind, target = rng.choice(STRIKES), rng.choice(DOORS)
        server = self._site.door(target)
        if kind == "SIGKILL at a step":
            self.counts[kind] += self._site.control.has_killed and self._doomed
            self._site.control.doom(rng.randrange(FIRST_STEPS), rng.choice(WHENS))
            self._doomed = True
        elif kind == "SIGKILL worker":
            self.counts[kind] += server.kill_workers()
        elif kind != "none":
            (server.kill if kind == "SIGKILL instance" else server.terminate)()
            self._site.restart(target)
            self.counts[kind] += 1

    _doomed = False

    def _sweep(self, rng: random.Random) -> None:
        """Sweep at any time, two at a time, and compare a day with the vendor's history now and then."""
        self._over.wait(rng.uniform(0.2, 1.0))
        with suppress(requests.RequestException):
            self._site.schedule.call("POST", rng.choice(("/sweep", "/sweep", "/reconcile")), timeout=10)

    def _deliver(self, rng: random.Random) -> None:
        """Deliver events as the platform may: late, again, and the new before the old."""
        names = self._site.uploads.names()
        for name in rng.sample(names, min(3, len(names))):
            with suppress(StorageError, requests.RequestException):
                event = self._site.uploads.event(name)
                self.counts["event again"] += name in self._known
                self.counts["event out of order"] += event.headers["ce-time"] < self._newest
                self._known.add(name)
                self._newest = max(self._newest, event.headers["ce-time"])
                self._site.deliver(event, timeout=10)
        self._over.wait(rng.uniform(0.0, 0.2))
