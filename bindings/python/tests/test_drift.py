"""Drift against the same counts by NumPy and SciPy, and the mistakes that it must tell."""

import threading
import warnings

import numpy as np
import pytest
from road import Road
from scipy import stats

import covey


@pytest.fixture(scope="module")
def road():
    return Road()


def drift_of(road, rows=slice(None), sequences=None, features=None):
    drift = covey.Drift(road.engine)
    chosen = road.sequences[rows] if sequences is None else sequences
    table = road.features[rows] if features is None else features
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", covey.DataWarning)
        drift.add(chosen, table, road.engine.score(chosen, table))
    return drift


def changed(sequences, types=None, times=None, dwell=None):
    return covey.Sequences(
        sequences.offsets,
        sequences.types if types is None else types,
        sequences.times if times is None else times,
        sequences.dwell if dwell is None else dwell,
    )


def codes(report):
    return [warning["code"] for warning in report["warnings"]]


def test_the_training_rows_have_not_moved(road):
    report = drift_of(road).report()
    assert report["moved"] == [] and report["warnings"] == [] and report["against"] == "training"
    assert (
        report["transactions"] == report["scored"] == len(road.features)
        and report["event_count"] == road.sequences.event_count
    )
    assert sum(report["cluster_counts"]) == sum(report["risk_counts"]) == len(road.features)
    assert report["cluster_counts"] == [int((road.labels == label).sum()) for label in range(-1, road.labels.max() + 1)]
    assert max(feature["stability_index"] for feature in report["features"]) < 0.01


def test_half_of_the_rows_has_not_moved(road):
    random = np.random.default_rng(0)
    for _ in range(5):
        rows = np.sort(random.permutation(len(road.features))[:1000])
        report = drift_of(road, sequences=road.sequences[rows], features=road.features.iloc[rows]).report()
        assert report["moved"] == [] and report["warnings"] == []


def test_upper_case_names_and_milliseconds_are_told(road):
    upper = [None if name is None else name.upper() for name in road.sequences.types]
    cases = {
        "unknown_events": changed(road.sequences, types=upper),
        "time_between_events": changed(road.sequences, times=road.sequences.times * 1000),
        "dwell": changed(road.sequences, dwell=road.sequences.dwell * 1000),
    }
    for code, sequences in cases.items():
        with pytest.warns(covey.DataWarning):
            scores = road.engine.score(sequences, road.features)
        assert [finding.code for finding in scores.findings] == ["events_unlike_training"]
        drift = covey.Drift(road.engine)
        drift.add(sequences, road.features, scores)
        report = drift.report()
        assert codes(report) == [code]
        assert "clusters" in report["moved"] or code == "dwell"
        # A stream of single transactions has no batch to warn of; its drift has.
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            single = covey.Drift(road.engine)
            for row in range(30):
                one = road.engine.score(sequences[row : row + 1], road.features[row : row + 1])
                single.add(sequences[row : row + 1], road.features[row : row + 1], one)
        assert codes(single.report()) == [code]


def test_a_moved_feature_and_unknown_categories_are_told(road):
    frame = road.features.assign(amount=road.features.amount * 3 + 50)
    report = drift_of(road, features=frame).report()
    assert "amount" in report["moved"] and "items" not in report["moved"]
    frame = road.features.assign(country="XX")
    report = drift_of(road, features=frame).report()
    assert codes(report) == ["unknown_categories"]
    assert {"name": "country", "values": len(frame), "unknown": len(frame)} in report["categories"]


def test_figures_are_those_of_numpy_and_scipy(road):
    old, new = slice(0, 1500), slice(1500, None)
    report = drift_of(road, new).report(drift_of(road, old))
    assert report["against"] == "earlier"
    vocabulary = road.encoder.vocabulary
    a, b = (
        np.bincount(vocabulary.lookup(road.sequences[rows].types), minlength=len(vocabulary)).astype(float)
        for rows in (new, old)
    )
    p, q = (a + 0.5) / (a.sum() + 0.5 * len(a)), (b + 0.5) / (b.sum() + 0.5 * len(b))
    found = {entry["name"]: entry for group in ("events", "clusters", "scores") for entry in report[group]}
    assert found["event types"]["stability_index"] == pytest.approx(np.sum((p - q) * np.log(p / q)), rel=1e-9)
    seen = a + b > 0
    expected = stats.chi2_contingency(np.array([a[seen], b[seen]]), correction=False)
    assert found["event types"]["p"] == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-300)
    labels = road.engine.score(road.sequences, road.features).cluster
    a, b = (np.bincount(labels[rows] + 1, minlength=labels.max() + 2) for rows in (new, old))
    seen = a + b > 0
    expected = stats.chi2_contingency(np.array([a[seen], b[seen]]), correction=False)
    assert found["clusters"]["p"] == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-300)
    assert set(found) == {"event types", "time between events", "dwell", "clusters", "risk"}


