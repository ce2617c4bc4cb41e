"""Every failure of the vendor as a caller of the deployed function meets it: the contract's table, end to end."""

from types import SimpleNamespace

import pytest

from tests.cases import Case, load
from tests.harness.orders import order
from tests.harness.site import Site

ROWS = load("vendor_over_http")


ORDINARY: Case = {
    "api": "v1",
    "detail": "",
    "rejected": "",
    "billed": 0,
    "calls": 1,
    "left": [],
    "slots": 0,
    "seconds": 6,
    "retry_after": None,
}


@pytest.fixture
def site(hasty: Site) -> Site:
    """A deployment whose pauses take no time."""
    return hasty(SEGMIND_TIMEOUT_SECONDS="6", MAX_IMAGES_PER_DAY="9")


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.get('api', 'v1')} {row['magic']}" for row in ROWS])
def test_the_contracts_table(site: Site, row: Case) -> None:
    """Status, code, Retry-After, calls, bill, what is left in the bucket, slots, and what the same key gets next."""
    assert row.keys() <= ORDINARY.keys() | {"magic", "status", "code", "again"}
    case = SimpleNamespace(**ORDINARY | row)
    site = site(SEGMIND_API=case.api, SEGMIND_TIMEOUT_SECONDS=str(case.seconds))
    body = order(f"a boat [mock:{case.magic}]")
    answered = site.post(body, "k")
    found = answered.json()
    assert (answered.status_code, found["code"], found["status"]) == (case.status, case.code, case.status)
    assert answered.headers["Content-Type"] == "application/problem+json"
    assert len(found["detail"]) <= 500
    assert case.detail in {"", found["detail"]}
    assert site.segmind.key not in answered.text
    retry_after = answered.headers.get("Retry-After")
    least, most = case.retry_after or (None, None)
    assert retry_after is None if least is None or most is None else least <= int(str(retry_after)) <= most
    assert (site.bought, site.billed, site.slots) == (case.calls, case.billed, case.slots)
    image_id = answered.headers.get("Location", "").rpartition("/")[2]
    assert site.results.jobs() == ({image_id: case.left} if case.left else {})
    assert not case.rejected or case.rejected.encode() in site.results.read(image_id, "rejected")

    again = site.post(body, "k")
    replayed = case.again == "replay"
    assert (again.status_code, again.json()["code"]) == (case.status, case.code)
    assert case.detail in {"", again.json()["detail"]}
    assert (again.headers.get("Idempotent-Replayed") == "true") is replayed
    assert site.bought == case.calls * (1 if replayed else 2)
    assert site.ledger.settle()
    assert site.ledger.leaks() == []


FREED = [("v1", magic) for magic in ("401", "502", "500", "429", "credits")] + [
    ("v2", "v2-failed,message=The workers are gone,status=200"),
    ("v2", "v2-failed,message=The workers are gone,status=422"),
    *(("v2", f"{magic},on=v2-submit") for magic in ("401", "403", "404", "credits", "500")),
]


@pytest.mark.parametrize(("api", "magic"), FREED)
def test_a_freed_key_buys_the_image_at_the_next_try(site: Site, api: str, magic: str) -> None:
    """A failure that cost nothing does not spoil its key: the next POST with it gets the image, one bill in all."""
    site = site(SEGMIND_API=api, MAX_IMAGES_PER_DAY="1")
    site.segmind.faults.add(magic, times=3 if magic == "502" else 1)
    statuses = [site.post(order(), "k").status_code for _ in range(2)]
    assert statuses[0] >= 429
    assert statuses[1] == 200
    assert (site.billed, site.slots) == (1, 1)


@pytest.mark.parametrize(
    ("api", "magic", "calls"),
    [("v1", "502", 3), ("v1", "503", 2), ("v1", "429,reset_in=1", 2), ("v2", "502,on=v2-submit", 3)],
)
def test_what_cost_nothing_is_repeated_behind_the_callers_back(site: Site, api: str, magic: str, calls: int) -> None:
    """A gateway that is back, a rate limit that ends: the caller sees 200, and pays once."""
    site.segmind.faults.add(magic, times=calls - 1)
    made = site(SEGMIND_API=api).post(order())
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")
    assert (site.bought, site.billed) == (calls, 1)
    assert [entry.status for entry in site.ledger.generations()][-1] == (202 if api == "v2" else 200)
