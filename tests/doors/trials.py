"""What a killed order leaves, and whether bucket, slots, ledger and results agree about it afterwards."""

from collections import Counter
from dataclasses import dataclass

from local.storage import StorageServer
from mock_segmind import FakeSegmind
from tests.doors.wreck import RESULTS
from tests.harness.bucket import Results


@dataclass(frozen=True, slots=True)
class Traces:
    """Everything that one order left in the world; its prompt is its own."""

    prompt: str
    ids: list[str]
    names: list[str]
    slots: int
    billed: int

    @property
    def images(self) -> int:
        return sum(name.startswith("image.") for name in self.names)

    @property
    def endings(self) -> list[str]:
        return [name for name in self.names if name in {"result.json", "lost.json"}]

    def disagreements(self) -> list[str]:
        """Return what does not agree about this order after everything was recovered."""
        good, lost = self.endings == ["result.json"], self.endings == ["lost.json"]
        rules = {
            "an order has at most one id": len(self.ids) <= 1,
            "every claim has one end": len(self.endings) == len(self.ids) and (good or lost or not self.ids),
            "no image is bought twice": self.billed <= 1,
            "no slot is spent twice": self.slots <= 1,
            "what was billed has a slot": self.slots >= self.billed,
            "what was billed is an image, or unknown": self.billed == 0 or good or lost,
            "a good end is one image, one slot, one bill": not good
            or (self.images, self.slots, self.billed) == (1, 1, 1),
            "an unknown end has no image": not lost or self.images == 0,
            "what was submitted and written down is finished": "submitted.json" not in self.names or good,
            "without a claim nothing is spent": bool(self.ids) or (self.slots, self.billed) == (0, 0),
        }
        return [f"{self.prompt}: not so: {rule}: {self}" for rule, holds in rules.items() if not holds]


class Aftermath:
    """Bucket and ledger after the kills."""

    def __init__(self, storage: StorageServer, segmind: FakeSegmind) -> None:
        results = Results(storage)
        self._jobs = results.jobs()
        self._prompts = {i: results.json(i, "claim.json")["request"]["prompt"] for i in self._jobs}
        slots = (storage.object(RESULTS, name) for name in results.slots())
        self._slots = Counter(slot.custom_metadata["id"] for slot in slots)
        self._billed = Counter(entry.prompt for entry in segmind.ledger.billed())

    def of(self, prompt: str) -> Traces:
        ids = [image_id for image_id, found in self._prompts.items() if found == prompt]
        names = [name for image_id in ids for name in self._jobs[image_id]]
        return Traces(prompt, ids, names, sum(self._slots[image_id] for image_id in ids), self._billed[prompt])

    def ending(self, image_id: str) -> str | None:
        """Return the object that ends a job."""
        return next((name for name in self._jobs[image_id] if name in {"result.json", "lost.json"}), None)

    def disagreements(self, prompts: list[str]) -> list[str]:
        """Return everything that does not agree, of these orders and of any other that was billed or claimed."""
        others = (set(self._billed) | set(self._prompts.values())) - set(prompts)
        return [*others, *(wrong for prompt in prompts for wrong in self.of(prompt).disagreements())]

    @property
    def totals(self) -> dict[str, int]:
        names = [name for found in self._jobs.values() for name in found]
        return {
            "billed": self._billed.total(),
            "images": sum(name.startswith("image.") for name in names),
            "slots": self._slots.total(),
            "succeeded": names.count("result.json"),
            "unknown": names.count("lost.json"),
        }
