"""on_upload and what may pass: asked for again while the event is young, written down as failed when it is old."""

import pytest

from tests.cases import Case, load
from tests.harness.orders import order
from tests.harness.site import Site

OLD = 3_601.0
PASSING = [row for row in load("vendor_over_http") if row["again"] == "call"]  # what cost nothing, v1 and v2


@pytest.fixture
def site(hasty: Site) -> Site:
    """A deployment whose pauses take no time."""
    return hasty(SEGMIND_TIMEOUT_SECONDS="6")


@pytest.mark.parametrize("row", PASSING, ids=[f"{row.get('api', 'v1')} {row['magic']}" for row in PASSING])
def test_what_may_pass_is_asked_for_again_until_it_is_too_old(site: Site, row: Case) -> None:
    """A failure that cost nothing is 503, leaves nothing, and the next delivery buys; of an old event it is kept."""
    site, calls = site(SEGMIND_API=row.get("api", "v1")), row.get("calls", 1)
    site.segmind.faults.add(row["magic"], times=2 * calls)
    young, old = (site.uploads.put(f"jobs/{name}.json", order()) for name in ("young", "old"))
    assert site.deliver(young) == 503
    assert (site.results.jobs(), site.results.slots()) == ({}, [])
    assert [line["reason"] for line in site.new_logs(site.events, "event_redelivered")] == [row["code"]]
    assert [site.deliver(old.aged(OLD)) for _ in range(2)] == [200, 200]
    shown = site.only()
    assert (shown["status"], shown["error"]["code"], shown["error"]["billed"]) == ("failed", row["code"], "no")
    assert (site.slots, site.bought) == (0, 2 * calls)
    assert site.deliver(young) == 200
    assert (len(site.results.images()), site.slots, site.billed) == (1, 1, 1)


def test_an_old_event_that_works_is_an_image(site: Site) -> None:
    """Age alone ends nothing: an event that was away for a day still gives its image."""
    assert site.deliver(site.uploads.put("jobs/one.json", order()).aged(86_400)) == 200
    assert len(site.results.images()) == 1


def test_the_age_is_a_setting(site: Site) -> None:
    """EVENT_MAX_AGE_SECONDS moves the line: at 60 seconds an event of 61 ends, one of 50 comes again."""
    site = site(EVENT_MAX_AGE_SECONDS="60")
    site.segmind.faults.add("500", times=2)
    young, old = (site.uploads.put(f"jobs/{age}.json", order()).aged(age) for age in (50, 61))
    assert [site.deliver(event) for event in (young, old)] == [503, 200]
    assert site.only()["status"] == "failed"


def test_a_reached_cap_is_waited_out(site: Site) -> None:
    """Beyond the day's cap an event is asked for again; an old one ends as daily-limit-reached, nothing is spent."""
    site = site(MAX_IMAGES_PER_DAY="1")
    assert site.deliver(site.uploads.put("jobs/first.json", order())) == 200
    event = site.uploads.put("jobs/second.json", order())
    assert site.deliver(event) == 503
    assert len(site.results.jobs()) == 1
    assert site.deliver(event.aged(OLD)) == 200
    codes = [site.results.json(i, "result.json")["error"] for i in site.results.jobs()]
    assert [error["code"] for error in codes if error] == ["daily-limit-reached"]
    assert (site.slots, site.bought) == (1, 1)


@pytest.mark.parametrize(
    ("method", "name", "body"),
    [
        ("POST", "jobs/*/claim.json", order()),
        ("POST", "spend/*", order()),
        ("GET", "jobs/one.json", order()),
        ("POST", "jobs/*/claim.json", b"{"),
    ],
)
def test_storage_that_fails_before_the_call_is_waited_out(site: Site, method: str, name: str, body: object) -> None:
    """A job that cannot be read, a claim, slot or end that cannot be written: 503, and the next delivery is its end."""
    site.storage.faults.answer(403, method=method, name=name)
    event = site.uploads.put("jobs/one.json", body)
    assert site.deliver(event) == 503
    assert (site.results.jobs(), site.bought, site.slots) == ({}, 0, 0)
    assert site.deliver(event) == 200
    if body == b"{":
        assert (site.only()["error"]["code"], site.bought) == ("invalid-request", 0)
    else:
        assert (len(site.results.images()), site.slots) == (1, 1)


def test_a_job_that_can_never_be_read_claims_nothing(site: Site) -> None:
    """When its event is too old, it is acknowledged: an id is not spent on a request that was never seen."""
    site.storage.faults.answer(403, method="GET", name="jobs/one.json")
    assert site.deliver(site.uploads.put("jobs/one.json", order()).aged(OLD)) == 200
    assert (site.storage.objects("results"), site.bought) == ([], 0)


def test_a_paid_image_that_cannot_be_stored_ends_as_that(site: Site) -> None:
    """v1, and storage refuses the image: written down as image-not-stored, never bought again by a redelivery."""
    site.storage.faults.answer(403, method="POST", name="jobs/*/image.jpg")
    event = site.uploads.put("jobs/one.json", order())
    assert site.deliver(event) in {200, 503}
    assert site.deliver(event) == 200
    shown = site.only()
    assert (shown["status"], shown["error"]["code"]) == ("failed", "image-not-stored")
    assert (site.slots, site.bought) == (1, 1)
