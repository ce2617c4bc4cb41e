"""`GET /`: the playground where the operator wants it, the routes everywhere else."""

import base64
import hashlib
import json
import re

import pytest

from imagegen.doors.playground import fake_vendor
from tests.harness.server import ROOT
from tests.harness.site import Site

HTML = (ROOT / "function" / "imagegen" / "doors" / "playground.html").read_text()
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
    """PLAYGROUND=1: a page, shut by its policy, that nobody keeps."""
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
    """The policy names the hashes of exactly what the page contains, and nothing is allowed by default."""
    page, rules = site.get("/").text, policy(site)
    for tag in ("script", "style"):
        found = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in found]
        assert len(found) == 1
        assert rules[f"{tag}-src"] == hashes
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == rules["frame-ancestors"] == ["'none'"]
    assert rules["require-trusted-types-for"] == ["'script'"]


def test_it_may_talk_to_the_bucket_only(site: Site) -> None:
    """With the real vendor and the real storage: itself and Cloud Storage, nobody else."""
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
    """No way from a string to HTML or code is in the file, and nothing in it comes from elsewhere."""
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "srcdoc"):
        assert word not in HTML
    outside = set(re.findall(r"https?://[\w.-]+", HTML)) - {"http://www.w3.org"}
    assert outside == set()
    assert not re.search(r"""<(script|link|img|iframe)[^>]+(src|href)=["'](?!data:)""", HTML)
    assert not re.search(r"\sstyle=|\son\w+=\"", HTML)
