"""Idempotency-Key over HTTP: the same image, paid once, however often it is asked for."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.harness.orders import order, reference
from tests.harness.site import Site

LONGEST = "k" * 255
VISIBLE = "".join(map(chr, range(0x21, 0x7F)))


def constant(resource: dict[str, Any]) -> dict[str, Any]:
    """Return a resource without what is signed anew each time."""
    image = resource.get("image", {})
    return {**resource, "image": {k: v for k, v in image.items() if not k.startswith("url")}}


@pytest.mark.parametrize("key", ["order-1", LONGEST, VISIBLE, "/../x", "%00", '"quoted"'])
def test_a_repeated_request_is_the_same_image(site: Site, key: str) -> None:
    """Same key, same request: the same resource, marked as a replay, billed once."""
    first, second = (site.post(order(), key) for _ in range(2))
    assert [first.status_code, second.status_code] == [200, 200]
    assert constant(first.json()) == constant(second.json())
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Location"] == first.headers["Location"]
    assert site.bought == site.billed == 1


def test_a_replay_needs_no_vendor_and_comes_as_an_image_too(site: Site) -> None:
    """An instance that cannot reach Segmind answers it all the same, as JSON or as the image's bytes."""
    made = site.post(order(), "k").json()
    lonely = site(SEGMIND_BASE_URL="http://127.0.0.1:9")
    assert constant(lonely.post(order(), "k").json()) == constant(made)
    replayed = lonely.post(order(), "k", Accept="image/*")
    assert (len(replayed.content), replayed.headers["Idempotent-Replayed"]) == (made["image"]["bytes"], "true")
    assert site.billed == 1


def test_the_request_counts_and_not_its_spelling(site: Site) -> None:
    """Other order of members, other white space and a default spelled out are the same request."""
    site.post(order("a boat", ratio="1280:720"), "k")
    body = b'{"referenceImages" : [ ],\n "promptText": "\\u0061 boat"}'
    headers = {"Content-Type": "application/json; charset=UTF-8", "Idempotency-Key": "k"}
    replayed = site.call("POST", "/", data=body, headers=headers)
    assert (replayed.status_code, replayed.headers["Idempotent-Replayed"]) == (200, "true")
    assert site.billed == 1


@pytest.mark.parametrize(
    "other",
    [
        order("another prompt"),
        order(ratio="960:960"),
        order(referenceImages=[reference("model")]),
        order(referenceImages=[reference("model", "https://a.example.com/2.png")]),
        order("a red bicycle against a white wall "),
    ],
)
def test_a_key_of_another_request_is_refused(site: Site, other: dict[str, Any]) -> None:
    """Same key, other request: 422, nothing bought, the first request still replays; URIs count, though not kept."""
    first = order(referenceImages=[reference("model", "https://a.example.com/1.png")] if "/2.png" in str(other) else [])
    site.post(first, "k")
    reused = site.post(other, "k")
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency-key-reused")
    assert site.post(first, "k").status_code == 200
    assert site.bought == 1


def test_a_key_of_a_request_that_is_still_running_is_refused_too(site: Site) -> None:
    """422 comes at once, and does not wait for the end of what the key belongs to."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(site.post, order("a boat [mock:slow=0.5]"), "k")
        assert site.ledger.wait(lambda ledger: bool(ledger.entries()))
        reused = site.post(order(), "k")
        assert (reused.status_code, running.done()) == (422, False)
        assert running.result().status_code == 200


def test_a_duplicate_of_a_failure_gets_the_failure(site: Site) -> None:
    """A request that Segmind refuses is refused again without another call, as a replay."""
    first, second = (site.post(order("x [mock:moderation]"), "k") for _ in range(2))
    same = ("type", "title", "status", "detail", "code", "billed")
    assert [first.status_code, second.status_code] == [400, 400]
    assert [first.json()[name] for name in same] == [second.json()[name] for name in same]
    assert second.headers["Idempotent-Replayed"] == "true"
    assert site.bought == 1


@pytest.mark.parametrize("key", [b"", b"k" * 256, "schlüssel".encode(), b"a b", b"a\tb", b"\xff"])
def test_a_key_that_is_none_is_refused(site: Site, key: bytes) -> None:
    """Empty, too long, with spaces, controls or non-ASCII: 400, nothing claimed, nothing bought."""
    refused = site.call("POST", "/v1/images", order(), headers={"Idempotency-Key": key})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid-request")
    assert "Idempotency-Key" in refused.json()["errors"][0]["detail"]
    assert (site.ledger.posts(), site.results.jobs()) == ([], {})


def test_keys_do_not_share_their_claim_with_similar_ones(site: Site) -> None:
    """Keys that differ in case or in a character at the end are different keys."""
    ids = {site.post(order(), key).json()["id"] for key in ("key", "Key", "key1", LONGEST, LONGEST[:-1] + "l")}
    assert len(ids) == site.billed == 5
