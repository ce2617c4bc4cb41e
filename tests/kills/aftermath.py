"""What killed orders leave, and whether bucket, slots, ledger and results agree about them afterwards."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tests.harness.bucket import RESULTS
from tests.harness.site import Site

FREE, UNKNOWN = "free", "outcome-unknown"
COSTS = {"succeeded": (1, 1, 1), "no": (0, 0, 0), "yes": (0, 1, 1)}
"""Images, slots and bills of an order that succeeded, or by what its failure says about the bill."""


@dataclass(frozen=True, slots=True)
class Traces:
    """Everything that one order left in the world; its prompt is its own."""

    prompt: str
    ids: list[str]
    names: list[str]
    end: str
    says: str
    slots: int
    billed: int
    entries: int
    open: bool

    def disagreements(self, good: str | None) -> list[str]:
        """Return what does not agree about this order after everything was recovered; None takes any end for good."""
        good = good or self.end
        images = sum(name.startswith("image.") for name in self.names)
        endings = [name for name in self.names if name in {"result.json", "lost.json"}]
        spent = (images, self.slots, self.billed)
        rules = {
            "an order has at most one id": len(self.ids) <= 1,
            "every claim has one end": len(endings) == len(self.ids) or self.names == ["claim.json"],
            "every end is in the account": self.entries == len(endings),
            "what is open is unknown, and nothing else": self.open == (self.says == "maybe"),
            "no image is bought twice": self.billed <= 1,
            "no slot is spent twice": self.slots <= 1,
            "what was billed has a slot": self.slots >= self.billed,
            "it ends as it would have, or unknown": self.end in {good, UNKNOWN, FREE},
            "an end costs what it says": self.says == "maybe" or spent == COSTS.get(self.says, spent),
            "an unknown end has no image": self.says != "maybe" or images == 0,
            "what was submitted and written down is finished": "submitted.json" not in self.names or self.end == good,
            "without a claim nothing is spent": bool(self.ids) or spent == (0, 0, 0),
        }
        return [f"{self.prompt}: not so: {rule}: {self}" for rule, holds in rules.items() if not holds]


class Aftermath:
    """Bucket and ledger after the kills."""

    def __init__(self, site: Site) -> None:
        site.rest()
        self._site, self._jobs = site, site.results.jobs()
        self._prompts = {i: site.results.json(i, "claim.json")["request"]["prompt"] for i in self._jobs}
        slots = (site.storage.object(RESULTS, name) for name in site.results.slots())
        self._slots = Counter(slot.custom_metadata["id"] for slot in slots)
        listed = site.storage.objects(RESULTS)
        self._entries = {name.split("/")[3] for name in listed if name.startswith("ledger/")}
        self._open = {name.removeprefix("open/") for name in listed if name.startswith("open/")}
        self._billed = Counter(entry.prompt for entry in site.ledger.billed())

    def of(self, prompt: str) -> Traces:
        """Return what the order with this prompt left."""
        ids = [image_id for image_id, found in self._prompts.items() if found == prompt]
        names = [name for image_id in ids for name in self._names(image_id)]
        slots = sum(self._slots[image_id] for image_id in ids)
        end, says = self._ending(ids[0]) if ids else (FREE, "")
        entries = sum(image_id in self._entries for image_id in ids)
        is_open = any(image_id in self._open for image_id in ids)
        return Traces(prompt, ids, names, end, says, slots, self._billed[prompt], entries, is_open)

    def _names(self, image_id: str) -> list[str]:
        """Return a job's objects, without the unknown end that the vendor's history settled later."""
        names, settles = self._jobs[image_id], bool(self._site.env["SEGMIND_HISTORY_URL"])
        return [name for name in names if name != "lost.json" or not settles or "result.json" not in names]

    def end(self, image_id: str) -> str:
        """Return how a job ended: succeeded, or the code of its error."""
        return self._ending(image_id)[0]

    def _ending(self, image_id: str) -> tuple[str, str]:
        """Return that, and succeeded or what the error says about the bill; a result counts more than `lost.json`."""
        name = next((name for name in ("result.json", "lost.json") if name in self._jobs[image_id]), None)
        if name is None:
            return (FREE if self._jobs[image_id] == ["claim.json"] else "running"), ""
        found = json.loads(self._site.results.read(image_id, name))
        error = found["error"] or {"code": found["status"], "billed": found["status"]}
        return str(error["code"]), str(error["billed"])

    def disagreements(self, good: Mapping[str, str | None]) -> list[str]:
        """Return everything that does not agree, of these prompts by their good ends, and of what else was claimed."""
        others = (set(self._billed) | set(self._prompts.values())) - set(good)
        ownerless = [f"a slot without a job: {image_id}" for image_id in set(self._slots) - set(self._jobs)]
        return [
            *others,
            *ownerless,
            *(wrong for prompt, end in good.items() for wrong in self.of(prompt).disagreements(end)),
        ]

    @property
    def totals(self) -> dict[str, int]:
        names = [name for found in self._jobs.values() for name in found]
        return {
            "billed": self._billed.total(),
            "images": sum(name.startswith("image.") for name in names),
            "slots": self._slots.total(),
            "succeeded": sum(self.end(image_id) == "succeeded" for image_id in self._jobs),
            "unknown": names.count("lost.json"),
        }
