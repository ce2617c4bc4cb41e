"""A deterministic scheduler: of tasks on threads one runs at a time, in virtual time. Who is next is a decision."""

import heapq
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tests.simulation.decisions import Decisions

TICK_SECONDS = 0.01  # each step takes so long
_MOST_STEPS = 20_000


class Crash(BaseException):
    """The process is dead: nothing that it does has an effect any more."""


class Violation(Exception):
    """A promise is broken."""


class Stuck(Exception):
    """The run does not end: no task can go on, or they go on for ever."""


@dataclass(eq=False, slots=True)
class Process:
    """An instance, as the scheduler sees it."""

    name: str
    dead: bool = False
    frozen_until: float = 0.0
    busy: "Task | None" = None  # the one task that runs here for now: it may hold a lock


@dataclass(eq=False, slots=True)
class Task:
    """Something that runs in a process."""

    name: str
    process: Process
    call: Callable[[], object]
    wake: float
    waits: Callable[[], bool] | None = None  # whether what it waits for has not happened yet
    steps: int = 0
    children: int = 0
    thread: "_Thread | None" = None

    def ready(self, now: float) -> bool:
        process = self.process
        if process.dead:
            return True
        if self.waits is not None and self.waits():
            return False
        return self.wake <= now and process.frozen_until <= now and process.busy in {None, self}

    @property
    def next(self) -> float:
        """The earliest time at which it can go on, as far as that is a matter of time."""
        waits = self.waits is not None or self.process.busy not in {None, self}
        return float("inf") if waits else max(self.wake, self.process.frozen_until)


class _Thread(threading.Thread):
    """Runs one task after another, each when it is handed the baton."""

    idle: "list[_Thread]" = []  # noqa: RUF012 - of all runs

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.baton = threading.Lock()
        self.baton.acquire()
        self.job: Callable[[], object] = lambda: None

    def run(self) -> None:
        while True:
            self.baton.acquire()
            self.job()


class Scheduler:
    """Runs tasks until none is left."""

    def __init__(self, decisions: Decisions) -> None:
        self.now = 0.0
        self.decisions = decisions
        self.current: Task | None = None
        self.failure: BaseException | None = None
        self.steps = 0
        self._tasks: list[Task] = []
        self._timers: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = 0
        self._main = threading.Lock()
        self._main.acquire()

    def spawn(self, name: str, process: Process, call: Callable[[], object], delay: float = 0.0) -> Task:
        """Let a task begin after so many seconds."""
        task = Task(name, process, call, self.now + delay)
        self._tasks.append(task)
        return task

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Plan something that belongs to no process."""
        if self.failure:
            return
        self._numbers += 1
        heapq.heappush(self._timers, (self.now + seconds, self._numbers, action))

    def run(self) -> None:
        """Run until no task and no plan is left. Raises what went wrong in a task, after all have been ended."""
        task = self._pick(None)
        if task is not None:
            self._resume(task)
            self._main.acquire()
        if self.failure:
            raise self.failure

    def step(self) -> None:
        """Let time pass by a tick, and perhaps another task go on. Raises Crash in a dead process."""
        task = self.task
        task.steps += 1
        self.steps += 1
        self.now += TICK_SECONDS
        if self.steps > _MOST_STEPS:
            self.fail(Stuck(f"after {self.steps} steps"))
        self._fire()
        others = self._others(task) if self.decisions.seen is not None else None
        value = self.decisions.choose(task.name, task.steps, "turn", 3 if others is None else len(others))
        if value:
            others = self._others(task) if others is None else others
            if others:
                self._switch(task, others[(value - 1) % len(others)])
        if task.process.dead or task.process.frozen_until > self.now:
            self.block()

    def sleep(self, seconds: float) -> None:
        """Let the running task go on after so long."""
        self.task.wake = self.now + seconds
        self.block()

    def block(self) -> None:
        """Go on when the running task is ready again."""
        task = self.task
        other = self._pick(task)
        if other is not task and other is not None:
            self._switch(task, other)
        task.waits = None
        if task.process.dead:
            raise Crash

    def fail(self, error: BaseException) -> None:
        """End every task: something went wrong that must not."""
        self._end_all(error)
        raise Crash

    @property
    def task(self) -> Task:
        assert self.current is not None
        return self.current

    def _fire(self) -> None:
        while self._timers and self._timers[0][0] <= self.now:
            with suppress(Crash):
                heapq.heappop(self._timers)[2]()

    def _end_all(self, error: BaseException) -> None:
        self.failure = self.failure or error
        self._timers.clear()
        for task in self._tasks:
            task.process.dead = True

    def _others(self, task: Task) -> list[Task]:
        return [t for t in self._tasks if t is not task and t.ready(self.now)]

    def _pick(self, task: Task | None) -> Task | None:
        """Return who goes on: `task` if it can, else the one that was ready first. Lets time pass where none can."""
        while True:
            self._fire()
            if task is not None and task.ready(self.now):
                return task
            ready = [t for t in self._tasks if t.ready(self.now)]
            if ready:
                return min(ready, key=lambda t: t.wake)
            times = [*(t.next for t in self._tasks), *(timer[0] for timer in self._timers[:1])]
            if not times:
                return None
            if min(times) == float("inf"):
                self._end_all(Stuck("every task waits for another"))
                continue
            self.now = max(self.now, min(times))

    def _switch(self, task: Task, other: Task) -> None:
        thread = task.thread
        assert thread is not None
        self._resume(other)
        thread.baton.acquire()

    def _resume(self, task: Task) -> None:
        self.current = task
        if task.thread is None:
            task.thread = _Thread.idle.pop() if _Thread.idle else _started()
            task.thread.job = lambda: self._run(task)
        task.thread.baton.release()

    def _run(self, task: Task) -> None:
        try:
            if not task.process.dead:
                task.call()
        except Crash:
            pass
        except BaseException as error:  # noqa: BLE001 - told by `run`, on the thread of the test
            self._end_all(error)
        self._tasks.remove(task)
        other = self._pick(None)
        assert task.thread is not None
        _Thread.idle.append(task.thread)
        if other is None:
            self._main.release()
        else:
            self._resume(other)


def _started() -> _Thread:
    thread = _Thread()
    thread.start()
    return thread
