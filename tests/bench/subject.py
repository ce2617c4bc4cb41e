"""What is measured: each subject behind functions-framework's own command, in processes of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from local.keys import ensure_key
from tests.bench.load import Ask
from tests.harness.server import ROOT, free_port

SUBJECTS = Path(__file__).parent / "subjects"
START_SECONDS = 90.0
LITELLM_FROM = ["--from", "litellm[proxy]==1.108.7", "litellm"]  # installed by uv, in a place of its own
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to do the job."""

    name: str
    source: Path
    target: str
    env: Mapping[str, str] = field(default_factory=dict)
    path: str = "/"
    headers: str = ""

    def ask(self, port: int) -> Ask:
        """Return the request for an image."""
        return Ask(port, self.path, headers=self.headers)


OURS = Kind("ours", ROOT / "function" / "main.py", "generate_image", path="/v1/images")
CAPPED = Kind("ours, with a cap", OURS.source, OURS.target, {"MAX_IMAGES_PER_DAY": "100000"}, OURS.path)
KEYS = Kind("ours, with keys", OURS.source, OURS.target, {"AUTH": "keys", "API_KEYS": f"ada:{'0' * 64}"}, OURS.path)
SWEEP = Kind("the sweep", OURS.source, "on_schedule", path="/sweep")
FAR = Kind("ours, with a cap", SUBJECTS / "far.py", "generate_image", CAPPED.env, OURS.path)
PLAIN = Kind("plain function", SUBJECTS / "plain.py", "generate", {"THREADS": "8"})
TUNED = Kind("plain function, tuned", SUBJECTS / "plain.py", "generate", {"TUNED": "1"})
BOUND = Kind("Python lower bound", SUBJECTS / "bound.py", "generate")
LITELLM = Kind(
    "LiteLLM, passed through",
    SUBJECTS / "litellm.yaml",
    "",
    {"LITELLM_MASTER_KEY": "sk-bench"},
    "/image",
    "Authorization: Bearer sk-bench\r\n",
)
HELLO = Kind("hello world", SUBJECTS / "bound.py", "hello")


class Process:
    """A server that listens on `port`, with all that it forks."""

    def __init__(self, command: list[str], env: Mapping[str, str], port: int, log: Path) -> None:
        self.port, self.started = port, time.perf_counter()
        with log.open("ab") as out:
            self._process = subprocess.Popen(command, env=dict(env), stdout=out, stderr=out, start_new_session=True)
        self._wait()
        self.start_seconds = time.perf_counter() - self.started

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def cpu_seconds(self) -> float:
        """Return the CPU time that its processes have used."""
        stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self._family()]
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / _TICKS

    def peak_mib(self) -> float:
        """Return the most memory that one of its processes ever had."""
        texts = [Path(f"/proc/{pid}/status").read_text() for pid in self._family()]
        return max(int(text.partition("VmHWM:")[2].split()[0]) for text in texts) / 1024

    def _family(self) -> list[int]:
        family = [self._process.pid]
        for pid in family:
            for task in Path(f"/proc/{pid}/task").iterdir():
                family += map(int, (task / "children").read_text().split())
        return family

    def _wait(self) -> None:
        while time.perf_counter() - self.started < START_SECONDS:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.005)
            else:
                return
        raise TimeoutError("it never listened")


def world(what: str, seconds: float, folder: Path) -> Process:
    """Start the vendor or the storage, whose answers take so long."""
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.world", what, str(port), str(seconds)]
    return Process(command, {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}, port, folder / "world.log")


def subject(kind: Kind, vendor: Process, storage: Process, folder: Path, sign_seconds: float = 0.0) -> Process:
    """Start a subject between that vendor and that storage. All of them have the same key and 200 threads."""
    port, at = free_port(), f"http://127.0.0.1:{storage.port}"
    key = ensure_key(folder / f"key-{storage.port}.json", server=at)
    key.write_text(key.read_text().replace("/_local/token", "/token"))
    env = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", str(folder)),  # where uv keeps what it installed
        "PYTHONPATH": str(ROOT / "function"),
        "THREADS": "200",
        "LOG_LEVEL": "INFO",
        "SEGMIND_API_KEY": "SG_bench",
        "SEGMIND_BASE_URL": f"http://127.0.0.1:{vendor.port}",
        "SEGMIND_HISTORY_URL": "",
        "RESULTS_BUCKET": "results",
        "GOOGLE_APPLICATION_CREDENTIALS": str(key),
        "BENCH_STORAGE": at,
        "BENCH_SIGN_SECONDS": str(sign_seconds),
        **({"STORAGE_EMULATOR_HOST": at} if kind.source in {OURS.source, FAR.source} else {}),
        **kind.env,
    }
    return Process(_command(kind, vendor.port, port, folder), env, port, folder / f"{kind.name}.log")


def get_litellm() -> None:
    """Install LiteLLM, so that it starts without the network. Raises CalledProcessError, with uv's words."""
    subprocess.run([_beside("uv"), "tool", "run", *LITELLM_FROM, "--version"], check=True)


def _command(kind: Kind, vendor: int, port: int, folder: Path) -> list[str]:
    listen = ["--host", "127.0.0.1", "--port", str(port)]
    if kind is LITELLM:
        config = folder / f"litellm-{port}.yaml"
        config.write_text(kind.source.read_text().replace("VENDOR_PORT", str(vendor)))
        return [_beside("uv"), "tool", "run", "--offline", *LITELLM_FROM, "--config", str(config), *listen]
    source = ["--target", kind.target, "--source", str(kind.source), "--signature-type", "http"]
    return [_beside("functions-framework"), *source, *listen]


def _beside(program: str) -> str:
    return str(Path(sys.executable).parent / program)
