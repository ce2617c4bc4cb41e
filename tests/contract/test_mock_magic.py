"""Every failure of the catalogue is provoked over HTTP by its magic prompt, and seen by a raw client."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image, UnidentifiedImageError

from mock_segmind import FakeSegmind, probe
from mock_segmind.catalogue import CATALOGUE
from mock_segmind.faults import magic

Case = Mapping[str, Any]
CASES: list[Case] = yaml.safe_load((Path(__file__).parents[1] / "cases" / "mock_answers.yaml").read_text("utf-8"))
ELSEWHERE = {"v2", "uploads"}


def named(case: Case) -> str:
    return str(case["magic"])


def generate(segmind: FakeSegmind, prompt: str, timeout: float = 10) -> probe.Outcome:
    return probe.call(segmind.url, probe.V1, probe.request(prompt), headers={"x-api-key": segmind.key}, timeout=timeout)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_what_a_client_sees(segmind: FakeSegmind, case: Case) -> None:
    """Status, headers, body, the way the connection ends and the bill are what the case says."""
    timeout = 0.4 if case.get("broken") == "TimeoutError" else 10
    outcome = generate(segmind, f"a cat [mock:{case['magic']}]", timeout)
    assert (outcome.status, outcome.broken) == (case["status"], case.get("broken", ""))
    assert case.get("says", "") in outcome.body.decode("latin-1")
    assert "type" not in case or outcome.headers["content-type"] == case["type"]
    assert "header" not in case or outcome.headers[case["header"]]
    assert case.get("lacks") not in outcome.headers
    assert len(outcome.body) > case.get("longer", -1)
    assert not (case.get("empty") and outcome.body)
    assert len(segmind.ledger.billed()) == case.get("billed", 0)
    assert segmind.ledger.posts()[0].status == case["status"]


@pytest.mark.parametrize("case", [case for case in CASES if "image" in case], ids=named)
def test_whether_the_body_is_a_whole_image(segmind: FakeSegmind, case: Case) -> None:
    """A body that should be an image decodes to its last row, in the size asked; a broken one does not."""
    timeout = 0.4 if case.get("broken") == "TimeoutError" else 10
    outcome = generate(segmind, f"a cat [mock:{case['magic']}]", timeout)
    expected = None if case["image"] == "none" else (case["image"], tuple(case.get("size", (1280, 720))))
    assert decoded(outcome.body) == expected


def decoded(body: bytes) -> tuple[str | None, tuple[int, int]] | None:
    try:
        with Image.open(io.BytesIO(body)) as image:
            image.load()
            return image.format, image.size
    except (UnidentifiedImageError, OSError):
        return None


def test_every_fault_that_a_prompt_reaches_has_a_case() -> None:
    """A fault that is added to the catalogue without a case here fails."""
    provoked = {fault.name for case in CASES for fault in magic(f"[mock:{case['magic']}]")}
    assert provoked == {spec.name for spec in CATALOGUE.values() if spec.group not in ELSEWHERE}


TYPOS = {
    "no-such-fault": "Unknown mock fault 'no-such-fault'. There are: 400, 401",
    "502,colour=red": "has no option 'colour'. It has: body",
    "502,body=xml": "must be one of json, detail",
    "502,html": "'html' is not OPTION=VALUE",
    "502,times=0": "times='0' must be a whole number above 0",
    "502,on=everywhere": "joined by +: v1, v2-submit",
    "slow=long": "must be a number",
    "png=1": "takes no value",
}


@pytest.mark.parametrize("text", TYPOS)
def test_a_typo_is_told(segmind: FakeSegmind, text: str) -> None:
    """A magic prompt that the catalogue lacks is a 400 that lists what there is, never a silent success."""
    outcome = generate(segmind, f"a cat [mock:{text}]")
    assert outcome.status == 400
    assert TYPOS[text] in str(outcome.fields["error"])
    assert segmind.ledger.billed() == []


def test_magic_that_passes_after_two_times(segmind: FakeSegmind) -> None:
    """`times=2` shows a client's retries without set-up; another prompt counts for itself."""
    prompts = ["a [mock:502,times=2]"] * 3 + ["b [mock:502,times=2]"]
    assert [generate(segmind, prompt).status for prompt in prompts] == [502, 502, 200, 502]


def test_magic_works_before_any_check(segmind: FakeSegmind) -> None:
    """A gateway that fails does not look at keys; without magic the same call is a 401."""
    tries = [probe.call(segmind.url, probe.V1, probe.request(prompt)).status for prompt in ("[mock:502]", "a cat")]
    assert tries == [502, 401]


def test_the_ledger_names_the_magic(segmind: FakeSegmind) -> None:
    """Which faults were played stands with the request, written as in the prompt."""
    generate(segmind, "a cat [mock:slow=0.01][mock:502,body=text]")
    assert segmind.ledger.posts()[0].faults == ("slow,seconds=0.01", "502,body=text")
