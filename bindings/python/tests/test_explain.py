"""Explanations, against slow code that asks the public functions for one changed transaction at a time."""

import itertools
import json
import math

import numpy as np
import pytest

import covey
from explain_support import (
    Reference,
    kept,
    road,  # noqa: F401 (fixtures)
    shortest,
)
from support import write_random_encoder


@pytest.mark.parametrize("explained", ["exemplar", "centre", "membership", "risk", "contrast"])
def test_occlusion_is_leaving_one_event_out(road, explained):
    rows = shortest(road, 12)
    found = road.engine.explain(road.sequences[rows], road.features.iloc[rows], explained=explained, method="occlusion")
    reference = Reference(road, explained)
    assert len(found) == len(rows)
    for row, explanation in zip(rows, found):
        target = (-1, -1, None) if explained == "risk" else reference.target(row)
        places = range(road.sequences.lengths[row])
        whole = reference.without(row, places, target)
        expected = [whole - reference.without(row, [p for p in places if p != gone], target) for gone in places]
        np.testing.assert_allclose(explanation.attributions, expected, atol=2e-6)
        assert explanation.value == pytest.approx(whole, abs=2e-6)
        assert explanation.base == pytest.approx(reference.without(row, [], target), abs=2e-6)
        assert explanation.cluster == target[0]
        assert explanation.method == "occlusion" and explanation.explained == explained
        assert np.isnan(explanation.errors).all() and explanation.parts == len(places)
        if explained == "exemplar":
            assert np.array_equal(road.rows[explanation.exemplar], road.rows[target[1]])
        else:
            assert explanation.exemplar == -1


def test_shapley_values_are_those_of_all_orders(road):
    rows = shortest(road, 3, longest=5)
    reference = Reference(road, "exemplar")
    found = road.engine.explain(
        road.sequences[rows], road.features.iloc[rows], explained="exemplar", method="shapley", permutations=4096
    )
    close = []
    for row, explanation in zip(rows, found):
        target = reference.target(row)
        count = int(road.sequences.lengths[row])
        value = {
            chosen: reference.without(row, chosen, target)
            for size in range(count + 1)
            for chosen in itertools.combinations(range(count), size)
        }
        exact = np.zeros(count)
        for chosen, before in value.items():
            for event in set(range(count)) - set(chosen):
                weight = math.factorial(len(chosen)) * math.factorial(count - len(chosen) - 1) / math.factorial(count)
                exact[event] += weight * (value[tuple(sorted((*chosen, event)))] - before)
        assert abs(explanation.residual) < 1e-9
        assert explanation.value - explanation.base == pytest.approx(explanation.attributions.sum())
        assert (explanation.errors >= 0).all() and explanation.errors.max() < 0.05 * np.abs(exact).max()
        close += list(np.abs(explanation.attributions - exact) <= 3 * explanation.errors + 1e-6)
    assert np.mean(close) > 0.95
    few = road.engine.explain(road.sequences[rows], road.features.iloc[rows], method="shapley", permutations=8)
    again = road.engine.explain(
        road.sequences[rows[1:]], road.features.iloc[rows[1:]], method="shapley", permutations=8
    )
    assert few[1].attributions.tobytes() == again[0].attributions.tobytes()
    other = road.engine.explain(
        road.sequences[rows], road.features.iloc[rows], method="shapley", permutations=8, seed=1
    )
    assert few[0].errors.max() > found[0].errors.max() and not np.array_equal(few[0].errors, other[0].errors)


@pytest.mark.parametrize("explained", ["exemplar", "centre", "contrast"])
def test_gradients_add_up_within_one_percent(road, explained):
    rows = np.flatnonzero(road.sequences.lengths > 0)[:200]
    found = road.engine.explain(road.sequences[rows], road.features.iloc[rows], explained=explained, method="gradients")
    for explanation in found:
        difference = explanation.value - explanation.base
        assert abs(explanation.residual) <= 0.01 * abs(difference) + 2e-5, explanation
        assert 8 <= explanation.steps <= 256 and explanation.method == "gradients"


