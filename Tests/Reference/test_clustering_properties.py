"""What clustering owes to any input: it does not depend on the order of the rows, their place, direction and unit, or
the number of threads; and exact search equals hdbscan where rounding and ties are worst.

Mutual reachability is full of ties (a core distance is the length of many edges). With a `min_samples` of 1 it is the
plain
distance: sets without equal distances then have one spanning tree and one set of labels, whatever the order of the
    rows.
"""

import sys

import hdbscan
import numpy as np
import pytest
from scipy.spatial.distance import cdist

from clustering_reference import (
    ROOT,
    ambiguous,
    check_spanning_tree,
    check_tree_code,
    cluster,
    core_distances,
    covey,
    data_sets,
    hdbscan_tree,
    load,
    same_partition,
)

sys.path.insert(0, str(ROOT / "Tests" / "Benchmarks"))
from cluster_data import make  # noqa: E402

REAL = ["other/hdbscan", "sipu/compound", "graves/ring_noisy", "fcps/atom", "g2mg/g2mg_16_30", "g2mg/g2mg_64_50"]
# From each search: few and many columns, both ranks, and two sets
# of so many rows that approximate search has its own road.
MADE = {
    "2 columns": (3000, 2, "full"),
    "3 columns": (3000, 3, "full"),
    "16 columns, full rank": (2000, 16, "full"),
    "16 columns, low rank": (2000, 16, "low"),
    "64 columns, few rows": (2000, 64, "full"),
}
APPROXIMATE = {"64 columns": (46_000, 64, "full"), "64 columns, low rank": (46_000, 64, "low")}
NAMES = [*MADE, *(name for name in REAL if name in data_sets())]
EXACT_AND_NOT = [(name, {}) for name in NAMES] + [(name, {"algorithm": "approximate"}) for name in APPROXIMATE]
EXACT_AND_NOT_IDS = [f"{name}, {options.get('algorithm', 'exact')}" for name, options in EXACT_AND_NOT]


def rows_of(name):
    shape = {**MADE, **APPROXIMATE}.get(name)
    return make(*shape) if shape else load(data_sets()[name])


def without_ties(rows):
    """A little noise, so that no two distances are equal."""
    spread = np.abs(rows - rows.mean(0)).max()
    return rows + np.random.default_rng(7).normal(scale=1e-3 * spread, size=rows.shape)


def weights(result):
    return result["edges"]["distance"]


def same_bytes(a, b, *names):
    for name in names or a:
        assert np.asarray(a[name]).tobytes() == np.asarray(b[name]).tobytes(), name


@pytest.mark.parametrize("name", NAMES)
def test_permuted_rows_give_permuted_results(name):
    rows = without_ties(rows_of(name))
    order = np.random.default_rng(1).permutation(len(rows))
    a, b = cluster(rows, 15, min_samples=1), cluster(rows[order], 15, min_samples=1)
    assert same_partition(a["labels"][order], b["labels"])
    for of_rows in ("probabilities", "outlier_scores"):
        assert a[of_rows][order].tobytes() == b[of_rows].tobytes()
    assert weights(a).tobytes() == weights(b).tobytes()
    ends = np.sort(np.stack([order[b["edges"]["from"]], order[b["edges"]["to"]]]), axis=0)
    assert np.array_equal(ends, np.stack([a["edges"]["from"], a["edges"]["to"]]))
    np.testing.assert_allclose(np.sort(a["persistence"]), np.sort(b["persistence"]), rtol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_permuted_rows_with_ties_keep_the_weights(name):
    # The rows as they are, and core distances: where several trees are right, all weigh the same, edge by edge.
    rows = rows_of(name)
    order = np.random.default_rng(2).permutation(len(rows))
    a, b = cluster(rows, 15, min_samples=10), cluster(rows[order], 15, min_samples=10)
    assert weights(a).tobytes() == weights(b).tobytes()
    np.testing.assert_array_equal(a["merges"]["distance"], b["merges"]["distance"])


def rotation(dimension, seed):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((dimension, dimension)))[0]


