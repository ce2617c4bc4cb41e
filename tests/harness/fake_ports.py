"""The ports beside the bucket, in memory: a vendor, its history and delivery, a signer."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

from imagegen.model import HistoryRow, ImageRequest, Picture, Receipt, SignedUrl
from imagegen.ports import Deadline
from tests.harness.clock import FakeClock

PICTURE = Picture(b"\xff\xd8\xff the bytes of an image \xff\xd9", "image/jpeg", "jpg", 1280, 720)
RECEIPT = Receipt("req-1", 0.1, 12.3, 30.6)


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


class FakeSigner:
    """Implements `ports.Signer`."""

    def __init__(self, clock: FakeClock, error: Exception | None = None) -> None:
        self._clock, self.error = clock, error

    def sign(self, name: str) -> SignedUrl:
        if self.error:
            raise self.error
        return SignedUrl(f"https://storage.example/{name}?X-Goog-Signature=sentinel", self._clock.now())
