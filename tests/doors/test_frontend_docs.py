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
FRONT = Path(__file__).with_name("front")  # stand-ins, and programs that run the snippets

pytestmark = needs_node


def snippet(kind: str, mark: str) -> str:
    """Return the one snippet of this language that has `mark` in it."""
    found: list[str] = [text for name, text in BLOCKS if name == kind and mark in text]
    assert len(found) == 1
    return found[0]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A front end's folder: snippets, checked and compiled into `built`, the published client, React, stand-ins."""
    install(CLIENT)
    folder = tmp_path_factory.mktemp("front")
    modules = folder / "node_modules"
    modules.mkdir()
    for name in ("react", "react-test-renderer", "@types"):
        (modules / name).symlink_to(CLIENT / "node_modules" / name)
    ignored = shutil.ignore_patterns("node_modules", "dist", "test")
    shutil.copytree(CLIENT, modules / "imagegen-client", ignore=ignored)
    shutil.copytree(SOURCE, modules / "imagegen-client" / "dist")
    shutil.copytree(FRONT / "modules", modules, dirs_exist_ok=True)
    for path in FRONT.glob("*.*"):
        shutil.copy(path, folder)
    for name, mark in SNIPPETS.items():
        text = snippet(name.rpartition(".")[2], mark).replace("/imagegen/imagegen.js", "imagegen-client")
        (folder / name).write_text(text.replace("@/auth", "./auth.js"))
    run(str(NODE), CLIENT / "node_modules" / "typescript" / "bin" / "tsc", "-p", ".", cwd=folder)
    return folder


def node(project: Path, program: str, *words: str, url: str, **env: str) -> object:
    """Return what the program `run_….js` prints as JSON, for a service at `url`."""
    served = project / url.rpartition(":")[2]
    shutil.copytree(project / "built", served, dirs_exist_ok=True)
    for path in served.glob("*.js"):
        path.write_text(path.read_text().replace("https://images.example.com", url))
    text = (FRONT / f"run_{program}.js").read_text()
    (project / "program.js").write_text(text.replace("./built/", f"./{served.name}/"))
    given = [f"{name}={value}" for name, value in env.items()]
    return json.loads(run("env", *given, str(NODE), "program.js", *words, cwd=project))


def test_the_route_handler_passes_on_with_the_servers_key(site: Site, project: Path) -> None:
    """Nothing is sent without a user; the same user's repeat is the same image, another user's is another."""
    server = site(UPLOADS_BUCKET="uploads", **CALLERS)
    env, body = {"url": server.url, "IMAGES_URL": server.url, "IMAGES_KEY": KEYS["alice"]}, json.dumps(order())
    assert node(project, "handler", "", body, **env) == [[401, None], [401, None]]
    first = node(project, "handler", "ann", body, **env)
    other = node(project, "handler", "ben", body, **env)
    assert isinstance(first, list)
    assert isinstance(other, list)
    assert first[0] == first[1]
    assert first[0][0] == other[0][0] == 202
    assert first[0][1] != other[0][1]


def test_the_component_shows_an_image(site: Site, project: Path) -> None:
    """React renders it: after a click on its button there is an <img> whose URL works."""
    server = site(UPLOADS_BUCKET="")  # answers synchronously: nothing delivers events here
    assert node(project, "react", url=server.url) == "image/jpeg"
    assert site.billed == 1


def test_the_client_sends_the_users_own_token(site: Site, project: Path) -> None:
    """A token that Firebase's SDK would give is sent with each request."""
    server = site(UPLOADS_BUCKET="", **CALLERS)
    assert node(project, "firebase", url=server.url, TOKEN=KEYS["bob"]) == "succeeded"
    assert site.billed == 1


def test_no_snippet_carries_a_key() -> None:
    """What a page may hold is a user's token, by a function; keys come from a server's environment."""
    pages = [text for kind, text in BLOCKS if kind in {"html", "jsx"} or "firebase" in text]
    assert len(pages) >= 3
    assert not any("x-api-key" in text or "IMAGES_KEY" in text or "SEGMIND_API_KEY" in text for text in pages)
