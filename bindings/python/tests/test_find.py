"""covey.find: the joined road on planted rings, in every table's clothes, and everything that may be wrong with the
input."""

import importlib
import inspect
import warnings

import numpy as np
import pandas as pd
import pytest

import covey
from covey._structs import FindOptions
from support import write_random_encoder
from test_tables import duckdb, pa, pl

find_module = importlib.import_module("covey.find")
FAST = {"trees": 20, "permutations": 99}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    path = tmp_path_factory.mktemp("find") / "model.safetensors"
    write_random_encoder(path, ["home", "search", "cart", "photos", "login", "address", "pay"])
    return path


def shop(rows=600, ring=40, seed=5):
    """Events, features with half of the ring known, and which rows are the ring: it takes the same steps at a program's
    pace."""
    random = np.random.default_rng(seed)
    events, features = [], []
    for number in range(rows):
        bad = number % (rows // ring) == 0
        steps = (
            ["login", "address", "cart", "pay"]
            if bad
            else [*random.choice(["home", "search", "cart", "photos"], 6), "pay"]
        )
        clock, pace = number * 600.0, 2.0 if bad else float(random.exponential(60) + 5)
        for step in steps:
            events.append((f"t{number}", clock, step))
            clock += pace * random.uniform(0.9, 1.1)
        amount = random.normal(400, 20) if bad else random.lognormal(3, 1)
        account = "new" if bad or random.random() < 0.1 else "old"
        known = 1.0 if bad and number % 2 == 0 else np.nan
        features.append((f"t{number}", clock, amount, account, random.integers(0, 5), known, bad))
    table = pd.DataFrame(features, columns=["id", "when", "amount", "account", "visits", "label", "ring"])
    table = table.sample(frac=1, random_state=seed).reset_index(drop=True)
    return pd.DataFrame(events, columns=["id", "time", "event"]), table.drop(columns="ring"), table.ring.to_numpy()


@pytest.fixture(scope="module")
def found(encoder):
    events, features, ring = shop()
    return (
        covey.find(events, features, "label", key="id", when="when", amount="amount", encoder=encoder, **FAST),
        events,
        features,
        ring,
    )


def test_finds_the_ring(found):
    result, events, features, ring = found
    assert len(result.labels) == len(result.scores) == len(result.risky) == len(result.row_groups) == len(features)
    assert result.risky.dtype == np.bool_ and result.risky[ring].mean() > 0.8 and result.risky[~ring].mean() < 0.02
    unknown = features.label.isna().to_numpy()
    assert result.scores[unknown & ring].min() > np.quantile(result.scores[~ring], 0.98)
    assert result.scores.min() >= 0 and result.scores.max() <= 1
    for index, group in enumerate(result.groups):
        members = np.flatnonzero(result.row_groups == index)
        assert group.group == index and group.members.tolist() == members.tolist() and group.rows == len(members)
        labels = features.label.to_numpy()[members]
        assert group.known == np.nansum(labels) and group.legitimate == 0 and group.unknown == np.isnan(labels).sum()
        assert 0 <= group.share_low <= group.share <= group.share_high <= 1 and 0 < group.p_value <= 0.05
        assert group.text == str(group) and str(group.rows) in group.text
        assert group.amount == pytest.approx(features.amount.to_numpy()[members].sum())
    assert np.array_equal(result.risky, result.row_groups >= 0)
    assert isinstance(result.rules, covey.RuleSet) and isinstance(result.engine, covey.Engine)
    assert result.settings["columns"] == {"key": "id", "time": "time", "event": "event"}
    assert list(result.keys) == list(features.id) and result.key_name == "id" and len(result.sequences) == len(features)
    frame = result.to_frame()
    assert list(frame) == ["id", "fraud", "label", "group", "risky", "score"] and list(frame.index) == list(
        features.index
    )
    assert not {"label", "id", "when"} & set(result.engine.features)
    for part in ("tree", "neighbours", "features", "events", "joint"):
        assert np.isfinite(result.evidence(part)).all()
    assert "risky group" in str(result) and all(rule.text in str(result) for rule in result.rules)
    # Each rule says what it means for fraud.
    assert len(result.rules) and result.settings["rules_held_out"] in ("latest", "random")
    for rule, fires in zip(result.rules, result.rules.fired(features).T):
        known = int(np.nansum(features.label.to_numpy()[fires]))
        assert f"Of all {fires.sum():,} matching transactions {known} are known to be fraud and" in rule.text
        assert "are not yet known, worth" in rule.text and "estimated" in rule.text
    settings = result.settings
    assert settings["known_share_low"] <= settings["known_share"] <= settings["known_share_high"]


def test_its_engine_takes_frames(found, tmp_path):
    result, events, features, ring = found
    new_events, new_features, new_ring = shop(seed=6)
    scores = result.engine.score(new_events, new_features)
    assert list(scores.keys) == list(new_features.id)
    assert scores.risky[new_ring].mean() > 0.8 and scores.risky[~new_ring].mean() < 0.02
    assert scores.risk[new_ring].min() > np.quantile(scores.risk[~new_ring], 0.98)
    worst = scores[int(np.argmax(scores.risk))]
    assert set(worst.evidence) == {"tree", "neighbours", "features", "events", "joint"} and worst.group in range(
        len(result.groups)
    )
    shuffled = new_features.sort_values("amount")
    again = result.engine.score(new_events[::1], shuffled).to_frame().set_index("id").loc[new_features.id]
    assert again.risk.tolist() == scores.risk.tolist()
    result.engine.save(tmp_path / "shop.engine")
    loaded = covey.Engine.load(tmp_path / "shop.engine")
    assert loaded.score(new_events, new_features, key="id").risk.tolist() == scores.risk.tolist()


def same(one, other):
    assert one.scores.tolist() == other.scores.tolist() and one.row_groups.tolist() == other.row_groups.tolist()
    assert one.labels.tolist() == other.labels.tolist() and [rule.text for rule in one.rules] == [
        rule.text for rule in other.rules
    ]


def test_orders_and_kinds_of_tables_change_nothing(found, encoder):
    result, events, features, ring = found
    names = dict(key="id", when="when", amount="amount", encoder=encoder, **FAST)
    arrow = pa.Table.from_pandas(features, preserve_index=False)
    kinds = [features.to_dict("list"), arrow, features.set_index("id")]
    kinds += [] if pl is None else [pl.from_arrow(arrow), pl.from_arrow(arrow).lazy()]
    for kind in kinds:
        same(covey.find(events, kind, "label", **names), result)
    shuffled = events.sample(frac=1, random_state=1).sort_values("time", kind="stable")
    twice = covey.find(pa.Table.from_pandas(shuffled), features, features.label, **names)
    same(twice, result)
    assert [(finding.code, finding.column) for finding in twice.findings][0] == ("feature_gives_label_away", "label")
    guessed = covey.find(
        events, features, "label", when="when", amount="amount", encoder=covey.SequenceEncoder.load(encoder), **FAST
    )
    same(guessed, result)
    assert [finding.text for finding in guessed.findings if finding.code == "column_role"] == [
        "key = 'id', the column that events and features both have"
    ]
    sequences = covey.Sequences.from_frame(events, sequence="id", time="time", event="event")
    same(covey.find(sequences, features, "label", **names), result)
    renamed = covey.find(events.rename(columns={"time": "ts", "event": "page"}), features, "label", **names)
    same(renamed, result)
    assert sum(finding.code == "column_role" for finding in renamed.findings) == 2


@pytest.mark.parametrize(
    "labels",
    [
        lambda k: k == 1,
        lambda k: ["fraud" if v == 1 else "" for v in k],
        lambda k: [True if v == 1 else None for v in k],
        lambda k: np.where(k == 1, 1, -1),
    ],
)
def test_labels_of_any_kind(found, encoder, labels):
    result, events, features, ring = found
    known = features.label.to_numpy()
    written = labels(known)
    other = covey.find(
        events, features.drop(columns="label"), written, key="id", when="when", amount="amount", encoder=encoder, **FAST
    )
    if not isinstance(written, np.ndarray) or written.dtype != bool:
        same(other, result)
    else:  # False is known to be legitimate
        assert other.groups[0].legitimate + other.groups[0].known == other.groups[0].rows


def test_one_side_alone_and_nothing_known(found, encoder):
    result, events, features, ring = found
    alone = covey.find(None, features.drop(columns="id"), "label", when="when", **FAST)
    assert alone.risky[ring].mean() > 0.5 and alone.keys is None and alone.engine.encoder is None
    assert alone.engine.score(None, features[:3]).risk.shape == (3,)
    first = covey.Sequences.from_frame(events, sequence="id", time="time", event="event").keys
    label = features.set_index("id").label.loc[first]
    by_events = covey.find(events, None, label, key="id", encoder=encoder, **FAST)
    assert list(by_events.keys) == list(first) and by_events.risky.sum() > 10
    nothing = covey.find(events, features.drop(columns="label"), key="id", encoder=encoder, **FAST)
    assert (
        not nothing.groups and not nothing.risky.any() and "no_labels" in [finding.code for finding in nothing.findings]
    )
    assert len(nothing.rules) == 0 and nothing.scores.max() > 0 and "fraud" not in nothing.to_frame()


def test_trains_an_encoder(found):
    result, events, features, ring = found
    small = dict(embedding_size=4, hidden_size=6, attention_size=4, dimension=5, epochs=2, batch_size=64)
    trained = covey.find(events, features, "label", key="id", training=small, **FAST)
    assert trained.engine.encoder.dimension == 5 and set(trained.engine.encoder.vocabulary.names) == set(events.event)
    again = covey.find(events, features, "label", key="id", training=small, context=covey.Context(threads=1), **FAST)
    same(again, trained)


@pytest.mark.parametrize("known", ["one", "none", "all", "noise"])
def test_labels_that_say_nothing(found, encoder, known):
    result, events, features, ring = found
    label = np.full(len(features), np.nan)
    if known == "one":
        label[int(np.flatnonzero(ring)[0])] = 1
    elif known == "all":
        label[:] = 1
    elif known == "noise":
        label[np.random.default_rng(3).choice(len(label), 30, replace=False)] = 1
    other = covey.find(events, features.assign(label=label), "label", key="id", encoder=encoder, **FAST)
    codes = {finding.code for finding in other.findings}
    wanted = {
        "one": {"too_few_frauds"},
        "none": {"no_known_fraud"},
        "all": {"only_fraud"},
        "noise": {"no_signal", "no_group"},
    }
    assert codes & wanted[known], [str(finding) for finding in other.findings]
    assert not other.groups and not other.risky.any() and np.isfinite(other.scores).all()
    assert other.engine.score(events, features[:5]).risky.sum() == 0


def test_a_feature_that_equals_the_label(found, encoder):
    result, events, features, ring = found
    leaked = features.assign(chargeback=features.label.fillna(0))
    other = covey.find(events, leaked, "label", key="id", encoder=encoder, **FAST)
    texts = [finding.text for finding in other.findings if finding.code == "feature_gives_label_away"]
    assert texts and "chargeback" in texts[0]


def test_keys_that_do_not_match(found, encoder):
    result, events, features, ring = found
    names = dict(key="id", encoder=encoder, **FAST)
    more = pd.concat([features, features[:3].assign(id=["x", "y", "z"], label=np.nan)])
    other = covey.find(pd.concat([events, events[:2].assign(id="nobody")]), more, "label", **names)
    codes = [finding.code for finding in other.findings]
    assert (
        "events_without_transaction" in codes
        and "transactions_without_events" in codes
        and len(other.scores) == len(more)
    )
    for wrong, error, message in [
        (pd.concat([features, features[:1]]), covey.InvalidDataError, "the key 't.*' of row 600 is in row 0 already"),
        (features.assign(id=[None, *features.id[1:]]), covey.InvalidDataError, "'id'.* is missing in row 0"),
        (features.assign(id=np.arange(len(features))), covey.MismatchError, "strings .* numbers"),
        (features.assign(id=["q" + key for key in features.id]), covey.MismatchError, "no event belongs to any key"),
        (features.drop(columns="id"), covey.InvalidArgumentError, "key='id' is not a column of features"),
    ]:
        with pytest.raises(error, match=message):
            covey.find(events, wrong, "label", **names)
    with pytest.raises(covey.InvalidDataError, match="is missing in row 2; 1 row has"):
        covey.find(events.assign(id=[*events.id[:2], None, *events.id[3:]]), features, "label", **names)
    with pytest.raises(covey.MismatchError, match="pass key= to join them"):
        covey.find(covey.Sequences([0, 1], [1], [0.0]), features, "label", encoder=encoder)


def test_a_million_keys_of_which_ten_have_events():
    rows = 20_000  # of the same kind; a million is too slow for a test (see test_keys for the join)
    events = pd.DataFrame({"id": np.arange(10), "time": np.arange(10.0), "event": ["a", "b"] * 5})
    random = np.random.default_rng(1)
    features = pd.DataFrame({"id": np.arange(rows), "amount": random.normal(size=rows)})
    small = dict(embedding_size=4, hidden_size=6, attention_size=4, dimension=5, epochs=1)
    result = covey.find(
        events,
        features,
        np.where(np.arange(rows) < 20, 1.0, np.nan),
        key="id",
        training=small,
        trees=5,
        permutations=19,
    )
    assert "few_events" in [finding.code for finding in result.findings] and len(result.scores) == rows
    # Frauds come first in the table; those without events are like all others without, whatever their place is.
    assert result.risky[:10].all() and not result.risky[10:20].any()


@pytest.mark.parametrize(
    "amount, error",
    [
        (lambda a: a.where(a < 30), None),
        (lambda a: a * -1, covey.InvalidDataError),
        (lambda a: a.astype(str) + "x", covey.InvalidTypeError),
    ],
)
def test_amounts_missing_or_negative(found, encoder, amount, error):
    result, events, features, ring = found
    changed = features.assign(spent=amount(features.amount))
    arguments = (events, changed, "label"), dict(key="id", amount="spent", encoder=encoder, **FAST)
    if error is None:
        assert "amounts_missing" in [finding.code for finding in covey.find(*arguments[0], **arguments[1]).findings]
    else:
        with pytest.raises(error, match="amount"):
            covey.find(*arguments[0], **arguments[1])


def test_times_in_milliseconds(found, encoder):
    result, events, features, ring = found
    later = events.assign(time=((events.time + 1.7e9) * 1000).astype(np.int64))
    other = covey.find(later, features, "label", key="id", when="when", amount="amount", encoder=encoder, **FAST)
    text = [finding for finding in other.findings if finding.code == "time_unit"]
    assert text and "milliseconds" in text[0].text and text[0].column == "time"
    # What is drawn follows the contents of rows, so that the same times are given in seconds, and not those before they
    # were cut to milliseconds.
    seconds = events.assign(time=later.time / 1000)
    same = covey.find(seconds, features, "label", key="id", when="when", amount="amount", encoder=encoder, **FAST)
    np.testing.assert_allclose(other.scores, same.scores, atol=1e-6)


def test_columns_that_name_the_rows_or_have_many_categories(found, encoder):
    result, events, features, ring = found
    random = np.random.default_rng(1)
    changed = features.assign(
        email=[f"user{number}@example.com" for number in range(len(features))],
        number=random.permutation(len(features)),
        shop=[f"shop {number}" for number in random.zipf(1.3, len(features)).clip(max=500)],
    )  # fmt: skip
    for table in (changed, pa.Table.from_pandas(changed, preserve_index=False)):
        other = covey.find(events, table, "label", key="id", encoder=encoder, **FAST)
        told = {(finding.code, finding.column) for finding in other.findings}
        assert ("identifier", "email") in told and ("identifier", "number") in told
        assert "email" not in other.engine.features and "number" in other.engine.features
        if changed["shop"].nunique() > 100:
            assert ("many_categories", "shop") in told
        assert len(other.engine.score(events, changed[:4])) == 4


@pytest.mark.parametrize(
    "change, message",
    [
        ({"key": "nothing"}, "key='nothing' is not a column of events"),
        ({"fraud": "nothing"}, "fraud='nothing' is not a column of the features"),
        ({"amount": "nothing"}, "amount='nothing' is not a column of the features"),
        ({"when": "nothing"}, "when='nothing' is not a column of the features"),
        ({"event": "nothing"}, "event='nothing' is not a column of events"),
        ({"trees": "many"}, "trees must be an integer"),
        ({"trees": -1}, "trees must be"),
        ({"forest": 3}, "find has no argument 'forest'"),
        ({"scaling": "big"}, "scaling must be one of"),
        ({"known_share": 2.0}, "known_share must be"),
        ({"training": 3}, "training must be a mapping"),
        ({"training": {"layers": 2}}, "'layers' is not an option of training"),
        ({"encoder": 3}, "encoder must be a covey.SequenceEncoder"),
        ({"encoder": "/absent"}, "absent"),
        ({"fraud": [1, 0]}, "fraud must have 600 values, got 2"),
        ({"fraud": "account"}, "fraud='account'.*must be 1, True"),
        ({"amount": [1.0]}, "amount must have 600 values"),
        ({"when": "account"}, "when='account' must hold numbers"),
        ({"seed": -1}, "seed must be"),
        ({"events": None, "features": None}, "find needs events or features"),
    ],
)
def test_bad_arguments(found, encoder, change, message):
    result, events, features, ring = found
    arguments = {
        "events": events,
        "features": features,
        "fraud": "label",
        "key": "id",
        "encoder": encoder,
        **FAST,
        **change,
    }
    if arguments["events"] is None:
        arguments["key"] = None
    with pytest.raises(covey.CoveyError, match=message):
        covey.find(**arguments)


def test_odd_columns_are_named(found, encoder):
    result, events, features, ring = found
    for column, message in [([{}] * 600, "odd"), ([1j] * 600, "odd")]:
        with pytest.raises(covey.CoveyError, match=message):
            covey.find(
                events, features.assign(odd=pd.Series(column, dtype=object)), "label", key="id", encoder=encoder, **FAST
            )
    with pytest.raises(covey.CoveyError, match="no value that|odd|infinit"):
        covey.find(events, features.assign(odd=np.inf), "label", key="id", encoder=encoder, **FAST)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        covey.find(events, features, "label", key="id", encoder=encoder, **FAST)


def test_progress_and_cancel(found, encoder):
    result, events, features, ring = found
    stages = []
    context = covey.Context(progress=lambda stage, fraction: stages.append((stage, fraction)))
    covey.find(events, features, "label", key="id", encoder=encoder, context=context, **FAST)
    assert stages
    with pytest.raises(covey.CancelledError):
        covey.find(
            events,
            features,
            "label",
            key="id",
            encoder=encoder,
            context=covey.Context(progress=lambda stage, fraction: True),
            **FAST,
        )


def test_a_series_in_another_order_is_refused(found, encoder):
    result, events, features, ring = found
    for role in ("fraud", "amount", "when"):
        column = {"fraud": "label"}.get(role, role)
        values = {role: features[column].sample(frac=1, random_state=1)}
        with pytest.raises(covey.MismatchError, match=f"{role} has the index of features in another order"):
            covey.find(events, features.drop(columns="label"), key="id", encoder=encoder, **{**values, **FAST})


def test_queries_and_streams_are_read_once(found, encoder):
    """A query gives its rows in any order each time it runs, and a stream gives them once."""
    result, events, features, ring = found
    names = dict(key="id", when="when", amount="amount", encoder=encoder, **FAST)
    arrow = pa.Table.from_pandas(features, preserve_index=False)

    class Shuffled:
        runs = 0

        def __arrow_c_stream__(self, requested_schema=None):
            Shuffled.runs += 1
            order = np.random.default_rng(Shuffled.runs).permutation(len(features))
            return arrow.take(pa.array(order)).__arrow_c_stream__(requested_schema)

    other = covey.find(events, Shuffled(), "label", **names)
    assert Shuffled.runs == 1
    place = {key: row for row, key in enumerate(other.keys)}
    assert other.risky[[place[key] for key in features.id[ring]]].mean() > 0.8
    scores = result.engine.score(events, Shuffled())
    assert Shuffled.runs == 2
    expected = dict(zip(features.id, result.engine.score(events, features).risk))
    assert scores.risk.tolist() == [expected[key] for key in scores.keys]
    if hasattr(pa.RecordBatchReader, "__arrow_c_stream__"):
        readers = [
            pa.RecordBatchReader.from_batches(table.schema, table.to_batches())
            for table in (pa.Table.from_pandas(events), arrow)
        ]
        same(covey.find(readers[0], readers[1], "label", **names), result)
    if duckdb is not None:
        connection = duckdb.connect()
        connection.register("t", arrow)
        found_there = covey.find(events, connection.sql("SELECT * FROM t"), "label", **names)
        assert found_there.risky.sum() == result.risky.sum() and len(found_there.to_frame().fetchall()) == len(features)


def test_dates_take_part_in_rules_by_their_hour(tmp_path):
    """Fraud in the fourth hour of the night alone: a rule says so, and the engine reads the date of new rows."""
    random = np.random.default_rng(8)
    rows = 900
    night = np.arange(rows) % 15 == 0
    hours = np.where(night, 3.5, random.uniform(6, 23, rows))
    opened = pd.Timestamp("2026-03-01") + pd.to_timedelta(random.integers(0, 60, rows) * 24 + hours, unit="h")
    table = pd.DataFrame(
        {"amount": random.lognormal(3, 1, rows), "opened": opened, "items": random.integers(1, 9, rows)}
    )
    known = np.where(night & (np.arange(rows) % 2 == 0), 1.0, np.nan)
    found = covey.find(None, table, known, **FAST)
    assert "dates_left_out" in {finding.code for finding in found.findings}
    assert len(found.rules) >= 1 and "opened" in found.rules[0].text and "hour" in found.rules[0].text
    assert np.array_equal(found.rules.predict(table), night)
    found.engine.save(tmp_path / "shop.engine")
    scores = covey.Engine.load(tmp_path / "shop.engine").score(None, table)
    assert [len(score.rules) > 0 for score in scores] == night.tolist()


def test_options_have_names_and_the_defaults_of_the_header():
    """Nothing is hidden behind **options, and each default is that of COVEY_FIND_OPTIONS_INIT."""
    given = {name: parameter.default for name, parameter in inspect.signature(covey.find).parameters.items()}
    names = [name for name, _ in FindOptions._fields_ if name not in ("struct_size", "reserved")]
    assert [name for name in names if name not in given] == []
    struct = FindOptions()
    for name in names:
        if name in find_module._CHOICES:
            assert find_module._CHOICES[name][given[name]] == getattr(struct, name), name
        elif given[name] is not None:
            assert given[name] == getattr(struct, name), name
