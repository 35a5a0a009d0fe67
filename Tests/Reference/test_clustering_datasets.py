"""Exact clustering against hdbscan 0.8.44 on every set of up to 20,000 rows of the development data.

    make check-datasets

COVEY_LARGEST_SET says up to how many rows; `make test` keeps to the small sets, as hdbscan takes minutes for the
largest.

Needs the built library (COVEY_LIBRARY, or .build-out/lib) and the data (COVEY_SHARED_DATA, or ../shared/data); skipped
where there is no data. For every set:

- the spanning tree is a tree, each of its edges is as long as the mutual reachability of its ends, and its edges are,
  in ascending order, as long as those of hdbscan's (relative 1e-9). So it is a minimum spanning tree, whatever the
  ties.
- hdbscan's own tree code, given Covey's single-linkage tree, must give the very same labels, strengths, persistence and
  outlier scores.
- the labels equal those of hdbscan, run on the rows, up to numbering, unless the set is ambiguous: hdbscan itself then
  gives other labels for the rows in another order, or for a minimum spanning tree of the same rows with its ties in
  another order. What is counted as ambiguous is thus shown each time, and never presumed.
"""

import os

import pytest

from clustering_reference import (
    DATA,
    ambiguous,
    check_spanning_tree,
    check_tree_code,
    cluster,
    core_distances,
    data_sets,
    hdbscan_tree,
    load,
    partition,
    same_partition,
)

LARGEST = int(os.environ.get("COVEY_LARGEST_SET", 20_000))
SIZES = (15, 50)
if not DATA.is_dir():
    pytest.skip(f"no development data at {DATA}", allow_module_level=True)

SUMMARY = {"equal": [], "ambiguous": []}


@pytest.mark.parametrize("name", list(data_sets()))
def test_set(name):
    rows = load(data_sets()[name])
    if len(rows) > LARGEST:
        pytest.skip(f"{len(rows)} rows")
    for size in SIZES:
        result = cluster(rows, size)
        model = hdbscan_tree(rows, size)
        cores = core_distances(rows, min(size, len(rows) - 1))
        check_spanning_tree(rows, result, cores, model._min_spanning_tree[:, 2])
        check_tree_code(rows, result, size)
        if same_partition(result["labels"], model.labels_):
            SUMMARY["equal"].append((name, size))
            continue
        how = ambiguous(rows, model, model.labels_, size, result["edges"])
        differing = int((partition(result["labels"]) != partition(model.labels_)).sum())
        assert how is not None, (
            f"min_cluster_size {size}: {differing} labels differ, and hdbscan's do not depend on ties"
        )
        SUMMARY["ambiguous"].append((name, size, how))


def test_summary():
    print(f"\n{len(SUMMARY['equal'])} clusterings equal to hdbscan's, {len(SUMMARY['ambiguous'])} ambiguous:")
    for name, size, how in SUMMARY["ambiguous"]:
        print(f"  {name}, min_cluster_size {size}: hdbscan gives other labels with {how}")
