"""The core put together: each part once, over the ports that it is given. `wiring.py` and the tests call this."""

from dataclasses import dataclass

from imagegen.pipeline.daily_cap import DailyCap
from imagegen.pipeline.endings import Endings
from imagegen.pipeline.job_objects import JobObjects
from imagegen.pipeline.job_queue import JobQueue
from imagegen.pipeline.recovery import Recovery
from imagegen.pipeline.service import ImageService
from imagegen.pipeline.sweep import Sweep
from imagegen.ports import Clock, Delivery, Generator, Objects
from imagegen.timeouts import Timeouts


@dataclass(frozen=True, slots=True)
class Outside:
    """What the core reaches of the world. `uploads` is None where no uploads bucket is configured."""

    results: Objects
    generator: Generator
    delivery: Delivery
    clock: Clock
    uploads: Objects | None = None
    uploads_bucket: str = ""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The parts that doors call."""

    jobs: JobObjects
    cap: DailyCap
    service: ImageService
    sweep: Sweep


def assemble(outside: Outside, timeouts: Timeouts, per_day: int = 0, per_user: int = 0) -> Pipeline:
    """Return the core over these ports, with caps of images a UTC day (0: no cap)."""
    clock, results = outside.clock, outside.results
    jobs, cap = JobObjects(results), DailyCap(results, clock, per_day, per_user)
    endings = Endings(jobs, cap, clock, timeouts)
    recovery = Recovery(jobs, cap, endings, outside.generator, clock)
    queue = JobQueue(outside.uploads, outside.uploads_bucket, clock) if outside.uploads else None
    service = ImageService(jobs, cap, outside.generator, outside.delivery, endings, recovery, clock, timeouts, queue)
    return Pipeline(jobs, cap, service, Sweep(jobs, results, recovery, clock, timeouts))
