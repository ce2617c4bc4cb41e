"""The vendor, its delivery and a clock. Each call is a step of the scheduler, at which something can go wrong."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, repeat
from types import TracebackType
from typing import TYPE_CHECKING, Self

from imagegen.errors import InvalidRequest, OutcomeUnknown, SegmindTimeout, SegmindUnreachable
from imagegen.failure import Problem
from imagegen.model import HistoryRow, ImageRequest, Picture, Receipt
from imagegen.ports import Deadline, StillGenerating
from tests.simulation.faults import COURSES, GOOD, Course

if TYPE_CHECKING:
    from tests.simulation.world import Instance, World


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
