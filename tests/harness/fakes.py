"""The ports of the pipeline in memory, each in full: a test says what exists afterwards, not what was called."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Self

import pytest

from imagegen.model import Ending, HistoryRow, ImageRequest, Order, Picture, Receipt, Reference, Sent, SignedUrl
from imagegen.pipeline.account import Usage
from imagegen.pipeline.assembly import Outside, Rules, assemble
from imagegen.pipeline.claiming import Outcome
from imagegen.pipeline.claims import image_id, new_claim
from imagegen.pipeline.endings import Held
from imagegen.ports import Deadline
from imagegen.stopwatch import Stopwatch
from imagegen.timeouts import Timeouts
from tests.harness.clock import NOON, FakeClock
from tests.harness.memory import Crash, MemoryObjects

__all__ = ["NOON", "Crash", "FakeClock", "MemoryObjects"]  # from the other rooms of this harness
PICTURE = Picture(b"\xff\xd8\xff the bytes of an image \xff\xd9", "image/jpeg", "jpg", 1280, 720)
RECEIPT = Receipt("req-1", 0.1, 12.3, 30.6)
REQUEST = ImageRequest("a red cube", (Reference("model", "https://example.com/model.png"),), "1280:720")
ORDER = Order(REQUEST, "http", "", "key-1")
ID = image_id("", "key-1")


class FakeGeneration:
    """Implements `ports.Generation`: a finished image, or what goes wrong when it is read."""

    def __init__(self, outcome: Picture | BaseException, receipt: Receipt, seconds: float, clock: FakeClock) -> None:
        self.receipt = receipt
        self._outcome, self._seconds, self._clock = outcome, seconds, clock
        self.waited: float | None = None
        self.open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.open = False

    def read(self, waited: float) -> Picture:
        self.waited = waited
        self._clock.sleep(self._seconds)
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        return self._outcome


@dataclass(frozen=True, slots=True)
class Scene:
    """How one generation goes: raised before the answer's headers, or met while its body is read."""

    raised: BaseException | None = None
    body: Picture | BaseException = PICTURE
    receipt: Receipt = RECEIPT
    seconds: float = 30.0
    reading: float = 0.0
    submits: str | None = None
    meanwhile: Callable[[], object] = lambda: None


class FakeGenerator:
    """Implements `ports.Generator`: plays its scenes in turn, then images for ever. `bought`: the worst bill."""

    def __init__(self, clock: FakeClock, scenes: Iterable[Scene] = (), resumes: Iterable[Scene] = ()) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.scenes, self.resumes = list(scenes), list(resumes)
        self.bought: list[ImageRequest] = []
        self.resumed: list[str] = []
        self.given: list[float] = []  # the seconds that each call was left
        self.generations: list[FakeGeneration] = []

    def generate(self, request: ImageRequest, deadline: Deadline, submitted: Callable[[str], bool]) -> FakeGeneration:
        with self._lock:
            self.given.append(deadline.left)
            self.bought.append(request)
            scene = self.scenes.pop(0) if self.scenes else Scene()
        known = submitted(scene.submits) if scene.submits else True
        self._clock.sleep(scene.seconds)
        if scene.submits and not known:
            submitted(scene.submits)
        return self._play(scene)

    def resume(self, segmind_id: str, submitted_at: datetime, deadline: Deadline) -> FakeGeneration:
        del submitted_at
        self.given.append(deadline.left)
        self.resumed.append(segmind_id)
        scene = self.resumes.pop(0) if self.resumes else Scene(seconds=0.0)
        self._clock.sleep(scene.seconds)
        return self._play(scene)

    def _play(self, scene: Scene) -> FakeGeneration:
        scene.meanwhile()
        if scene.raised:
            raise scene.raised
        self.generations.append(FakeGeneration(scene.body, scene.receipt, scene.reading, self._clock))
        return self.generations[-1]


class FakeDelivery:
    """Implements `ports.Delivery`: every reference can be fetched as it is. `given`: the seconds that it was left."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.given: list[float] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def deliver(self, request: ImageRequest, deadline: Deadline) -> ImageRequest:
        self.given.append(deadline.left)
        self.meanwhile()
        if self.error:
            raise self.error
        return request


class FakeHistory:
    """Implements `ports.History`: the rows that a test puts into it. `asked` counts the questions."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.rows: list[HistoryRow] = []
        self.images: dict[str, Picture | BaseException] = {}
        self.down = False
        self.asked = 0
        self.meanwhile: Callable[[], object] = lambda: None  # happens while an image is fetched

    def find(self, segmind_id: str, deadline: Deadline) -> HistoryRow | None:
        del deadline
        self.asked += 1
        return None if self.down else next((row for row in self.rows if row.request_id == segmind_id), None)

    def between(self, start: datetime, end: datetime, deadline: Deadline) -> list[HistoryRow] | None:
        del start, end, deadline
        self.asked += 1
        return None if self.down else list(self.rows)

    def fetch(self, row: HistoryRow, deadline: Deadline) -> FakeGeneration:
        del deadline
        self.meanwhile()
        receipt = Receipt(row.request_id, row.cost_usd)
        return FakeGeneration(self.images.get(row.request_id, PICTURE), receipt, 0.0, self._clock)


def history_row(at: datetime | None, **known: object) -> HistoryRow:
    """Return what the vendor's history says of a call of that time for REQUEST: an image, unless `known` says else."""
    row = HistoryRow("r1", "COMPLETED", REQUEST.fingerprint, at, 0.1, "https://hosted.example/image")
    return replace(row, **known)  # type: ignore[arg-type]  # fields of a row


class FakeSigner:
    """Implements `ports.Signer`."""

    def __init__(self, clock: FakeClock, error: Exception | None = None) -> None:
        self._clock, self.error = clock, error

    def sign(self, name: str) -> SignedUrl:
        if self.error:
            raise self.error
        return SignedUrl(f"https://storage.example/{name}?X-Goog-Signature=sentinel", self._clock.now())


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
