"""The line that terminals and notebooks get about long calls, and that nobody else gets it."""

import io
import logging
import re
import sys
import time

import numpy as np
import pytest

import covey
from covey import _progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def a_terminal(monkeypatch):
    """Set in the test itself: between a fixture and the test pytest puts its own stream there."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


ROWS = np.random.default_rng(0).normal(size=(6000, 24))


def test_a_long_call_is_shown_in_a_terminal(monkeypatch):
    terminal = a_terminal(monkeypatch)
    monkeypatch.setattr(_progress, "_PATIENCE", 0.0)
    monkeypatch.setattr(_progress, "_STEP", 0.0)
    covey.HDBSCAN().fit(ROWS)
    assert "covey: " in terminal.getvalue() and "%" in terminal.getvalue() and terminal.getvalue().endswith("\r")
    for progress in (False, lambda stage, share: None):
        terminal.seek(0)
        terminal.truncate()
        covey.HDBSCAN(context=covey.Context(progress=progress)).fit(ROWS)
        assert terminal.getvalue() == ""


def test_short_calls_and_files_are_silent(monkeypatch):
    terminal = a_terminal(monkeypatch)
    covey.HDBSCAN().fit(ROWS[:500])
    assert terminal.getvalue() == ""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(_progress, "_PATIENCE", 0.0)
    covey.HDBSCAN().fit(ROWS)
    assert stream.getvalue() == ""
    monkeypatch.setattr(sys, "stderr", None)
    covey.HDBSCAN().fit(ROWS[:500])


def test_what_a_line_says(monkeypatch):
    terminal = a_terminal(monkeypatch)
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    line = _progress.ProgressLine()
    for second, share in ((0.0, 0.0), (1.0, 0.1), (5.0, 0.25), (5.1, 0.26), (300.0, 0.5)):
        clock[0] = second
        line.report("spanning\ntree", share)
    line.close()
    assert terminal.getvalue().split("\r")[1:3] == [
        "covey: spanning?tree 25%, 15 s left",
        "covey: spanning?tree 50%, 5 min left",
    ]
    assert _progress.ProgressLine().close() is None  # nothing was shown


def test_a_wrong_progress_is_refused():
    with pytest.raises(covey.InvalidTypeError, match="callable, None or False"):
        covey.Context(progress=3)


def test_stages_are_logged_if_somebody_listens(caplog):
    covey.HDBSCAN().fit(ROWS)
    assert not caplog.records
    with caplog.at_level(logging.INFO, logger="covey"):
        covey.HDBSCAN().fit(ROWS)
    assert {record.name for record in caplog.records} == {"covey"}
    stages = [record.getMessage() for record in caplog.records]
    assert any(re.fullmatch(r"(neighbours|spanning tree|clustering): \d+\.\d\d s", stage) for stage in stages), stages
