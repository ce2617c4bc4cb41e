"""Every failure of the vendor as a caller of the deployed function meets it: the contract's table, end to end."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
import yaml

from tests.harness.orders import order
from tests.harness.site import Site

ROWS = yaml.safe_load((Path(__file__).parents[1] / "cases" / "vendor_over_http.yaml").read_text())


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table."""

    magic: str
    status: int
    code: str
    again: Literal["replay", "call"]
    billed: int = 0
    calls: int = 1
    left: tuple[str, ...] = ()
    slots: int = 0
    retry_after: tuple[int, int] | None = None
    seconds: int = 6

    @property
    def prompt(self) -> str:
        return f"a boat [mock:{self.magic}]"


@pytest.fixture
def site(hasty: Site) -> Site:
    """A deployment whose pauses take no time."""
    return hasty


@pytest.mark.parametrize("row", ROWS, ids=[row["magic"] for row in ROWS])
def test_the_contracts_table(site: Site, row: dict[str, object]) -> None:
    """Status, code, Retry-After, calls, bill, what is left in the bucket, slots, and what the same key gets next."""
    case = Case(**row)  # type: ignore[arg-type]  # YAML; a wrong name fails here
    server = site(SEGMIND_TIMEOUT_SECONDS=str(case.seconds), MAX_IMAGES_PER_DAY="9")
    answered = server.post(order(case.prompt), "k")
    found = answered.json()
    assert (answered.status_code, found["code"], found["status"]) == (case.status, case.code, case.status)
    assert answered.headers["Content-Type"] == "application/problem+json"
    assert len(found["detail"]) <= 500
    assert site.segmind.key not in answered.text
    retry_after = answered.headers.get("Retry-After")
    least, most = case.retry_after or (None, None)
    assert retry_after is None if least is None or most is None else least <= int(str(retry_after)) <= most
    assert (site.bought, site.billed) == (case.calls, case.billed)
    assert site.results.jobs() == (
        {answered.headers["Location"].rpartition("/")[2]: list(case.left)} if case.left else {}
    )
    assert site.slots == case.slots

    again = server.post(order(case.prompt), "k")
    replayed = case.again == "replay"
    assert (again.status_code, again.json()["code"]) == (case.status, case.code)
    assert (again.headers.get("Idempotent-Replayed") == "true") is replayed
    assert site.bought == case.calls * (1 if replayed else 2)
    assert site.ledger.settle()


@pytest.mark.parametrize("magic", ["401", "502", "500", "429", "credits"])
def test_a_freed_key_buys_the_image_at_the_next_try(site: Site, magic: str) -> None:
    """A failure that cost nothing does not spoil its key: the next POST with it gets the image, one bill in all."""
    server = site(SEGMIND_TIMEOUT_SECONDS="6", MAX_IMAGES_PER_DAY="1")
    site.segmind.faults.add(magic, times=3 if magic == "502" else 1)
    statuses = [server.post(order(), "k").status_code for _ in range(2)]
    assert statuses[0] >= 429
    assert statuses[1] == 200
    assert (site.billed, site.slots) == (1, 1)


@pytest.mark.parametrize(("magic", "calls"), [("502", 3), ("503", 2), ("429,reset_in=1", 2)])
def test_what_cost_nothing_is_repeated_behind_the_callers_back(site: Site, magic: str, calls: int) -> None:
    """A gateway that is back, a rate limit that ends: the caller sees 200, and pays once."""
    site.segmind.faults.add(magic, times=calls - 1)
    made = site(SEGMIND_TIMEOUT_SECONDS="8").post(order())
    assert made.status_code == 200
    assert (site.bought, site.billed) == (calls, 1)


def test_a_vendor_that_cannot_be_reached(site: Site) -> None:
    """No connection: 502 segmind-unreachable, nothing left behind, the key is free."""
    server = site(SEGMIND_BASE_URL="http://127.0.0.1:9", SEGMIND_TIMEOUT_SECONDS="6", MAX_IMAGES_PER_DAY="1")
    answers = [server.post(order(), "k") for _ in range(2)]
    assert {(a.status_code, a.json()["code"]) for a in answers} == {(502, "segmind-unreachable")}
    assert site.storage.objects("results") == []


def test_the_vendors_words_reach_the_caller_without_secrets(site: Site) -> None:
    """Detail holds what Segmind said; anything that looks like a key or an address in it is gone."""
    message = "ratio is not allowed for key SG_9f8e7d6c5b4a39281706 see https://internal.example.com/x"
    found = site.post(order(f"x [mock:400,message={message}]")).json()
    assert "ratio is not allowed" in found["detail"]
    assert "SG_9f8e7d6c5b4a39281706" not in found["detail"]
    assert "internal.example.com" not in found["detail"]


def test_a_long_detail_is_cut(site: Site) -> None:
    """Not more than 500 characters of anybody's prose."""
    found = site.post(order("x [mock:400,message=" + "bad ratio " * 90 + "]")).json()
    assert len(found["detail"]) <= 500


def test_what_came_with_a_bad_200_is_kept(site: Site) -> None:
    """jobs/ID/rejected holds what Segmind sent and billed, to dispute it."""
    site.post(order("x [mock:ok-html]"))
    image_id, _ = site.results.only_job()
    assert site.results.read(image_id, "rejected").startswith(b"<!doctype html>")
