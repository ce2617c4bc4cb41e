"""At the finest level, from any library: no key, token, prompt, reference or signed URL is written."""

import json
from collections.abc import Iterator
from hashlib import sha256

import pytest

from tests.cases import load
from tests.harness.fakes import FakeClock, FakeGenerator, Scene
from tests.harness.rig import Answer, MakeRig, Rig

KEY = "SG_sentinelkey0123456789"
TOKEN = "sentinel-token-of-a-caller"
PROMPT = "sentinel prompt: a red bicycle"
URI = "https://sentinel.example/private/image.png?signature=sentinelsignature"
NEVER = (KEY, TOKEN, "sentinel", "X-Goog-Signature", "X-Goog-Credential", "Bearer")
FAULTS = [case["fault"] for name in ("segmind_errors", "segmind_answers") for case in load(name)]


@pytest.fixture
def rig(make_rig: MakeRig, caplog: pytest.LogCaptureFixture) -> Rig:
    """A function that knows its callers, with everything at DEBUG, the libraries' own loggers included."""
    caplog.set_level("DEBUG")
    made = make_rig(
        SEGMIND_API_KEY=KEY,
        SEGMIND_TIMEOUT_SECONDS="1",
        AUTH="keys",
        API_KEYS=f"ada:{sha256(TOKEN.encode()).hexdigest()}",
        LOG_LEVEL="DEBUG",
    )
    made.segmind.accounts.open(KEY, 100)
    return made


@pytest.fixture
def silent(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Check at the end: nothing forbidden in either stream or in any logger, and every line of ours is JSON."""
    yield
    out, err = capfd.readouterr()
    written = out + err + caplog.text
    assert [word for word in NEVER if word in written] == []
    assert all("event" in json.loads(line) for line in out.splitlines())
    assert "Traceback" not in written


def order(rig: Rig, prompt: str = PROMPT) -> Answer:
    body = {"promptText": prompt, "referenceImages": [{"tag": "model", "uri": URI}]}
    headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "sentinel-key"}
    return rig.call("POST", "/v1/images", body, headers)


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_leaks_when_segmind_fails(rig: Rig, fault: str) -> None:
    """Every error and every odd answer of the vendor; nor is the service's key or the caller's token in the answer."""
    rig.segmind.faults.add(fault, times=None)
    answer = order(rig)
    assert answer.status in {200, 400, 429, 502, 503, 504}
    assert KEY.encode() not in answer.body
    assert TOKEN.encode() not in answer.body


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize("shape", ["json", "detail", "object", "text", "html", "broken-json"])
@pytest.mark.parametrize("status", [400, 401, 500, 502])
def test_a_vendor_that_repeats_our_secrets(rig: Rig, status: int, shape: str) -> None:
    """Its words go to the caller without the key and without any URL, and to the log not at all."""
    said = f"{PROMPT} at {URI} with x-api-key: {KEY} or Authorization: Bearer {KEY} or key={KEY}"
    rig.segmind.faults.add(f"{status},body={shape},message={said}", times=None)
    told = order(rig).json["detail"]
    assert "a red bicycle" in told
    assert KEY not in told
    assert "sentinel.example" not in told


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("POST", "jobs/*/claim.json"),
        ("POST", "jobs/*/image.jpg"),
        ("POST", "jobs/*/result.json"),
        ("POST", "spend/*"),
        ("GET", "jobs/*/result.json"),
        ("GET", "*"),
    ],
)
def test_nothing_leaks_when_storage_fails(rig: Rig, method: str, name: str) -> None:
    """The storage client's errors name whole URLs; only their kind is written."""
    rig.storage.faults.answer(403, method=method, name=name, times=1_000)
    statuses = [order(rig).status for _ in range(2)]
    assert set(statuses) <= {200, 202, 503}


@pytest.mark.usefixtures("silent")
def test_nothing_leaks_when_all_is_well(rig: Rig) -> None:
    """Ordering, repeating, looking at it, following the link to it: the signed URL is in the answers only."""
    made, again = order(rig), order(rig)
    shown = rig.call("GET", f"/v1/images/{made.json['id']}", headers=MINE)
    content = rig.call("GET", f"/v1/images/{made.json['id']}/content", headers=MINE)
    assert [a.status for a in (made, again, shown, content)] == [200, 200, 200, 302]
    assert "X-Goog-Signature" in shown.json["image"]["url"]
    assert "X-Goog-Signature" in content.headers["Location"]


MINE = {"Authorization": f"Bearer {TOKEN}"}
GOOD = {"promptText": PROMPT, "referenceImages": []}
NOBODY: list[dict[str, str]] = [{"Authorization": "Bearer sentinel-wrong"}, {"x-api-key": "sentinel-wrong"},
                                {"Authorization": "Basic sentinel"}, {}]  # fmt: skip
WRONG: list[object] = [
    {"promptText": 5, "sentinel": PROMPT, "referenceImages": [{"uri": URI, "tag": PROMPT}]},
    {"promptText": PROMPT, "referenceImages": [{"tag": "model", "uri": "http://sentinel@127.0.0.1/"}]},
    {**GOOD, "ratio": "sentinel"},
    [PROMPT],
]


@pytest.mark.usefixtures("silent")
@pytest.mark.parametrize("headers", NOBODY)
def test_nothing_leaks_when_the_caller_is_nobody(rig: Rig, headers: dict[str, str]) -> None:
    """A wrong credential may be a right one elsewhere."""
    answer = rig.call("POST", "/v1/images", GOOD, headers)
    assert (answer.status, b"sentinel" in answer.body) == (401, False)


@pytest.mark.usefixtures("silent")
def test_nothing_leaks_when_the_request_is_wrong(rig: Rig) -> None:
    """A problem's pointers and details are the caller's, not the log's; of a path the route's pattern is written."""
    assert [rig.call("POST", "/v1/images", body, MINE).status for body in WRONG] == [400] * len(WRONG)
    paths = ("/v1/images/sentinel", "/sentinel/path", "/v1/images?sentinel=1")
    assert {rig.call("GET", path, headers=MINE).status for path in paths} <= {404, 405}


@pytest.mark.usefixtures("silent")
def test_nothing_leaks_from_a_bug(rig: Rig) -> None:
    """An exception of ours is told by its type and places: its text could hold anything."""
    rig.app.generator = FakeGenerator(FakeClock(), [Scene(raised=RuntimeError(f"{KEY} {PROMPT} {URI}"))])
    answer = order(rig)
    assert (answer.status, answer.code) == (500, "internal")
    assert b"sentinel" not in answer.body
