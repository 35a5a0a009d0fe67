"""Every example in a docstring runs, and whoever is called by users has one."""

import inspect
import re
import textwrap
import warnings

import numpy as np
import pytest

import covey
from support import write_random_encoder
from find_support import FAST, shop

#: Results, which users do not make, and calls that change the process or take a file of the page.
WITHOUT = {
    "Backtest", "Change", "ClusterMatches", "ClusterReport", "CondensedTree", "ConditionKind", "Counterfactual",
    "Counterfactuals", "Derived", "Explanation", "Explanations", "Faithfulness", "Finding", "FiredRule", "Marks",
    "Matches", "MinimumSpanningTree", "Report", "RiskyGroup", "Rule", "RuleMatches", "Score", "Scores",
    "SingleLinkageTree", "StatusCode", "TrainingEpoch", "TrainingProgress", "TrainingReport",
    "approximate_predict_branch", "library_version", "read_marks", "set_instructions",
}  # fmt: skip


def owners():
    """Each documented object by its name."""
    yield "covey", covey
    for name in covey.__all__:
        value = getattr(covey, name)
        yield name, value
        kinds = value.__mro__ if inspect.isclass(value) else ()
        parts = {
            part: method
            for kind in reversed(kinds)
            if kind.__module__.startswith("covey.")
            for part, method in vars(kind).items()
        }
        for part, method in parts.items():
            if not part.startswith("_"):
                yield f"{name}.{part}", getattr(method, "__func__", getattr(method, "fget", None) or method)


def examples():
    for name, value in owners():
        text = inspect.cleandoc(getattr(value, "__doc__", None) or "")
        for block in re.findall(r"::\n\n((?:    .*\n?|\n)+)", text):
            yield name, textwrap.dedent(block)


EXAMPLES = list(dict.fromkeys(examples()))


def test_who_is_called_has_an_example():
    told = {name.partition(".")[0] for name, _ in EXAMPLES}
    names = [
        name
        for name in covey.__all__
        if not (inspect.isclass(getattr(covey, name)) and issubclass(getattr(covey, name), (Exception, Warning)))
    ]
    assert [name for name in names if name not in told | WITHOUT] == []


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What the examples find there: a small shop with a ring, and what the stages make of it."""
    folder = tmp_path_factory.mktemp("examples")
    path = folder / "model.safetensors"
    write_random_encoder(path, ["home", "search", "cart", "photos", "login", "address", "pay"])
    events, table, ring = shop(rows=300, ring=60)
    features = table[["id", "amount", "account", "visits"]].set_index("id", drop=False).drop(columns="id")
    features.index.name = None
    sequences = covey.Sequences.from_frame(events, sequence="id", time="time", event="event", order=table.id)
    encoder = covey.SequenceEncoder.load(path)
    embeddings = encoder.embed(sequences)
    hybrid = covey.HybridFeatures(embedding_weight=1.5)
    rows = hybrid.fit_transform(embeddings, features=features)
    clusterer = covey.HDBSCAN(min_cluster_size=15, prediction_data=True).fit(rows)
    fraud = np.where(ring & (np.arange(300) % 2 == 0), 1.0, np.nan)
    risk = covey.cluster_risk(clusterer.labels_, fraud)
    rules = covey.extract_rules(features, ring, target_name="fraud")
    engine = covey.Engine.build(encoder=encoder, hybrid=hybrid, clustering=clusterer, risk=risk)
    engine.save(folder / "shop.engine")
    found = covey.find(events, table, "label", key="id", when="when", amount="amount", encoder=encoder, **FAST)
    return folder, {**locals(), "covey": covey, "transactions": table, "amounts": table.amount.to_numpy()}


@pytest.mark.parametrize("name, code", EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_example(made, name, code, monkeypatch):
    folder, names = made
    monkeypatch.chdir(folder)
    names = dict(names)
    if name.startswith(("find", "covey")):
        names["events"] = names["events"].rename(columns={"time": "seconds"})
    if name == "covey":
        names["features"], code = (
            names["transactions"][["id", "amount", "visits"]],
            code.replace('"transaction"', '"id"'),
        )
        code = code.replace('time="time"', 'time="seconds"').replace(".train(sequences)", ".train(sequences, epochs=1)")
    if name.startswith(("Session", "Engine", "Drift")) and "events" in code:
        names["events"] = names["sequences"]
    if name == "Sequences.from_frame":
        names["features"] = names["transactions"]
    if name == "EngineHolder":
        names["events"] = names["sequences"]
    if name == "Engine.counterfactual":
        names["events"], names["features"] = names["sequences"][:1], names["features"][:1]
    for told, there in (
        ('key="transaction"', 'key="id"'),
        ('"country": "NL"', '"account": "new", "visits": 1'),
        ('"country"', '"account"'),
    ):
        code = code.replace(told, there)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(code, name, "exec"), names)
