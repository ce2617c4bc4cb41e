"""The core put together: each part once, over the ports that it is given. `wiring/` and the tests call this."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import timedelta

from imagegen.pipeline.account import Account
from imagegen.pipeline.claiming import Claiming
from imagegen.pipeline.daily_cap import DailyCap
from imagegen.pipeline.deleting import Deleting
from imagegen.pipeline.endings import Endings
from imagegen.pipeline.job_objects import JobObjects
from imagegen.pipeline.job_queue import JobQueue
from imagegen.pipeline.known import Known
from imagegen.pipeline.parallel import Parallel
from imagegen.pipeline.reconcile import Reconcile
from imagegen.pipeline.recovery import Recovery
from imagegen.pipeline.service import ImageService
from imagegen.pipeline.settling import Register, Settling
from imagegen.pipeline.sweep import Sweep
from imagegen.ports import Clock, Delivery, Generator, History, Objects
from imagegen.timeouts import Timeouts


@dataclass(frozen=True, slots=True)
class Outside:
    """What the core reaches of the world. What a deployment has not configured is None."""

    results: Objects
    generator: Generator
    delivery: Delivery
    clock: Clock
    uploads: Objects | None = None
    uploads_bucket: str = ""
    history: History | None = None
    pool: Executor | None = None  # for calls at the same time; without one they are made one by one
    sign: Callable[[str], object] = lambda _name: None  # makes a URL ahead, while the end is being written


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator set: caps of images a UTC day (0: no cap), and how long an event is asked for again."""

    per_day: int = 0
    per_user: int = 0
    event_max_age: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The parts that doors call."""

    jobs: JobObjects
    cap: DailyCap
    account: Account
    service: ImageService
    deleting: Deleting
    sweep: Sweep
    reconcile: Reconcile


def assemble(outside: Outside, timeouts: Timeouts, rules: Rules) -> Pipeline:
    """Return the core over these ports."""
    clock, results, generator, delivery = outside.clock, outside.results, outside.generator, outside.delivery
    parallel, known = Parallel(outside.pool), Known()
    jobs, account = JobObjects(results, parallel), Account(results, parallel)
    cap = DailyCap(results, account, parallel, clock, rules.per_day, rules.per_user)
    endings = Endings(jobs, account, cap, known, parallel, clock, timeouts, outside.sign)
    recovery = Recovery(jobs, cap, endings, generator, clock, timeouts)
    claiming = Claiming(jobs, endings, recovery, known, parallel, clock, timeouts)
    queue = JobQueue(jobs, outside.uploads, outside.uploads_bucket, clock) if outside.uploads else None
    history = outside.history
    register = Register(jobs, account, clock)
    settling = Settling(history, results, register, recovery, endings, clock, timeouts) if history else None
    service = ImageService(
        jobs, cap, generator, delivery, claiming, endings, recovery, known, parallel, clock, timeouts, queue, settling
    )
    deleting = Deleting(jobs, recovery, queue, clock)
    sweep = Sweep(jobs, service, recovery, endings, deleting, settling, clock, timeouts, rules.event_max_age)
    return Pipeline(jobs, cap, account, service, deleting, sweep, Reconcile(history, results, account, clock))
