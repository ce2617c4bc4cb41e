"""One row of Segmind's history: read with any time, status, cost and request, and never trusted further."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.model import HistoryRow
from imagegen.segmind.history import row_of
from tests import strategies
from tests.cases import rows
from tests.unit.test_history import NOON, REQUEST, ROW


def read(**changes: object) -> HistoryRow:
    """Return the usual row with these changes."""
    row = row_of({**ROW, **changes})
    assert row
    return row


@pytest.mark.parametrize("told", rows("history_times"))
def test_a_time_in_any_format(told: dict[str, object]) -> None:
    """ISO 8601, RFC 5322, seconds or milliseconds since 1970; without a zone it is UTC."""
    assert read(**{"model_created": None} | told).created_at == NOON


@pytest.mark.parametrize("told", [None, "", "soon", [], {}, 1e300, "2026-13-45", "nan"])
def test_a_time_that_is_none(told: object) -> None:
    """Such a row settles nothing by comparison."""
    assert read(model_created=told).created_at is None


@pytest.mark.parametrize(
    ("body", "equal"),
    [
        (REQUEST.body(), True),
        (json.dumps(REQUEST.body()), True),
        ({**REQUEST.body(), "base64": False}, True),
        ({**REQUEST.body(), "promptText": "a blue cube"}, False),
        ({**REQUEST.body(), "ratio": "1280:720"}, False),
        ({**REQUEST.body(), "referenceImages": []}, False),
        ({**REQUEST.body(), "referenceImages": 5}, False),
        ({**REQUEST.body(), "referenceImages": [{"tag": ["model"], "uri": {"deep": 1}}]}, False),
        ("not JSON", False),
        (None, False),
    ],
)
def test_the_request_as_it_was_sent(body: object, equal: bool) -> None:
    """Compared by the same fingerprint that `sent.json` has; other fields of the vendor's do not count."""
    assert (read(request_body=body).fingerprint == REQUEST.fingerprint) is equal


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("COMPLETED", "COMPLETED"),
        ("failed", "FAILED"),
        ("PENDING", "PENDING"),
        ("QUEUED", "PENDING"),
        (None, "PENDING"),
    ],
)
def test_a_status(status: object, told: str) -> None:
    """What is neither COMPLETED nor FAILED has not ended, as far as anything is decided by it."""
    assert read(model_status=status).status == told


@pytest.mark.parametrize("cost", ["a dime", [], {}, "nan", float("inf")])
def test_a_cost_that_cannot_be_read_makes_no_row(cost: object) -> None:
    """It could have been billed or not."""
    assert row_of({**ROW, "model_status": "FAILED", "credits_deduction": cost}) is None


FIELDS = st.sampled_from([*ROW, "error", "created_at", "timestamp"])


@given(st.one_of(strategies.json_values, st.dictionaries(FIELDS, strategies.json_values)))
def test_any_value_is_a_row_or_none(value: object) -> None:
    """Nothing is raised, and what is a row has an id that can stand in a name."""
    row = row_of(value)
    assert row is None or (row.request_id and "/" not in row.request_id and row.request_id.isprintable())


@given(FIELDS, strategies.json_values)
def test_a_good_row_with_one_strange_field(name: str, value: object) -> None:
    row = row_of({**ROW, name: value})
    assert row is None or row.created_at is None or row.created_at.tzinfo is not None


@given(st.recursive(st.none(), lambda inner: st.lists(inner, max_size=1), max_leaves=3), st.integers(1, 3000))
def test_however_deep_a_row_is_nested(inner: object, depth: int) -> None:
    deep = inner
    for _ in range(depth):
        deep = [deep]
    for name in {*ROW, "error"} - {"model_name", "latency_ms"}:
        row_of({**ROW, name: deep})
    row_of({**ROW, "request_body": {**REQUEST.body(), "referenceImages": [{"uri": deep, "tag": deep}], "ratio": deep}})
