"""The snippets of docs/frontend.md: type-checked, and run in Node against the deployed function.

The page of plain HTML runs in a browser: tests/browser/test_front_end.py. Firebase's SDK and the framework around the
route handler are not here: the snippets run with a sign-in of ours in their place.
"""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.harness.npm import NODE, install, needs_node, run
from tests.harness.orders import CALLERS, KEYS, order
from tests.harness.server import ROOT
from tests.harness.site import Site

TEXT = (ROOT / "docs" / "frontend.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
CLIENT = ROOT / "client"
SOURCE = ROOT / "function" / "imagegen" / "doors" / "playground" / "client"
SNIPPETS = {"handler.js": "app/api/images/route.js", "firebase.js": "firebase/app", "react.jsx": "useImage"}
STAND_INS = {
    "node_modules/firebase/package.json": '{"type": "module", "exports": {"./app": "./app.js", "./auth": "./auth.js"}}',
    "node_modules/firebase/app.js": """
        /** @param {{ apiKey: string, authDomain: string, projectId: string }} options */
        export const initializeApp = (options) => ({ name: "[DEFAULT]", options });""",
    "node_modules/firebase/auth.js": """
        /** @type {(app: object) => { currentUser: { getIdToken(): Promise<string> } | null }} */
        export const getAuth = () => ({ currentUser: { getIdToken: async () => String(process.env.TOKEN) } });""",
    "auth.js": """
        /** @param {Request} request */
        export const userOf = async (request) => {
          const id = request.headers.get("x-user");
          return id ? { id } : null;
        };""",
    "process.d.ts": "declare const process: { env: Record<string, string> };",
    "package.json": '{"type": "module"}',
    "tsconfig.json": json.dumps(
        {
            "compilerOptions": {
                "strict": True,
                "noImplicitAny": False,  # JavaScript has nowhere to write a parameter's type
                "checkJs": True,
                "outDir": "built",
                "jsx": "react-jsx",
                "target": "es2022",
                "module": "nodenext",
                "lib": ["es2022", "dom", "dom.iterable"],
                "types": [],
            },
            "files": [*SNIPPETS, "process.d.ts"],
        }
    ),
}
HANDLER = """\
const { POST } = await import("./built/handler.js");
const headers = { "Content-Type": "application/json", "Idempotency-Key": "order-1", "x-user": process.argv[2] };
const request = () => new Request("http://app/api/images", { method: "POST", headers, body: process.argv[3] });
const answers = [await POST(request()), await POST(request())];
console.log(JSON.stringify(await Promise.all(answers.map(async (a) => [a.status, (await a.json()).id ?? null]))));
"""

REACT = """\
import { createElement } from "react";
import { act, create } from "react-test-renderer";
const kept = new Map();
globalThis.document = {};
globalThis.localStorage = { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v),
  removeItem: (k) => kept.delete(k), key: (n) => [...kept.keys()][n] ?? null, get length() { return kept.size; } };
globalThis.IS_REACT_ACT_ENVIRONMENT = true;
const { Generator } = await import("./built/react.js");
let page;
await act(async () => { page = create(createElement(Generator)); });
await act(async () => page.root.findByType("button").props.onClick());
const src = page.root.findByType("img").props.src;
console.log(JSON.stringify((await fetch(src)).headers.get("content-type")));
process.exit(0);
"""
FIREBASE = """\
const { client } = await import("./built/firebase.js");
const image = await client.generate({ prompt: "a boat", key: "mine" });
console.log(JSON.stringify(image.resource.status));
process.exit(0);
"""

pytestmark = needs_node


def snippet(kind: str, mark: str) -> str:
    """Return the one snippet of this language that has `mark` in it."""
    found: list[str] = [text for name, text in BLOCKS if name == kind and mark in text]
    assert len(found) == 1
    return found[0]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A front end's folder: the snippets, the client as it is published, React, and stand-ins for a sign-in.

    The snippets' types are checked, and what they compile to is in `built`.
    """
    install(CLIENT)
    folder = tmp_path_factory.mktemp("front")
    modules = folder / "node_modules"
    modules.mkdir()
    for name in ("react", "react-test-renderer", "@types"):
        (modules / name).symlink_to(CLIENT / "node_modules" / name)
    ignored = shutil.ignore_patterns("node_modules", "dist", "test")
    shutil.copytree(CLIENT, modules / "imagegen-client", ignore=ignored)
    shutil.copytree(SOURCE, modules / "imagegen-client" / "dist")
    for name, text in STAND_INS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    for name, mark in SNIPPETS.items():
        text = snippet(name.rpartition(".")[2], mark).replace("/imagegen/imagegen.js", "imagegen-client")
        (folder / name).write_text(text.replace("@/auth", "./auth.js"))
    run(str(NODE), CLIENT / "node_modules" / "typescript" / "bin" / "tsc", "-p", ".", cwd=folder)
    return folder


def node(project: Path, program: str, *words: str, url: str, **env: str) -> object:
    """Return what a program prints as JSON, for a service at `url`."""
    served = project / url.rpartition(":")[2]
    shutil.copytree(project / "built", served, dirs_exist_ok=True)
    for path in served.glob("*.js"):
        path.write_text(path.read_text().replace("https://images.example.com", url))
    (project / "program.js").write_text(program.replace("./built/", f"./{served.name}/"))
    given = [f"{name}={value}" for name, value in env.items()]
    return json.loads(run("env", *given, str(NODE), "program.js", *words, cwd=project))


def test_the_route_handler_passes_on_with_the_servers_key(site: Site, project: Path) -> None:
    """Nothing is sent without a user; the same user's repeat is the same image, another user's is another."""
    server = site(UPLOADS_BUCKET="uploads", **CALLERS)
    env, body = {"url": server.url, "IMAGES_URL": server.url, "IMAGES_KEY": KEYS["alice"]}, json.dumps(order())
    assert node(project, HANDLER, "", body, **env) == [[401, None], [401, None]]
    first = node(project, HANDLER, "ann", body, **env)
    other = node(project, HANDLER, "ben", body, **env)
    assert isinstance(first, list)
    assert isinstance(other, list)
    assert first[0] == first[1]
    assert first[0][0] == other[0][0] == 202
    assert first[0][1] != other[0][1]


def test_the_component_shows_an_image(site: Site, project: Path) -> None:
    """React renders it: after a click on its button there is an <img> whose URL works."""
    server = site(UPLOADS_BUCKET="")  # answers synchronously: nothing delivers events here
    assert node(project, REACT, url=server.url) == "image/jpeg"
    assert site.billed == 1


def test_the_client_sends_the_users_own_token(site: Site, project: Path) -> None:
    """A token that Firebase's SDK would give is sent with each request."""
    server = site(UPLOADS_BUCKET="", **CALLERS)
    assert node(project, FIREBASE, url=server.url, TOKEN=KEYS["bob"]) == "succeeded"
    assert site.billed == 1


def test_no_snippet_carries_a_key() -> None:
    """What a page may hold is a user's token, by a function; keys come from a server's environment."""
    pages = [text for kind, text in BLOCKS if kind in {"html", "jsx"} or "firebase" in text]
    assert len(pages) >= 3
    assert not any("x-api-key" in text or "IMAGES_KEY" in text or "SEGMIND_API_KEY" in text for text in pages)
