"""An executor in virtual time: which of its calls run beside their caller is a decision."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any, TypeVar

from imagegen.pipeline import daily_cap
from imagegen.pipeline.parallel import Parallel
from tests.simulation.scheduler import Crash, Scheduler

T = TypeVar("T")


class SimFuture(Future[T]):
    """A call of a task. Whoever asks for its result waits in virtual time: each way to ask begins with this lock."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self.runs = True
        self._condition: Any = _Awaited(self, scheduler)


class _Awaited:
    """The condition of a Future, which is taken only after its call has ended. One task runs, so it guards nothing."""

    def __init__(self, future: "SimFuture[Any]", scheduler: Scheduler) -> None:
        self._future, self._scheduler = future, scheduler

    def acquire(self) -> None:
        if not self._future.runs:
            return
        task = self._scheduler.task
        if task.process.dead:
            raise Crash
        task.waits = lambda: self._future.runs
        self._scheduler.block()

    def release(self) -> None:
        pass

    notify_all = release

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        pass


class Pool(Executor):
    """Implements Executor: a call runs at once on its caller's thread, or, as is decided, beside it."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":  # noqa: ANN401 - as in Executor
        """Run a call. What the day's cap starts it waits for under a lock of its process: that is never beside it."""
        scheduler, parent, call = self._scheduler, self._scheduler.task, partial(fn, *args, **kwargs)
        parent.children += 1
        under_a_lock = getattr(args[0] if args else fn, "__module__", "") == daily_cap.__name__
        if under_a_lock or not scheduler.decisions.choose(parent.name, parent.children, "beside", 1):
            return Parallel.here(call)
        future: SimFuture[T] = SimFuture(scheduler)

        def run() -> None:
            done = Parallel.here(call)
            future.runs = False
            if error := done.exception():
                future.set_exception(error)
            else:
                future.set_result(done.result())

        scheduler.spawn(f"{parent.name}/{parent.children}", parent.process, run)
        return future
