"""covey.find: the joined road on planted rings, in every kind of table."""

import importlib
import inspect

import numpy as np
import pandas as pd
import pytest
from test_tables import pa, pl

import covey
from covey._structs import FindOptions
from find_support import FAST, encoder, found, same, shop  # noqa: F401 (fixtures)

find_module = importlib.import_module("covey.find")


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
    assert len(result.rules) and result.settings["rules_held_out"] == "folds"
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
