"""`GET /`: the playground where the operator wants it, the routes everywhere else."""

import base64
import hashlib
import json
import re

import pytest

from imagegen.doors.playground import fake_vendor
from tests.harness.server import ROOT
from tests.harness.site import Site

FOLDER = ROOT / "function" / "imagegen" / "doors" / "playground"
FILES = sorted(path for path in FOLDER.rglob("*") if path.suffix in {".html", ".css", ".js"})
EVERYTHING = "\n".join(path.read_text() for path in FILES)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.fixture
def site(site: Site) -> Site:
    return site(PLAYGROUND="1", UPLOADS_BUCKET="uploads")


def policy(site: Site) -> dict[str, list[str]]:
    """Return the page's Content-Security-Policy, by directive."""
    rules = site.get("/", Accept=BROWSER).headers["Content-Security-Policy"].split("; ")
    return {name: values for name, *values in (rule.split() for rule in rules)}


def told(site: Site) -> dict[str, object]:
    """Return what the page is told of the service."""
    found = re.search(r'<script id="settings" type="application/json">(.*?)</script>', site.get("/").text)
    assert found
    settings: dict[str, object] = json.loads(found[1])
    return settings


@pytest.mark.parametrize("accept", [BROWSER, "*/*", "text/html"])
def test_it_is_there_where_it_is_on(site: Site, accept: str) -> None:
    """PLAYGROUND=1: a page, shut by its policy, that no cache keeps."""
    answered = site.get("/", Accept=accept)
    assert (answered.status_code, answered.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answered.headers["Cache-Control"] == "no-store"
    assert answered.headers["Referrer-Policy"] == "no-referrer"
    assert answered.text.startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("setting", "accept"),
    [
        ("1", "application/json"),
        ("1", "application/json, text/html;q=0.5"),
        *((setting, BROWSER) for setting in ("", "0", "false")),
    ],
)
def test_routes_where_json_is_preferred_or_it_is_off(site: Site, setting: str, accept: str) -> None:
    """A program that asks for JSON gets the index; by default a browser does, too."""
    answered = site(PLAYGROUND=setting).get("/", Accept=accept)
    assert answered.headers["Content-Type"] == "application/json"
    assert "POST /v1/images" in answered.json()["routes"]
    assert "Content-Security-Policy" not in answered.headers


def test_only_its_own_script_and_style_may_run(site: Site) -> None:
    """The policy names this service's own files and the hash of the page's one script; nothing else by default."""
    page, rules = site.get("/").text, policy(site)
    (text,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert rules["script-src"] == ["'self'", f"'sha256-{digest}'"]
    assert rules["style-src"] == ["'self'"]
    assert "<style" not in page
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == rules["frame-ancestors"] == ["'none'"]
    assert rules["require-trusted-types-for"] == ["'script'"]


def own(site: Site) -> str:
    """Return the path below which the page finds its files."""
    (version,) = set(re.findall(r"playground/([0-9a-f]{16})/", site.get("/").text))
    return f"/playground/{version}/"


def test_its_files_are_kept_by_browsers(site: Site) -> None:
    """Each is there with its type, for ever below the version that the page names; unchanged, it is a 304."""
    types = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
    for path in FILES:
        if path.suffix == ".html":
            continue
        place = own(site) + path.relative_to(FOLDER).as_posix()
        answered = site.get(place)
        assert (answered.status_code, answered.content) == (200, path.read_bytes())
        assert answered.headers["Content-Type"] == types[path.suffix]
        assert answered.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert site.get(place, If_None_Match=answered.headers["ETag"]).status_code == 304


def test_an_older_page_gets_the_files_of_today(site: Site) -> None:
    """While a new version is rolled out, a page of another instance still works, and keeps nothing."""
    answered = site.get("/playground/0000000000000000/app.js")
    assert (answered.status_code, answered.headers["Cache-Control"]) == (200, "no-cache")


@pytest.mark.parametrize("name", ["index.html", "__init__.py", "../pages.py", "%2e%2e/pages.py", "nothing.js", ""])
def test_nothing_else_of_its_folder_is_served(site: Site, name: str) -> None:
    """What is no script or style of the page is not there."""
    assert site.get(own(site) + name).status_code == 404


def test_where_it_is_off_its_files_are_not_there(site: Site) -> None:
    """PLAYGROUND=0: 404."""
    assert site(PLAYGROUND="0").get("/playground/0000000000000000/app.js").status_code == 404


def test_it_may_talk_to_the_bucket_only(site: Site) -> None:
    """With the real vendor and the real storage: itself and Cloud Storage only."""
    real = {"SEGMIND_BASE_URL": "https://api.segmind.com", "STORAGE_EMULATOR_HOST": ""}
    rules = policy(site(PLAYGROUND="1", **real))
    assert rules["connect-src"] == ["'self'", "https://storage.googleapis.com"]
    assert rules["img-src"] == ["data:", "blob:", "https://storage.googleapis.com"]


def test_it_is_told_no_more_than_it_needs(site: Site) -> None:
    """How to authenticate, whether there are uploads, and a vendor on this machine; no key, no bucket's name."""
    assert told(site) == {"auth": "iam", "uploads": True, "fakeVendor": site.segmind.url, "segmindApi": "v1"}
    page = site.get("/").text
    assert not any(site.env[name] in page for name in ("SEGMIND_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS"))


LOOPBACK = ["127.0.0.1:8900", "127.9.9.9", "[::1]:8900", "localhost:8900", "vendor.localhost"]
ELSEWHERE = ["api.segmind.com", "localhost.example.com", "10.0.0.1:8900", "0.0.0.0:8900", "127.0.0.1.example.com"]


def test_only_a_vendor_on_this_machine_is_a_fake() -> None:
    """The page learns the vendor's address only where it is loopback."""
    for scheme in ("http", "https"):
        assert [fake_vendor(f"{scheme}://{host}") for host in LOOPBACK] == [f"{scheme}://{host}" for host in LOOPBACK]
        assert [fake_vendor(f"{scheme}://{host}") for host in ELSEWHERE] == [None] * len(ELSEWHERE)


def test_data_never_becomes_markup() -> None:
    """No way from a string to HTML or code is in its files, and nothing in it comes from elsewhere."""
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "srcdoc"):
        assert word not in EVERYTHING
    outside = set(re.findall(r"https?://[\w.-]+", EVERYTHING)) - {"http://www.w3.org"}
    assert outside == set()
    assert not re.search(r"""<(script|link|img|iframe)[^>]+(src|href)=["'](?!data:|openapi.json)""", EVERYTHING)
    assert not re.search(r"\sstyle=|\son\w+=\"", EVERYTHING)