def test_faithfulness_is_what_leaving_parts_out_does(road):
    rows = shortest(road, 6)
    found = road.engine.explain(
        road.sequences[rows], road.features.iloc[rows], explained="exemplar", method="occlusion"
    )
    reference = Reference(road, "exemplar")
    for row, explanation in zip(rows, found):
        target = reference.target(row)
        order = np.argsort(-np.abs(explanation.attributions), kind="stable")
        count = len(order)
        half = range(1, (count + 1) // 2 + 1)
        value = lambda places: reference.without(row, sorted(places), target)  # noqa: E731
        down, up = [value(order[cut:]) for cut in half], [value(order[: count - cut]) for cut in half]
        whole, faith = value(order), explanation.faithfulness
        close = lambda number: pytest.approx(number, abs=1e-5)  # noqa: E731
        assert faith.comprehensiveness == close(np.mean(np.abs(whole - np.array(down))))
        assert faith.sufficiency == close(np.mean([abs(whole - value(order[:cut])) for cut in half]))
        assert faith.difference == close(np.abs(np.diff([whole, *down])).sum())
        assert faith.preservation == close(np.abs(np.diff([whole, *up])).sum())
        sums = np.cumsum(explanation.attributions[order]), np.cumsum(explanation.attributions[order][::-1])
        errors = [
            whole - left - gone[cut - 1] for gone, lefts in zip(sums, (down, up)) for cut, left in zip(half, lefts)
        ]
        assert faith.infidelity == close(np.sqrt(np.mean(np.square(errors))))
        assert np.isnan(faith.sensitivity)


@pytest.mark.parametrize("method", ["occlusion", "gradients", "shapley"])
def test_sensitivity_is_the_largest_change_with_other_gaps(road, method):
    rows = shortest(road, 4)
    options = {"method": method, "permutations": 8, "explain_features": False, "faithfulness": False}
    found = road.engine.explain(road.sequences[rows], road.features.iloc[rows], sensitivity=True, **options)
    for row, explanation in zip(rows, found):
        own, largest = explanation.attributions, 0.0
        given = road.sequences[row : row + 1]
        for factor in (0.95, 0.98, 1.02, 1.05):
            start = given.times.min()
            dwell = None if given.dwell is None else given.dwell * factor
            changed = covey.Sequences(given.offsets, given.types, start + (given.times - start) * factor, dwell)
            other = road.engine.explain(changed, road.features[row : row + 1], cluster=explanation.cluster, **options)[
                0
            ]
            largest = max(largest, np.linalg.norm(other.attributions - own) / np.linalg.norm(own))
        assert explanation.faithfulness.sensitivity == pytest.approx(largest, rel=1e-4, abs=1e-6)
        assert np.isnan(explanation.faithfulness.infidelity) and largest > 0


@pytest.mark.parametrize("explained", ["exemplar", "risk"])
def test_features_are_set_to_their_usual_value(road, explained):
    rows = shortest(road, 6)
    chosen = road.features.iloc[rows]
    found = road.engine.explain(road.sequences[rows], chosen, explained=explained)
    reference = Reference(road, explained)
    for row, explanation in zip(rows, found):
        target = (-1, -1, None) if explained == "risk" else reference.target(row)
        assert list(explanation.features) == list(road.engine.features)
        for name, kind in road.engine.features.items():
            column = road.features[name]
            if kind == "numeric":
                usual = column.median()
            elif kind == "boolean":
                usual = column.mean() >= 0.5
            else:
                usual = column.value_counts().index[0]
            changed = road.features[row : row + 1].assign(**{name: [usual]})
            value = reference.value(row, road.sequences[row : row + 1], changed, target)
            assert explanation.features[name] == pytest.approx(explanation.value - value, abs=2e-6), name


def test_frames_names_and_keys(road):
    rows = shortest(road, 3)
    events = covey.Sequences(
        road.sequences[rows].offsets, road.sequences[rows].types, road.sequences[rows].times,
        road.sequences[rows].dwell,
        keys=["a", "b", "c"], key_name="number",
    )  # fmt: skip
    features = road.features.iloc[rows].assign(number=["c", "b", "a"])
    found = road.engine.explain(events, features, key="number", method="occlusion")
    frame = found.to_frame()
    assert list(frame.columns) == ["number", "place", "event", "attribution", "error"]
    assert len(frame) == events.event_count and frame.number.iloc[0] == "c"
    alone = road.engine.explain(road.sequences[rows[2:]], road.features.iloc[rows[:1]], method="occlusion")[0]
    assert found[0].attributions.tobytes() == alone.attributions.tobytes()
    assert found[0].events == alone.events and all(isinstance(name, str) and name for name in alone.events)
    assert list(alone.to_frame().columns) == ["event", "attribution", "error"]
    assert "contrast of cluster" in str(alone)
    with pytest.raises(IndexError):
        found[3]
    assert len(found[:2]) == 2 and found[-1].value == found[2].value


def test_long_sequences_are_explained_in_runs(road):
    count = 10_000
    names = np.array(road.encoder.vocabulary.names)
    random = np.random.default_rng(3)
    long = covey.Sequences([0, count], names[random.integers(0, len(names), count)],
                           np.cumsum(random.exponential(9, count)),
                           random.exponential(5, count))  # fmt: skip
    features = road.features[:1]
    found = road.engine.explain(long, features, explained="exemplar", largest_parts=16, method="occlusion")[0]
    assert (found.parts, len(found.attributions), len(found.events)) == (16, count, count)
    reference = Reference(road, "exemplar")
    runs = [range(count * p // 16, count * (p + 1) // 16) for p in range(16)]
    exemplar = road.rows[found.exemplar].astype(float)
    for run in runs[::5]:
        left = [p for p in range(count) if p not in run]
        value = np.linalg.norm(reference.row(kept(long, 0, left), features) - exemplar)
        assert found.attributions[run[0]] == pytest.approx((found.value - value) / len(run), abs=1e-7)
        assert len(set(found.attributions[list(run)])) == 1
    gradients = road.engine.explain(long, features, largest_parts=16, method="gradients")[0]
    assert gradients.attributions.shape == (count,) and np.isfinite(gradients.attributions).all()
    whole = road.engine.explain(long, features)[0]
    assert whole.parts == 256


def test_empty_and_single_events(road):
    batch = covey.Sequences([0, 0, 1], [road.encoder.vocabulary[1]], [5.0], [1.0])
    for method in ("auto", "occlusion", "shapley", "gradients"):
        empty, single = road.engine.explain(batch, road.features[:2], method=method)
        assert len(empty.attributions) == 0 and empty.value == pytest.approx(empty.base, abs=1e-9)
        assert np.isnan(empty.faithfulness.difference) and empty.events == () and "no events" in str(empty)
        assert len(single.attributions) == 1
        if method != "gradients":
            assert single.attributions[0] == pytest.approx(single.value - single.base)
    assert len(road.engine.explain(batch[:0], road.features[:0])) == 0
    assert road.engine.explain(batch[:0], road.features[:0]).to_frame().empty
    bare = road.engine.explain(batch, road.features[:2], explain_features=False, faithfulness=False)[1]
    assert bare.features == {} and np.isnan(bare.faithfulness.sufficiency)


def test_what_is_wrong_is_refused(road):
    events, features = road.sequences[:2], road.features[:2]
    clusters = int(road.labels.max()) + 1
    for options, message in (
        ({"cluster": clusters}, f"cluster must be -1 to {clusters - 1}, got {clusters}"),
        ({"cluster": -2}, "cluster must be -1 to"),
        ({"cluster": 0, "explained": "risk"}, "cluster must be -1 if the risk is explained"),
        ({"explained": "mood"}, "explained must be one of"),
        ({"method": "tea leaves"}, "method must be one of"),
        ({"method": "gradients", "explained": "risk"}, "they have no gradient"),
        ({"method": "gradients", "explained": "membership"}, "they have no gradient"),
        ({"largest_parts": 0}, "largest_parts must be 1 to 4096, got 0"),
        ({"largest_parts": 5000}, "largest_parts must be 1 to 4096"),
        ({"permutations": 2}, "permutations must be even, 4 to 65536, got 2"),
        ({"permutations": 5}, "permutations must be even"),
        ({"largest_steps": 3}, "largest_steps must be 4 to 4096"),
        ({"seed": -1}, "seed must be 0"),
    ):
        with pytest.raises(covey.InvalidArgumentError, match=message):
            road.engine.explain(events, features, **options)
    with pytest.raises(covey.MismatchError):
        road.engine.explain(None, features)
    with pytest.raises(covey.MismatchError):
        road.engine.explain(events, None)
    with pytest.raises(covey.MismatchError, match="sequences are 2, features have 3"):
        road.engine.explain(events, road.features[:3])
    late = covey.Sequences(events.offsets, events.types, np.where(np.arange(len(events.types)) == 1, np.nan,
        events.times),
                           events.dwell)  # fmt: skip
    with pytest.raises(covey.InvalidDataError, match=r"times\[1\] must be finite"):
        road.engine.explain(late, features)
    name = next(name for name, kind in road.engine.features.items() if kind == "numeric")
    with pytest.raises(covey.InvalidDataError, match=f'"{name}", row 1'):
        road.engine.explain(events, features.assign(**{name: [0.0, np.inf]}))
    missing = road.engine.explain(events, features.assign(**{name: [np.nan, 1.0]}))[0]
    assert missing.features[name] == pytest.approx(0, abs=1e-6) and np.isfinite(missing.value)
    with pytest.raises(covey.CancelledError):
        road.engine.explain(events, features, context=covey.Context(progress=lambda stage, share: True))
    with pytest.raises(covey.OutOfMemoryError):
        road.engine.explain(road.sequences, road.features, context=covey.Context(memory_budget=1 << 14))


def test_an_engine_without_encoder_explains_features():
    random = np.random.default_rng(1)
    group = np.arange(90) % 3
    features = {"amount": group * 100.0 + random.random(90), "country": np.array(["NL", "BE", "FR"])[group]}
    hybrid = covey.HybridFeatures()
    rows = hybrid.fit_transform(features=features)
    clusterer = covey.HDBSCAN(min_cluster_size=10, prediction_data=True).fit(rows)
    risk = covey.cluster_risk(clusterer.labels_, (group == 2).astype(int))
    engine = covey.Engine.build(hybrid=hybrid, clustering=clusterer, risk=risk)
    found = engine.explain(features=features)
    assert len(found) == 90
    other = {name: values[:1] for name, values in features.items()}
    one = engine.explain(None, other, explained="exemplar", cluster=int(clusterer.labels_[2]))[0]
    assert one.events == () and len(one.attributions) == 0 and set(one.features) == {"amount", "country"}
    assert one.value > 0 and np.isnan(one.faithfulness.difference)
    with pytest.raises(covey.MismatchError, match="no encoder"):
        engine.explain(None, other, method="gradients")
    with pytest.raises(covey.InvalidTypeError, match="no encoder"):
        engine.explain(covey.Sequences([0, 1], [1], [0.0]), other)
    noise = covey.HDBSCAN(min_cluster_size=60, prediction_data=True).fit(rows)
    risk = covey.cluster_risk(noise.labels_, (group == 2).astype(int))
    engine = covey.Engine.build(hybrid=hybrid, clustering=noise, risk=risk)
    if noise.labels_.max() < 0:
        with pytest.raises(covey.MismatchError, match="no clusters"):
            engine.explain(None, other)
    assert np.isfinite(engine.explain(None, other, explained="risk")[0].value)


def test_channels_and_events_out_of_order_are_explained(tmp_path):
    """An encoder with channels; and the same events given in another order have the same attributions."""
    vocabulary = ["login", "view", "pay", "help"]
    write_random_encoder(
        tmp_path / "model.safetensors", vocabulary, numeric=("speed",), categorical=(("page", ["a", "b"]),), dwell=True
    )
    encoder = covey.SequenceEncoder.load(tmp_path / "model.safetensors")
    random = np.random.default_rng(5)
    lengths = random.integers(3, 8, 60)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    total = int(offsets[-1])
    columns = dict(
        types=random.integers(0, 5, total).astype(np.int32),
        times=np.concatenate([np.sort(random.random(n) * 100) for n in lengths]),
        dwell=random.random(total),
        numeric={"speed": np.where(random.random(total) < 0.2, np.nan, random.normal(size=total))},
        categorical={"page": random.integers(0, 3, total).astype(np.int32)},
    )
    events = covey.Sequences(offsets, **columns)
    hybrid = covey.HybridFeatures()
    rows = hybrid.fit_transform(encoder.embed(events))
    clusterer = covey.HDBSCAN(min_cluster_size=3, prediction_data=True, allow_single_cluster=True).fit(rows)
    risk = covey.cluster_risk(clusterer.labels_, random.integers(0, 2, 60))
    engine = covey.Engine.build(encoder=encoder, hybrid=hybrid, clustering=clusterer, risk=risk)
    mixed = np.concatenate([start + random.permutation(n) for start, n in zip(offsets, lengths)])
    other = covey.Sequences(
        offsets, columns["types"][mixed], columns["times"][mixed], columns["dwell"][mixed],
        {"speed": columns["numeric"]["speed"][mixed]}, {"page": columns["categorical"]["page"][mixed]},
    )  # fmt: skip
    for method in ("occlusion", "gradients"):
        left, right = engine.explain(events, method=method), engine.explain(other, method=method)
        for row, (a, b) in enumerate(zip(left, right)):
            order = mixed[offsets[row] : offsets[row + 1]] - offsets[row]
            np.testing.assert_allclose(b.attributions, a.attributions[order], atol=1e-6)
            if method == "gradients":
                assert abs(a.residual) <= 0.01 * abs(a.value - a.base) + 2e-5
    assert json.dumps(left[0].features) == "{}"
