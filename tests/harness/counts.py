"""`counts(text)`: what a test has counted, told at the end of the run, under xdist, too."""

from collections.abc import Callable

import pytest

NAME = "counts"


@pytest.fixture
def counts(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Keep a line for the end of the run."""
    return lambda text: record_property(NAME, text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell every line that was kept."""
    reports = [report for found in terminalreporter.stats.values() for report in found]
    calls = [report for report in reports if isinstance(report, pytest.TestReport) and report.when == "call"]
    lines = [str(text) for report in calls for name, text in report.user_properties if name == NAME]
    if lines:
        terminalreporter.section(NAME)
        terminalreporter.write_line("\n".join(sorted(lines)))
