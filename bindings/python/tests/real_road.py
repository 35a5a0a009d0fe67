"""The whole road on somebody's real or published data, and what an analyst would print of it."""

import numpy as np

import covey
from support import write_random_encoder


def walk(
    show, folder, events, columns, features, outcome, late, *, name, gap, hybrid, clustering, min_lift, rules, seconds
):
    """Sequences, encoder, hybrid, clusters, risk, rules, engine, score; prints and returns the figures.

    events: a frame with a row an event; columns: its sequence, time and event. features: the expert features, a row a
    sequence in the order of first appearance. outcome: bool a row; late: bool a row, the rows whose outcome is held
        out.
    """
    model = folder / "encoder.safetensors"
    # PyTorch is not needed for this: a fixed random network keeps order and pace, as echo state networks do.
    names = covey.Vocabulary.build(events[columns["event"]]).names
    write_random_encoder(model, names, gap=gap)
    encoder = covey.SequenceEncoder.load(model)
    sequences = covey.Sequences.from_frame(events, **columns)
    embeddings = encoder.embed(sequences)
    transform = covey.HybridFeatures(**hybrid)
    rows = transform.fit_transform(embeddings, features=features)
    clusterer = covey.HDBSCAN(prediction_data=True, **clustering).fit(rows)
    labels = clusterer.labels_
    risk = covey.cluster_risk(labels, np.where(late, np.nan, outcome), times=seconds, min_lift=min_lift)
    sets = {
        cluster: covey.extract_rules(
            features, labels == cluster, times=seconds, target_name=f"cluster {cluster}", **rules
        )
        for cluster in risk.risky_clusters
    }
    engine = covey.Engine.build(encoder=encoder, hybrid=transform, clustering=clusterer, risk=risk, rules=sets)
    engine.save(folder / "engine.safetensors")
    again = covey.Engine.load(folder / "engine.safetensors")

    risky = np.isin(labels, risk.risky_clusters)
    base, held = outcome[late].mean(), outcome[late & risky].mean()
    show(
        f"{name}: {len(rows):,} sequences, {sequences.event_count:,} events; encoder: random weights (a reservoir,"
        " untrained)"
    )
    show(
        f"  {labels.max() + 1} clusters cover {np.mean(labels >= 0):.1%}; {len(risk.risky_clusters)} risky ones hold"
        f" {risky.sum():,} rows ({risky.mean():.1%}), by the labels of the earlier {np.mean(~late):.0%}"
    )
    show(
        f"  held-out labels: {held:.1%} of {np.sum(late & risky):,} rows in risky clusters against a base rate of"
        f" {base:.1%}: lift {held / base:.2f}, {outcome[late & risky].sum() / outcome[late].sum():.1%} of all held-out"
        " ones"
    )
    for cluster in risk.risky_clusters[:5]:
        report, inside = risk[cluster], (labels == cluster) & late
        show(
            f"  cluster {cluster}: {report.size} rows, labelled share {report.share:.1%} [{report.share_low:.1%},"
            f" {report.share_high:.1%}]; held out {outcome[inside].mean() if inside.any() else float('nan'):.1%} of"
            f" {inside.sum()}"
        )
        for rule in sets[cluster].rules[:3]:
            show(f"    {rule.text}")

    check_rules(sets, features, labels, seconds)
    check_engine(engine, again, sequences, features, labels, sets)
    return {"risk": risk, "base": base, "held": held, "risky": risky, "rules": sets, "labels": labels, "engine": again}


def check_rules(sets, features, labels, seconds):
    """Every figure on unseen rows counted again: the latest 30% by time."""
    order = np.argsort(seconds, kind="stable")
    unseen = np.zeros(len(order), dtype=bool)
    unseen[order[round(len(order) * 0.7) :]] = True
    for cluster, rule_set in sets.items():
        target, fired = labels == cluster, rule_set.fired(features)
        for index, rule in enumerate(rule_set):
            share = target[fired[:, index]].mean()
            assert rule.precision >= 0.5 and rule.lift >= 2, rule.text
            assert share >= 0.4 and share / target.mean() > 2, rule.text
            assert rule.matched + rule.search_matched == fired[:, index].sum()
            assert rule.support + rule.search_support == (fired[:, index] & target).sum()


def check_engine(engine, again, sequences, features, labels, sets):
    """A saved engine scores like the one it was saved from; rows that were clustered come back to their cluster."""
    rows = np.random.default_rng(0).permutation(len(labels))[:1500]
    before, after = (one.score(sequences[rows], features.iloc[rows]) for one in (engine, again))
    for field in ("cluster", "strength", "risk", "risky"):
        assert getattr(before, field).tobytes() == getattr(after, field).tobytes(), field
    assert list(before)[:50] == list(after)[:50]
    clustered = labels[rows] >= 0
    assert np.mean(after.cluster[clustered] == labels[rows][clustered]) > 0.9
    # The rules that fire are those that fire outside of the engine.
    for cluster, rule_set in sets.items():
        texts = {rule.text for rule in rule_set}
        expected = rule_set.fired(features.iloc[rows[:100]]).sum(1)
        for place in range(100):
            assert sum(rule.cluster == cluster and rule.text in texts for rule in after[place].rules) == expected[place]
    one = again.score(sequences[rows[:1]], features.iloc[rows[:1]])
    assert one.risk[0] == after.risk[0] and one[0].reasons
