"""The memory budget against what a clustering really takes: a budget below that is refused, with the bytes, before it
is passed; and what is counted is not far above it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHAPES = [
    (100_000, 2, "full", "exact", False),
    (100_000, 2, "full", "exact", True),
    (30_000, 16, "full", "exact", False),
    (20_000, 40, "low", "exact", True),
    (60_000, 32, "low", "approximate", False),
    (60_000, 32, "full", "approximate", False),
]
# Every block of more than 32 KiB comes from the system and goes back to it, so that the resident set is what is in use.
ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": "32768",
    "MALLOC_TRIM_THRESHOLD_": "32768",
    "MALLOC_ARENA_MAX": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def main(rows, columns, rank, search, prediction):
    sys.path[:0] = [str(ROOT / "bindings" / "python" / "src"), str(ROOT / "Tests" / "Benchmarks")]
    import covey
    import harness
    from cluster_data import make

    points = make(rows, columns, rank)

    def fit(rows, budget):
        """The bytes that the process grew by at its largest, and the refusal."""
        harness.forget_peak()
        before, refusal = harness.resident("VmRSS"), ""
        options = {"min_cluster_size": 50, "min_samples": 10, "algorithm": search, "prediction_data": prediction}
        try:
            covey.HDBSCAN(context=covey.Context(threads=2, memory_budget=budget), **options).fit(rows)
        except covey.CoveyError as error:
            assert error.code == covey.StatusCode.OUT_OF_MEMORY, error
            refusal = str(error)
        return harness.resident("VmHWM") - before, refusal

    fit(points[:9000], 0)
    most = max(fit(points, 0)[0] for _ in range(2))
    print(
        json.dumps(
            {
                "most": most,
                "below": [fit(points, int(most * share)) for share in (0.02, 0.3, 0.6, 0.9)],
                "above": fit(points, 3 * most),
            }
        )
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_budget_is_what_it_says(shape):
    process = subprocess.run(
        [sys.executable, __file__, *map(str, shape)],
        env={**os.environ, **ENVIRONMENT},
        text=True,
        capture_output=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    result = json.loads(process.stdout)
    most = result["most"]
    for share, (grew, refusal) in zip((0.02, 0.3, 0.6, 0.9), result["below"]):
        assert "above the memory budget of" in refusal and " bytes" in refusal, share
        assert grew <= share * most + 2**20, (share, grew / most)
    assert result["above"][1] == ""


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5] == "True")
