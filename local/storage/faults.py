"""Trouble on order: scripted faults that hit the next matching calls and say how often they did.

fault = storage.faults.answer(503, method="POST", name="jobs/*/result.json", times=2)
...
assert fault.fired == 2
"""

import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, TypedDict, Unpack


class Match(TypedDict, total=False):
    """Which calls a fault hits: verb, start of the path, glob on the object's name; `skip` lets some pass before."""

    method: str
    path: str
    name: str
    skip: int
    times: int
    applied: bool


@dataclass(slots=True)
class Fault:
    """One scripted fault; with `applied` the call does its work first, and only its answer is spoilt."""

    kind: Literal["answer", "hang", "reset", "cut"]
    method: str = "*"
    path: str = "/"
    name: str = "*"
    skip: int = 0
    times: int = 1
    applied: bool = False
    status: int = 503
    fired: int = field(default=0, init=False)

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
        return self._add(Fault("answer", status=status, **match))

    def hang(self, **match: Unpack[Match]) -> Fault:
        """Say nothing until the faults are cleared, then reset the connection."""
        return self._add(Fault("hang", **match))

    def reset(self, **match: Unpack[Match]) -> Fault:
        """Reset the connection; with `applied` after the work: the ambiguous write, whose retry meets its own 412."""
        return self._add(Fault("reset", **match))

    def drop(self, **match: Unpack[Match]) -> Fault:
        """Do the work and reset the connection."""
        match["applied"] = True
        return self.reset(**match)

    def cut(self, **match: Unpack[Match]) -> Fault:
        """Send half of the body, then close."""
        return self._add(Fault("cut", **match))

    def _add(self, fault: Fault) -> Fault:
        with self._lock:
            self._all.append(fault)
        return fault

    def take(self, method: str, path: str, name: str) -> Fault | None:
        """Return the fault that this call meets, counted as fired."""
        with self._lock:
            fault = next((fault for fault in self._all if fault.hits(method, path, name)), None)
            if fault:
                fault.fired += 1
            return fault

    def unfired(self) -> list[Fault]:
        """Return the faults that no call has met: a test that scripted one of these has proved nothing."""
        return [fault for fault in self._all if not fault.fired]

    def wait(self) -> None:
        """Return when the faults are cleared."""
        self._released.wait()

    def clear(self) -> None:
        """Forget all faults and let go of every call that hangs."""
        with self._lock:
            self._all = []
            released, self._released = self._released, threading.Event()
        released.set()
