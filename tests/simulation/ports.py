"""The ports of the pipeline in memory. Each call is a step of the scheduler, at which something can go wrong."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, repeat
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from imagegen.errors import InvalidRequest, OutcomeUnknown, SegmindTimeout, SegmindUnreachable, StorageUnavailable
from imagegen.failure import Problem
from imagegen.model import HistoryRow, ImageRequest, Picture, Receipt
from imagegen.ports import Deadline, ObjectInfo, StillGenerating
from tests.simulation.faults import COURSES, GOOD, Course, Fault

if TYPE_CHECKING:
    from tests.simulation.world import Instance, World

T = TypeVar("T")


class Clock:
    """Implements `ports.Clock` of one process: its time of day is wrong by `offset` seconds, which may change."""

    def __init__(self, world: "World", instance: "Instance") -> None:
        self._world, self._instance = world, instance

    def now(self) -> datetime:
        return self._world.time + timedelta(seconds=self._instance.offset)

    def monotonic(self) -> float:
        return self._world.scheduler.now

    def sleep(self, seconds: float) -> None:
        self._world.scheduler.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Thing:
    """An object."""

    data: bytes
    info: ObjectInfo


class Bucket:
    """Implements `ports.Objects`, with all that can become of a write."""

    def __init__(self, world: "World", name: str) -> None:
        self._world, self._name = world, name
        self.things: dict[str, Thing] = {}
        self.refused: set[str] = set()  # names whose writes were answered as failed
        self.created: Callable[[str, Thing], object] = lambda _name, _thing: None
        self.deleted: Callable[[str, Thing], object] = lambda _name, _thing: None

    def create(
        self,
        name: str,
        data: bytes,
        content_type: str,
        deadline: Deadline,
        metadata: Mapping[str, str] | None = None,
    ) -> int | None:
        try:
            return self._create(name, data, content_type, deadline, metadata)
        except BaseException:
            self.refused.add(name)
            raise

    def _create(
        self, name: str, data: bytes, content_type: str, deadline: Deadline, metadata: Mapping[str, str] | None
    ) -> int | None:
        fault = self._before("create", name, deadline)
        generation = self._do(fault, deadline, lambda: self._put(name, data, content_type, metadata or {}))
        if generation is not None and not (fault and fault.kind == "meets itself"):
            return generation
        self._do(self._before("read", name, deadline), deadline, lambda: None)
        there = self.things.get(name)
        if there is None and generation is not None:  # deleted meanwhile: the second try writes it again
            return self._put(name, data, content_type, metadata or {})
        return there.info.generation if there and there.data == data else None

    def read(self, name: str, deadline: Deadline, generation: int | None = None) -> bytes | None:
        found = self._look("read", name, deadline)
        return found.data if found and generation in {None, found.info.generation} else None

    def stat(self, name: str, deadline: Deadline, generation: int | None = None) -> ObjectInfo | None:
        found = self._look("stat", name, deadline)
        return found.info if found and generation in {None, found.info.generation} else None

    def stream(self, name: str, deadline: Deadline) -> Iterator[bytes] | None:
        data = self.read(name, deadline)
        return None if data is None else iter([data])

    def list(
        self, prefix: str, deadline: Deadline, *, shallow: bool = False, versions: bool = False
    ) -> Iterator[ObjectInfo]:
        """A process may hold a lock while it lists, so nothing else runs in it meanwhile."""
        del versions
        process = self._world.scheduler.task.process
        process.busy = self._world.scheduler.task
        try:
            self._do(self._before("list", prefix, deadline), deadline, lambda: None)
        finally:
            process.busy = None
        names = sorted(name for name in self.things if name.startswith(prefix))
        yield from [self.things[n].info for n in names if not (shallow and "/" in n.removeprefix(prefix))]

    def delete(self, name: str, generation: int, deadline: Deadline) -> None:
        fault = self._before("delete", name, deadline)
        self._do(fault, deadline, lambda: self._delete(name, generation))

    def _look(self, operation: str, name: str, deadline: Deadline) -> Thing | None:
        return self._do(self._before(operation, name, deadline), deadline, lambda: self.things.get(name))

    def _put(self, name: str, data: bytes, content_type: str, metadata: Mapping[str, str]) -> int | None:
        if name in self.things:
            return None
        generation = self._world.number()
        info = ObjectInfo(name, generation, len(data), content_type, self._world.time, dict(metadata))
        self.things[name] = Thing(data, info)
        self.created(name, self.things[name])
        return generation

    def _delete(self, name: str, generation: int) -> None:
        thing = self.things.get(name)
        if thing and thing.info.generation == generation:
            del self.things[name]
            self.deleted(name, thing)

    def _before(self, operation: str, name: str, deadline: Deadline) -> Fault | None:
        world = self._world
        fault = world.step(operation, f"{self._name}/{name}", deadline)
        outage = world.outage_until - world.scheduler.now
        if outage > 0:
            world.scheduler.sleep(min(outage, deadline.left))
        if deadline.left <= 0:
            raise StorageUnavailable
        return fault

    def _do(self, fault: Fault | None, deadline: Deadline, act: Callable[[], T]) -> T:
        if fault is None:
            return act()
        if fault.kind == "refuse":
            refused = StorageUnavailable()
            refused.refused = True
            raise refused
        if fault.kind in {"fail", "lands late"}:
            if fault.kind == "lands late":
                self._world.scheduler.later(fault.seconds, act)
            self._world.scheduler.sleep(deadline.left)
            raise StorageUnavailable
        value = act()
        if fault.kind == "answer lost":
            self._world.scheduler.sleep(deadline.left)
            raise StorageUnavailable
        self._world.after(fault)
        return value


@dataclass(eq=False, slots=True)
class Call:
    """A call that Segmind has received: the bill is decided with it."""

    id: str
    request: ImageRequest
    course: Course
    began_at: datetime
    ends: float  # in the scheduler's time
    caller: str
    token: str = ""  # of the claim under which it was made
    image_id: str = ""
    capped: bool = False  # the instance that made it had a cap of the day
    owed: bool = False  # its bytes have reached an instance, so they must be stored

    @property
    def billed(self) -> bool:
        return self.course.billed

    @property
    def picture(self) -> Picture:
        return Picture(f"{self.request.prompt} of {self.id}".encode(), "image/jpeg", "jpg", 1280, 720)


class Finished:
    """Implements `ports.Generation`."""

    def __init__(self, world: "World", call: Call) -> None:
        self._world, self._call = world, call
        self.receipt = Receipt(call.id, 0.1 if call.billed else None, 9.0, 30.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        pass

    def read(self, waited: float) -> Picture:
        del waited
        self._world.step("body", self._call.id)
        if self._call.course.error and self._call.course.late:
            raise self._call.course.error("it broke off")
        self._call.owed = True
        return self._call.picture


class Segmind:
    """Implements `ports.Generator` and `ports.History`: one account, its bills, and its record of calls."""

    def __init__(self, world: "World", version: str) -> None:
        self._world, self._version = world, version
        self.calls: list[Call] = []

    def generate(self, request: ImageRequest, deadline: Deadline, submitted: Callable[[str], bool]) -> Finished:
        world = self._world
        fault = world.step("segmind", request.prompt)
        if deadline.left <= 0:
            raise SegmindUnreachable("No time was left to call Segmind.")
        chosen = world.choose("course", len(COURSES))
        course = COURSES[chosen - 1] if chosen else GOOD
        now = world.scheduler.now
        call = Call(
            f"call-{len(self.calls)}", request, course, world.time, now + course.seconds, world.scheduler.task.name
        )
        world.tell(f"Segmind takes {call.id} for {request.prompt}: {course}")
        self.calls.append(call)
        world.book.called(call, world.instance)
        if fault:
            world.after(fault)
        unanswered = course.row is None or course.error in {SegmindTimeout, OutcomeUnknown}
        if self._version == "v2" and not (unanswered and not course.late):
            return self._poll(call, deadline, lambda: submitted(call.id))
        world.scheduler.sleep(min(course.seconds, deadline.left))
        if world.scheduler.now < call.ends:
            raise OutcomeUnknown("no answer until the deadline")
        return self._answer(call)

    def resume(self, segmind_id: str, submitted_at: datetime, deadline: Deadline) -> Finished:
        del submitted_at
        call = next(call for call in self.calls if call.id == segmind_id)
        return self._poll(call, deadline, lambda: True)

    def find(self, segmind_id: str, deadline: Deadline) -> HistoryRow | None:
        del deadline
        down = self._world.step("history", segmind_id)
        return None if down else next((row for row in self._rows() if row.request_id == segmind_id), None)

    def between(self, start: datetime, end: datetime, deadline: Deadline) -> list[HistoryRow] | None:
        del deadline
        down = self._world.step("history", "rows")
        rows = [row for row in self._rows() if row.created_at and start <= row.created_at <= end]
        return None if down else [*rows, *rows[:1]]  # one has several outputs, and a row for each

    def fetch(self, row: HistoryRow, deadline: Deadline) -> Finished:
        del deadline
        call = next(call for call in self.calls if call.id == row.request_id)
        return Finished(self._world, replace(call, course=call.course._replace(late=False)))

    def _poll(self, call: Call, deadline: Deadline, write: Callable[[], bool]) -> Finished:
        written = False
        for pause in chain((1.0, 5.0), repeat(15.0)):
            written = written or write()
            self._world.step("body", f"look at {call.id}")
            if self._world.scheduler.now >= call.ends:
                return self._answer(call)
            if deadline.left <= pause:
                raise StillGenerating
            self._world.scheduler.sleep(pause)
        raise AssertionError("pauses never end")

    def _answer(self, call: Call) -> Finished:
        if call.course.error and not call.course.late:
            raise call.course.error("as was decided")
        return Finished(self._world, call)

    def _rows(self) -> list[HistoryRow]:
        return [row for call in self.calls if (row := self._row(call))]

    def _row(self, call: Call) -> HistoryRow | None:
        if self._world.scheduler.now < call.ends:
            return HistoryRow(call.id, "PENDING", call.request.fingerprint, call.began_at)
        if call.course.row is None:
            return None
        status, cost = ("COMPLETED", 0.1) if call.course.row == "COMPLETED" else ("FAILED", None)
        return HistoryRow(call.id, status, call.request.fingerprint, call.began_at, cost)  # type: ignore[arg-type]


class Delivery:
    """Implements `ports.Delivery` and `ports.Staging`: each call has a URL of its own for the same reference."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def stage(self, request: ImageRequest, deadline: Deadline) -> ImageRequest:
        del deadline
        return request

    def deliver(self, request: ImageRequest, deadline: Deadline) -> ImageRequest:
        fault = self._world.step("deliver", request.prompt, deadline)
        if fault and fault.kind == "refuse":
            raise InvalidRequest((Problem("/referenceImages/0/uri", "there is no such object"),))
        if fault:
            raise SegmindUnreachable("the upload of the reference failed")
        signed = (replace(r, uri=f"{r.uri}?signature={self._world.number()}") for r in request.references)
        return replace(request, references=tuple(signed))
