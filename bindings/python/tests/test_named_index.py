"""The approximate search by an index of FAISS, against all distances and exact clusters."""

import copy
import mmap
import pathlib
import pickle
import tempfile

import covey
import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score


def sample(rows: int, columns: int = 16) -> np.ndarray:
    """Twelve clusters and a tenth of noise, off the origin."""
    random = np.random.default_rng(5)
    centres = random.normal(size=(12, columns)) * 4
    chosen = random.integers(0, 12, rows)
    made = centres[chosen] + random.normal(size=(rows, columns)) * random.uniform(0.3, 0.9, 12)[chosen, None]
    noise = random.random(rows) < 0.1
    made[noise] = random.uniform(-12, 12, (noise.sum(), columns))
    return made + 100


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return sample(6000)


@pytest.fixture(scope="module")
def exact(rows: np.ndarray) -> covey.HDBSCAN:
    return covey.HDBSCAN(min_cluster_size=40, min_samples=8).fit(rows)


@pytest.mark.parametrize(
    ("index", "search", "recall"),
    [
        ("Flat", None, 1.0),
        ("IVF64,Flat", "nprobe=64", 1.0),
        ("IVF64,Flat", "nprobe=8", 0.8),
        ("HNSW16", "efSearch=64", 0.8),
        ("IVF64,PQ8", "nprobe=16", 0.1),
        ("IVF32,SQ8,RFlat", "nprobe=32,k_factor_rf=4", 0.9),
    ],
)
def test_clusters_are_those_of_the_exact_search(rows, exact, index, search, recall):
    found = covey.HDBSCAN(
        min_cluster_size=40, min_samples=8, algorithm="approximate", index=index, index_search=search
    ).fit(rows)
    assert recall <= found.recall_ <= 1
    assert adjusted_rand_score(exact.labels_, found.labels_) > 0.98
    edges, shortest = found.minimum_spanning_tree_.to_numpy(), exact.minimum_spanning_tree_.to_numpy()
    # Every edge is as long as the rows say: the core distances of the exact search are lower bounds.
    lengths = np.linalg.norm(rows[edges[:, 0].astype(int)] - rows[edges[:, 1].astype(int)], axis=1)
    assert np.all(edges[:, 2] >= lengths * (1 - 1e-12))
    total = shortest[:, 2].sum()
    assert total * (1 - 1e-9) <= edges[:, 2].sum() <= total * 1.2
    if recall == 1:
        # Clusters are joined by edges that are searched for.
        assert found.recall_ == 1 and edges[:, 2].sum() == pytest.approx(total, rel=1e-5)


def test_more_probes_find_more(rows):
    one, four, all_lists = (
        covey.HDBSCAN(min_samples=8, algorithm="approximate", index="IVF64,Flat", index_search=f"nprobe={probes}")
        .fit(rows)
        .recall_
        for probes in (1, 4, 64)
    )
    assert one < four < all_lists == 1


def test_memory_mapped_rows_give_the_same_labels(rows):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "rows"
        path.write_bytes(rows.astype(np.float32).tobytes())
        with path.open("rb") as file:
            mapped = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.float32).reshape(rows.shape)
            options = {"algorithm": "approximate", "index": "IVF32,PQ8x4", "index_search": "nprobe=8"}
            one = covey.HDBSCAN(min_cluster_size=40, **options).fit(mapped)
            two = covey.HDBSCAN(min_cluster_size=40, **options).fit(rows.astype(np.float32))
            assert np.array_equal(one.labels_, two.labels_)
            del mapped


def test_the_index_is_kept(rows, tmp_path):
    made = covey.HDBSCAN(algorithm="approximate", index="IVF8,Flat", index_search="nprobe=2", prediction_data=True).fit(
        rows[:800]
    )
    made.save(tmp_path / "clustering.covey")
    for other in (covey.HDBSCAN.load(tmp_path / "clustering.covey"), pickle.loads(pickle.dumps(made)), copy.copy(made)):
        assert (other.index, other.index_search, other.recall_) == ("IVF8,Flat", "nprobe=2", made.recall_)
        assert np.array_equal(other.labels_, made.labels_)


def test_what_cannot_be_is_refused(rows):
    def fit(**options):
        return covey.HDBSCAN(algorithm="approximate", **options).fit(rows)

    for index in ("nonsense", "IVF0,Flat", "HNSW1", "IVF8", "/tmp/index.faiss", "NSG32", ""):
        with pytest.raises(covey.InvalidArgumentError, match="index must be"):
            fit(index=index)
    with pytest.raises(covey.InvalidArgumentError, match="at least 8000 rows"):
        fit(index="IVF8000,Flat")
    with pytest.raises(covey.InvalidArgumentError, match="equal parts"):
        fit(index="IVF8,PQ7")
    with pytest.raises(covey.InvalidArgumentError, match="index_search must"):
        fit(index="IVF8,Flat", index_search="nprobe=0")
    with pytest.raises(covey.InvalidArgumentError, match="index_search must be None without an index"):
        fit(index_search="nprobe=3")
    with pytest.raises(covey.InvalidArgumentError, match='algorithm must be "approximate" with an index, got .best.'):
        covey.HDBSCAN(index="IVF8,Flat").fit(rows)
    with pytest.raises(covey.InvalidTypeError, match="index must be a string"):
        fit(index=3)
    with pytest.raises(covey.InvalidArgumentError, match="NUL"):
        fit(index="Flat\0")
    with pytest.raises(covey.InvalidArgumentError, match="min_samples must be at most 256"):
        fit(index="Flat", min_samples=300)
    with pytest.raises(covey.OutOfMemoryError, match="the index HNSW512"):
        covey.HDBSCAN(algorithm="approximate", index="HNSW512", context=covey.Context(memory_budget=8_000_000)).fit(
            rows
        )


def test_a_factor_of_refinement_takes_no_more_rows_than_there_are():
    random = np.random.default_rng(0)
    rows = (random.normal(size=(500, 8)) + random.integers(0, 8, 500)[:, None] * 6).astype("f4")
    model = covey.HDBSCAN(
        min_cluster_size=10,
        algorithm="approximate",
        index="PQ2x4,RFlat",
        index_search="k_factor_rf=1000000",
        context=covey.Context(threads=1, memory_budget=100_000_000),
    )
    model.fit(rows)
    # All rows are refined, so that the search is exact.
    assert model.recall_ == 1.0


def test_a_low_recall_is_said(rows):
    model = covey.HDBSCAN(min_cluster_size=40, min_samples=8, algorithm="approximate", index="IVF512,PQ2")
    with pytest.warns(UserWarning, match=r"IVF512,PQ2 found \d+ % of the nearest rows"):
        model.fit(rows)
    assert model.recall_ < 0.5
