"""What can go wrong at a step: with the process that makes it, with a write, with a call to Segmind, with an event."""

from typing import NamedTuple

from imagegen import errors
from imagegen.errors import SegmindError


class Fault(NamedTuple):
    """One thing that goes wrong. `seconds`: how long it lasts, or after which time it happens."""

    kind: str
    seconds: float = 0.0


_FAIL, _REFUSE, _OUTAGE = Fault("fail"), Fault("refuse"), Fault("outage", 60.0)
_DIE, _DIE_AFTER = Fault("die"), Fault("die after")
_SLEEPS = tuple(Fault("freeze", seconds) for seconds in (100.0, 400.0, 2000.0))
_SLOW = Fault("slow", 3.0), Fault("slow", 15.0)
_JUMPS = Fault("clock", 15.0), Fault("clock", -15.0), Fault("clock", 0.0)
_PROCESS = (*_SLEEPS, *_SLOW, *_JUMPS, _DIE)
_READ = (*_PROCESS, _FAIL, _REFUSE, _OUTAGE)
_LATE = tuple(Fault("lands late", seconds) for seconds in (1.0, 30.0, 90.0))
_WRITE = (*_READ, *_LATE, _DIE_AFTER, Fault("freeze after", 400.0), Fault("answer lost"))
OF_STEPS: dict[str, tuple[Fault, ...]] = {
    "read": _READ,
    "stat": _READ,
    "list": _READ,
    "create": (*_WRITE, Fault("meets itself")),
    "delete": _WRITE,
    "segmind": (*_PROCESS, _DIE_AFTER),
    "history": (*_PROCESS, _FAIL),
    "body": _PROCESS,
    "deliver": (*_PROCESS, _REFUSE, Fault("unreachable")),
    "sign": (_FAIL, *_PROCESS),
}
FEW: dict[str, tuple[Fault, ...]] = {  # for the exhaustive search: one of each kind, the worst of its length
    "read": (_FAIL, _DIE),
    "stat": (_FAIL, _DIE),
    "list": (_FAIL, _DIE),
    "create": (
        _SLEEPS[1], _DIE, _FAIL, _LATE[1], _LATE[2], _DIE_AFTER, Fault("answer lost"), Fault("meets itself"),
    ),
    "delete": (_SLEEPS[1], _FAIL, _LATE[1], _DIE_AFTER, Fault("answer lost")),
    "segmind": (_SLEEPS[1], _DIE, _DIE_AFTER),
}  # fmt: skip


class Course(NamedTuple):
    """How a call to Segmind goes. `error` of None: an image. `row`: what its history comes to say of the call."""

    error: type[SegmindError] | None
    billed: bool
    row: str | None = "COMPLETED"
    seconds: float = 30.0
    late: bool = False  # met while the image is read, not before the answer's head


GOOD = Course(None, billed=True)
_FREE = (
    errors.SegmindUnauthorized,
    errors.SegmindForbidden,
    errors.SegmindModelNotFound,
    errors.InsufficientCredits,
    errors.SegmindRateLimited,
    errors.SegmindFailed,
    errors.SegmindUnavailable,
    errors.SegmindUnreachable,
    errors.RejectedBySegmind,
)
COURSES = (
    *(Course(error, billed=False, row=None, seconds=2.0) for error in _FREE),
    Course(errors.SegmindFailed, billed=False, row="FAILED"),
    Course(errors.SegmindTimeout, billed=True, seconds=60.0),
    Course(errors.SegmindTimeout, billed=False, row="FAILED", seconds=60.0),
    Course(errors.OutcomeUnknown, billed=True),
    Course(errors.OutcomeUnknown, billed=False, row="FAILED"),
    Course(errors.OutcomeUnknown, billed=False, row=None),
    Course(errors.OutcomeUnknown, billed=True, late=True),
    Course(errors.SegmindBadImage, billed=True, late=True),
    Course(None, billed=True, seconds=1000.0),  # late: the caller has given up
    Course(None, billed=True, seconds=170.0),
)
EVENTS: tuple[tuple[float, ...], ...] = ((1.0,), (), (1.0, 1.5), (1200.0,), (1.0, 7200.0), (1.0, 40.0, 40.0))
