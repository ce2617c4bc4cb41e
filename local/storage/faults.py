"""Trouble on order: scripted faults that hit the next matching calls and say how often they did.

fault = storage.faults.answer(503, method="POST", name="jobs/*/result.json", times=2)
...
assert fault.fired == 2
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, TypedDict, Unpack, get_args

Kind = Literal["answer", "hang", "reset", "slow", "cut"]


class Match(TypedDict, total=False):
    """Which calls a fault hits: verb, start of the raw path, glob on the object's name.

    `skip` lets the first ones pass.
    """

    method: str
    path: str
    name: str
    skip: int
    times: int
    applied: bool


@dataclass(slots=True)
class Fault:
    """One scripted fault; with `applied` the call does its work first, and only its answer is spoilt."""

    kind: Kind
    method: str = "*"
    path: str = "/"
    name: str = "*"
    skip: int = 0
    times: int = 1
    applied: bool = False
    status: int = 503
    seconds: float = 0.0
    fired: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"a fault is one of {', '.join(get_args(Kind))}, not {self.kind!r}")
        if self.applied and self.kind in {"slow", "cut"}:
            raise ValueError(f"the call of a {self.kind} fault is always applied, and only once")

    def hits(self, method: str, path: str, name: str) -> bool:
        """Whether this call is meant; counts the calls that are let pass."""
        matches = self.method in {"*", method} and path.startswith(self.path)
        if not matches or not fnmatchcase(name, self.name) or self.fired == self.times:
            return False
        self.skip -= 1
        return self.skip < 0


class Faults:
    """The faults in force, in the order they were added; each call meets the first that hits it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: list[Fault] = []
        self._released = threading.Event()

    def answer(self, status: int, **match: Unpack[Match]) -> Fault:
        """Answer `status` instead; with `applied` the write happens and the answer lies about it."""
        return self.add(Fault("answer", status=status, **match))

    def hang(self, **match: Unpack[Match]) -> Fault:
        """Say nothing until the faults are cleared, then close."""
        return self.add(Fault("hang", **match))

    def reset(self, **match: Unpack[Match]) -> Fault:
        """Reset the connection before anything is done."""
        return self.add(Fault("reset", **match))

    def drop(self, **match: Unpack[Match]) -> Fault:
        """Do the work and reset the connection: the ambiguous write, whose retry meets its own 412."""
        match["applied"] = True
        return self.add(Fault("reset", **match))

    def slow(self, seconds: float, **match: Unpack[Match]) -> Fault:
        """Answer late."""
        return self.add(Fault("slow", seconds=seconds, **match))

    def cut(self, **match: Unpack[Match]) -> Fault:
        """Send half of the body, then close."""
        return self.add(Fault("cut", **match))

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            self._all.append(fault)
        return fault

    def take(self, method: str, path: str, name: str) -> Fault | None:
        """Return the fault that this call meets, counted as fired."""
        if not self._all:
            return None
        with self._lock:
            fault = next((fault for fault in self._all if fault.hits(method, path, name)), None)
            if fault:
                fault.fired += 1
            return fault

    def unfired(self) -> list[Fault]:
        """Faults that no call has met: a test that scripted one of these has proved nothing."""
        return [fault for fault in self._all if not fault.fired]

    def listed(self) -> list[dict[str, object]]:
        """All faults as the admin route shows them."""
        return [asdict(fault) for fault in self._all]

    def wait(self, seconds: float | None = None) -> bool:
        """Block as long as a fault asks, but never longer than until `clear`; whether that came."""
        return self._released.wait(seconds)

    def clear(self) -> None:
        """Forget all faults and let go of every call that hangs or waits."""
        with self._lock:
            self._all = []
            released, self._released = self._released, threading.Event()
        released.set()
