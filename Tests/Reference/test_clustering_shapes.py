"""Searches of made rows that are hard on them, in a child process: a Swift trap ends that process alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from clustering_shapes import COUNT

PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
def test_every_search_of_made_shapes(part):
    bounds = [str(COUNT * p // PARTS) for p in (part, part + 1)]
    child = subprocess.run(
        [sys.executable, Path(__file__).with_name("clustering_shapes.py"), *bounds], capture_output=True, text=True
    )
    last = child.stdout.strip().rsplit("\n", 1)[-1]
    assert child.returncode == 0, f"status {child.returncode} at shape {last}\n{child.stderr[-2000:]}"
