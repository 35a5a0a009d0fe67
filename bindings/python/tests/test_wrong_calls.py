"""Calls that cannot be meant are refused with a CoveyError that names what is wrong, never with a bare exception."""

import gc
import threading
import time

import numpy as np
import pandas as pd
import pytest

import covey

EDGES = [(row, row + 1, 1 + 0.01 * row) for row in range(20)]
NEIGHBOURS = np.arange(12).reshape(6, 2) % 6, np.ones((6, 2))
FRAME = pd.DataFrame({"a": np.r_[np.arange(30.0) / 100, np.arange(70.0) + 50]})
FRAUD = [1.0] * 30 + [0.0] * 70


@pytest.fixture(scope="module")
def parts():
    hybrid = covey.HybridFeatures()
    clustering = covey.HDBSCAN(prediction_data=True).fit(hybrid.fit_transform(features=FRAME))
    return hybrid, clustering, covey.cluster_risk(clustering.labels_, FRAUD)


@pytest.fixture(scope="module")
def engine(parts):
    return covey.Engine.build(hybrid=parts[0], clustering=parts[1], risk=parts[2])


@pytest.mark.parametrize(
    "call", [lambda **o: covey.cluster_edges(21, EDGES, **o), lambda **o: covey.cluster_neighbours(*NEIGHBOURS, **o)]
)
def test_parameters_of_given_distances(call):
    with pytest.raises(covey.InvalidTypeError, match="no argument 'min_cluster_sise'; did you mean 'min_cluster_size'"):
        call(min_cluster_sise=2)
    with pytest.raises(covey.InvalidTypeError, match="no argument 'V'"):
        call(V=[1, 2])
    with pytest.raises(
        covey.InvalidArgumentError, match=r"semi_supervised must be False in cluster_\w+, which has no labels"
    ):
        call(semi_supervised=True)
    with pytest.raises(covey.InvalidArgumentError, match="branch_detection_data must be False"):
        call(branch_detection_data=True)
    with pytest.raises(covey.InvalidArgumentError, match="algorithm must be exact"):
        call(algorithm="approximate")


def test_more_neighbours_than_memory():
    rows = np.zeros((5, 2))
    for k in (10**12, 10**18):
        with pytest.raises(covey.OutOfMemoryError, match=f"k = {k}"):
            covey.nearest(rows, rows[:3], k)


def test_gower_without_columns():
    with pytest.raises(covey.InvalidDataError, match="at least one column"):
        covey.HDBSCAN(metric="gower").fit(pd.DataFrame(index=range(10)))


def test_a_risk_of_other_rows(parts):
    hybrid, clustering, risk = parts
    for labels, fraud in (([0, 1, 0, 1], [1, 0, 1, 0]), (np.zeros(100, dtype=int), FRAUD)):
        with pytest.raises(covey.MismatchError, match="risk must be of the clustering's labels: its cluster 0 has"):
            covey.Engine.build(hybrid=hybrid, clustering=clustering, risk=covey.cluster_risk(labels, fraud))


def test_words_of_a_counterfactual(engine):
    for goal in (5, [5], [["not_risky"]]):
        with pytest.raises(covey.InvalidArgumentError, match="^goal must be"):
            engine.counterfactual(None, FRAME[:1], goal=goal)


def test_rules_by_hand():
    one = [[covey.Condition("a", covey.ConditionKind.INTERVAL, low=1)]]
    with pytest.raises(covey.InvalidTypeError, match="export has no argument 'foo'"):
        covey.RuleSet.from_conditions(one).export("sql", foo=1)
    for rules, named in ((None, "rules"), ("ab", "rules"), ([None], r"rules\[0\]"), ([5], r"rules\[0\]")):
        with pytest.raises(covey.InvalidTypeError, match=f"^{named} must be a list of"):
            covey.RuleSet.from_conditions(rules)
    with pytest.raises(covey.InvalidTypeError, match="^kinds must be a mapping"):
        covey.RuleSet.from_conditions(one, kinds=5)
    with pytest.raises(covey.InvalidTypeError, match="^precisions must be a list"):
        covey.RuleSet.from_conditions(one, precisions=5)
    with pytest.raises(covey.InvalidTypeError, match="^pinned must be a list"):
        covey.extract_rules(FRAME, FRAUD, pinned=5)
    with pytest.raises(covey.InvalidTypeError, match=r"^ratios(\[0\])? must be"):
        covey.extract_rules(FRAME, FRAUD, ratios=[5])


def test_bytes_with_gaps(engine):
    for read in (covey.Engine.from_bytes, lambda data: covey.Drift.from_bytes(engine, data)):
        with pytest.raises(covey.InvalidTypeError, match="data must be bytes"):
            read(memoryview(engine.to_bytes())[::2])


def test_scores_have_a_hash(engine):
    first, second = engine.score(None, FRAME[:1])[0], engine.score(None, FRAME[:1])[0]
    assert first == second and hash(first) == hash(second)