def test_parts_add_up_in_any_order(road):
    whole = drift_of(road, slice(0, 900)).to_bytes()
    parts = [drift_of(road, slice(start, start + 300)) for start in (0, 300, 600)]
    for order in ((0, 1, 2), (2, 0, 1)):
        merged = covey.Drift(road.engine)
        for part in order:
            merged.merge(covey.Drift.from_bytes(road.engine, parts[part].to_bytes()))
        assert merged.to_bytes() == whole
    shared = covey.Drift(road.engine)
    scores = [road.engine.score(road.sequences[i : i + 90], road.features[i : i + 90]) for i in range(0, 900, 90)]
    threads = [
        threading.Thread(
            target=shared.add, args=(road.sequences[i : i + 90], road.features[i : i + 90], scores[i // 90])
        )
        for i in range(0, 900, 90)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shared.to_bytes() == whole
    shared.merge(shared)
    assert shared.report()["transactions"] == 1800


def test_what_is_wrong_is_refused_and_changes_nothing(road):
    drift = drift_of(road, slice(0, 50))
    before = drift.to_bytes()
    scores = road.engine.score(road.sequences[:10], road.features[:10])
    for arguments in ((None, None, None), (road.sequences[:9], road.features[:10], None),
                      (None, road.features[:9], scores),
                      (None, road.features[["amount"]], None), (road.sequences[:10], None, object())):  # fmt: skip
        with pytest.raises((covey.CoveyError, TypeError)):
            drift.add(*arguments)
    bad = changed(road.sequences[:10], times=np.full(road.sequences[:10].event_count, np.nan))
    with pytest.raises(covey.InvalidDataError):
        drift.add(bad)
    with pytest.raises(TypeError):
        drift.add(None, road.features, speed="x")
    for wrong in (b"", before[:-1], before + b"x", b"x" + before[1:], before[:-1] + b"\xff"):
        with pytest.raises(covey.CorruptFileError):
            covey.Drift.from_bytes(road.engine, wrong)
    other = bytearray(before)
    other[9] ^= 1
    with pytest.raises(covey.MismatchError):
        covey.Drift.from_bytes(road.engine, other)
    # The largest counts do not overflow.
    full = covey.Drift.from_bytes(
        road.engine, before[:16] + b"\xff\xff\xff\xff\xff\xff\xff\x7f" * ((len(before) - 16) // 8)
    )
    full.merge(full)
    assert full.report(drift)["transactions"] == 2**63 - 1 and drift.report(full)["transactions"] == 50
    assert drift.to_bytes() == before


def test_a_context_stops_what_is_said_and_counted(road):
    drift = drift_of(road)
    data = drift.to_bytes()
    stop = covey.Context(progress=lambda stage, fraction: True)
    calls = (
        lambda: covey.Drift(road.engine, context=stop),
        lambda: covey.Drift.from_bytes(road.engine, data, context=stop),
        lambda: drift.report(context=stop),
        lambda: drift.to_bytes(context=stop),
        lambda: drift.merge(drift, context=stop),
        lambda: road.engine.schema(context=stop),
        lambda: road.engine.to_bytes(context=stop),
        lambda: road.engine.encoder.vocabulary.lookup(["a"], context=stop),
    )
    for call in calls:
        with pytest.raises(covey.CoveyError) as failure:
            call()
        assert failure.value.code == covey.StatusCode.CANCELLED
    assert drift.to_bytes() == data


def test_a_budget_bounds_what_is_written(road):
    small = covey.Context(memory_budget=64)
    for call in (drift_of(road).to_bytes, drift_of(road).report, road.engine.schema, road.engine.to_bytes):
        with pytest.raises(covey.CoveyError, match="above the memory budget of 64"):
            call(context=small)
