"""Magic prompts: what is written into a prompt causes that failure, and a typo is told."""

import pytest

from mock_segmind import FakeSegmind
from tests.contract import mock_client as plain


def generate(segmind: FakeSegmind, prompt: str) -> plain.Outcome:
    return plain.call(segmind.url, plain.V1, plain.request(prompt), headers={"x-api-key": segmind.key})


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
    """A magic prompt that the registry lacks is a 400 that lists what there is, never a silent success."""
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
    tries = [plain.call(segmind.url, plain.V1, plain.request(prompt)).status for prompt in ("[mock:502]", "a cat")]
    assert tries == [502, 401]


def test_the_ledger_names_the_magic(segmind: FakeSegmind) -> None:
    """Which faults were played stands with the request, written as in the prompt."""
    generate(segmind, "a cat [mock:slow=0.01][mock:502,body=text]")
    assert segmind.ledger.posts()[0].faults == ("slow,seconds=0.01", "502,body=text")