@pytest.mark.parametrize("min_samples", [1, 10])
@pytest.mark.parametrize("name", NAMES)
def test_rigid_motion_changes_nothing(name, min_samples):
    rows = without_ties(rows_of(name))
    spread = np.abs(rows - rows.mean(0)).max()
    moved = rows @ rotation(rows.shape[1], 3).T + np.random.default_rng(4).normal(scale=10 * spread, size=rows.shape[1])
    a, b = cluster(rows, 15, min_samples=min_samples), cluster(moved, 15, min_samples=min_samples)
    np.testing.assert_allclose(weights(a), weights(b), rtol=1e-9)
    assert same_partition(a["labels"], b["labels"])
    np.testing.assert_allclose(a["probabilities"], b["probabilities"], rtol=1e-8, atol=1e-12)
    if min_samples > 1:
        return  # Where core distances tie, a row between two small siblings is either's.
    np.testing.assert_allclose(a["outlier_scores"], b["outlier_scores"], rtol=1e-7, atol=1e-9)
    # Ties are in the order of the rows' numbers, so that clusters have others; the rows leave at the same lambda, as
    # clusters do.
    trees = [np.sort(result["condensed_tree"], order="child") for result in (a, b)]
    np.testing.assert_allclose(*(tree["lambda_val"][tree["child"] < len(rows)] for tree in trees), rtol=1e-9)
    np.testing.assert_allclose(*(np.sort(tree["lambda_val"][tree["child"] >= len(rows)]) for tree in trees), rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name,options", EXACT_AND_NOT, ids=EXACT_AND_NOT_IDS)
def test_powers_of_two_change_nothing(name, options, dtype):
    rows = rows_of(name).astype(dtype)
    expected = cluster(rows, 15, min_samples=10, **options)
    for power in (-40, -1, 3, 60):
        scaled = cluster(rows * dtype(2.0**power), 15, min_samples=10, **options)
        same_bytes(
            expected, scaled, "labels", "probabilities", "outlier_scores", "persistence", "recall", "selected_nodes"
        )
        for ends in ("from", "to"):
            assert np.array_equal(scaled["edges"][ends], expected["edges"][ends])
        assert (weights(expected) * 2.0**power).tobytes() == weights(scaled).tobytes()
        for merged in ("left", "right", "size"):
            assert np.array_equal(scaled["merges"][merged], expected["merges"][merged])


@pytest.mark.parametrize("name,options", EXACT_AND_NOT, ids=EXACT_AND_NOT_IDS)
def test_threads_change_no_byte(name, options):
    narrow = ((np.float32, options or {"metric": "manhattan"}), (np.float32, {"metric": "cosine"}))
    for dtype, options in ((np.float64, options), *narrow):
        rows = rows_of(name).astype(dtype)
        expected = cluster(rows, 15, threads=1, min_samples=10, **options)
        for threads in (2, 3, 8):
            same_bytes(expected, cluster(rows, 15, threads=threads, min_samples=10, **options))


def test_seeds_change_no_exact_result():
    rows = rows_of("16 columns, full rank")
    same_bytes(cluster(rows, 15, seed=1), cluster(rows, 15, seed=2**64 - 1))


# ------------------------------------------------------------------------------------------ where rounding is worst
def grid(*sides):
    return np.stack(np.meshgrid(*(np.arange(side, dtype=float) for side in sides)), -1).reshape(-1, len(sides))


def duplicated(rows, most, seed=5):
    """Each row up to `most` times, in any order."""
    random = np.random.default_rng(seed)
    return random.permutation(np.repeat(rows, random.integers(1, most + 1, len(rows)), axis=0))


HARD = {
    "duplicates, 2 columns": lambda: duplicated(make(700, 2, "full"), 4),
    "duplicates, 16 columns": lambda: duplicated(make(700, 16, "full"), 4),
    "duplicates, 64 columns": lambda: duplicated(make(500, 64, "full"), 4),
    "grid, 2 columns": lambda: grid(40, 40),
    "grid, 3 columns": lambda: grid(12, 12, 12),
    "grid, 14 columns": lambda: np.random.default_rng(6).integers(0, 2, (1200, 14)).astype(float),
    "grid, 40 columns": lambda: np.random.default_rng(6).integers(0, 3, (1000, 40)).astype(float),
    "grid with holes": lambda: np.random.default_rng(8).permutation(grid(45, 45))[:1500],
    "1 column": lambda: make(2500, 1, "full"),
    "1 column, whole numbers": lambda: np.round(make(2500, 1, "full") * 20),
    "768 columns, full rank": lambda: make(400, 768, "full"),
    "768 columns, low rank": lambda: make(500, 768, "low"),
    "2 columns": lambda: make(2000, 2, "full"),
    "16 columns": lambda: make(1500, 16, "full"),
    "64 columns, low rank": lambda: make(1500, 64, "low"),
}
# A float32 has 24 bits: far from the origin numbers become a grid, on which both cluster the same numbers.
MOTIONS = {
    "as it is": lambda rows: rows,
    "times 1e-6": lambda rows: rows * 1e-6,
    "times 1e6": lambda rows: rows * 1e6,
    "plus 1e6": lambda rows: rows + 1e6,
    "times 1e-6 plus 1e6": lambda rows: rows * 1e-6 + 1e6,
    "one column plus 1e6": lambda rows: rows + 1e6 * (np.arange(rows.shape[1]) == 0),
}
MOVED = (
    "duplicates, 16 columns",
    "grid, 2 columns",
    "1 column",
    "768 columns, full rank",
    "2 columns",
    "16 columns",
    "64 columns, low rank",
)
CASES = [(name, motion) for name in HARD for motion in MOTIONS if motion in ("as it is", "plus 1e6") or name in MOVED]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name,motion", CASES, ids=[f"{name}, {motion}" for name, motion in CASES])
def test_equals_hdbscan_where_rounding_is_worst(name, motion, dtype):
    rows = MOTIONS[motion](HARD[name]()).astype(dtype)
    wide = rows.astype(np.float64)
    size = 20
    result = cluster(rows, size)
    model = hdbscan_tree(wide, size)
    check_spanning_tree(wide, result, core_distances(wide, size), model._min_spanning_tree[:, 2])
    if np.isfinite(result["condensed_tree"]["lambda_val"]).all():  # hdbscan subtracts infinities
        check_tree_code(wide, result, size)
    if not same_partition(result["labels"], model.labels_):
        assert ambiguous(wide, model, model.labels_, size, result["edges"]) is not None


@pytest.mark.parametrize("search", ["exact", "approximate"])
@pytest.mark.parametrize("columns", [1, 3, 16, 64])
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 30, 300])
def test_few_rows_and_equal_rows(rows, columns, search):
    for points in (make(rows, columns, "full"), np.full((rows, columns), 7.25), np.zeros((rows, columns))):
        for size in (2, 5, 40):
            result = cluster(points, size, algorithm=search)
            assert len(result["edges"]) == rows - 1 and result["recall"] == 1
            if rows == 1:
                # hdbscan has no answer to one row.
                with pytest.raises(ValueError):
                    hdbscan.HDBSCAN(min_cluster_size=size).fit(points)
                assert result["labels"].tolist() == [-1] and result["probabilities"].tolist() == [0]
                continue
            model = hdbscan_tree(points, size)
            np.testing.assert_allclose(weights(result), np.sort(model._min_spanning_tree[:, 2]), rtol=1e-9, atol=1e-12)
            if rows < size or not np.ptp(points):
                assert result["labels"].tolist() == model.labels_.tolist() == [-1] * rows
                assert result["probabilities"].tolist() == model.probabilities_.tolist()
            elif not same_partition(result["labels"], model.labels_):
                assert ambiguous(points, model, model.labels_, size, result["edges"]) is not None