@pytest.fixture
def holder(engine, tmp_path):
    engine.save(tmp_path / "held.engine")
    with covey.EngineHolder(tmp_path / "held.engine") as holder:
        yield holder


def watchers():
    return [thread for thread in threading.enumerate() if thread.name == "covey-engine"]


@pytest.mark.parametrize("seconds", ["a", np.nan, -1, 0, 1e-6, 1e12, np.inf, True, None])
def test_a_watch_that_would_not_wait(holder, seconds):
    with pytest.raises(covey.InvalidArgumentError, match="^seconds must be"):
        holder.watch(seconds)
    assert not watchers()


def test_whom_a_watch_tells(holder):
    with pytest.raises(covey.InvalidTypeError, match="^failed must be callable"):
        holder.watch(1, failed=5)
    holder.close()
    with pytest.raises(covey.InvalidArgumentError, match="is closed"):
        holder.watch(1)


def test_a_watch_outlives_a_callback_that_raises(holder, engine, monkeypatch):
    told = []
    monkeypatch.setattr(threading, "excepthook", lambda raised: told.append(raised.exc_type))
    holder.watch(0.01, failed=lambda failure: 1 / 0)
    with open(holder.path, "wb") as file:
        file.write(b"x")
    _until(lambda: told)
    assert told == [ZeroDivisionError]
    engine.rerate([0.0] * 100).save(holder.path)
    _until(lambda: holder.engine.hash != engine.hash)
    assert holder.engine.hash != engine.hash


def test_a_watch_ends_with_its_holder(engine, tmp_path):
    engine.save(tmp_path / "left.engine")
    left = covey.EngineHolder(tmp_path / "left.engine")
    left.watch(3600)
    assert watchers()
    del left
    gc.collect()
    _until(lambda: not watchers())
    assert not watchers()


def _until(done):
    for _ in range(500):
        if done():
            return
        time.sleep(0.02)


EVENTS = pd.DataFrame({"id": [1, 2], "time": [1.0, 2.0], "event": ["a", "b"]})
ROWS = pd.DataFrame({"id": [1, 2], "x": [1.0, 2.0]})


@pytest.mark.parametrize(
    "events, features, options, message",
    [
        (EVENTS, pd.concat([ROWS, ROWS]), {},
         r"^features\['id'\]: the key 1 of row 2 is in row 0 already; 2 rows repeat a key: keep"),
        (EVENTS.assign(id=[1, None]), ROWS, {}, "^key='id' is missing in row 1; 1 row has no key: leave them out"),
        (EVENTS.assign(id=[7, 8]), ROWS, {}, r"no event belongs to any key of features\['id'\]"),
        (EVENTS.assign(id=["1", "2"]), ROWS, {}, r"those of features\['id'\] numbers"),
        (None, ROWS[:0], {}, "^features must have at least one row, got 0"),
        (None, ROWS.assign(w=pd.NaT), {"when": "w"}, "^when='w' must be a time, got nan in row 0: leave"),
        (None, ROWS, {"when": [1.0, np.nan]}, "^when must be a time, got nan in row 1: leave"),
        (None, ROWS, {"amount": [1, -1]}, "^amount must be at least 0 .* got -1.0 in row 1: leave refunds out"),
        (None, ROWS.assign(a=[np.inf, 1]), {"amount": "a"},
         "^amount='a' must be at least 0 and finite.* got inf in row 0"),
        (EVENTS.assign(time="2024-01-01"), ROWS, {},
         "^time='time' must hold numbers.*: pandas.to_datetime makes times"),
        (EVENTS.assign(event=[1.5, 2.5]), ROWS, {}, r"^event='event' must be vocabulary indices .*: \.astype\(str\)"),
    ],
)  # fmt: skip
def test_messages_of_find_name_what_was_passed(events, features, options, message):
    with pytest.raises(covey.CoveyError, match=message):
        covey.find(events, features, key="id", **options)


def test_findings_name_what_was_passed():
    found = covey.Sequences._from_frame(EVENTS, "id", "time", "event", order=[1, 3], called=("key", "features['id']"))
    assert [f"{finding}".partition(":")[0] for finding in found.findings] == [
        "1 events of 1 keys are not in features['id'] and are left out; the first is row 1, with 'id' = 2",
        (
            "1 of 2 keys of features['id'] have no events; their sequences are empty and their embeddings zero; the"
            " first is 3 in row 1"
        ),
    ]


def test_a_guessed_unit_has_a_remedy_that_exists():
    events = EVENTS.assign(time=1.7e12 + np.arange(2))
    with pytest.warns(
        covey.DataWarning, match="give datetimes or seconds, or say time_unit='ms' or 's' to Sequences.from_frame"
    ):
        covey.Sequences.from_frame(events, sequence="id", time="time", event="event")


