"""Real answers are as `/openapi.json` says: of every route, good ones, refusals and failures."""

import json

import pytest

from mock_segmind import FakeSegmind
from tests.cases import rows
from tests.doors.conformance import Json, conforms, described, validator
from tests.harness.orders import order, reference
from tests.harness.site import Site


@pytest.fixture
def server(site: Site) -> Site:
    return site(UPLOADS_BUCKET="uploads", SEGMIND_TIMEOUT_SECONDS="5")


@pytest.mark.parametrize(("method", "path", "pattern", "body", "headers"), rows("openapi_calls"))
def test_real_answers_are_as_described(
    server: Site, method: str, path: str, pattern: str, body: Json, headers: dict[str, str]
) -> None:
    """Good ones and refusals of every route: body, type and headers, with no field that is not documented."""
    data = None if body is None else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **headers}
    conforms(described(server), pattern, server.call(method, path, data=data, headers=sent))


@pytest.mark.parametrize("magic", ["400", "401", "406", "429", "500", "502", "504", "reset", "ok-html"])
def test_real_failures_are_as_described(server: Site, magic: str, segmind: FakeSegmind) -> None:
    """What the vendor does wrong, its replay, the resource it leaves behind and the way to its image."""
    document = described(server)
    for _ in range(2):
        failed = server.post(order(f"a boat [mock:{magic}]"), key=magic)
        conforms(document, "/v1/images", failed)
        assert failed.status_code >= 400
    if "Location" in failed.headers:
        conforms(document, "/v1/images/{image_id}", server.get(failed.headers["Location"]))
        conforms(document, "/v1/images/{image_id}/content", server.get(f"{failed.headers['Location']}/content"))
    assert segmind.ledger.posts()


def test_an_image_is_as_described_from_everywhere(server: Site) -> None:
    """First answer, replay, resource, its bytes and the redirect to them."""
    document = described(server)
    answers = [server.post(order(), key="once") for _ in range(2)]
    here = answers[0].headers["Location"]
    for made in answers:
        conforms(document, "/v1/images", made)
    conforms(document, "/v1/images/{image_id}", server.get(here))
    conforms(document, "/v1/images/{image_id}", server.get(here, Accept="image/*"))
    conforms(document, "/v1/images/{image_id}/content", server.get(f"{here}/content"))
    vendors = here.replace("/v1/images", "/v2/requests")
    conforms(document, "/v2/requests/{image_id}", server.get(vendors))
    conforms(document, "/v2/requests/{image_id}/status", server.get(f"{vendors}/status"))
    conforms(document, "/v1/usage", server.get("/v1/usage"))
    for _ in range(2):
        conforms(document, "/v1/images/{image_id}", server.call("DELETE", here))
    conforms(document, "/v1/images/{image_id}", server.get(here))


def test_what_it_says_of_requests_is_what_is_checked(server: Site) -> None:
    """Each body that its schema refuses is refused by the service, and the examples are taken."""
    document = described(server)
    checker = validator(document, {"$ref": "#/components/schemas/ImageBody"})
    wrong = [
        {},
        {"promptText": ""} | {"referenceImages": []},
        order("x" * 1001),
        order(ratio="16:9"),
        order(seed=1),
        order(referenceImages=[reference(f"tag{n}") for n in range(4)]),
        order(referenceImages=[{"tag": "1ab"}]),
        order(referenceImages=[{"uri": "https://www.example.com/a.png"}]),
        order(referenceImages=[{"tag": "model", "uri": None}]),
        order(referenceImages=[{"tag": "model", "uri": ""}]),
        order("  "),
    ]
    for body in wrong:
        assert not checker.is_valid(body)
        assert server.post(body).status_code == 400
    example = document["paths"]["/v1/images"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert server.post(example).status_code == 200
