"""A world: instances with the real pipeline over one bucket, one vendor and one time; and what happens in it."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from imagegen.doors.answers import Answers
from imagegen.doors.core import Core
from imagegen.doors.events import FINALIZED, Event, EventDoor
from imagegen.doors.request_bodies import Bodies
from imagegen.errors import StorageUnavailable
from imagegen.model import ImageRequest, Order, SignedUrl
from imagegen.pipeline.assembly import Outside, Pipeline, Rules, assemble
from imagegen.ports import Deadline
from tests.simulation.bucket import Bucket, Thing
from tests.simulation.callers import TIMEOUTS, Callers
from tests.simulation.decisions import Decisions
from tests.simulation.faults import EVENTS, OF_STEPS, Fault
from tests.simulation.invariants import Book
from tests.simulation.pool import Pool
from tests.simulation.ports import Clock, Delivery, Segmind
from tests.simulation.scenario import Scenario
from tests.simulation.scheduler import Crash, Process, Scheduler

_MIDNIGHT = datetime(2026, 3, 15, tzinfo=UTC)
_TROUBLE_SECONDS = 5000.0  # after that nothing goes wrong any more
_SWEEPS, _SWEEP_EVERY = 6, 1200.0  # and within so many sweeps all has ended
_EIGHT_DAYS = 8 * 86400.0 + 3600.0


@dataclass(eq=False, slots=True)
class Instance(Process):
    """A process with its own pipeline."""

    per_day: int = 0
    caps: set[int] = field(default_factory=set)  # of all instances that lived beside this one, and its own; 0 is none
    offset: float = 0.0  # seconds by which its clock is wrong
    core: Pipeline = field(init=False)
    door: EventDoor = field(init=False)


class World:
    """One run."""

    def __init__(
        self,
        scenario: Scenario,
        decisions: Decisions,
        faults: dict[str, tuple[Fault, ...]] = OF_STEPS,
        story: list[str] | None = None,
    ) -> None:
        self.scenario, self.decisions, self._faults, self._story = scenario, decisions, faults, story
        self.scheduler = Scheduler(decisions)
        self.results, self.uploads = Bucket(self, "results"), Bucket(self, "uploads")
        self.segmind, self.book = Segmind(self, scenario.version), Book(self)
        self.results.created, self.results.deleted = self.book.created, self.book.deleted
        self.uploads.created = self._finalized
        self.outage_until, self.faults, self._callers = 0.0, 0, Callers(self)
        self._start = _MIDNIGHT - timedelta(seconds=scenario.to_midnight)
        self._number, self._events, self._per_day = 1000, 0, scenario.per_day
        self._ended: list[Instance] = []
        self._instances: list[Instance] = []
        self._instances = [self._started(n) for n in range(3)]

    @property
    def time(self) -> datetime:
        """The true time of day."""
        return self._start + timedelta(seconds=self.scheduler.now)

    @property
    def instance(self) -> Instance:
        """Where the running task runs."""
        process = self.scheduler.task.process
        assert isinstance(process, Instance)
        return process

    def number(self) -> int:
        self._number += 1
        return self._number

    def tell(self, what: str) -> None:
        if self._story is not None:
            task = self.scheduler.current
            who = f"{task.process.name} {task.name}" if task else ""
            self._story.append(f"{self.scheduler.now:9.2f} s  {who:18} {what}")

    def choose(self, what: str, options: int) -> int:
        """Return what is decided for the running task at this step."""
        task = self.scheduler.task
        return self.decisions.choose(task.name, task.steps, what, options)

    def step(self, operation: str, name: str, deadline: Deadline | None = None) -> Fault | None:
        """Let the scheduler have its turn; return what goes wrong with this step where its port has to do that."""
        self.scheduler.step()
        faults = self._faults.get(operation, ())
        chosen = self.choose("fault", len(faults))
        if not chosen:
            self.tell(f"{operation} {name}")
            return None
        fault = faults[chosen - 1]
        self.faults += 1
        self.tell(f"{operation} {name}   <== {fault.kind} {fault.seconds or ''}")
        return self._suffer(fault, deadline)

    def after(self, fault: Fault) -> None:
        """Let the process die or freeze: what it did has happened."""
        if fault.kind == "die after":
            self._die()
        if fault.kind == "freeze after":
            self._freeze(fault.seconds)

    def run(self) -> None:
        """Let everything happen, then let nothing go wrong any more until everything has ended."""
        random.seed(0)  # the order in which slots are tried
        for number, act in enumerate(self.scenario.acts):
            self.scheduler.later(act.at, partial(self._callers.act, act, f"{number}{act.kind}", 1))
        self.scheduler.later(_TROUBLE_SECONDS, self._calm)
        self.scheduler.run()
        for n in range(_SWEEPS):
            if any(name.startswith("open/") for name in self.results.things):
                self.scheduler.later(n and _SWEEP_EVERY, partial(self.spawn, f"sweep{n}", n, self._callers.sweep))
                self.scheduler.run()
        self.scheduler.later(_EIGHT_DAYS, lambda: self.spawn("last", 0, self._close))
        self.scheduler.run()

    def _close(self) -> None:
        self._callers.sweep()
        self.book.check_all_ended()
        self.book.check_gone()
        service = self.instance.core.service
        for known in self.book.ids:
            if f"jobs/{known}/deleted.json" in self.results.things:  # whose caller may have been told to ask again
                self.instance.core.deleting.delete(known, None)
                self.book.gone.add(known)
            self._callers.told(Order(ImageRequest(known), "http"), "last", partial(service.status, known, None))
        for days in range(3):
            report = self.instance.core.reconcile.run((self._start + timedelta(days=days)).date())
            self.book.reconciled(report)
        self.book.check_gone()
        self.book.closing()

    def _calm(self) -> None:
        self.decisions.quiet, self.outage_until = True, 0.0

    def _suffer(self, fault: Fault, deadline: Deadline | None) -> Fault | None:
        match fault.kind:
            case "slow":
                self.scheduler.sleep(min(fault.seconds, deadline.left) if deadline else fault.seconds)
            case "freeze":
                self._freeze(fault.seconds)
            case "clock":
                self.instance.offset = fault.seconds
            case "die":
                self._die()
            case "outage":
                self.outage_until = self.scheduler.now + fault.seconds
            case _:
                return fault
        return None

    def _die(self) -> None:
        self.scheduler.task.process.dead = True
        raise Crash

    def _freeze(self, seconds: float) -> None:
        self.scheduler.task.process.frozen_until = self.scheduler.now + seconds
        self.scheduler.block()

    def _started(self, number: int) -> Instance:
        made = Instance(f"i{number}.{self.number()}", per_day=self._per_day)
        alive = [i for i in (made, *self._ended, *self._instances) if not i.dead]
        for one in alive:
            one.caps |= {other.per_day for other in (alive if one is made else (made,))}
        clock, delivery = Clock(self, made), Delivery(self)
        pool = Pool(self.scheduler)
        outside = Outside(
            self.results, self.segmind, delivery, clock, self.uploads, "uploads", self.segmind, pool, self.sign
        )
        core = assemble(outside, TIMEOUTS, Rules(made.per_day, self.scenario.per_user))
        made.core = replace(core, sweep=replace(core.sweep, workers=lambda *_, **__: pool))
        doors = Core(made.core, Answers(core.jobs, self, "results", clock), delivery, self.uploads)
        made.door = EventDoor(lambda: doors, Bodies(4), "uploads", 3600.0, clock, TIMEOUTS)
        return made

    def sign(self, name: str) -> SignedUrl:
        if self.step("sign", name):
            raise StorageUnavailable
        return SignedUrl("https://signed.example", self.time)

    def spawn(self, name: str, number: int, call: Callable[[], object]) -> None:
        number %= len(self._instances)
        if self._instances[number].dead:
            self._instances[number] = self._started(number)
        self.scheduler.spawn(name, self._instances[number], call)

    def deploy(self) -> None:
        """New instances with another cap take over; what runs in the old ones goes on."""
        self._per_day = self.scenario.later_per_day
        self._ended += self._instances
        self._instances = [self._started(n) for n in range(3)]

    def _finalized(self, name: str, thing: Thing) -> None:
        """Deliver the event of an uploaded job file: once, or not, or twice, or late."""
        self._events += 1
        chosen = self.decisions.choose("event", self._events, "event", len(EVENTS) - 1)
        info = thing.info
        data = {"bucket": "uploads", "name": name, "generation": str(info.generation), "size": str(info.size)}
        event = Event(f"e{self._events}", FINALIZED, info.created_at.isoformat(), data)
        for n, delay in enumerate(EVENTS[chosen]):
            self._deliver(event, f"event{self._events}.{n}", delay, 1)

    def _deliver(self, event: Event, name: str, delay: float, attempt: int) -> None:
        def call() -> None:
            taken = False
            try:
                taken = self.instance.door.handle(event)
                self.tell("takes the event" if taken else "asks for the event again")
            finally:
                if not taken:
                    self._deliver(event, name, min(600.0, 10.0 * 2**attempt), attempt + 1)

        self.scheduler.later(delay, lambda: self.spawn(f"{name}.{attempt}", attempt + len(name), call))
