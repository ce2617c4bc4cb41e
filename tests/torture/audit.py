"""After a round: whether the vendor's ledger, slots, account, images, results and what callers see agree."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from mock_segmind import Picture
from tests.harness.site import Site
from tests.kills.aftermath import Aftermath, Traces
from tests.torture.issuer import Issuer
from tests.torture.orders import OWNED, Order


class Audit:
    """Everything that a round left, read once."""

    def __init__(self, site: Site, issuer: Issuer, orders: Sequence[Order]) -> None:
        self._site, self._bearer = site, issuer.bearer()
        self._after = Aftermath(site)
        self.traces = {asked: self._after.of(asked.prompt) for asked in orders}

    @property
    def ends(self) -> Counter[str]:
        return Counter(found.end for found in self.traces.values())

    def disagreements(self) -> list[str]:
        """Return everything that does not agree. What the vendor had no trouble with succeeds or is unknown."""
        good = {asked.prompt: None if asked.trouble else "succeeded" for asked in self.traces}
        found = self._after.disagreements(good)
        for asked, traces in self.traces.items():
            if traces.end == "succeeded":
                found += [f"{asked.prompt}: {wrong}: {traces}" for wrong in self._image(asked, traces)]
            if asked.way in OWNED and traces.ids:
                found += [f"{asked.prompt}: {wrong}: {traces}" for wrong in self._seen(traces)]
        return [*found, *self._usage()]

    def _image(self, asked: Order, traces: Traces) -> Iterator[str]:
        """Compare what is told about the image with its bytes, and these with what the vendor made."""
        (name,) = (name for name in traces.names if name.startswith("image."))
        told = json.loads(self._site.results.read(traces.ids[0], "result.json"))["image"]
        stored = self._site.results.read(traces.ids[0], name)
        if told["sha256"] != hashlib.sha256(stored).hexdigest():
            yield f"the result's sha256 is not that of {name}"
        if not asked.trouble and asked.way != "photo" and stored != Picture(asked.prompt).encoded():
            yield "these are not the bytes that the vendor made"

    def _seen(self, traces: Traces) -> Iterator[str]:
        """Compare what the caller sees with the end."""
        shown = self._site.get(f"/v1/images/{traces.ids[0]}", Authorization=self._bearer).json()
        seen = shown.get("error", {}).get("code", shown["status"]) if "status" in shown else shown
        if seen not in {traces.end, *(QUEUED if traces.end == "free" else ())}:
            yield f"its caller sees {seen}"

    def _usage(self) -> Iterator[str]:
        """Compare the caller's account with the ends of the caller's orders."""
        now = datetime.now(UTC)
        days = f"from={now - timedelta(days=1):%Y-%m-%d}&to={now + timedelta(days=3):%Y-%m-%d}"
        total = self._site.get(f"/v1/usage?{days}", Authorization=self._bearer).json()["total"]
        mine = [traces for asked, traces in self.traces.items() if asked.way in OWNED]
        ends = Counter("outcome-unknown" if traces.says == "maybe" else traces.end for traces in mine)
        told = {"succeeded": total["images"], "outcome-unknown": total["unknown"], **total["failed"]}
        for end in (told.keys() | ends.keys()) - {"free"}:
            if told.get(end, 0) != ends[end]:
                yield f"the account has {told.get(end, 0)} orders that ended as {end}, and the bucket {ends[end]}"


QUEUED = ("queued", "running", "not-found")
