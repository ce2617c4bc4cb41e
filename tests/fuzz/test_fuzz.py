"""Any input, a hundred thousand times: no 500, no hang, no secret in an answer or in a log line.

FUZZ_SEED chooses the inputs, FUZZ_TIMES multiplies them; what fails names the seed and the number that make it again.
"""

import json
import os
import resource
import time
from collections.abc import Callable, Iterator

import pytest

from imagegen import wiring
from tests.fuzz.doors import DOORS
from tests.fuzz.instance import VENDOR_KEY, Instance
from tests.fuzz.mutations import Mutations
from tests.fuzz.pure import PROMPT, PURE
from tests.harness.orders import KEYS

SEED = os.environ.get("FUZZ_SEED", "1")
TIMES = float(os.environ.get("FUZZ_TIMES", "1"))
MOST_SECONDS = 2.0  # of CPU, for one input
MOST_BYTES = 200 * 1024 * 1024
SECRETS = (PROMPT, VENDOR_KEY, *KEYS.values(), "X-Goog-Signature", "Traceback")


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    yield Instance()
    wiring.use(None)


def attack(name: str, count: int, one: Callable[[Mutations], object]) -> str:
    """Make that many inputs; return a line on them."""
    begun, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count = int(count * TIMES)
    for number in range(count):
        before = time.thread_time()
        try:
            one(Mutations(f"{SEED}/{name}/{number}"))
        except Exception as error:
            raise AssertionError(f"{name}: input {number} of FUZZ_SEED={SEED}") from error
        assert time.thread_time() - before < MOST_SECONDS, f"{name}: input {number} of FUZZ_SEED={SEED} is slow"
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) * 1024
    assert grown < MOST_BYTES
    return f"fuzz: {count:,} {name}, FUZZ_SEED={SEED}, {time.process_time() - begun:.1f} s of CPU"


@pytest.mark.parametrize("name", PURE)
def test_what_is_read_is_taken_or_refused(counts: Callable[[str], None], name: str) -> None:
    """A value, or the one error that its reader names."""
    counts(attack(name, *PURE[name]))


@pytest.mark.parametrize("name", DOORS)
def test_every_call_is_answered(
    counts: Callable[[str], None], capsys: pytest.CaptureFixture[str], instance: Instance, name: str
) -> None:
    """Below 500, JSON where it is a problem, without a secret; every log line is one of ours, and none is a bug."""
    count, one = DOORS[name]
    before = instance.bought
    counts(attack(name, count, lambda change: one(change, instance)))
    assert name == "ticks" or instance.bought > before  # some get through to the vendor; a tick only queues
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert told.err == ""
    assert lines
    assert [line for line in lines if any(secret in line for secret in SECRETS)] == []
    assert {json.loads(line)["event"] for line in lines}.isdisjoint({"bug", "storage_failed"})
