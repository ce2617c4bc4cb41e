"""What GET answers: the resource, the wait for its end, and the link that does not expire."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import requests

from tests.harness.orders import order
from tests.harness.site import Site


@contextmanager
def generating(site: Site, prompt: str) -> Iterator[str]:
    """Lend the id of an image that is being generated; wait for its end afterwards."""
    thread = threading.Thread(target=site.post, args=(order(prompt),))
    thread.start()
    try:
        while not site.storage.objects("results", "jobs/"):
            time.sleep(0.01)
        yield site.results.only_job()[0]
    finally:
        thread.join()


def test_what_was_made_can_be_read_in_every_form_for_nothing(site: Site) -> None:
    """GET is POST's resource, Accept: image/* its bytes, HEAD their type, /content a link; in any instance, unpaid."""
    made = site.post(order())
    path, image = made.headers["Location"], made.json()["image"]
    for reader in (site, site(LOG_LEVEL="WARNING")):
        again = reader.get(path)
        signed = again.json()["image"]
        assert (again.status_code, again.headers["Cache-Control"]) == (200, "no-store")
        assert {**again.json(), "image": {**signed, "url": "", "urlExpiresAt": ""}} == {
            **made.json(),
            "image": {**image, "url": "", "urlExpiresAt": ""},
        }
        assert requests.get(signed["url"], timeout=10).status_code == 200

        got = reader.get(path, Accept="image/*")
        assert (got.headers["Content-Type"], len(got.content)) == ("image/jpeg", image["bytes"])
        assert got.headers["Content-Location"] == path
        headed = reader.call("HEAD", path, headers={"Accept": "image/*"})
        assert (headed.status_code, headed.content) == (200, b"")
        assert headed.headers["Content-Length"] == str(image["bytes"])

        redirect = reader.get(f"{path}/content")
        assert (redirect.status_code, redirect.content, redirect.headers["Cache-Control"]) == (302, b"", "no-store")
        downloaded = requests.get(redirect.headers["Location"], timeout=10)
        assert (downloaded.headers["Content-Type"], downloaded.content) == ("image/jpeg", got.content)
    assert len(site.ledger.entries()) == 1
    assert site.results.only_job()[1] == ["claim.json", "image.jpg", "result.json", "sent.json"]


def test_an_image_that_is_being_generated_is_running(site: Site) -> None:
    """GET answers at once or after its wait, with Retry-After and no end; a longer wait ends with the image."""
    with generating(site, "a boat [mock:slow=1]") as image_id:
        answers = [site.get(f"/v1/images/{image_id}{wait}") for wait in ("", "?wait=0.2")]
        content = site.get(f"/v1/images/{image_id}/content")
        assert site.billed == 0
        waited = site.get(f"/v1/images/{image_id}?wait=60", timeout=20)
    for found in answers:
        assert (found.status_code, found.json()["status"]) == (200, "running")
        assert found.json().keys() == {"id", "status", "createdAt", "request"}
        assert int(found.headers["Retry-After"]) >= 1
    assert (content.status_code, content.json()["status"]) == (202, "running")
    assert "Location" not in content.headers
    assert waited.json()["status"] == "succeeded"


@pytest.mark.parametrize("wait", ["0", "60", "1.5", "00", "1e1"])
def test_a_good_wait_is_taken(site: Site, wait: str) -> None:
    """0 to 60 seconds, of an image that is there, answers at once."""
    path = site.post(order()).headers["Location"]
    assert site.get(f"{path}?wait={wait}", timeout=10).json()["status"] == "succeeded"


@pytest.mark.parametrize("wait", ["-1", "61", "60.001", "1e2", "nan", "inf", "", "x", "1,5", "٣", "0x10", "9" * 400])
@pytest.mark.parametrize("suffix", ["", "/content"])
def test_a_bad_wait_is_refused(site: Site, wait: str, suffix: str) -> None:
    """Everything else is a 400 that says what wait may be."""
    answered = site.get(f"/v1/images/{'a' * 26}{suffix}?wait={wait}")
    assert (answered.status_code, answered.json()["code"]) == (400, "invalid-request")
    assert "wait" in answered.json()["errors"][0]["detail"]


def test_the_signed_url_opens_this_image_only(site: Site) -> None:
    """A URL with another image's name, a broken signature, none, or another method is refused by storage."""
    url, other = (site.post(order(prompt)).json()["image"]["url"] for prompt in ("a boat", "a train"))
    swapped = other.partition("?")[0] + "?" + url.partition("?")[2]
    wrong = [swapped, url[:-4] + "0000", url.partition("?")[0]]
    assert [requests.get(bad, timeout=10).status_code for bad in wrong] == [403, 403, 403]
    assert requests.put(url, b"x", timeout=10).status_code == 403


def test_a_url_lives_as_long_as_was_set(site: Site) -> None:
    """SIGNED_URL_TTL_SECONDS is the URL's life: in the answer, and in the signature."""
    image = site(SIGNED_URL_TTL_SECONDS="120").post(order()).json()["image"]
    left = datetime.fromisoformat(image["urlExpiresAt"]) - datetime.now(UTC)
    assert timedelta(seconds=100) < left <= timedelta(seconds=120)
    assert "X-Goog-Expires=120" in image["url"]


def test_a_failed_image_can_be_asked_for(site: Site) -> None:
    """GET of an image that failed is 200 with the problem inside; its content is that problem."""
    failed = site.post(order("x [mock:400]"), key="k")
    found = site.get(failed.headers["Location"])
    content = site.get(f"{failed.headers['Location']}/content")
    assert (found.status_code, found.json()["status"]) == (200, "failed")
    assert found.json()["error"]["code"] == "rejected-by-segmind"
    assert "image" not in found.json()
    assert (content.status_code, content.json()["code"]) == (400, "rejected-by-segmind")


def test_an_answer_that_breaks_off_is_not_taken_for_whole(site: Site) -> None:
    """Storage loses the image while it is streamed: the caller sees a broken connection, the log one line, no trace."""
    made = site.post(order())
    site.storage.faults.cut(method="GET", name="jobs/*/image.jpg")
    with pytest.raises(requests.RequestException):
        site.get(made.headers["Location"], Accept="image/*")
    assert site.get("/health").status_code == 200
