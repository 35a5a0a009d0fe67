"""What `import covey` costs, and that names found late are the names that are there."""

import ast
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.exceptions import NotFittedError

import covey

HEAVY = ("sklearn", "scipy", "pandas", "pyarrow", "polars", "duckdb", "matplotlib", "click")


def child(code):
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


@pytest.mark.parametrize(
    "code",
    [
        "import covey",
        "import covey; covey.CoveyError, covey.Context, dir(covey), covey.__version__",
        (
            "import covey; covey.Engine, covey.Sequences, covey.SequenceEncoder, covey.Session, covey.extract_rules,"
            " covey.Drift"
        ),
        (
            "import covey; covey.find, covey.report, covey.read_marks, covey.backtest, covey.cluster_risk,"
            " covey.match_clusters"
        ),
    ],
)
def test_only_estimators_load_other_libraries(code):
    heavy = child(f"{code}; import sys; print([name for name in {HEAVY} if name in sys.modules])")
    assert heavy == "[]"


def test_import_takes_less_than_50_ms(show):
    """Beside NumPy. The least of some runs, since the machine does other things too."""
    code = (
        "import time, numpy; begun = time.perf_counter(); import covey; bare = time.perf_counter() - begun; "
        "covey.Engine; print(bare, time.perf_counter() - begun)"
    )
    runs = [tuple(map(float, child(code).split())) for _ in range(5)]
    bare, scoring = (min(column) for column in zip(*runs))
    show(f"import covey: {bare * 1e3:.1f} ms beside NumPy; with covey.Engine {scoring * 1e3:.0f} ms")
    assert bare < 0.05


def test_every_name_is_said_three_times_alike():
    """Once for type checkers, once for its module and once in `__all__`."""
    tree = ast.parse(Path(covey.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    typed = {(node.module, name.name) for node in block.body for name in node.names}
    named = {(module, name) for module, names in covey._MODULES.items() for name in names}
    assert typed == named
    assert {name for _, name in named} == set(covey.__all__)
    assert len(covey.__all__) == len(set(covey.__all__))
    for name in covey.__all__:
        assert getattr(covey, name) is not None
    assert set(covey.__all__) <= set(dir(covey))


def test_functions_stay_functions_beside_modules_of_their_names():
    code = (
        "import covey.report.plots, covey.find, covey.robust_single_linkage, covey; "
        "print(*[type(x).__name__ for x in (covey.report, covey.find, covey.robust_single_linkage, covey.hybrid)])"
    )
    assert child(code) == "function function function module"
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        covey.nothing


def test_estimators_are_scikit_learn_s():
    for kind in (covey.HDBSCAN, covey.RobustSingleLinkage, covey.BranchDetector):
        assert issubclass(kind, BaseEstimator) and issubclass(kind, ClusterMixin)
    with pytest.raises(NotFittedError) as failure:
        covey.HDBSCAN().probabilities_
    assert isinstance(failure.value, covey.NotFittedError) and isinstance(failure.value, covey.CoveyError)
    assert pickle.loads(pickle.dumps(failure.value)).message == failure.value.message


def test_pickles_load_where_nothing_is_imported_yet(tmp_path):
    clusterer = covey.HDBSCAN(min_cluster_size=2).fit(np.array([[0.0], [0.1], [9.0], [9.1]]))
    path = tmp_path / "clusterer.pickle"
    path.write_bytes(pickle.dumps(clusterer))
    assert child(f"import pickle; print(pickle.load(open({str(path)!r}, 'rb')).labels_.tolist())") == str(
        clusterer.labels_.tolist()
    )
