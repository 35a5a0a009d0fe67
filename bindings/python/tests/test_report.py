"""covey.report: every figure again from the rows, the JSON twin, marks, languages and templates, bad input."""

import json
import re

import jsonschema
import numpy as np
import pandas as pd
import pytest

import covey
from covey.report.catalogue import Catalogue
from covey.report.source import clusters_of
from covey.report.statistics import cliffs_delta, critical_value, delta_interval, share_difference, wilson
from report_support import hostile, hostile_frame, many, sample, written  # noqa: F401
from test_tables import pa, pl


def test_every_figure_comes_from_the_rows(sample):
    """The figures of each sentence, again from the tables with pandas alone."""
    found, events, table = sample
    model = found.report().to_dict()
    assert model["groups"] and model["data"]["rows"] == len(table)
    ordinary = table[found.row_groups < 0]
    steps = events.sort_values(["transaction", "seconds"], kind="stable")
    steps["gap"] = steps.groupby("transaction").seconds.diff()
    has = {name: set(part.transaction) for name, part in steps.groupby("event")}
    seen = set()
    for group in model["groups"]:
        rows = table[found.row_groups == group["number"]]
        figures = {one["id"]: one["figures"] for part in group["narrative"].values() for one in part}
        seen |= set(figures)
        known, legitimate, unknown = (rows.label == 1).sum(), (rows.label == 0).sum(), rows.label.isna().sum()
        assert figures["who.groups.other"] == {"group": group["number"], "rows": len(rows)}
        assert figures["who.known"] == {"known": known, "legitimate": legitimate, "unknown": unknown}
        labelled = figures.get("why.labelled.other") or figures["why.labelled.one"]
        assert labelled["share"] == pytest.approx(known / (known + legitimate))
        assert labelled["base"] == pytest.approx((table.label == 1).sum() / table.label.notna().sum())
        assert figures["what.money"]["amount"] == pytest.approx(rows.amount.sum())
        assert figures["what.money"]["loss"] == pytest.approx(rows.amount[rows.label == 1].sum())
        assert figures["what.money"]["unknown_amount"] == pytest.approx(rows.amount[rows.label.isna()].sum())
        assert figures["when.seen"] == pytest.approx(
            {"first": rows.time.min(), "last": rows.time.max(), "half": rows.time.median()}
        )
        trend = next(figures[name] for name in ("when.grows", "when.shrinks", "when.stays") if name in figures)
        last = table.time.max()
        assert trend["recent"] == (rows.time > last - 14 * 86400).sum() and trend["days"] == 14
        assert trend["before"] == ((rows.time > last - 28 * 86400) & (rows.time <= last - 14 * 86400)).sum()
        share = figures["who.share"]
        assert (
            share["share"] == found.groups[group["number"]].share
            and share["low"] == found.groups[group["number"]].share_low
        )
        expected = min(unknown, max(0, share["share"] * len(rows) - known))
        if unknown:
            assert figures["why.expected_money"]["expected"] == round(expected)
            assert figures["why.expected_money"]["money"] == pytest.approx(
                rows.amount[rows.label.isna()].sum() * expected / unknown
            )
        for part in group["narrative"]["body"]:
            told = part["figures"]
            if part["id"] == "how.event":
                inside = rows.transaction.isin(has[told["event"]])
                assert told["share"] == pytest.approx(inside.mean()) and told["count"] == inside.sum()
                assert told["ordinary"] == pytest.approx(ordinary.transaction.isin(has[told["event"]]).mean())
            elif part["id"] == "where.category":
                assert told["share"] == pytest.approx((rows[told["feature"]] == told["value"]).mean())
                assert told["ordinary"] == pytest.approx((ordinary[told["feature"]] == told["value"]).mean())
            elif part["id"] == "where.true":
                assert told["share"] == pytest.approx(rows[told["feature"]].mean())
            elif part["id"] in ("how.more", "how.less"):
                one, two = rows[told["feature"]].dropna(), ordinary[told["feature"]].dropna()
                assert told["median"] == pytest.approx(one.median()) and told["ordinary"] == pytest.approx(two.median())
                delta = np.mean([np.mean(value > two) - np.mean(value < two) for value in one])
                assert told["effect"] == pytest.approx(delta) and (delta > 0) == (part["id"] == "how.more")
            elif part["id"] == "how.gap":
                gaps = steps.groupby("transaction").gap.quantile(0.5, interpolation="lower")
                assert told["median"] == pytest.approx(gaps.reindex(rows.transaction).dropna().median())
            elif part["id"] == "how.duration":
                spans = steps.groupby("transaction").seconds.agg(lambda times: times.max() - times.min())
                assert told["median"] == pytest.approx(spans.reindex(rows.transaction).median())
            elif part["id"] == "how.events":
                assert told["median"] == steps.groupby("transaction").size().reindex(rows.transaction).median()
            elif part["id"] == "how.path.other":
                first = next(one for one in group["sessions"] if one["role"] == "exemplar")
                own = steps[steps.transaction == table.transaction.iloc[first["row"]]]
                assert told["events"] == len(own) and told["path"] == " → ".join(
                    ["…"] * (len(own) > 12) + list(own.event[-12:])
                )
                assert told["seconds"] == pytest.approx(own.seconds.max() - own.seconds.min(), abs=1e-3)
        for rule in group["rules"]:
            assert (
                rule["backtest"]["rows"]
                == rule["backtest"]["fraud"] + rule["backtest"]["legitimate"] + rule["backtest"]["unknown"]
            )
        last_point = group["curve"]["points"][-1]
        assert (last_point["caught"], last_point["false_alarms"], last_point["rows"]) == (known, legitimate, len(rows))
    assert {"how.event", "where.category", "where.true", "how.more", "how.less", "how.gap", "how.path.other"} <= seen
    for point in model["curve"]["points"]:
        chosen = table[found.scores >= point["threshold"]]
        assert len(chosen) == point["rows"] and (chosen.label == 1).sum() == point["caught"]
        assert (chosen.label == 0).sum() == point["false_alarms"]
        assert chosen.amount[chosen.label == 0].sum() == pytest.approx(point["false_alarm_amount"])


