"""The clouds that the storage contract runs against: ours, and independent ones that keep ours honest.

fake-gcs-server is built once a machine where Go is present. Google's own storage-testbench is on no package index:
`storage-testbench` of https://github.com/googleapis/storage-testbench is started by hand, and
STORAGE_TESTBENCH_URL=http://127.0.0.1:9000 names it. `BEYOND` lists the tests of what they do otherwise than the cloud.
"""

import fcntl
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from local.storage import StorageServer
from tests.contract.storage_clients import Cloud, client_of
from tests.harness.server import free_port

_WRITES_ONLY = "it ignores conditions on all verbs but a write"
BEYOND = {
    "local": {},
    "fake-gcs-server": {
        "test_a_folder_that_spans_pages_is_shown_once": "it shows a folder again on the next page",
        "test_no_verb_ignores_a_condition_that_does_not_hold": _WRITES_ONLY,
        "test_a_reader_that_has_this_version_already_gets_304": _WRITES_ONLY,
        "test_a_writer_that_wants_any_other_version_gets_412": _WRITES_ONLY,
        "test_bytes_that_are_not_what_was_meant_are_refused": "it stores bytes whose checksum is wrong",
    },
    "storage-testbench": {
        "test_a_folder_that_spans_pages_is_shown_once": "it shows a folder again on the next page",
        "test_a_generation_that_is_gone_is_not_found": "it keeps every generation, as if versions were on",
        "test_a_writer_that_wants_any_other_version_gets_412": "it answers 304 to a DELETE, too",
        "test_an_object_comes_back_as_it_was_written": "it forgets cacheControl and adds metadata of its own",
        "test_bytes_that_are_not_what_was_meant_are_refused": "it refuses them with 412 instead of 400",
        "test_every_way_in_keeps_every_byte[multipart-0]": "it leaves out a size of 0",
        "test_every_way_in_keeps_every_byte[streamed-0]": "it leaves out a size of 0",
        "test_overwriting_gives_a_later_generation_and_forgets_the_old_attributes": "it adds metadata of its own",
    },
}
TESTBENCH = os.environ.get("STORAGE_TESTBENCH_URL")  # no package index has it, so it is only there where it is named
URLS = {"local": "local_url", "fake-gcs-server": "fake_gcs_url"} | (
    {"storage-testbench": "testbench_url"} if TESTBENCH else {}
)
VERSION = "v1.56.1"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "imagegen-function" / VERSION


@pytest.fixture(params=URLS)
def cloud(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    """Run the test on each cloud in turn."""
    node, known = request.node, BEYOND[request.param]
    if reason := known.get(node.originalname) or known.get(node.name.replace(f"{request.param}-", "")):
        pytest.skip(f"{request.param}: {reason}")
    url: str = request.getfixturevalue(URLS[request.param])
    client = client_of(url)
    yield Cloud(url, client, client.create_bucket(f"bucket-{uuid.uuid4().hex}"))
    client.close()


@pytest.fixture
def local_url(storage: StorageServer) -> str:
    """Return ours, emptied."""
    return storage.url


@pytest.fixture(scope="session")
def testbench_url() -> str:
    """Return the address of a storage-testbench that runs already."""
    return str(TESTBENCH)


@pytest.fixture(scope="session")
def fake_gcs_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build fake-gcs-server if need be, and run it."""
    program, port = _built(), free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(program), "-host", "127.0.0.1", "-port", str(port), "-public-host", f"127.0.0.1:{port}"]
    log = tmp_path_factory.mktemp("fake-gcs-server") / "log"
    with log.open("wb") as output:
        arguments = [*command, "-scheme", "http", "-backend", "memory", "-external-url", url]
        process = subprocess.Popen(arguments, stdout=output, stderr=output)
        try:
            _await_answer(f"{url}/storage/v1/b?project=local", process, log)
            yield url
        finally:
            process.kill()
            process.wait()


def _built() -> Path:
    go = shutil.which("go")
    if go is None:
        pytest.skip("fake-gcs-server needs Go to be built")
    CACHE.mkdir(parents=True, exist_ok=True)
    program = CACHE / "fake-gcs-server"
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            _build(go, program)
    return program


def _build(go: str, program: Path) -> None:
    package = f"github.com/fsouza/fake-gcs-server@{VERSION}"
    environment = {**os.environ, "GOBIN": str(program.parent)}
    done = subprocess.run([go, "install", package], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"fake-gcs-server cannot be built here: {done.stderr[-300:]}")


def _await_answer(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    while process.poll() is None:
        try:
            requests.get(url, timeout=5).raise_for_status()
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"fake-gcs-server ended: {log.read_text()[-500:]}")
