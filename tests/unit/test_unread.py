"""What ends outside a door is a bug at an HTTP door, and no reason to lose an event at the other."""

import json

import pytest
from flask import Request
from werkzeug.routing import Rule
from werkzeug.test import EnvironBuilder

from imagegen.doors.unread import answer


def asked(endpoint: str) -> Request:
    request = Request(EnvironBuilder("/", method="POST").get_environ())
    request.url_rule = Rule("/", endpoint=endpoint)
    return request


@pytest.mark.parametrize(
    ("error", "endpoint", "status", "event"),
    [
        (RuntimeError("sentinel"), "run", 500, "bug"),
        (MemoryError("sentinel"), "run", 500, "bug"),
        (TypeError("sentinel"), "on_upload", 200, "event_ignored"),
        (MemoryError("sentinel"), "on_upload", 503, "event_redelivered"),
    ],
)
def test_an_error_outside_of_a_door(
    capsys: pytest.CaptureFixture[str], error: Exception, endpoint: str, status: int, event: str
) -> None:
    """A problem document for callers, an acknowledgement for unreadable events, 503 where they may be; one line."""
    answered = answer(error, asked(endpoint))
    assert answered.status_code == status
    assert answered.content_type == "application/problem+json" or not answered.get_data()
    written = capsys.readouterr().out
    assert json.loads(written)["event"] == event
    assert "sentinel" not in answered.get_data(as_text=True) + written
