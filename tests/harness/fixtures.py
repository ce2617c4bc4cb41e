"""`site`: the deployed function. `rig`: the function in this process. `counts`: lines for the end of the run."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imagegen.settings import Settings
from local.storage import StorageServer
from mock_segmind import FakeSegmind, Picture
from tests.harness.bucket import Results
from tests.harness.control import Control
from tests.harness.rig import HastyApp, MakeRig, Rig
from tests.harness.site import Pool, Site, World


@pytest.fixture(scope="session")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    """Servers of the whole session."""
    made = Pool(tmp_path_factory.mktemp("servers"))
    yield made
    made.kill_all()


@pytest.fixture(scope="session")
def control_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where deployments look for the time."""
    return tmp_path_factory.mktemp("control")


@pytest.fixture
def function_settings(segmind: FakeSegmind, storage: StorageServer, storage_key: Path) -> dict[str, str]:
    """Settings that let the function meet the fake vendor and the storage on this machine."""
    return usual_settings(segmind, storage, storage_key)


def usual_settings(segmind: FakeSegmind, storage: StorageServer, storage_key: Path) -> dict[str, str]:
    """Return the settings of a deployment that meets this vendor and this storage."""
    return {
        "SEGMIND_API_KEY": segmind.key,
        "SEGMIND_BASE_URL": segmind.url,
        "SEGMIND_HISTORY_URL": "",  # what stays unknown is what these tests look at; test_settling asks it
        "RESULTS_BUCKET": "results",
        "UPLOADS_BUCKET": "uploads",
        "STORAGE_EMULATOR_HOST": storage.url,
        "GOOGLE_APPLICATION_CREDENTIALS": str(storage_key),
        "GOOGLE_CLOUD_PROJECT": "local-project",
        "MAX_IMAGES_PER_DAY": "50",
        "LOG_LEVEL": "DEBUG",
    }


@pytest.fixture
def site(
    pool: Pool, segmind: FakeSegmind, storage: StorageServer, control_folder: Path, function_settings: dict[str, str]
) -> Iterator[Site]:
    """The deployed function with slots to watch; checks every line of its output when the test is over."""
    control = Control(control_folder)
    control.reset()
    world = World(pool, segmind, storage, control)
    yield Site(world, function_settings)
    world.finish()


@pytest.fixture
def hasty(site: Site) -> Site:
    """The function with a clock that the test moves and that does not wait."""
    return site.hasty()


@pytest.fixture
def results(storage: StorageServer) -> Results:
    """The results bucket."""
    return Results(storage)


@pytest.fixture(scope="session")
def photo() -> bytes:
    """A whole PNG image."""
    return Picture("a photo").encoded("png")


@pytest.fixture(scope="session")
def photo_uri(photo: bytes) -> str:
    """The same as a data: URI."""
    return f"data:image/png;base64,{base64.b64encode(photo).decode()}"


@pytest.fixture
def make_rig(
    function_settings: dict[str, str], segmind: FakeSegmind, storage: StorageServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MakeRig]:
    """Return what makes a function in this process with these settings on top of the usual ones."""
    usual = {**function_settings, "UPLOADS_BUCKET": "", "MAX_IMAGES_PER_DAY": "5", "LOG_LEVEL": "INFO"}
    for name in ("STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.setenv(name, usual[name])
    yield lambda **settings: Rig(HastyApp(Settings.from_env(usual | settings)), segmind, storage)
    assert segmind.ledger.leaks() == [], "the key went to a hosted image"


@pytest.fixture
def rig(make_rig: MakeRig) -> Rig:
    """A function with the usual settings."""
    return make_rig()


@pytest.fixture
def counts(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Keep a line for the end of the run."""
    return lambda text: record_property("counts", text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell every line that was kept."""
    reports = [report for found in terminalreporter.stats.values() for report in found]
    calls = [report for report in reports if isinstance(report, pytest.TestReport) and report.when == "call"]
    lines = [str(text) for report in calls for name, text in report.user_properties if name == "counts"]
    if lines:
        terminalreporter.section("counts")
        terminalreporter.write_line("\n".join(sorted(lines)))
