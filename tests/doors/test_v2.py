"""v2 over HTTP: submit, write Segmind's id down, poll, fetch, store."""

import json

import pytest
import requests

from tests.harness.orders import order, reference
from tests.harness.site import Site


@pytest.fixture
def site(hasty: Site) -> Site:
    """A deployment that submits and polls."""
    return hasty(SEGMIND_API="v2")


def test_an_image_is_bought_with_one_submit(site: Site) -> None:
    """A POST answers 200 with the stored image; one submit is billed, and v1 is never called."""
    made = site.post(order("a boat @model", referenceImages=[reference("model")], ratio="960:960"))
    image_id, names = site.results.only_job()
    (bought,) = site.ledger.generations()
    assert (made.status_code, made.json()["status"], made.json()["id"]) == (200, "succeeded", image_id)
    assert names == ["claim.json", "image.jpg", "result.json", "sent.json", "submitted.json"]
    assert (bought.kind, float(bought.billed)) == ("v2-submit", 0.1)
    assert site.results.json(image_id, "submitted.json")["segmind_id"] == bought.request_id
    assert requests.get(made.json()["image"]["url"], timeout=10).content == site.results.read(image_id, "image.jpg")


def test_the_metrics_become_the_receipt(site: Site) -> None:
    """Cost, credits and seconds come from the record's metrics, the request id from the record."""
    receipt = site.post(order()).json()["segmind"]
    (bought,) = site.ledger.billed()
    assert receipt["requestId"] == bought.request_id
    assert (receipt["costUsd"], receipt["remainingCredits"]) == (0.1, 9999.9)
    assert receipt["generationSeconds"] >= 0


def test_the_id_is_written_before_the_first_look(site: Site) -> None:
    """While Segmind still works, submitted.json is there and neither image nor result is."""
    made = site(SEGMIND_TIMEOUT_SECONDS="1", MAX_IMAGES_PER_DAY="").post(order("a boat [mock:v2-stuck]"))
    assert made.status_code == 202
    assert site.results.only_job()[1] == ["claim.json", "sent.json", "submitted.json"]
    written = [call.name for call in site.storage.calls if call.method == "POST"]
    assert [name.rpartition("/")[2] for name in sorted(written[:2])] == ["claim.json", made.json()["id"]]
    assert [name.rpartition("/")[2] for name in written[2:]] == ["sent.json", "submitted.json"]


@pytest.mark.parametrize("magic", ["v2-no-output", "v2-no-images", "v2-submit-200", "v2-no-urls", "v2-polls=2"])
def test_every_shape_of_a_good_job_is_an_image(site: Site, magic: str) -> None:
    """Output or images only, a submit with 200 or without URLs, a job that takes some looks: one image, one bill."""
    made = site.post(order(f"a boat [mock:{magic}]"))
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")
    assert site.billed == 1


def test_missing_metrics_are_nulls(site: Site) -> None:
    """A record without metrics is an image all the same: what Segmind did not say is null."""
    receipt = site.post(order("a boat [mock:v2-no-metrics]")).json()["segmind"]
    assert receipt == {
        "requestId": site.ledger.billed()[0].request_id,
        "costUsd": None,
        "remainingCredits": None,
        "generationSeconds": None,
    }


def test_urls_of_another_host_never_get_the_key(site: Site) -> None:
    """A submit that names another host for its polls is polled at the configured one; hosted images get no key."""
    made = site.post(order("a boat [mock:v2-foreign-urls]"))
    assert made.json()["status"] == "succeeded"
    asked = {entry.path.partition("requests")[0] for entry in site.ledger.entries("v2-status")}
    assert asked == {"/v2/"}
    assert site.ledger.leaks() == []


@pytest.mark.parametrize(
    "fault",
    ["503", "502", "429", "500", "reset", "garbage", "504", "401", "400,body=html", "422,body=text", "moderation"],
)
@pytest.mark.parametrize("look", ["v2-status", "v2-result"])
def test_a_trouble_while_polling_is_survived(site: Site, fault: str, look: str) -> None:
    """A look costs nothing: whatever goes wrong with one, the next one finds the image, and one submit is billed."""
    site.segmind.faults.add(f"{fault},on={look}")
    made = site.post(order())
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")
    assert site.bought == site.billed == 1


def test_a_record_that_appears_late_is_found(site: Site) -> None:
    """Two looks at a record that is not there yet do not end the generation."""
    site.segmind.faults.add("v2-expired,on=v2-status", times=2)
    assert site.post(order()).json()["status"] == "succeeded"


def test_a_result_is_never_fetched_before_it_is_complete(site: Site) -> None:
    """Only a status of COMPLETED makes the function ask for the result."""
    site.post(order("a boat [mock:v2-polls=2]"))
    kinds = [entry.kind for entry in site.ledger.entries()]
    assert kinds == ["v2-submit", "v2-status", "v2-status", "v2-status", "v2-result", "hosted"]


def test_the_claim_is_kept_free_of_what_only_segmind_may_see(site: Site) -> None:
    """submitted.json holds Segmind's id, a time and the claim's token, and nothing of the request."""
    site.post(order())
    image_id, _ = site.results.only_job()
    assert set(json.loads(site.results.read(image_id, "submitted.json"))) == {"segmind_id", "submitted_at", "token"}


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
