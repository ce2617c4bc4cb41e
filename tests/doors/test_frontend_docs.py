"""The snippets of docs/frontend.md run, in Node, against the deployed function."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.harness.orders import CALLERS, KEYS, order
from tests.harness.server import ROOT
from tests.harness.site import Site

TEXT = (ROOT / "docs" / "frontend.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
CLIENT = ROOT / "function" / "imagegen" / "doors" / "playground" / "client" / "imagegen.js"
PAGE = """\
const found = {};
globalThis.document = { addEventListener() {}, removeEventListener() {}, querySelector: (name) => found[name] ??= {
  value: "a lighthouse in fog", addEventListener: (_, listener) => { found.submit = listener; } } };
const kept = new Map();
globalThis.localStorage = { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v),
  removeItem: (k) => kept.delete(k), key: (n) => [...kept.keys()][n] ?? null, get length() { return kept.size; } };
await import("./snippet.mjs");
found.submit({ preventDefault() {} });
for (let n = 0; n < 1000 && !found.img?.src; n++) await new Promise((done) => setTimeout(done, 20));
if (!found.img?.src) throw new Error(found["[role=status]"]?.textContent);
console.log(JSON.stringify((await fetch(found.img.src)).headers.get("content-type")));
process.exit(0);
"""
HANDLER = """\
const { POST } = await import("./snippet.mjs");
const headers = { "Content-Type": "application/json", "Idempotency-Key": "order-1", "x-user": process.argv[2] };
const request = () => new Request("http://app/api/images", { method: "POST", headers, body: process.argv[3] });
const answers = [await POST(request()), await POST(request())];
console.log(JSON.stringify(await Promise.all(answers.map(async (a) => [a.status, (await a.json()).id ?? null]))));
"""

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node, which is not installed")


def snippet(kind: str, mark: str) -> str:
    """Return the one snippet of this language that has `mark` in it."""
    found: list[str] = [text for name, text in BLOCKS if name == kind and mark in text]
    assert len(found) == 1
    return found[0]


def node(directory: Path, program: str, *words: str, **env: str) -> object:
    """Return what a program prints as JSON; `snippet.mjs` stands beside it."""
    (directory / "program.mjs").write_text(program)
    done = subprocess.run(
        ["node", "program.mjs", *words],
        cwd=directory,
        env={"PATH": f"{Path(shutil.which('node') or '').parent}", **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_route_handler_passes_on_with_the_servers_key(site: Site, tmp_path: Path) -> None:
    """Nothing is sent without a user; the same user's repeat is the same image, another user's is another."""
    server = site(UPLOADS_BUCKET="uploads", **CALLERS)
    auth = 'const userOf = (request) => request.headers.get("x-user") ? { id: request.headers.get("x-user") } : null;'
    text = re.sub(r"^import .* from \"@/auth\";.*$", auth, snippet("js", "app/api/images/route.js"), flags=re.MULTILINE)
    (tmp_path / "snippet.mjs").write_text(text)
    env, body = {"IMAGES_URL": server.http.url, "IMAGES_KEY": KEYS["alice"]}, json.dumps(order())
    assert node(tmp_path, HANDLER, "", body, **env) == [[401, None], [401, None]]
    first = node(tmp_path, HANDLER, "ann", body, **env)
    other = node(tmp_path, HANDLER, "ben", body, **env)
    assert isinstance(first, list)
    assert isinstance(other, list)
    assert first[0] == first[1]
    assert first[0][0] == other[0][0] == 202
    assert first[0][1] != other[0][1]


@pytest.mark.skipif(not CLIENT.exists(), reason="the JavaScript client is not in this checkout")
def test_the_page_shows_an_image(site: Site, tmp_path: Path) -> None:
    """The module of the HTML example, over a stand-in for the document: after a submit the URL that it shows works."""
    server = site(UPLOADS_BUCKET="")  # answers synchronously: nothing delivers events here
    script = re.search(r'<script type="module">\n(.*?)</script>', snippet("html", "<form>"), re.DOTALL)
    assert script
    text = script[1].replace("/imagegen/imagegen.js", CLIENT.as_uri())
    (tmp_path / "snippet.mjs").write_text(text.replace("https://images.example.com", server.http.url))
    assert node(tmp_path, PAGE) == "image/jpeg"
    assert len(site.ledger.billed()) == 1


@pytest.mark.parametrize("text", [text for kind, text in BLOCKS if kind == "js"])
def test_a_snippet_is_javascript(text: str, tmp_path: Path) -> None:
    """Those that need a browser or an account are parsed at least."""
    (tmp_path / "snippet.mjs").write_text(text)
    done = subprocess.run(["node", "--check", "snippet.mjs"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_snippet_carries_a_key() -> None:
    """What a page may hold is a user's token, by a function; keys come from a server's environment."""
    pages = [text for kind, text in BLOCKS if kind in {"html", "jsx"} or "firebase" in text]
    assert len(pages) >= 3
    assert not any("x-api-key" in text or "IMAGES_KEY" in text or "SEGMIND_API_KEY" in text for text in pages)