def test_no_sentence_is_without_its_figures(sample):
    """Every number that a sentence says is one of its figures, as the language writes it."""
    for language in ("en", "de"):
        texts = Catalogue(language)
        for group in sample[0].report(language=language).to_dict()["groups"]:
            for sentence in [one for part in group["narrative"].values() for one in part]:
                template = re.sub(r"\$\{(\w+)\}", "", texts.texts[sentence["id"]])
                assert not re.search(r"\d", template), sentence["id"]


def test_the_json_twin_holds_to_the_schema(sample, hostile):
    from importlib.resources import files

    schema = json.loads((files("covey.report") / "schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for found in (sample[0], hostile[0]):
        jsonschema.validate(json.loads(found.report().to_json()), schema)


def test_statistics_equal_their_definitions():
    random = np.random.default_rng(3)
    one, two = random.normal(1, 1, 30), random.normal(0, 1, 50)
    slow = np.mean([[np.sign(x - y) for y in two] for x in one])
    delta = cliffs_delta(one, np.sort(two))
    assert delta == pytest.approx(slow)
    low, high = delta_interval(delta, 30, 50, 1.96)
    assert -1 <= low < delta < high <= 1
    low, high = delta_interval(1.0, 10, 50, 1.96)
    assert low < 0.95 and high == pytest.approx(1.0)
    assert wilson(5, 10, 1.959964) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert share_difference(56, 70, 48, 80, 1.959964)[1:] == pytest.approx((0.0524, 0.3339), abs=1e-4)  # Newcombe 1998
    assert critical_value(0.95, 1) == pytest.approx(1.959964, abs=1e-5) and critical_value(0.95, 10) > 2.8


def test_intervals_of_effects_cover():
    """A difference that is none is shown in at most about one of twenty reports, whatever is compared."""
    random = np.random.default_rng(11)
    wrong = 0
    for _ in range(300):
        z = critical_value(0.95, 8)
        missed = False
        for _ in range(8):
            low, high = delta_interval(
                cliffs_delta(random.normal(size=25), np.sort(random.normal(size=200))), 25, 200, z
            )
            missed |= low > 0 or high < 0
        wrong += missed
    assert wrong / 300 < 0.09


def test_marks_come_back_as_labels(sample, tmp_path):
    found, events, table = sample
    data = found.report().to_dict()["identity"]
    group, row = found.groups[4], int(np.flatnonzero(found.row_groups < 0)[0])
    member = int(group.members[np.isnan(table.label.to_numpy()[group.members])][0])
    marks = [
        {"kind": "group", "group": 4, "rows": group.rows, "mark": "confirmed", "note": "ring"},
        {"kind": "transaction", "row": row, "key": "#1", "mark": "false_alarm", "note": ""},
        {"kind": "transaction", "row": member, "key": "#2", "mark": "uncertain", "note": ""},
    ]
    content = {"format": "covey-marks", "version": 1, "report": {**data, "masked": True}, "marks": marks}
    path = tmp_path / "marks.json"
    path.write_text(json.dumps(content))
    read = covey.read_marks(path)
    labels = read.labels(found)
    expected = table.label.to_numpy().copy()
    filled = group.members[np.isnan(expected[group.members])]
    expected[filled] = 1
    expected[row], expected[member] = 0, np.nan
    np.testing.assert_array_equal(labels, expected)
    assert read.notes == {("group", 4): "ring"}
    keys = read.by_key(found)
    assert keys[found.keys[row]] == 0 and len(keys) == group.rows + 1
    with pytest.raises(covey.MismatchError, match="masked"):
        read.by_key()
    for change, message in (
        ({"format": "x"}, "format"),
        ({"marks": 3}, "marks"),
        ({"marks": [{"mark": "x"}]}, r"marks\[0\].mark"),
        ({"report": 1}, "report.data"),
        ({"marks": [{"kind": "row", "mark": "confirmed"}]}, r"marks\[0\].kind"),
        ({"marks": [{"kind": "group", "mark": "confirmed", "group": -1}]}, "group"),
    ):
        path.write_text(json.dumps({**content, **change}))
        with pytest.raises(covey.CorruptFileError, match=message):
            covey.read_marks(path)
    path.write_text(json.dumps({**content, "version": 2}))
    with pytest.raises(covey.UnsupportedError):
        covey.read_marks(path)
    path.write_text(json.dumps({**content, "report": {"data": "0"}}))
    with pytest.raises(covey.MismatchError, match="other rows"):
        covey.read_marks(path).labels(found)
    path.write_text("{")
    with pytest.raises(covey.CorruptFileError):
        covey.read_marks(path)
    with pytest.raises(covey.FileError):
        covey.read_marks(tmp_path / "none.json")


def test_languages_and_templates(hostile, tmp_path):
    found, frame = hostile
    german = found.report(language="de").to_text()
    assert "riskante Gruppe" in german and "Risky group" not in german.split("-----")[0]
    own = tmp_path / "own.json"
    own.write_text(json.dumps({"who.known": "Fraud: ${known}, open: ${unknown}. 5 $$"}))
    group = found.groups[0]
    assert f"Fraud: {group.known}, open: {group.unknown}. 5 $" in found.report(templates=own).to_text()
    for templates, message in (
        ({"who.known": "${rows}"}, r"uses \$\{rows\}, which it does not have; it has"),
        ({"who.x": ""}, "is no text"),
        ({"who.known": "$ 5"}, "begins no field"),
        ({"who.known": 3}, "texts by name"),
        (3, None),
    ):
        with pytest.raises((covey.InvalidArgumentError, covey.InvalidTypeError, TypeError), match=message):
            found.report(templates=templates)
    with pytest.raises(covey.InvalidArgumentError, match="language"):
        found.report(language="xx")
    english, german = (Catalogue(language) for language in ("en", "de"))
    assert set(english.texts) == set(german.texts)
    fields = {name: set(re.findall(r"\$\{(\w+)\}", text)) for name, text in english.texts.items()}
    assert fields == {name: set(re.findall(r"\$\{(\w+)\}", text)) for name, text in german.texts.items()}


def test_bad_input_and_formats(hostile, tmp_path):
    found, frame = hostile
    for suffix in ("html", "json", "md", "txt"):
        found.report(tmp_path / f"case.{suffix}")
        assert (tmp_path / f"case.{suffix}").stat().st_size > 500
    found.report(tmp_path / "noend", format="text")
    with pytest.raises(covey.InvalidArgumentError, match="path must end"):
        found.report(tmp_path / "case.pdf")
    with pytest.raises(covey.InvalidArgumentError, match="format"):
        found.report(tmp_path / "case.html", format="pdf")
    with pytest.raises(covey.InvalidTypeError, match="report needs"):
        covey.report(3, tmp_path / "case.html")
    with pytest.raises(covey.InvalidArgumentError, match="limit"):
        found.report(limit=0)
    with pytest.raises(covey.InvalidArgumentError, match="nothere"):
        found.report(links="nothere")
    with pytest.raises(covey.FileError):
        found.report(tmp_path / "no" / "folder.html")
    with pytest.raises(covey.MismatchError):
        found.report(amount=[1.0, 2.0])
    with pytest.raises(covey.InvalidDataError, match=r"amount\[3\]"):
        found.report(amount=np.where(np.arange(len(frame)) == 3, np.nan, 1.0))
    same = found.report(when=np.full(len(frame), 5.0)).to_text()  # all at one time: nothing grows
    assert "It grows" not in same and "0 days" not in same


def test_little_data(tmp_path):
    """No labels, no times, all features missing, one row in a cluster, long sequences: the page still says what it
    knows."""
    random = np.random.default_rng(4)
    table = pd.DataFrame({"id": np.arange(60), "x": random.normal(size=60), "gone": np.full(60, np.nan)})
    nothing = covey.find(None, table, None, key="id")
    content = nothing.report().to_html()
    assert "No fraud is known" in content and "NaN" not in content
    source = many(5, each=1)
    source.known[:] = np.nan
    source.times = source.amounts = None
    source.groups = clusters_of(source.row_groups, source.known, source.scores, {})
    written(source).to_html()
    steps = pd.DataFrame(
        {
            "id": np.repeat(np.arange(60), 10),
            "time": np.tile(np.arange(10.0), 60),
            "event": random.choice(list("abcd"), 600),
        }
    )
    long = pd.DataFrame({"id": 59, "time": np.arange(10_000.0), "event": random.choice(list("abcd"), 10_000)})
    found = covey.find(
        pd.concat([steps[steps.id < 59], long]), table, None, key="id", training={"epochs": 1, "dimension": 8}
    )
    report = found.report(tmp_path / "long.html")
    assert (tmp_path / "long.html").stat().st_size < 1_000_000
    assert all(len(session["events"]) <= 40 for group in report.model["groups"] for session in group["sessions"])


def test_of_an_engine(sample, tmp_path):
    found, events, table = sample
    rows = table.iloc[:3000]
    own = events[events.transaction.isin(rows.transaction)]
    report = covey.report(
        found.engine, tmp_path / "engine.html", events=own, features=rows, fraud="label", amount="amount", when="time"
    )
    assert report.model["data"]["rows"] == 3000 and report.model["groups"]
    scores = found.engine.score(own, rows)
    for group in report.model["groups"]:
        assert group["figures"]["rows"] == sum(score.group == group["number"] for score in scores)
    bare = covey.report(found.engine, tmp_path / "bare.html")
    assert bare.model["data"]["rows"] == 0 and "engine" in (tmp_path / "bare.html").read_text()


def test_plots(sample):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as pyplot

    report = sample[0].report()
    figure, axes = pyplot.subplots(1, 3)
    axis = report.plot_profile(0, axes[0])
    assert axis is axes[0] and len(axis.patches) == 16
    widths = sorted(bar.get_width() for bar in axis.patches)
    profile = report.model["groups"][0]["profile"]
    effects = [entry["effect"] for name in ("features", "timings", "categories", "events") for entry in profile[name]]
    assert set(np.round(widths, 9)) <= set(np.round(effects, 9))
    report.plot_sessions(0, axes[1])
    shown = [*report.model["groups"][0]["sessions"], *report.model["ordinary_sessions"]]
    assert len(axes[1].patches) == sum(len(session["events"]) for session in shown)
    report.plot_risk(axes[2])
    assert len(axes[2].get_yticks()) == len(report.model["groups"])
    figure.canvas.draw()
    with pytest.raises(covey.NotFoundError, match="no group 99"):
        report.plot_profile(99)
    epochs = [covey.TrainingEpoch(2.0 / epoch, float("nan"), 1.0, 1.0) for epoch in (1, 2, 3)]
    line = covey.TrainingReport(epochs, 3, 3, None).plot(axes[0]).lines[-1]
    assert list(line.get_ydata()) == [2.0, 1.0, 2.0 / 3]
    pyplot.close(figure)


def test_evidence_early_risk_and_neighbours(sample):
    """Why a transaction is on top, how early a group is seen, and which group is most like it, again from their
    definitions."""
    found, events, table = sample
    model = found.report().to_dict()
    for alert in model["alerts"]:
        assert alert["evidence"] == {part: found.evidence(part)[alert["row"]] for part in alert["evidence"]}
    group = model["groups"][5]
    members = found.groups[5].members
    members = members[table.label.isna().to_numpy()[members] & (found.sequences.lengths[members] >= 4)]
    members = members[np.linspace(0, len(members) - 1, 24).astype(int)] if len(members) > 24 else members
    assert len(members) == group["early"]["members"]
    rows = table.iloc[members]
    own = events[events.transaction.isin(rows.transaction)].sort_values(["transaction", "seconds"], kind="stable")
    place, count = own.groupby("transaction").cumcount(), own.groupby("transaction").event.transform("size")
    for point in group["early"]["points"]:
        risk = found.engine.score(own[place < np.ceil(count * point["seen"])], rows).risk
        assert point["risk"] == pytest.approx(np.median(risk), abs=1e-9)
    told = [one for one in group["narrative"]["body"] if one["id"] == "how.early"][0]["figures"]
    assert told["half"] == group["early"]["points"][1]["risk"] and told["all"] == group["early"]["points"][3]["risk"]
    nearest = {entry["group"]: entry["other"] for entry in model["map"]["nearest"]}
    assert set(nearest) == {group["number"] for group in model["groups"]} and all(
        one != two for one, two in nearest.items()
    )


def test_every_kind_of_table_gives_the_same_page():
    frame = hostile_frame().rename(columns={"<b>amount</b>": "amount"})
    frame.loc[3, "device"] = None
    arrow = pa.Table.from_pandas(frame)
    kinds = [frame, arrow, frame.convert_dtypes(), frame.to_dict("list"), frame.set_index("id")]
    kinds += [] if pl is None else [pl.from_arrow(arrow), pl.from_arrow(arrow).lazy()]
    pages = set()
    for kind in kinds:
        found = covey.find(None, kind, "label", key="id", amount="amount", trees=20, permutations=99)
        pages.add(found.report(links="device", mask=False).to_html())
    assert len(pages) == 1