def test_no_rows_are_refused_as_by_hdbscan():
    for model in (hdbscan.HDBSCAN(), covey.HDBSCAN(), covey.HDBSCAN(algorithm="approximate")):
        with pytest.raises(ValueError, match="0 sample"):
            model.fit(np.zeros((0, 3)))


@pytest.mark.parametrize("columns", [1, 2, 16, 64])
def test_duplicates_beyond_min_samples(columns):
    # Core distances of 0: hdbscan's weights are still those; a group of equal rows is never split.
    rows = duplicated(make(60, columns, "full"), 40)
    result = cluster(rows, 10, min_samples=4)
    model = hdbscan_tree(rows, 10, min_samples=4)
    np.testing.assert_allclose(weights(result), np.sort(model._min_spanning_tree[:, 2]), rtol=1e-9, atol=1e-12)
    unique, group = np.unique(rows, axis=0, return_inverse=True)
    group = group.ravel()
    assert all(len(set(result["labels"][group == number])) == 1 for number in range(len(unique)))
    assert np.isfinite(result["probabilities"]).all() and np.isfinite(result["persistence"]).all()
    assert ((result["outlier_scores"] >= 0) & (result["outlier_scores"] <= 1)).all()


def prim(reach):
    """The weights of a minimum spanning tree, ascending, from every pair's length."""
    nearest, inside, found = reach[0].copy(), np.zeros(len(reach), bool), []
    inside[0] = True
    for _ in range(len(reach) - 1):
        row = np.flatnonzero(~inside)[nearest[~inside].argmin()]
        found.append(nearest[row])
        inside[row] = True
        nearest = np.minimum(nearest, reach[row])
    return np.sort(found)