@pytest.mark.parametrize("index", ["id", ["id", "x"]])
def test_a_key_in_the_index_is_no_name_twice(engine, index):
    scores = engine.score(None, FRAME.assign(id=range(100), x=0).set_index(index), key="id")
    frame = scores.to_frame()
    assert len(frame.merge(pd.DataFrame({"id": range(100)}), on="id")) == 100 and "id" in frame.index.names


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda engine: covey.cluster_risk([0], [1], confidence=2), "^confidence must be"),
        (lambda engine: covey.extract_rules(FRAME, FRAUD, max_rules=0), "^max_rules must be"),
        (lambda engine: covey.extract_rules(FRAME, FRAUD, weights=[-1] * 100), r"^weights\[0\] must be"),
        (lambda engine: covey.find(None, FRAME, FRAUD, known_share=2), "^known_share must be"),
        (lambda engine: engine.counterfactual(None, FRAME[:1], answers=0), "^answers must be"),
        (lambda engine: engine.counterfactual(None, FRAME[:1], costs={"a": -1}), r"^costs\['a'\] must be"),
        (lambda engine: engine.counterfactual(None, FRAME[:1], bounds={"a": (2, 1)}), r"^bounds\['a'\]: low must be"),
        (lambda engine: engine.score(None, FRAME[:1], max_events=-1), "^max_events must be above 0, or None, got -1"),
        (lambda engine: engine.score(None, FRAME[:1], seconds=0), "^seconds must be above 0, or None, got 0"),
    ],
)
def test_messages_name_arguments_and_no_fields_of_structs(engine, call, message):
    with pytest.raises(
        covey.InvalidArgumentError if "weights" not in message else covey.InvalidDataError, match=message
    ):
        call(engine)


ROWS_3 = np.random.default_rng(0).normal(size=(60, 3))


@pytest.mark.parametrize(
    "call, name",
    [
        (lambda: covey.validity_index([1.0, 2.0], [0, 0], metric="chebyshev"), "X"),
        (lambda: covey.validity_index(ROWS_3, [0] * 59, metric="chebyshev"), "labels"),
        (lambda: covey.cluster_edges(3, [[0, 1], [1]]), "edges"),
        (lambda: covey.cluster_neighbours([[1]], [["a"]]), "distances"),
        (lambda: covey.cluster_neighbours([[1], [2, 3]], [[1], [2, 3]]), "indices"),
        (lambda: covey.nearest(ROWS_3, ROWS_3, 3, merge=5), "merge"),
        (lambda: covey.nearest(ROWS_3, ROWS_3, 3, merge=("a", "b")), "merge"),
        (lambda: covey.match_clusters([0], [0], old_keys=5, new_keys=[1]), "old_keys"),
        (lambda: covey.match_clusters([0], [0], old_keys=[[1]], new_keys=[[1]]), "old_keys"),
        (lambda: covey.match_clusters([0], [0], previous=5), "previous"),
        (lambda: covey.extract_rules(FRAME, FRAUD, allowed=5), "allowed"),
        (lambda: covey.extract_rules(FRAME, FRAUD, directions=5), "directions"),
        (lambda: covey.HDBSCAN(metric="seuclidean", V="a").fit(ROWS_3), "V"),
    ],
)
def test_values_of_a_wrong_kind_are_named(call, name):
    with pytest.raises(covey.CoveyError, match=f"^{name} "):
        call()


@pytest.mark.parametrize("metric", ["infinity", "angular", "haversine", "chebyshev"])
def test_a_medoid_by_every_metric(metric):
    rows = np.concatenate([ROWS_3[:, :2] / 9 + 0.5, ROWS_3[:, :2] / 9 - 1.2])
    clusters = covey.HDBSCAN(metric=metric, min_samples=2).fit(rows)
    assert (rows[clusters.labels_ == 0] == clusters.weighted_cluster_medoid(0)).all(axis=1).any()


#: Names that would end their quotes, drive a terminal or turn the direction of writing.
STRANGE = 'a" is fine, "b\x1b[2J\u202e\n\\'


@pytest.mark.parametrize(
    "call",
    [
        lambda: covey.HybridFeatures().fit(features={STRANGE: [1.0, np.inf]}),
        lambda: covey.HybridFeatures().fit(features={"x": np.array([1.0, 2.0])}).transform(features={STRANGE: [1.0]}),
        lambda: covey.extract_rules(FRAME, FRAUD, directions={STRANGE: "up"}),
        lambda: covey.extract_rules(FRAME, FRAUD, allowed=[STRANGE]),
        lambda: covey.Vocabulary([STRANGE, STRANGE]),
        lambda: covey.HDBSCAN(metric=STRANGE).fit(ROWS_3),
    ],
)
def test_names_in_messages_are_escaped(call):
    with pytest.raises(covey.CoveyError) as failure:
        call()
    message = str(failure.value)
    assert message.isprintable(), message
    assert '"a" is' not in message, message


def test_what_other_libraries_say_of_a_failure_is_escaped():
    with pytest.raises(covey.FileError) as failure:
        covey.Engine.load("/nowhere/" + STRANGE)
    assert str(failure.value).isprintable()
    assert str(covey.CoveyError("a\x1b[2J\u202e")) == "a\\u{1b}[2J\\u{202e}"
