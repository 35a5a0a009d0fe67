"""What notebooks show: every public object has HTML, and nothing in the data is markup there."""

import enum
import inspect

import numpy as np
import pandas as pd
import pytest

import covey
from covey._html import html_of

EVIL = "<script>alert(1)</script>\u202e"


def test_every_public_object_has_html():
    for name in covey.__all__:
        kind = getattr(covey, name)
        if inspect.isclass(kind) and not issubclass(kind, (Exception, enum.Enum)):
            assert hasattr(kind, "_repr_html_"), name


@pytest.fixture(scope="module")
def made():
    random = np.random.default_rng(0)
    table = pd.DataFrame({"amount": random.normal(size=300), EVIL: random.choice([EVIL, "b"], 300)})
    table.loc[:99, "amount"] += 9
    target = np.arange(300) < 100
    rules = covey.extract_rules(table, target, target_name=EVIL)
    clusterer = covey.HDBSCAN(min_cluster_size=20).fit(table[["amount"]].to_numpy())
    risk = covey.cluster_risk(clusterer.labels_, target)
    return table, rules, clusterer, risk, covey.backtest(rules, table, target)


def test_tables_of_the_first_rows(made):
    table, rules, clusterer, risk, tested = made
    for value in (
        rules,
        risk,
        tested,
        clusterer.condensed_tree_,
        clusterer.single_linkage_tree_,
        rules[0],
        risk.reports[0],
    ):
        text = value._repr_html_()
        assert text.count("<table>") == 1 and "<script" not in text and "\u202e" not in text, type(value)
    assert "299 more" not in risk._repr_html_() and "more</p>" in clusterer.single_linkage_tree_._repr_html_()
    assert f"<td style='text-align:left'>{rules[0].support}</td>" in rules._repr_html_()


def test_names_are_text(made):
    table, rules, *_ = made
    condition = covey.Condition(EVIL, covey.ConditionKind.IN, categories=(EVIL,))
    for text in (condition._repr_html_(), rules._repr_html_(), html_of(covey.Finding("code", EVIL, EVIL, EVIL))):
        assert "<script" not in text and "\u202e" not in text
    assert "&lt;script&gt;" in condition._repr_html_()


def test_objects_without_a_table_and_closed_ones():
    sequences = covey.Sequences([0, 1], ["a"], [0.0])
    assert sequences._repr_html_() == "<pre>Sequences(1 sequence, 1 event)</pre>"
    vocabulary = covey.Vocabulary(["a"])
    assert vocabulary._repr_html_().startswith("<pre>Vocabulary")
    vocabulary.close()
    assert "closed" in vocabulary._repr_html_()
    assert "<pre>Context(" in covey.Context(threads=1)._repr_html_()
