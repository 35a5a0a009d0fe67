"""Times that tests tell are shown at the end of the run."""

import pytest

_lines = []


@pytest.fixture
def show_time():
    return _lines.append


def pytest_terminal_summary(terminalreporter):
    for line in _lines:
        terminalreporter.write_line(line)