@pytest.mark.parametrize("columns", [2, 16, 40])
@pytest.mark.parametrize(
    "scale,dtype,word",
    [
        (1e300, np.float64, "overflow"),
        (1e152, np.float64, ""),
        (1e-130, np.float64, ""),
        (1e-160, np.float64, "vanish"),
        (5e-320, np.float64, "vanish"),
        (1e38, np.float32, ""),
        (1e-44, np.float32, ""),
    ],
)
def test_numbers_at_the_ends_of_their_range(columns, scale, dtype, word):
    # Clustered as any others, or refused where squares overflow or vanish; nothing traps or hangs.
    random = np.random.default_rng(9)
    rows = np.vstack([random.uniform(-1, 1, (40, columns)), random.uniform(-1, 1, (40, columns)) * 0.5 + 0.4])
    rows = (rows * scale).astype(dtype)
    if word:
        with pytest.raises(covey.InvalidDataError, match=word):
            cluster(rows, 8)
        return
    result = cluster(rows, 8)
    wide = rows.astype(np.float64)
    distances = np.sqrt(((wide[:, None] - wide[None]) ** 2).sum(-1))
    cores = np.sort(distances, axis=1)[:, 8]
    reach = np.maximum(distances, np.maximum(cores[:, None], cores[None]))
    np.testing.assert_allclose(weights(result), prim(reach), rtol=1e-9)
    assert not np.isnan(result["probabilities"]).any() and not np.isnan(result["outlier_scores"]).any()


def test_weights_against_every_distance():
    # hdbscan itself is not asked.
    for columns in (1, 2, 5, 13, 40):
        rows = make(400, columns, "full")
        distances = cdist(rows, rows)
        cores = np.sort(distances, axis=1)[:, 7]
        reach = np.maximum(distances, np.maximum(cores[:, None], cores[None]))
        np.testing.assert_allclose(weights(cluster(rows, 10, min_samples=7)), prim(reach), rtol=1e-9)
