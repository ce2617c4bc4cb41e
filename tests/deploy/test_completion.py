"""The few lines of JavaScript that Pub/Sub runs on each message of the results bucket, run by node."""

import json
import re
import shutil
import subprocess
import textwrap
from collections.abc import Mapping
from typing import cast

import pytest

from local.completions import message_about
from tests.deploy.infra_files import INFRA

NODE = shutil.which("node")


def transformed(name: str, resource: Mapping[str, object]) -> dict[str, object] | None:
    """Return what becomes of the notification of this object; None where it is filtered out."""
    if NODE is None:
        pytest.skip("no node on the PATH")
    (code,) = re.findall(r"only_ends = <<-EOT\n(.*?)\n  EOT", (INFRA / "delivery.tf").read_text(), re.DOTALL)
    attributes = {"objectId": name, "eventType": "OBJECT_FINALIZE"}
    message = {"data": json.dumps(resource), "attributes": attributes}
    script = f"{textwrap.dedent(code)}\nconsole.log(JSON.stringify(onlyEnds({json.dumps(message)}, {{}})))"
    run = subprocess.run([NODE, "-e", script], capture_output=True, text=True, check=True, timeout=60)
    answer: dict[str, object] | None = json.loads(run.stdout)
    return answer


def test_an_end_says_what_ended() -> None:
    """Id, status and code come from the object's metadata; the notification's own attributes and data stay."""
    resource = {"name": "jobs/abc/result.json", "metadata": {"id": "abc", "status": "failed", "code": "segmind-failed"}}
    assert transformed("jobs/abc/result.json", resource) == {
        "data": json.dumps(resource),
        "attributes": {
            "objectId": "jobs/abc/result.json",
            "eventType": "OBJECT_FINALIZE",
            "id": "abc",
            "status": "failed",
            "code": "segmind-failed",
        },
    }


def test_a_success_has_no_code() -> None:
    """A message's attributes are texts: what is not there is left out."""
    told = transformed("jobs/abc/result.json", {"metadata": {"id": "abc", "status": "succeeded"}})
    assert told is not None
    assert told["attributes"] == {
        "objectId": "jobs/abc/result.json",
        "eventType": "OBJECT_FINALIZE",
        "id": "abc",
        "status": "succeeded",
    }


def test_an_end_without_metadata_is_told_all_the_same() -> None:
    """An older function wrote none."""
    assert transformed("jobs/abc/result.json", {"name": "jobs/abc/result.json"}) is not None


@pytest.mark.parametrize("name", ["claim.json", "sent.json", "image.png", "lost.json", "deleted.json", "xresult.json"])
def test_nothing_else_is_told(name: str) -> None:
    """Everything else below jobs/ is filtered out."""
    assert transformed(f"jobs/abc/{name}", {"metadata": {"id": "abc"}}) is None


@pytest.mark.parametrize("name", ["jobs/abc/result.json", "jobs/abc/claim.json"])
@pytest.mark.parametrize(
    "told", [{"id": "abc", "status": "failed", "code": "segmind-failed"}, {"status": "succeeded"}, {}]
)
def test_make_run_tells_what_pubsub_would(name: str, told: dict[str, str]) -> None:
    """The local player of these messages and the lines that are deployed let the same through, with the same fields."""
    resource = {"name": name, "bucket": "results", "generation": "1", "timeFinalized": "now", "metadata": told}
    deployed, played = transformed(name, resource), message_about(resource)
    if deployed is None or played is None:
        assert deployed is played
        return
    message = cast("dict[str, dict[str, str]]", played["message"])
    assert message["attributes"] | cast("dict[str, str]", deployed["attributes"]) == message["attributes"]
    assert set(message["attributes"]) & {"id", "status", "code"} == set(told)
