"""The pipeline over ports in memory, each in full: a test says what exists afterwards, not what was called."""

from collections.abc import Iterable
from concurrent.futures import Executor
from copy import copy
from dataclasses import replace
from datetime import datetime
from typing import Self

import pytest

from imagegen.model import Ending, HistoryRow, ImageRequest, Order, Reference, Sent
from imagegen.pipeline.account import Usage
from imagegen.pipeline.assembly import Outside, Rules, assemble
from imagegen.pipeline.claiming import Outcome
from imagegen.pipeline.claims import image_id, new_claim
from imagegen.pipeline.endings import Held
from imagegen.ports import Deadline
from imagegen.stopwatch import Stopwatch
from imagegen.timeouts import Timeouts
from tests.harness.clock import NOON, FakeClock
from tests.harness.fake_ports import (
    PICTURE,
    RECEIPT,
    FakeDelivery,
    FakeGenerator,
    FakeHistory,
    FakeSigner,
    Scene,
)
from tests.harness.memory import Crash, MemoryObjects

__all__ = [  # from the other rooms of this harness
    "NOON", "PICTURE", "RECEIPT", "Crash", "FakeClock", "FakeGenerator", "FakeSigner", "MemoryObjects", "Scene",
]  # fmt: skip
REQUEST = ImageRequest("a red cube", (Reference("model", "https://example.com/model.png"),), "1280:720")
ORDER = Order(REQUEST, "http", "", "key-1")
ID = image_id("", "key-1")


def history_row(at: datetime | None, **known: object) -> HistoryRow:
    """Return what the vendor's history says of a call of that time for REQUEST: an image, unless `known` says else."""
    row = HistoryRow("r1", "COMPLETED", REQUEST.fingerprint, at, 0.1, "https://hosted.example/image")
    return replace(row, **known)  # type: ignore[arg-type]  # fields of a row


class World:
    """The real service over the fakes: one bucket, one vendor, one clock."""

    def __init__(
        self,
        *scenes: Scene,
        per_day: int = 0,
        per_user: int = 0,
        resumes: Iterable[Scene] = (),
        queues: bool = False,
        pool: Executor | None = None,
        bucket: type[MemoryObjects] = MemoryObjects,
        **limits: float,
    ) -> None:
        self.pool, self.queues = pool, queues
        self.clock = FakeClock()
        self.objects, self.uploads = bucket(self.clock), MemoryObjects(self.clock)
        self.generator = FakeGenerator(self.clock, scenes, resumes)
        self.limits = Timeouts(**{"generation_seconds": 180.0, **limits})  # type: ignore[arg-type]  # one is an int
        self.delivery = FakeDelivery()
        self.history = FakeHistory(self.clock)
        self.start(Rules(per_day, per_user))

    def start(self, rules: Rules) -> None:
        """Start an instance that knows nothing but what is in the bucket."""
        queue = self.uploads if self.queues else None
        outside = Outside(
            self.objects, self.generator, self.delivery, self.clock, queue, "uploads", self.history, self.pool
        )
        self.rules, self.core = rules, assemble(outside, self.limits, rules)
        self.jobs, self.budget, self.service = self.core.jobs, self.core.cap, self.core.service
        self.sweep = self.core.sweep

    def other(self, per_day: int | None = None) -> Self:
        """Return another instance over the same bucket, vendor and clock, with its own cap where one is given."""
        twin = copy(self)
        twin.start(self.rules if per_day is None else replace(self.rules, per_day=per_day))
        return twin

    def ask(self, key: str | None = "key-1", request: ImageRequest = REQUEST, owner: str = "") -> Outcome:
        """Order an image over HTTP, as the door would."""
        return self.create(Order(request, "http", owner, key))

    def end(self, key: str | None = "key-1", owner: str = "") -> Ending:
        """Order an image, and return how it ended."""
        ending = self.ask(key, owner=owner).ending
        assert ending
        return ending

    def shown(self, known: str = ID, owner: str | None = None) -> Ending:
        """Ask where an image stands, and return how it ended."""
        ending = self.service.status(known, owner).ending
        assert ending
        return ending

    def claimed_elsewhere(self, lease: float | None = None, *, sent: bool = False) -> Held:
        """Let another instance claim `key-1` for so many seconds (a lease's) and, if told so, begin its call."""
        claim = new_claim(ORDER, self.clock.now(), self.limits.lease_seconds if lease is None else lease)
        generation = self.jobs.claim(claim, self.soon)
        assert generation
        if sent:
            self.jobs.sent(claim, Sent(claim.token, self.clock.now(), REQUEST.fingerprint), self.soon)
        return Held(claim, {"claim.json": generation})

    def dies(self, key: str | None = "key-1", owner: str = "") -> None:
        """Order an image, on the way to which the process dies."""
        with pytest.raises(Crash):
            self.ask(key, owner=owner)

    def create(self, order: Order) -> Outcome:
        """Order an image, with a whole request's time."""
        return self.service.create(
            order, Stopwatch(self.clock), Deadline.within(self.clock, self.limits.request_seconds)
        )

    @property
    def soon(self) -> Deadline:
        """Ten seconds for the test's own calls."""
        return Deadline.within(self.clock, 10)

    def usage(self) -> Usage:
        """Return what the account knows of today."""
        (found,) = self.core.account.usage([self.clock.now().date()], self.soon)
        return found

    def end_lease(self) -> None:
        """Let so much time pass that no claim of now holds any more."""
        self.clock.advance(self.limits.lease_seconds + 1)

    def left(self, prefix: str = "jobs/") -> list[str]:
        """Return what is left of all jobs, by the last part of each name."""
        return [name.rpartition("/")[2] for name in self.objects.names(prefix)]

    def slots(self) -> list[str]:
        return self.objects.names("spend/")
