"""`GET /openapi.json`: a valid document of every route and every problem, and real answers are as it says."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from typing import get_args

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from imagegen import __version__
from imagegen.doors.routes import ROUTES
from imagegen.errors import BY_CODE
from imagegen.model import Billed, Status
from imagegen.references.validation import Ratio
from imagegen.timeouts import MAX_WAIT_SECONDS
from tests.cases import load
from tests.doors.conformance import Json, described, resolved, validator
from tests.harness.server import ROOT
from tests.harness.site import Site

DIGEST = "0" * 64
MODES = {
    "none": ({"AUTH": "none", "MAX_IMAGES_PER_DAY": "9"}, set()),
    "keys": ({"AUTH": "keys", "API_KEYS": f"a:{DIGEST}"}, {"bearer", "apiKey"}),
    "oidc": ({"AUTH": "oidc", "OIDC_ISSUER": "https://accounts.example.com", "OIDC_AUDIENCE": "us"}, {"oidc"}),
    "iam": ({}, {"google"}),
}
UNKNOWN = "a" * 26


@pytest.fixture
def server(site: Site) -> Site:
    return site(UPLOADS_BUCKET="uploads", SEGMIND_TIMEOUT_SECONDS="5")


@pytest.fixture
def complete(site: Site) -> Json:
    """The document with everything in it: accounts and uploads."""
    return described(site(**MODES["keys"][0], UPLOADS_BUCKET="uploads"))


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("playground", ["0", "1"])
def test_it_is_valid_and_says_how_to_authenticate(site: Site, mode: str, playground: str) -> None:
    """OpenAPI 3.1 by its own validator; the schemes and who is refused follow AUTH."""
    settings, schemes = MODES[mode]
    document = described(site(**settings, PLAYGROUND=playground))
    OpenAPIV31SpecValidator(document).validate()
    assert document["components"]["securitySchemes"].keys() == schemes
    create = document["paths"]["/v1/images"]["post"]
    assert {name for scheme in create["security"] for name in scheme} == schemes
    assert ("401" in create["responses"]) == (mode in {"keys", "oidc"})
    assert document["paths"]["/health"]["get"]["security"] == ([{"google": []}] if mode == "iam" else [])


def test_every_route_is_in_it(complete: Json, site: Site) -> None:
    """Paths and methods are exactly the routes; without an uploads bucket that one is left out, as it is not there."""
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in ROUTES.iter_rules()
        if rule.endpoint != "playground_file"  # what a page loads is no API
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(path, method) for path, method, _ in operations(complete)} == routes
    assert routes - {(path, method) for path, method, _ in operations(described(site(UPLOADS_BUCKET="")))} == {
        ("/v1/uploads", "post")
    }


def test_every_problem_is_in_it_with_its_cause(complete: Json) -> None:
    """Each code of the contract is explained, has an example, and stands at a route under its own status."""
    assert BY_CODE.keys() == {case["code"] for case in load("contract_errors")}
    listed: set[str] = set()
    for _, _, operation in operations(complete):
        for status, response in operation["responses"].items():
            if "content" not in response or "application/problem+json" not in response["content"]:
                continue
            codes = response["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"]["code"]["enum"]
            assert {str(BY_CODE[code].status) for code in codes} == {status}
            assert all(f"`{code}`: {BY_CODE[code].cause}" in response["description"] for code in codes)
            listed |= set(codes)
    assert listed == BY_CODE.keys() - {"method-not-allowed"}
    anything = complete["components"]["responses"]["Problem"]
    assert all(f"`{code}`" in anything["description"] for code in BY_CODE)
    assert {operation["responses"]["default"]["$ref"] for _, _, operation in operations(complete)} == {
        "#/components/responses/Problem"
    }


def test_the_statuses_are_those_of_the_contract(complete: Json) -> None:
    """By route: what may be answered, and nothing that never is."""
    statuses = {
        path: set(methods["post"]["responses"]) for path, methods in complete["paths"].items() if "post" in methods
    }
    buying = {*map(str, (200, 202, 400, 401, 403, 410, 413, 415, 422, 429, 500, 502, 503, 504)), "default"}
    assert statuses["/v1/images"] == statuses["/"] == statuses["/v1/runway-gen4-image"] == buying
    assert statuses["/v1/uploads"] == {"200", "400", "401", "403", "413", "415", "500", "503", "default"}
    assert {"202", "302", "404"} <= set(complete["paths"]["/v1/images/{image_id}/content"]["get"]["responses"])


def test_its_examples_are_what_it_describes(complete: Json) -> None:
    """Every example of a body, good or bad, validates against the schema beside it."""
    seen = 0
    for media in _media(complete):
        examples = [*media.get("examples", {}).values(), *([{"value": media["example"]}] if "example" in media else [])]
        for example in examples:
            found = resolved(complete, example)
            validator(complete, media["schema"]).validate(found["value"])
            seen += 1
    assert seen > len(BY_CODE)


def _media(node: Json) -> Iterator[Json]:
    if isinstance(node, dict):
        yield from (m for m in node.get("content", {}).values() if isinstance(m, dict) and "schema" in m)
        for child in node.values():
            yield from _media(child)
    elif isinstance(node, list):
        for child in node:
            yield from _media(child)


def test_generators_can_work_from_it(complete: Json) -> None:
    """Binary answers have a schema, a field with a default is optional, every operation has a name of its own."""
    body = complete["components"]["schemas"]["ImageBody"]
    assert body["required"] == ["promptText", "referenceImages"]
    assert not any("default" in field for field in body["properties"].values())
    kinds = complete["paths"]["/v1/images"]["post"]["responses"]["200"]["content"]
    images = [media["schema"] for kind, media in kinds.items() if kind.startswith("image/")]
    assert images == [{"type": "string", "format": "binary"}] * 3
    assert all("schema" in media for _, media in _media_types(complete))
    names = [operation["operationId"] for _, _, operation in operations(complete)]
    assert len(set(names)) == len(names)


def _media_types(document: Json) -> Iterator[tuple[str, Json]]:
    for _, _, operation in operations(document):
        for response in operation["responses"].values():
            yield from response.get("content", {}).items()


def test_its_values_are_those_of_the_types(complete: Json) -> None:
    """What the written part lists is what the code knows: codes, statuses, bills, ratios, the longest wait."""
    schemas, parameters = complete["components"]["schemas"], complete["components"]["parameters"]
    problem, image = schemas["Problem"]["properties"], schemas["Image"]["properties"]
    assert set(problem["code"]["enum"]) == set(parameters["code"]["schema"]["enum"]) == BY_CODE.keys()
    assert set(schemas["SegmindFailed"]["properties"]["code"]["enum"]) == BY_CODE.keys()
    assert set(problem["billed"]["enum"]) == set(get_args(Billed))
    assert set(image["status"]["enum"]) == set(get_args(Status))
    assert set(schemas["PublicRequest"]["properties"]["ratio"]["enum"]) == set(get_args(Ratio))
    assert parameters["wait"]["schema"]["maximum"] == MAX_WAIT_SECONDS
    assert '"x-problems"' not in (text := json.dumps(complete))
    assert '"x-headers"' not in text


def test_there_is_one_version(complete: Json) -> None:
    """The package's, the project's and the document's are the same."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert complete["info"]["version"] == __version__ == project


def test_images_do_not_wait_for_it() -> None:
    """Neither schemas nor the page are imported before they are asked for: a cold start stays short."""
    program = "import sys; from imagegen import wiring; print([m for m in sys.modules if 'imagegen' in m])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT / "function", capture_output=True, text=True, check=True
    )
    assert "imagegen.doors.pages" in done.stdout
    assert "imagegen.doors.openapi" not in done.stdout
    assert "imagegen.doors.playground" not in done.stdout
