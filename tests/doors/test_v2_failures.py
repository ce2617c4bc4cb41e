"""v2's bad ends, each with the status, the code and the state that the contract names."""

import pytest

from tests.harness.orders import order
from tests.harness.site import Site


@pytest.fixture
def site(hasty: Site) -> Site:
    """A deployment that submits and polls."""
    return hasty(SEGMIND_API="v2")


@pytest.mark.parametrize("status", ["200", "422"])
def test_a_refused_generation_is_kept(site: Site, status: str) -> None:
    """FAILED by moderation is 400 rejected-by-segmind: written down, replayed without a submit, its slot free."""
    prompt = f"a boat [mock:v2-failed,message=SAFETY.INPUT.TEXT refused,status={status}]"
    answers = [site.post(order(prompt), key="k") for _ in range(2)]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(400, "rejected-by-segmind")] * 2
    assert [a.json()["detail"] for a in answers] == ["SAFETY.INPUT.TEXT refused"] * 2
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert site.results.only_job()[1] == ["claim.json", "result.json", "submitted.json"]
    assert site.results.slots() == []
    assert site.bought == 1


@pytest.mark.parametrize("status", ["200", "422"])
def test_a_failed_generation_frees_the_key(site: Site, status: str) -> None:
    """FAILED by Segmind's own fault is 502 segmind-failed: claim, submitted.json and slot go, the key buys again."""
    body = order(f"a boat [mock:v2-failed,times=1,message=The workers are gone,status={status}]")
    failed = site.post(body, key="k")
    left = (site.results.jobs(), site.results.slots())
    again = site.post(body, key="k")
    assert (failed.status_code, failed.json()["code"]) == (502, "segmind-failed")
    assert left == ({}, [])
    assert (again.status_code, again.json()["status"]) == (200, "succeeded")
    assert (site.billed, site.slots) == (1, 1)


def test_an_expired_record_is_unknown(site: Site) -> None:
    """A record that Segmind does not know any more is 504 outcome-unknown: kept with its slot, never bought again."""
    site = site(SEGMIND_TIMEOUT_SECONDS="1")
    fresh = site.post(order("a boat [mock:v2-expired]"), key="k")
    assert fresh.status_code == 202  # it may still appear
    site.control.pass_time()
    answers = [site.post(order("a boat [mock:v2-expired]"), key="k") for _ in range(2)]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(504, "outcome-unknown")] * 2
    image_id, names = site.results.only_job()
    assert names == ["claim.json", "lost.json", "submitted.json"]
    assert site.show(image_id)["status"] == "unknown"
    assert (site.slots, site.bought) == (1, 1)


@pytest.mark.parametrize(
    "magic", ["hosted-missing", "hosted-html", "hosted-truncated", "hosted-private", "v2-nothing", "hosted-elsewhere"]
)
def test_a_result_without_an_image_is_a_bad_image(site: Site, magic: str) -> None:
    """COMPLETED, but nothing whole behind it: 502 segmind-bad-image, billed, kept with what came, not bought again."""
    body = order(f"a boat [mock:{magic},on=v2-result]")
    answers = [site.post(body, key="k") for _ in range(2)]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(502, "segmind-bad-image")] * 2
    image_id, names = site.results.only_job()
    assert names == ["claim.json", "rejected", "result.json", "submitted.json"]
    assert b"output" in site.results.read(image_id, "rejected") or magic in {"hosted-html", "hosted-truncated"}
    assert (site.slots, site.billed) == (1, 1)
    assert site.ledger.leaks() == []


@pytest.mark.parametrize("fault", ["reset", "garbage", "truncated", "reset-body", "v2-no-id", "status,code=520"])
def test_an_ambiguous_submit_is_never_repeated(site: Site, fault: str) -> None:
    """Sent, and no id came back: 504 outcome-unknown, kept with its slot; neither we nor the same key submit again."""
    site.segmind.faults.add(f"{fault},on=v2-submit" if fault != "v2-no-id" else fault)
    answers = [site.post(order(), key="k") for _ in range(2)]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(504, "outcome-unknown")] * 2
    assert site.results.only_job()[1] == ["claim.json", "lost.json"]
    assert (site.slots, site.bought) == (1, 1)


def test_a_submit_that_hangs_is_unknown_at_the_deadline(site: Site) -> None:
    """Silence after the submit until SEGMIND_TIMEOUT_SECONDS is 504 outcome-unknown, with one submit."""
    site.segmind.faults.add("hang,on=v2-submit")
    made = site(SEGMIND_TIMEOUT_SECONDS="1").post(order(), key="k")
    assert (made.status_code, made.json()["code"]) == (504, "outcome-unknown")
    assert site.results.only_job()[1] == ["claim.json", "lost.json"]
    assert site.bought == 1


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("401", 502, "segmind-unauthorized"),
        ("403", 502, "segmind-forbidden"),
        ("404", 502, "segmind-model-not-found"),
        ("credits", 503, "insufficient-credits"),
        ("500", 502, "segmind-failed"),
    ],
)
def test_a_submit_that_was_refused_frees_the_key(site: Site, fault: str, status: int, code: str) -> None:
    """A submit that certainly cost nothing leaves neither claim nor slot, and the same key can be tried again."""
    site.segmind.faults.add(f"{fault},on=v2-submit")
    failed = site.post(order(), key="k")
    left = (site.results.jobs(), site.results.slots())
    assert (failed.status_code, failed.json()["code"], left) == (status, code, ({}, []))
    assert site.post(order(), key="k").status_code == 200


def test_a_request_that_the_submit_refuses_is_kept(site: Site) -> None:
    """400 at the submit is the request's own fault: 400 rejected-by-segmind, replayed without another submit."""
    site.segmind.faults.add("400,on=v2-submit")
    answers = [site.post(order(), key="k") for _ in range(2)]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(400, "rejected-by-segmind")] * 2
    assert site.bought == 1


def test_a_submit_that_the_gateway_lost_is_repeated(site: Site) -> None:
    """502 before a submit is taken is not billed: it is repeated up to twice, and one image is bought."""
    site.segmind.faults.add("502,on=v2-submit", times=2)
    assert site.post(order()).json()["status"] == "succeeded"
    assert [entry.status for entry in site.ledger.generations()] == [502, 502, 202]
    assert site.billed == 1


def test_a_submission_that_could_not_be_written_still_gives_its_image(site: Site) -> None:
    """Storage refuses submitted.json: the generation goes on, and its image is stored."""
    site.storage.faults.answer(403, method="POST", name="jobs/*/submitted.json")
    made = site.post(order())
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")
    assert site.results.only_job()[1] == ["claim.json", "image.jpg", "result.json"]
    assert site.billed == 1
