"""That Terraform's own tests leave nothing out: every grant and every validation is in one of them."""

import re
from collections import Counter

import pytest

from tests.deploy.infra_files import INFRA, blocks

TESTS = INFRA / "tests"
GRANTS = sorted(name for name in blocks("resource") if re.search(r"_iam_|_access_control|_acl\.", name))


def test_there_are_no_grants_of_other_kinds() -> None:
    """Only members: a binding or a policy would take away what others in the project have granted."""
    assert GRANTS
    assert all("_iam_member." in name for name in GRANTS)


@pytest.mark.parametrize("grant", GRANTS)
def test_every_grant_is_in_the_table(grant: str) -> None:
    """A grant that infra/tests/iam.tftest.hcl does not look at could be anything."""
    assert re.search(rf"{re.escape(grant)}\b", (TESTS / "iam.tftest.hcl").read_text())


def test_every_validation_has_a_case_that_it_refuses() -> None:
    """For each variable there are at least as many refused cases as validations."""
    validations = Counter({name: body.count("  validation {") for name, body in blocks("variable").items()})
    cases = "".join(path.read_text() for path in TESTS.glob("validations_*.tftest.hcl"))
    refused = re.findall(r"expect_failures = \[var\.(\w+)\]", cases)
    assert not validations - Counter(refused)


def test_what_moved_is_where_it_moved_to() -> None:
    """Each address that an older state may hold leads to a resource that exists, or is let go."""
    text = (INFRA / "moved.tf").read_text()
    moved = re.findall(r"^  from = (\S+?)(?:\[\S+\])?\n  to   = (\w+\.\w+)", text, re.MULTILINE)
    let_go = re.findall(r"^removed \{\n  from = (\S+)", text, re.MULTILINE)
    resources = set(blocks("resource"))
    assert {target for _, target in moved} <= resources | set(let_go)
    assert not set(let_go) & resources
    assert len(moved) == len(re.findall(r"^moved \{", text, re.MULTILINE))
