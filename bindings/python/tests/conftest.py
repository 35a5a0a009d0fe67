"""Figures that tests hand in are shown at the end of the run, whatever pytest captures."""

import pytest

_lines = []


@pytest.fixture
def show():
    """Adds lines to the closing summary."""
    return lambda text="": _lines.extend(str(text).splitlines() or [""])


def pytest_terminal_summary(terminalreporter):
    if _lines:
        terminalreporter.section("figures")
        for line in _lines:
            terminalreporter.write_line(line)
