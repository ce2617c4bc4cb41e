"""A bucket in memory, which can refuse, lie about what it did, or take the whole process down with it."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TypeVar

from imagegen.errors import StorageUnavailable
from imagegen.ports import Deadline, ObjectInfo
from tests.harness.clock import FakeClock

T = TypeVar("T")


class Crash(BaseException):
    """The process died here: no handler of its own runs any more, and neither does anything it does to storage."""


@dataclass(slots=True)
class Trouble:
    """What goes wrong with the next matching operations on `MemoryObjects`; `applied`: done before it goes wrong."""

    operation: str
    name: str
    skip: int
    times: int
    applied: bool
    error: Callable[[], BaseException]
    fired: int = 0

    def hits(self, operation: str, name: str) -> bool:
        if self.fired == self.times or not (fnmatchcase(operation, self.operation) and fnmatchcase(name, self.name)):
            return False
        self.skip -= 1
        self.fired += self.skip < 0
        return self.skip < 0


@dataclass(frozen=True, slots=True)
class MemoryObject:
    data: bytes = field(repr=False)
    info: ObjectInfo


class MemoryObjects:
    """Implements `ports.Objects`: atomic and thread-safe, each object with a generation that is new."""

    def __init__(self, clock: FakeClock | None = None) -> None:
        self._clock = clock or FakeClock()
        self._lock = threading.Lock()
        self._objects: dict[str, MemoryObject] = {}
        self._troubles: list[Trouble] = []
        self._generation = 1000
        self._dead = False
        self.operations: list[tuple[str, str]] = []

    def names(self, prefix: str = "") -> list[str]:
        """Return the names of what is there, sorted."""
        with self._lock:
            return sorted(name for name in self._objects if name.startswith(prefix))

    def data(self, name: str) -> bytes:
        return self._objects[name].data

    def holding(self, text: str) -> list[str]:
        """Return the names of objects in whose name, bytes or metadata `text` stands."""
        with self._lock:
            found = {
                name: (name, o.data.decode(errors="replace"), repr(o.info.metadata))
                for name, o in self._objects.items()
            }
        return sorted(name for name, parts in found.items() if any(text in part for part in parts))

    def fail(
        self,
        operation: str = "*",
        name: str = "*",
        *,
        skip: int = 0,
        times: int = 1_000_000,
        applied: bool = False,
        error: Callable[[], BaseException] = StorageUnavailable,
    ) -> Trouble:
        """Let matching operations (glob on operation and name) raise."""
        self._troubles.append(Trouble(operation, name, skip, times, applied, error))
        return self._troubles[-1]

    def recover(self) -> None:
        """End every trouble; a new process starts on the same bucket."""
        self._troubles, self._dead = [], False

    def create(
        self, name: str, data: bytes, content_type: str, deadline: Deadline, metadata: Mapping[str, str] | None = None
    ) -> int | None:
        return self._do("create", name, deadline, lambda: self._create(name, data, content_type, metadata or {}))

    def read(self, name: str, deadline: Deadline, generation: int | None = None) -> bytes | None:
        found = self._do("read", name, deadline, lambda: self._objects.get(name))
        return found.data if found and generation in {None, found.info.generation} else None

    def stat(self, name: str, deadline: Deadline, generation: int | None = None) -> ObjectInfo | None:
        found = self._do("stat", name, deadline, lambda: self._objects.get(name))
        return found.info if found and generation in {None, found.info.generation} else None

    def stream(self, name: str, deadline: Deadline) -> Iterator[bytes] | None:
        data = self.read(name, deadline)
        return None if data is None else (data[at : at + 4] for at in range(0, len(data), 4))

    def list(
        self, prefix: str, deadline: Deadline, *, shallow: bool = False, versions: bool = False
    ) -> Iterator[ObjectInfo]:
        del versions
        there = self._do("list", prefix, deadline, lambda: sorted(self._objects.items()))
        for name, found in there:
            if name.startswith(prefix) and not (shallow and "/" in name.removeprefix(prefix)):
                yield found.info

    def delete(self, name: str, generation: int, deadline: Deadline) -> None:
        self._do("delete", name, deadline, lambda: self._delete(name, generation))

    def _create(self, name: str, data: bytes, content_type: str, metadata: Mapping[str, str]) -> int | None:
        if name in self._objects:
            return None
        self._generation += 1
        info = ObjectInfo(name, self._generation, len(data), content_type, self._clock.now(), dict(metadata))
        self._objects[name] = MemoryObject(data, info)
        return self._generation

    def _delete(self, name: str, generation: int) -> None:
        if name in self._objects and self._objects[name].info.generation == generation:
            del self._objects[name]

    def _do(self, operation: str, name: str, deadline: Deadline, act: Callable[[], T]) -> T:
        with self._lock:
            if self._dead:
                raise Crash
            self.operations.append((operation, name))
            if deadline.left <= 0:
                raise StorageUnavailable("No time was left.")
            trouble = next((t for t in self._troubles if t.hits(operation, name)), None)
            if trouble is None:
                return act()
            if trouble.applied:
                act()
        error = trouble.error()
        self._dead = isinstance(error, Crash)
        raise error
