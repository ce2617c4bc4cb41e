"""The JavaScript client: its size, its own tests in Node, its types, and what it does with the real function."""

import gzip
import json
from pathlib import Path
from typing import Any, cast

import pytest

from tests.harness.npm import NODE, NPM, install, needs_node, run
from tests.harness.server import ROOT
from tests.harness.site import Site

CLIENT = ROOT / "client"
SOURCE = ROOT / "function" / "imagegen" / "doors" / "playground" / "client"
MOST_BYTES = 5 * 1024
TYPES = {
    "ImageBody": "ImageBody",
    "ReferenceBody": "ReferenceBody",
    "ImageRequest": "PublicRequest",
    "ImageResource": "Image",
    "StoredImage": "StoredImage",
    "Receipt": "SegmindReceipt",
    "Problem": "Problem",
    "FieldProblem": "FieldProblem",
}

pytestmark = needs_node


@pytest.fixture
def installed() -> None:
    """What the client's own tests and checks need is there."""
    install(CLIENT)


def ask(url: str, prompt: str, *more: str) -> dict[str, object]:
    """Ask twice with one key, from Node; return what came of it."""
    program, source = Path(__file__).with_name("ask_twice.mjs"), (SOURCE / "imagegen.js").as_uri()
    answer: dict[str, object] = json.loads(run(str(NODE), program, source, url, prompt, *more, cwd=CLIENT))
    return answer


def shape(schema: Any, schemas: Any) -> object:  # noqa: ANN401 - JSON Schema
    """Return a schema without its words and limits, as client/test/shapes.js prints types."""
    if "$ref" in schema:
        return shape(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "enum" in schema:
        return {"enum": sorted(schema["enum"])}
    if schema["type"] == "array":
        return {"items": shape(schema["items"], schemas)}
    if schema["type"] == "object":
        properties = {name: shape(inner, schemas) for name, inner in schema["properties"].items()}
        return {"properties": properties, "required": sorted(schema["required"])}
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return {"type": sorted("number" if name == "integer" else name for name in types)}


def test_it_is_small() -> None:
    """The client, all its files together, is at most 5 kB compressed."""
    text = b"".join(path.read_bytes() for path in sorted(SOURCE.glob("*.js")))
    assert len(gzip.compress(text, 9)) <= MOST_BYTES


@pytest.mark.usefixtures("installed")
def test_its_types_are_those_of_the_api(site: Site) -> None:
    """Each type of a body: the same fields, the same of them required, with the same types and values as in OpenAPI."""
    schemas = site(UPLOADS_BUCKET="uploads").get("/openapi.json").json()["components"]["schemas"]
    found = json.loads(run(str(NODE), "test/shapes.js", *TYPES, cwd=CLIENT))
    assert found == {name: shape(schemas[schema], schemas) for name, schema in TYPES.items()}


@pytest.mark.usefixtures("installed")
def test_its_own_tests_pass() -> None:
    """What it promises about money and lost work, in Node's own runner."""
    assert "# fail 0" in run(str(NPM), "test", "--silent", cwd=CLIENT)


@pytest.mark.usefixtures("installed")
def test_its_package_is_clean() -> None:
    """Publint and attw find nothing, and its types compile under strict."""
    run(str(NPM), "run", "--silent", "check", cwd=CLIENT)


def test_one_key_is_one_bill(site: Site) -> None:
    """Asked twice with one key: one image, its bytes by way of the service and by its signed URL."""
    got = ask(site(UPLOADS_BUCKET="").http.url, "a boat", "one-key")
    assert len(set(cast("list[str]", got["ids"]))) == 1
    assert got["signed"] == 200
    assert int(str(got["bytes"])) > 1000
    assert len(site.ledger.billed()) == 1


@pytest.mark.parametrize(
    ("magic", "code", "billed"),
    [("406", "insufficient-credits", "no"), ("504", "segmind-timeout", "maybe"), ("400", "rejected-by-segmind", "no")],
)
def test_a_problem_is_told_in_the_services_words(site: Site, magic: str, code: str, billed: str) -> None:
    """Code, billed and request id arrive; what may have been billed is not repeated."""
    got = ask(site(UPLOADS_BUCKET="").http.url, f"a boat [mock:{magic}]", "a-key")
    assert got == {"code": code, "billed": billed, "requestId": True}
    assert len(site.ledger.generations()) == 1
