"""Defects that are seeded into the core on purpose, to show that the simulation finds each of them."""

import sys
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Defect:
    """A text that stands once in a module of the pipeline, and what stands there instead."""

    module: str
    text: str
    instead: str
    seed: int = 1  # of 20,000 runs that find it: the rare ones not long before they are found


DEFECTS = {
    "the claim is won by everybody": Defect(
        "claiming", "if not claimed.exception() and claimed.result() is None:", "if False:"
    ),
    "the call is made before it is written down": Defect(
        "service",
        """            with watch.step("claim"):
                self._commit(held, request, named=bool(order.key or order.image_id))
            with watch.step("segmind"):
                calling = generating.sooner(self._lease_left(held.claim))
                generation = self.generator.generate(request, calling, partial(self._submitted, held))
""",
        """            with watch.step("segmind"):
                calling = generating.sooner(self._lease_left(held.claim))
                generation = self.generator.generate(request, calling, partial(self._submitted, held))
            with watch.step("claim"):
                self._commit(held, request, named=bool(order.key or order.image_id))
""",
    ),
    "the lease is not looked at before the call": Defect(
        "service", "return (ends - self.clock.now()).total_seconds()", "return 1000.0", 10_500
    ),
    "a lease is shorter than a run": Defect(
        "claims",
        "return Verdict.WAIT if now < claim.lease_ends_at else",
        "return Verdict.WAIT if now < claim.lease_ends_at - timedelta(seconds=300) else",
    ),
    "a call without an answer counts as one that failed": Defect(
        "service",
        "        except ServiceError as error:\n            return self.endings.end(held, error)\n",
        "        except ServiceError as error:\n"
        "            if error.billed == 'maybe':\n"
        "                error = StorageUnavailable('as if nothing had been sent')\n"
        "            return self.endings.end(held, error)\n",
    ),
    "a claim is deleted whosoever it is": Defect(
        "job_objects",
        "generation = found[0] if found and _token(found[1]) == claim.token else 0",
        "generation = found[0] if found else 0",
    ),
    "a dead claimant's call is taken for none": Defect(
        "claims", "return Verdict.LOST if state.sent else Verdict.FREE", "return Verdict.FREE"
    ),
    "the slot of an unknown is given back": Defect(
        "endings",
        'if ending.error and ending.error.billed == "no":',
        'if ending.error and ending.error.billed != "yes":',
    ),
    "the account forgets what failed": Defect(
        "endings",
        "        entry = self._parallel.start(lambda: self._account.enter(ending, held.sent, deadline))\n",
        "        entry = self._parallel.start(\n"
        "            lambda: ending.image and self._account.enter(ending, held.sent, deadline)\n        )\n",
    ),
    "the marker goes before the end is written": Defect(
        "endings",
        "        try:\n            stands = self._jobs.finish(ending, deadline)\n",
        "        try:\n            self._jobs.unmark(ending.claim.id, held.marker or held.queued, deadline)\n"
        "            stands = self._jobs.finish(ending, deadline)\n",
    ),
    "a slot that another took counts as taken": Defect(
        "daily_cap",
        "return None if generation is None else Slot(name, generation)",
        "return Slot(name, generation or 0)",
    ),
    "a cap counts all slots but one": Defect("daily_cap", "cap.limit - unslotted)", "cap.limit + 1 - unslotted)"),
    "an image does not beat an end that says there is none": Defect(
        "claims", "return Verdict.FINISH if state.image and not state.ending.image else Verdict.REPLAY",
        "return Verdict.REPLAY",
    ),
    "an end that outlived its claim is not looked for": Defect(
        "claiming",
        "if state.result is None and state.deleted is None:\n                self",
        "if True:\n                self",
    ),
    "a queued job counts itself among those before it": Defect("settling", "earlier - {claim.id}", "earlier"),
    "what a caller deletes is not in the account yet": Defect(
        "deleting", "self.recovery.endings.enter(ending, held)", "pass", 4_000
    ),
    "a marker that was taken away is not missed": Defect("service", "if not looking.result():", "if False:", 10_000),
}  # fmt: skip


def seed(defect: Defect) -> None:
    """Let the module be imported with the defect in it. Raises where its text does not stand there once."""
    sys.meta_path.insert(0, _Finder(defect))


class _Finder(MetaPathFinder):
    def __init__(self, defect: Defect) -> None:
        self._defect = defect

    def find_spec(
        self, fullname: str, path: "Sequence[str] | None" = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != f"imagegen.pipeline.{self._defect.module}":
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        assert spec
        assert spec.origin
        spec.loader = _Loader(fullname, spec.origin, self._defect)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, defect: Defect) -> None:
        super().__init__(fullname, path)
        self._defect = defect

    def get_code(self, fullname: str) -> CodeType:
        source = self.get_source(fullname) or ""
        if source.count(self._defect.text) != 1:
            raise ValueError(f"not once in {fullname}: {self._defect.text}")
        return compile(source.replace(self._defect.text, self._defect.instead), self.path, "exec")
