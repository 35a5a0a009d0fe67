"""scikit-learn's own tests of HDBSCAN, run on covey.sklearn.HDBSCAN; as hdbscan_suite.py."""

import sys

import pytest
from hdbscan_suite import ROOT, Outcomes

#: What is left out, by the test's name, and why.
EXCLUDED = {
    "test_labelling_distinct": "looks into scikit-learn's own functions",
    "test_hdbscan_default_copy_warning": "X is never written, so that there is nothing to warn of",
    "test_hdbscan_usable_inputs": "infinite distances are refused",
}


def main() -> int:
    sys.path.insert(0, str(ROOT / "bindings" / "python" / "src"))
    import sklearn.cluster
    import sklearn.cluster.tests.test_hdbscan as tests

    import covey.sklearn

    sklearn.cluster.HDBSCAN = covey.sklearn.HDBSCAN
    tests.HDBSCAN = covey.sklearn.HDBSCAN

    class Replacing(Outcomes):
        def pytest_collection_modifyitems(self, items) -> None:
            for item in items:
                item.module.HDBSCAN = covey.sklearn.HDBSCAN

    outcomes = Replacing()
    pytest.main(
        ["-q", "-p", "no:cacheprovider", "--pyargs", "sklearn.cluster.tests.test_hdbscan", "-o", "addopts="],
        plugins=[outcomes],
    )

    def is_excluded(name: str) -> bool:
        return name.split("::")[-1].split("[")[0] in EXCLUDED

    # Of a test that is left out some cases may pass.
    unexpected = [name for name in outcomes.failed if not is_excluded(name)]
    print(
        f"scikit-learn's tests on Covey: {len(outcomes.passed)} pass, {len(outcomes.skipped)} skipped,"
        f" {len(outcomes.failed)} fail"
    )
    for name in unexpected:
        print(f"fails: {name}")
    return 1 if unexpected or not outcomes.passed else 0


if __name__ == "__main__":
    sys.exit(main())
