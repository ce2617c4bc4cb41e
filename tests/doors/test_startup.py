"""The platform's command serves each door; with wrong settings it stops at once, with one line that names them all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from tests.cases import rows, table
from tests.harness.orders import order
from tests.harness.server import MAIN, NotStarted, free_port
from tests.harness.site import Site

COMMAND = str(Path(sys.executable).with_name("functions-framework"))


def refusal(site: Site, **settings: str) -> str:
    """Return the one line that a start with these settings ends with."""
    server = site(**settings).unstarted()
    with pytest.raises(NotStarted):
        server.start()
    assert server.exit_status not in {None, 0}
    (line,) = server.lines()
    return line


@pytest.mark.parametrize(("target", "status"), [("generate_image", 200), ("on_upload", 405), ("on_schedule", 200)])
def test_the_platforms_own_command_serves_each_door(site: Site, target: str, status: int, tmp_path: Path) -> None:
    """`functions-framework --source … --target …`, which `site` does without; `make run` proves it end to end."""
    env = {**site.env, "PATH": os.environ["PATH"], "HOST": "127.0.0.1", "PORT": str(free_port()), "HOME": str(tmp_path)}
    command = [COMMAND, "--source", str(MAIN), "--target", target]
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    try:
        with requests.Session() as session:
            session.mount("http://", HTTPAdapter(max_retries=Retry(total=9, backoff_factor=0.1)))
            assert session.get(f"http://127.0.0.1:{env['PORT']}/health", timeout=10).status_code == status
    finally:
        process.terminate()
    assert process.wait(15) == 0


def test_without_settings_all_that_are_required_are_named(site: Site) -> None:
    """Nothing set: one line, both names, an exit status that is not 0."""
    line = refusal(site, SEGMIND_API_KEY="", RESULTS_BUCKET="")
    assert line == "imagegen cannot start: SEGMIND_API_KEY is required; RESULTS_BUCKET is required"


def test_every_wrong_setting_is_named_at_once(site: Site) -> None:
    """A dozen wrong ones in one line: an operator corrects a deployment once. No secret is in it."""
    wrong = table("wrong_settings")
    line = refusal(site, **wrong)
    assert [name for name in wrong if f" {name} " not in line] == ["AUTH"]  # keys is a mode; its API_KEYS are wrong
    assert "hunter2" not in line


@pytest.mark.parametrize(("settings", "says"), rows("settings_apart"))
def test_settings_that_do_not_go_together_stop_the_start(site: Site, settings: dict[str, str], says: str) -> None:
    """An open endpoint without a cap, a mode without what it needs, one bucket for both: refused, with the reason."""
    assert says in refusal(site, **settings)


def test_a_bucket_that_is_missing_stops_no_start(site: Site) -> None:
    """Only settings are checked at the start: storage is a matter of each request, and a 503."""
    answered = site(RESULTS_BUCKET="no-such-bucket").post(order())
    assert (answered.status_code, answered.json()["code"]) == (503, "storage-unavailable")
