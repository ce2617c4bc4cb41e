"""v2 over HTTP: submit, write Segmind's id down, poll, fetch, store."""

import pytest
import requests

from tests.harness.orders import order, reference
from tests.harness.site import Site


@pytest.fixture
def site(hasty: Site) -> Site:
    """A deployment that submits and polls."""
    return hasty(SEGMIND_API="v2")


def test_an_image_is_bought_with_one_submit(site: Site) -> None:
    """200 with the stored image and the record's metrics; submitted.json holds nothing of the request; no v1 call."""
    made = site.post(order("a boat @model [mock:v2-polls=2]", referenceImages=[reference("model")], ratio="960:960"))
    image_id, names = site.results.only_job()
    (bought,) = site.ledger.generations()
    found, submitted = made.json(), site.results.json(image_id, "submitted.json")
    assert (made.status_code, found["status"], found["id"]) == (200, "succeeded", image_id)
    assert names == ["claim.json", "image.jpg", "result.json", "sent.json", "submitted.json"]
    assert (bought.kind, float(bought.billed)) == ("v2-submit", 0.1)
    assert submitted.keys() == {"segmind_id", "submitted_at", "token"}
    assert submitted["segmind_id"] == found["segmind"]["requestId"] == bought.request_id
    assert (found["segmind"]["costUsd"], found["segmind"]["remainingCredits"]) == (0.1, 9999.9)
    assert found["segmind"]["generationSeconds"] >= 0
    assert requests.get(found["image"]["url"], timeout=10).content == site.results.read(image_id, "image.jpg")
    kinds = [entry.kind for entry in site.ledger.entries()]  # the result is not fetched before it is complete
    assert kinds == ["v2-submit", "v2-status", "v2-status", "v2-status", "v2-result", "hosted"]


def test_the_id_is_written_before_the_first_look(site: Site) -> None:
    """While Segmind still works, submitted.json is there and neither image nor result is."""
    made = site(SEGMIND_TIMEOUT_SECONDS="1", MAX_IMAGES_PER_DAY="").post(order("a boat [mock:v2-stuck]"))
    assert made.status_code == 202
    assert site.results.only_job()[1] == ["claim.json", "sent.json", "submitted.json"]
    written = [call.name for call in site.storage.calls if call.method == "POST"]
    assert [name.rpartition("/")[2] for name in sorted(written[:2])] == ["claim.json", made.json()["id"]]
    assert [name.rpartition("/")[2] for name in written[2:]] == ["sent.json", "submitted.json"]


NO_METRICS = {"costUsd": None, "remainingCredits": None, "generationSeconds": None}
SHAPES = ["v2-no-output", "v2-no-images", "v2-submit-200", "v2-no-urls", "v2-no-metrics", "v2-foreign-urls"]


@pytest.mark.parametrize("magic", SHAPES)
def test_every_shape_of_a_good_job_is_an_image(site: Site, magic: str) -> None:
    """Fields missing or of another host: one image, one bill, polled where it is configured, no key to others."""
    made = site.post(order(f"a boat [mock:{magic}]"))
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")
    (bought,) = site.ledger.billed()
    receipt = made.json()["segmind"]
    assert receipt["requestId"] == bought.request_id
    assert (receipt == {"requestId": bought.request_id, **NO_METRICS}) == (magic == "v2-no-metrics")
    assert {entry.path.partition("requests")[0] for entry in site.ledger.entries("v2-status")} == {"/v2/"}
    assert site.ledger.leaks() == []


FAULTS = ["503", "502", "429", "500", "504", "401", "reset", "garbage", "400,body=html", "422,body=text", "moderation"]
LOOKS = [(f"{trouble},on={look}", 1) for trouble in FAULTS for look in ("v2-status", "v2-result")]


@pytest.mark.parametrize(("fault", "times"), [*LOOKS, ("v2-expired,on=v2-status", 2)])
def test_a_trouble_while_polling_is_survived(site: Site, fault: str, times: int) -> None:
    """A look costs nothing: where one goes wrong, a later one finds the image, and one submit is billed."""
    site.segmind.faults.add(fault, times=times)
    made = site.post(order())
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")
    assert site.bought == site.billed == 1


def test_an_expired_record_is_unknown(site: Site) -> None:
    """A record that Segmind does not know any more is 504 outcome-unknown: kept with its slot, never bought again."""
    site = site(SEGMIND_TIMEOUT_SECONDS="1")
    fresh = site.post(order("a boat [mock:v2-expired]"), key="k")
    assert fresh.status_code == 202  # it may still appear
    site.control.pass_time()
    answers = [site.post(order("a boat [mock:v2-expired]"), key="k") for _ in range(2)]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(504, "outcome-unknown")] * 2
    image_id, names = site.results.only_job()
    assert names == ["claim.json", "lost.json", "sent.json", "submitted.json"]
    assert site.show(image_id)["status"] == "unknown"
    assert (site.slots, site.bought) == (1, 1)


def test_a_submission_that_could_not_be_written_still_gives_its_image(site: Site) -> None:
    """Storage refuses submitted.json: the generation goes on, and its image is stored."""
    site.storage.faults.answer(403, method="POST", name="jobs/*/submitted.json")
    made = site.post(order())
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")
    assert site.results.only_job()[1] == ["claim.json", "image.jpg", "result.json", "sent.json"]
    assert site.billed == 1
