"""The vendor's own Python SDK as a third party: it agrees with our v2 client, and it can call this service instead."""

import io
from collections.abc import Iterator

import pytest
from PIL import Image
from segmind import SegmindClient, SegmindError

from tests.harness.orders import order, reference
from tests.harness.site import Site

SLUG = "runway-gen4-image"


@pytest.fixture
def sdk(site: Site) -> Iterator[SegmindClient]:
    """The SDK, pointed at the fake."""
    client = SegmindClient(api_key=site.segmind.key, base_url=f"{site.segmind.url}/v1")
    yield client
    client._client.close()


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_the_function_asks_as_the_sdk_does(site: Site, sdk: SegmindClient, api: str) -> None:
    """The same order through the SDK and through the function: the same body at the same endpoints, one bill each."""
    body = order("a boat @model", ratio="960:960", referenceImages=[reference("model")])
    (sdk.run_sync if api == "v1" else sdk.run)(SLUG, **body)
    theirs = [(entry.kind, entry.method, entry.body) for entry in site.ledger.entries()]
    site(SEGMIND_API=api).post(body)
    ours = [(entry.kind, entry.method, entry.body) for entry in site.ledger.entries()][len(theirs) :]
    assert ours[: len(theirs)] == theirs
    assert [entry.kind for entry in site.ledger.billed()] == ["v1" if api == "v1" else "v2-submit"] * 2


def test_a_job_shows_every_state_on_its_way(sdk: SegmindClient) -> None:
    """`status` goes through QUEUED and PROCESSING to COMPLETED, and `result` has the image then."""
    job = sdk.submit_async(SLUG, **order("a boat [mock:v2-polls=3]"))
    states = [job.status()["status"] for _ in range(4)]
    assert states == ["QUEUED", "PROCESSING", "PROCESSING", "COMPLETED"]
    result = job.result()
    assert result["output"] == result["images"][0]["url"]


@pytest.mark.parametrize("status", ["200", "422"])
def test_the_sdk_and_the_function_read_a_failure_alike(site: Site, sdk: SegmindClient, status: str) -> None:
    """A record that says FAILED is the end, with 200 as with 422: to the SDK, and to the function with its words."""
    body = order(f"a boat [mock:v2-failed,message=The workers are gone,status={status}]")
    job = sdk.submit_async(SLUG, **body)
    failed = site(SEGMIND_API="v2").post(body).json()
    assert (job.status()["status"], job.result()["error"]) == ("FAILED", "The workers are gone")
    assert (failed["code"], failed["detail"]) == ("segmind-failed", "The workers are gone")
    assert site.ledger.billed() == []


def test_code_for_segmind_calls_the_service_by_another_base_url(site: Site) -> None:
    """The SDK's `run_sync` with only its base URL changed gets the bytes that are stored, and the vendor's headers."""
    site = site()
    client = SegmindClient(api_key="sg_not_checked_here", base_url=f"{site.http.url}/v1")
    response = client.run_sync(SLUG, **order(ratio="960:960"))
    client._client.close()
    with Image.open(io.BytesIO(response.content)) as image:
        assert (image.format, image.size) == ("JPEG", (960, 960))
    assert response.content == site.results.read(site.results.only_job()[0], "image.jpg")
    assert response.headers["x-request-id"] == site.ledger.billed()[0].request_id


def test_code_for_segmind_reads_the_services_errors(site: Site) -> None:
    """What the service refuses is the SDK's own error, with the service's status."""
    client = SegmindClient(api_key="sg_not_checked_here", base_url=f"{site.http.url}/v1")
    with pytest.raises(SegmindError) as caught:
        client.run_sync(SLUG, **order(ratio="4:3"))
    client._client.close()
    assert caught.value.status == 400
