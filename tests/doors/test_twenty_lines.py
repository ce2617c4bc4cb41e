"""What README's table says of twenty lines of `requests`: they are tests/bench/subjects/plain.py, and are run here."""

from pathlib import Path

import functions_framework
import pytest
from flask.testing import FlaskClient

from local.keys import ensure_key
from local.storage import StorageServer
from mock_segmind import FakeSegmind
from tests.harness.server import ROOT

PLAIN = ROOT / "tests" / "bench" / "subjects" / "plain.py"
BODY = {"promptText": "a red cube", "referenceImages": []}


@pytest.fixture
def plain(segmind: FakeSegmind, storage: StorageServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """Return a caller of the twenty lines, which the fake vendor and the storage on this machine serve."""
    key = ensure_key(tmp_path / "key.json", server=storage.url)
    segmind.accounts.open("k", 100)
    for name, value in (
        ("SEGMIND_BASE_URL", segmind.url),
        ("BENCH_STORAGE", storage.url),
        ("GOOGLE_APPLICATION_CREDENTIALS", str(key)),
        ("GOOGLE_CLOUD_PROJECT", "local-project"),
    ):
        monkeypatch.setenv(name, value)
    app = functions_framework.create_app("generate", str(PLAIN))  # type: ignore[no-untyped-call]  # the framework has no types
    caller: FlaskClient = app.test_client()
    return caller


def test_a_repeat_buys_the_image_again(plain: FlaskClient, segmind: FakeSegmind) -> None:
    """A caller whose answer was lost repeats with its key, which no line here looks at."""
    headers = {"Idempotency-Key": "order-1001"}
    first, second = (plain.post("/", json=BODY, headers=headers) for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert first.json != second.json
    assert len(segmind.ledger.billed()) == 2


def test_an_image_that_storage_refuses_is_lost(
    plain: FlaskClient, segmind: FakeSegmind, storage: StorageServer
) -> None:
    """It was paid for, and the answer says no word of it."""
    storage.faults.answer(403, method="POST", name="generated/*")
    answer = plain.post("/", json=BODY)
    assert (answer.status_code, storage.objects("results")) == (500, [])
    assert len(segmind.ledger.billed()) == 1


def test_a_wrong_request_is_sent_and_its_failure_has_no_price(plain: FlaskClient, segmind: FakeSegmind) -> None:
    """A wrong ratio is the vendor's to refuse, and what it cost is in no field."""
    answer = plain.post("/", json=BODY | {"ratio": "16:9"})
    assert (answer.status_code, set(answer.json or {})) == (502, {"error"})
    assert len(segmind.ledger.posts()) == 1
