"""A bucket in memory. Each call is a step of the scheduler, at which something can go wrong."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from imagegen.errors import StorageUnavailable
from imagegen.ports import Deadline, ObjectInfo
from tests.simulation.faults import Fault

if TYPE_CHECKING:
    from tests.simulation.world import World

T = TypeVar("T")


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
