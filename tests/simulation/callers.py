"""What callers, the scheduler and the operator ask of an instance, and what they are told."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from imagegen.doors import batches
from imagegen.doors.batches import Batch
from imagegen.errors import ImageNotStored
from imagegen.failure import ServiceError
from imagegen.model import ImageRequest, Order, Reference
from imagegen.pipeline.assembly import Pipeline
from imagegen.pipeline.claiming import Outcome
from imagegen.pipeline.claims import image_id
from imagegen.ports import Deadline
from imagegen.stopwatch import Stopwatch
from imagegen.timeouts import Timeouts
from tests.simulation.pool import Pool
from tests.simulation.ports import Clock
from tests.simulation.scenario import Act

if TYPE_CHECKING:
    from tests.simulation.world import World

TIMEOUTS = Timeouts(generation_seconds=180.0)
_REFERENCE = Reference("model", "https://example.com/model.png")


class Callers:
    """Each method that a kind of act names returns whether it needs no repetition."""

    def __init__(self, world: "World") -> None:
        self._world = world

    @property
    def _core(self) -> Pipeline:
        return self._world.instance.core

    def act(self, act: Act, name: str, attempt: int) -> None:
        """Ask what an act says, and again where the answer was no end, as often as it says."""
        if act.kind == "nothing":
            return
        if act.kind == "deploy":
            self._world.deploy()
            return
        does: dict[str, Callable[[Act, str], bool]] = {
            "post": self._post, "other": self._post, "anonymous": self._post, "queue": self._queue,
            "tick": self._tick, "status": self._status, "delete": self._delete,
            "sweep": self.sweep, "reconcile": self._reconcile,
        }  # fmt: skip

        def call() -> None:
            again = True
            try:
                again = not does[act.kind](act, f"{name}.{attempt}")
            except ServiceError as error:
                self._world.tell(f"is told {error.code}")
            finally:
                if again and attempt < act.tries:
                    self._world.scheduler.later(8.0 * attempt, lambda: self.act(act, name, attempt + 1))

        self._world.spawn(f"{name}.{attempt}", act.instance + attempt - 1, call)

    def told(self, order: Order, who: str, ask: Callable[[], Outcome]) -> bool:
        """Ask, and let the book look at the answer; return whether it was an end."""
        world = self._world
        asked_at, known = world.scheduler.now, image_id(order.owner, order.key) if order.key else ""
        try:
            outcome = ask()
        except ServiceError as error:
            world.tell(f"is told {error.code}")
            if not isinstance(error, ImageNotStored):
                world.book.answered(order, known, asked_at, error, who)
            return False
        world.tell(f"is told {outcome.ending.status if outcome.ending else 'running'}")
        world.book.answered(order, known, asked_at, outcome, who)
        return outcome.ending is not None

    def sweep(self, *_: object) -> bool:
        self._world.tell(f"sweeps: { {k: v for k, v in self._core.sweep.run().items() if v} }")
        return True

    def _order(self, act: Act, who: str = "") -> Order:
        named = {"other": f"{act.key} other", "anonymous": f"nameless {who}"}
        owner = "ada" if self._world.scenario.per_user else ""
        key = None if act.kind == "anonymous" else act.key
        return Order(ImageRequest(named.get(act.kind, act.key), (_REFERENCE,)), "http", owner, key)

    def _post(self, act: Act, who: str) -> bool:
        order, clock = self._order(act, who), Clock(self._world, self._world.instance)
        deadline = Deadline.within(clock, TIMEOUTS.request_seconds)
        return self.told(order, who, partial(self._core.service.create, order, Stopwatch(clock), deadline))

    def _queue(self, act: Act, who: str) -> bool:
        order = self._order(act)
        self.told(order, who, partial(self._core.service.accept, order))
        return True

    def _status(self, act: Act, who: str) -> bool:
        order = self._order(act)
        known = image_id(order.owner, order.key)
        return self.told(order, who, partial(self._core.service.status, known, None, 20.0))

    def _tick(self, act: Act, _who: str) -> bool:
        batch = Batch("batch", tuple(ImageRequest(f"{act.key} by tick {n}") for n in range(2)))
        pool: Any = Pool(self._world.scheduler)
        batches.queue(batch, f"{act.key}", self._core.service, lambda *_, **__: pool)
        return True

    def _reconcile(self, *_: object) -> bool:
        self._core.reconcile.run(self._world.time.date())
        return True

    def _delete(self, act: Act, _who: str) -> bool:
        order = self._order(act)
        known = image_id(order.owner, order.key)
        self._core.deleting.delete(known, None)
        self._world.book.gone.add(known)
        return True
