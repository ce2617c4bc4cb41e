"""Segmind's own Python SDK: it agrees with our client, and code written with it works here by another base URL."""

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
from PIL import Image
from segmind import SegmindClient, SegmindError

from tests.cases import rows
from tests.harness.orders import order, reference
from tests.harness.site import Site

SLUG = "runway-gen4-image"
PATH = f"/v1/{SLUG}"
KEY = "our-own-key-for-anna"
Connect = Callable[[str, str], SegmindClient]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Give clients of the SDK for a key and a URL."""
    with ExitStack() as opened:

        def client(key: str, url: str) -> SegmindClient:
            made = SegmindClient(api_key=key, base_url=f"{url}/v1")
            opened.enter_context(closing(made._client))
            return made

        yield client


@pytest.fixture
def sdk(connect: Connect, site: Site) -> SegmindClient:
    """The SDK, pointed at the fake."""
    return connect(site.segmind.key, site.segmind.url)


@pytest.fixture
def ours(hasty: Site) -> Site:
    """A deployment with keys of its own."""
    return hasty(AUTH="keys", API_KEYS=f"anna:{hashlib.sha256(KEY.encode()).hexdigest()}")


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_the_function_asks_as_the_sdk_does(site: Site, sdk: SegmindClient, api: str) -> None:
    """The same order through the SDK and through the function: the same body at the same endpoints, one bill each."""
    body = order("a boat @model", ratio="960:960", referenceImages=[reference("model")])
    (sdk.run_sync if api == "v1" else sdk.run)(SLUG, **body)
    theirs = [(entry.kind, entry.method, entry.body) for entry in site.ledger.entries()]
    site(SEGMIND_API=api).post(body)
    both = [(entry.kind, entry.method, entry.body) for entry in site.ledger.entries()]
    assert both[len(theirs) : 2 * len(theirs)] == theirs
    assert [entry.kind for entry in site.ledger.billed()] == ["v1" if api == "v1" else "v2-submit"] * 2


@pytest.mark.parametrize("status", ["200", "422"])
def test_the_sdk_and_the_function_read_a_failure_alike(site: Site, sdk: SegmindClient, status: str) -> None:
    """A record that says FAILED is the end, with 200 as with 422: to the SDK, and to the function with its words."""
    body = order(f"a boat [mock:v2-failed,message=The workers are gone,status={status}]")
    job = sdk.submit_async(SLUG, **body)
    failed = site(SEGMIND_API="v2").post(body).json()
    assert (job.status()["status"], job.result()["error"]) == ("FAILED", "The workers are gone")
    assert (failed["code"], failed["detail"]) == ("segmind-failed", "The workers are gone")
    assert site.billed == 0


def test_the_sdk_gets_its_image_from_us(connect: Connect, ours: Site) -> None:
    """`run_sync` answers the bytes that are stored, with the vendor's own headers."""
    client = connect(KEY, ours.url)
    answered = client.run_sync(SLUG, **order("@model", referenceImages=[{"tag": "model"}], ratio="960:960"))
    assert answered.content == ours.results.read(ours.results.only_job()[0], "image.jpg")
    with Image.open(io.BytesIO(answered.content)) as image:
        assert (image.format, image.size) == ("JPEG", (960, 960))
    (bought,) = ours.ledger.billed()
    assert answered.headers["x-request-id"] == bought.request_id
    assert float(answered.headers["x-remaining-credits"]) == 9999.9
    assert float(answered.headers["x-generation-time"]) >= 0


@pytest.mark.parametrize(
    ("key", "fields", "status", "calls"),
    [
        (KEY, {"promptText": "a boat [mock:400]"}, 400, 1),
        (KEY, {"promptText": "a boat [mock:406]"}, 503, 1),
        (KEY, {"promptText": "a boat [mock:502]"}, 502, 3),
        (KEY, {"promptText": "a boat [mock:504]"}, 504, 1),
        (KEY, {"ratio": "4:3"}, 400, 0),
        ("SG_somebody_elses", {}, 401, 0),
    ],
)
def test_the_sdk_takes_our_problems(
    connect: Connect, ours: Site, key: str, fields: dict[str, str], status: int, calls: int
) -> None:
    """Its error has our status. Its text stays empty: it looks for `error`, and a problem has `detail`."""
    with pytest.raises(SegmindError) as caught:
        connect(key, ours.url).run_sync(SLUG, **order(**fields))
    assert (caught.value.status, ours.bought) == (status, calls)


@pytest.mark.parametrize(("accept", "kind"), rows("accept_vendor_route"))
def test_bytes_unless_json_is_preferred(site: Site, accept: str, kind: str) -> None:
    """Segmind answers bytes, so this does, until a caller likes JSON better: then it is the image resource."""
    answered = site.call("POST", PATH, order(), headers={"Accept": accept})
    assert (answered.status_code, answered.headers["Content-Type"]) == (200, kind)
    assert kind != "application/json" or answered.json()["status"] == "succeeded"


def test_a_key_makes_repeats_free_here_as_well(site: Site) -> None:
    """Idempotency-Key: the same bytes, marked as replayed, paid once; and it is the same image on the other route."""
    first, second, third = (
        site.call("POST", path, order(), headers={"Idempotency-Key": "once"}) for path in (PATH, PATH, "/v1/images")
    )
    assert first.content == second.content
    assert ["Idempotent-Replayed" in answer.headers for answer in (first, second, third)] == [False, True, True]
    assert first.headers["Location"] == f"/v1/images/{third.json()['id']}"
    assert site.billed == 1


def test_errors_are_problems(site: Site) -> None:
    """What is wrong with a request is told as on every other route."""
    answered = site.call("POST", PATH, {"prompt": "a boat"})
    assert (answered.status_code, answered.headers["Content-Type"]) == (400, "application/problem+json")
    assert {error["pointer"] for error in answered.json()["errors"]} == {"/promptText", "/referenceImages", "/prompt"}


def test_the_background_is_there_as_well(site: Site) -> None:
    """Prefer: respond-async is answered with 202 and the resource, since there are no bytes yet."""
    answered = site.call("POST", PATH, order(), headers={"Prefer": "respond-async"})
    assert (answered.status_code, answered.json()["status"]) == (202, "queued")
