"""The JavaScript client: its size, its own tests in Node, its types, and what it does with the real function."""

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import cast

import pytest

from tests.harness.server import ROOT
from tests.harness.site import Site

CLIENT = ROOT / "client"
SOURCE = ROOT / "function" / "imagegen" / "doors" / "playground" / "client"
NODE, NPM = shutil.which("node"), shutil.which("npm")
MODULES = (CLIENT / "node_modules").is_dir()
MOST_BYTES = 5 * 1024
needs_node = pytest.mark.skipif(NODE is None, reason="no Node is installed: the client's own tests are left out")
needs_modules = pytest.mark.skipif(not MODULES, reason="client/node_modules is not there: npm ci in client/ makes it")
_PROGRAM = """
import { ImageClient, ImageProblem } from "%s";
const [, url, prompt, key] = process.argv, client = new ImageClient({ url });
const ask = () => client.generate({ prompt, key });
try {
  const [first, second] = [await ask(), await ask()], bytes = await first.blob();
  const signed = await fetch(await first.freshUrl());
  await signed.arrayBuffer();
  console.log(JSON.stringify({ ids: [first.id, second.id], bytes: bytes.size, signed: signed.status }));
} catch (error) {
  if (!(error instanceof ImageProblem)) throw error;
  const { code, billed, requestId } = error;
  console.log(JSON.stringify({ code, billed, requestId: Boolean(requestId) }));
}
process.exit(0);
"""


def run(*command: str, cwd: Path = CLIENT) -> str:
    """Return what a program printed. Fails with it where the program fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def ask(url: str, prompt: str, *more: str) -> dict[str, object]:
    """Ask twice with one key, from Node; return what came of it."""
    program = _PROGRAM % (SOURCE / "imagegen.js").as_uri()
    answer: dict[str, object] = json.loads(run(str(NODE), "--input-type=module", "-e", program, url, prompt, *more))
    return answer


def test_it_is_small() -> None:
    """The client is at most 5 kB, compressed."""
    assert len(gzip.compress((SOURCE / "imagegen.js").read_bytes(), 9)) <= MOST_BYTES


def test_its_types_are_those_of_the_api(site: Site) -> None:
    """Sizes, states, and the fields of resource and problem are exactly those of the OpenAPI document."""
    types = (CLIENT / "imagegen.d.ts").read_text()
    document = site(UPLOADS_BUCKET="uploads").get("/openapi.json").json()
    ratio = re.search(r'"enum": (\["1280:720"[^]]*])', json.dumps(document))
    listed = re.search(r"type Ratio = (.*);", types)
    assert ratio
    assert listed
    assert set(json.loads(ratio[1])) == set(json.loads(f"[{listed[1].replace(' |', ',')}]"))


@needs_node
@needs_modules
def test_its_own_tests_pass() -> None:
    """What it promises about money and lost work, in Node's own runner."""
    assert "# fail 0" in run(str(NPM), "test", "--silent")


@needs_node
@needs_modules
def test_its_package_is_clean() -> None:
    """Publint and attw find nothing, and its types compile under strict."""
    run(str(NPM), "run", "--silent", "check")


@needs_node
def test_one_key_is_one_bill(site: Site) -> None:
    """Asked twice with one key: one image, its bytes by way of the service and by its signed URL."""
    got = ask(site(UPLOADS_BUCKET="").http.url, "a boat", "one-key")
    assert len(set(cast("list[str]", got["ids"]))) == 1
    assert got["signed"] == 200
    assert int(str(got["bytes"])) > 1000
    assert len(site.ledger.billed()) == 1


@needs_node
@pytest.mark.parametrize(
    ("magic", "code", "billed"),
    [("406", "insufficient-credits", "no"), ("504", "segmind-timeout", "maybe"), ("400", "rejected-by-segmind", "no")],
)
def test_a_problem_is_told_in_the_services_words(site: Site, magic: str, code: str, billed: str) -> None:
    """Code, billed and request id arrive; what may have been billed is not repeated."""
    got = ask(site(UPLOADS_BUCKET="").http.url, f"a boat [mock:{magic}]", "a-key")
    assert got == {"code": code, "billed": billed, "requestId": True}
    assert len(site.ledger.generations()) == 1
