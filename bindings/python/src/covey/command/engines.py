"""`covey build` and `covey score`."""

from __future__ import annotations

from typing import Any, Optional

import click

from .columns import Roles, guess
from .options import common, event_columns, filled, label_columns, reading, running, table, terminal, writing
from .rules import column, rules_of
from .tables import arrow, check_output, table_of, write_table


@click.command("build")
@click.argument("transactions")
@click.option("--hybrid", required=True, help="Of `covey cluster --hybrid`.")
@click.option("--clustering", required=True, help="Of `covey cluster --clustering`.")
@click.option("--encoder", help="Where the rows have embeddings.")
@click.option("--rules", help="A rule set, of no single cluster.")
@click.option("-o", "--output", default="engine.safetensors", show_default=True, help="The engine.")
@label_columns
@reading
@common
def build_command(
    transactions: str,
    hybrid: str,
    clustering: str,
    encoder: Optional[str],
    rules: Optional[str],
    output: str,
    **values: Any,
) -> None:
    """Puts encoder, scaling, clustering, labels and rules into one file that scores transactions.

    TRANSACTIONS has the labels, in the order of the rows that were clustered.

    \b
    Example:
        covey build transactions.csv --hybrid hybrid.st --clustering clusters.st --encoder encoder.safetensors -o
        engine.safetensors
    """
    from .._times import Times
    from ..clustering import HDBSCAN
    from ..encoder import SequenceEncoder
    from ..engine import Engine
    from ..hybrid import HybridFeatures
    from ..risk import cluster_risk

    speaker = terminal(values)
    features = filled(transactions, "transactions", values["form"])
    roles, said = guess(None, features, {**{name: values[name] for name in ("fraud", "amount", "when")}, "key": "none"})
    if roles.fraud is None:
        raise click.UsageError(f"--fraud: name the column of the labels, one of {features.column_names}")
    for line in said:
        speaker.say(f"  {line}")
    clusterer = HDBSCAN.load(clustering)
    times = None if roles.when is None else Times.read(column(features, roles.when), roles.when).seconds
    with running(values, speaker) as context:
        risk = cluster_risk(
            clusterer.labels_, column(features, roles.fraud), column(features, roles.amount), times, context=context
        )
        engine = Engine.build(
            hybrid=HybridFeatures.load(hybrid),
            clustering=clusterer,
            risk=risk,
            context=context,
            encoder=None if encoder is None else SequenceEncoder.load(encoder),
            rules=None if rules is None else {-1: rules_of(rules)},
        )
    engine.save(output)
    figures = [
        (r.cluster, r.size, r.labelled, r.fraud, r.share, r.share_low, "yes" if r.risky else "")
        for r in risk.reports[:20]
    ]
    speaker.table(
        "Clusters, riskiest first", ("cluster", "rows", "labelled", "fraud", "share", "at least", "risky"), figures
    )
    text = f"{output}: {len(risk.risky_clusters)} of {len(risk.reports)} clusters are risky"
    speaker.result(
        text, {"output": output, "risky": risk.risky_clusters, "base_rate": risk.base_rate, "hash": engine.hash}
    )


@click.command("score")
@click.argument("engine")
@click.argument("transactions", required=False)
@click.option("--events", help="The events of the transactions.")
@click.option("--reasons", is_flag=True, help="A column with the reasons, as text.")
@event_columns
@reading
@writing("The scores: the key, cluster, strength, risk, risky")
@common
def score_command(
    engine: str, transactions: Optional[str], events: Optional[str], output: str, to: Optional[str], **values: Any
) -> None:
    """Scores transactions with an engine.

    \b
    Examples:
        covey score case/engine.safetensors transactions.parquet --events events.parquet -o scores.parquet
        covey score engine.safetensors - --from jsonl --to jsonl < transactions.jsonl
    """
    from ..engine import Engine

    speaker = terminal(values)
    if speaker.json and output == "-":
        raise click.UsageError("--json needs -o, as standard output has one of the two")
    if transactions is None and events is None:
        raise click.UsageError("name the file of the transactions, --events, or both")
    check_output(output, to)
    scorer = Engine.load(engine)
    clicks, features = table(events, "events", values["form"]), table(transactions, "transactions", values["form"])
    given = {name: values[name] for name in ("key", "time", "event", "dwell")}
    roles, said = guess(clicks, features, given) if clicks is not None else (Roles(key=values["key"]), [])
    for line in said:
        speaker.say(f"  {line}")
    with running(values, speaker) as context:
        scores = scorer.score(
            clicks, features, context=context, key=roles.key, time=roles.time, event=roles.event, dwell=roles.dwell
        )
    speaker.odd([finding for finding in scores.findings if finding.code != "column_role"])
    keys = {} if scores.keys is None else {scores.key_name or "key": scores.keys}
    columns = {
        **keys,
        "cluster": scores.cluster,
        "strength": scores.strength,
        "risk": scores.risk,
        "risky": scores.risky,
    }
    found = table_of(columns)
    if values["reasons"]:
        found = found.append_column(
            "reasons", arrow().array(["; ".join(score.reasons) for score in scores], arrow().string())
        )
    write_table(found, output, to)
    told = {"output": output, "rows": len(scores), "risky": int(scores.risky.sum())}
    text = f"{told['risky']:,} of {told['rows']:,} transactions are risky"
    (speaker.say(text) if output == "-" else speaker.result(text, told))
