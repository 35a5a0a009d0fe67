"""`covey cluster`."""

from __future__ import annotations

from typing import Any, Optional

import click
import numpy as np

from .columns import _KEYS
from .options import common, filled, reading, running, table, terminal, writing
from .tables import Formats, check_output, table_of, write_table


@click.command("cluster")
@click.argument("file")
@click.option("--embeddings", help="A file of `covey embed` that is put beside the rows, by the key.")
@click.option("--key", help="The column that names the rows. Guessed without; none = there is none.")
@click.option("--leave-out", multiple=True, metavar="COLUMN", help="A column that is no feature, such as the label.")
@click.option("--min-cluster-size", type=click.IntRange(2), help="Without, it is chosen by persistence.")
@click.option("--min-samples", type=click.IntRange(1))
@click.option(
    "--method", type=click.Choice(["eom", "leaf"]), help="Which clusters of the tree are taken.  [default: eom]"
)
@click.option("--algorithm", type=click.Choice(["exact", "approximate"]), default="exact", show_default=True)
@click.option(
    "--scaling",
    type=click.Choice(["none", "standard", "robust", "quantile", "log", "auto"]),
    default="robust",
    show_default=True,
)
@click.option("--hybrid", help="Writes the fitted scaling there; `covey build` takes it.")
@click.option("--clustering", help="Writes the clustering there; `covey build` takes it.")
@reading
@writing("Labels: the key, label, probability, outlier score")
@common
def cluster_command(file: str, output: str, to: Optional[str], **values: Any) -> None:
    """Clusters rows: features, embeddings, or both (HDBSCAN).

    \b
    Examples:
        covey cluster embeddings.parquet -o labels.parquet
        covey cluster transactions.csv --embeddings embeddings.parquet --leave-out label -o labels.csv
    """
    from ..clustering import HDBSCAN
    from ..hybrid import HybridFeatures

    speaker = terminal(values)
    if speaker.json and output == "-":
        raise click.UsageError("--json needs -o, as standard output has one of the two")
    check_output(output, to)
    rows = filled(file, "file", values["form"])
    key = _key(values["key"], rows)
    for name in values["leave_out"]:
        if name not in rows.column_names:
            raise click.UsageError(f"--leave-out: there is no column {name!r} in {rows.column_names}")
    rows = rows.drop_columns(list(values["leave_out"]))
    if key is not None:
        speaker.say(f"  key = {key}{'' if values['key'] else ' (guessed)'}")
    block, features = None, rows
    if values["embeddings"] is not None:
        block = embeddings_of(values["embeddings"], values["form"], key)
    elif all(name == key or name[:1] == "e" and name[1:].isdigit() for name in rows.column_names):
        block, features = embeddings_of(file, values["form"], key, rows), None
    with running(values, speaker) as context:
        hybrid = HybridFeatures(scaling=values["scaling"], context=context)
        vectors = hybrid.fit_transform(block, features=features, key=key if features is not None else None)
        size = values["min_cluster_size"]
        clusterer = HDBSCAN(
            min_cluster_size=size or 5,
            min_samples=values["min_samples"],
            algorithm=values["algorithm"],
            prediction_data=True,
            cluster_selection_method=values["method"] or "eom",
            missing="reject",
            context=context,
        ).fit(vectors)
        if size is None:
            clusterer = clusterer.select_persistent()
            if values["method"] == "eom":
                clusterer = clusterer.select(cluster_selection_method="eom")
            speaker.say(f"  min_cluster_size = {clusterer.min_cluster_size} (by persistence)")
    if values["hybrid"] is not None:
        hybrid.save(values["hybrid"])
    if values["clustering"] is not None:
        clusterer.save(values["clustering"])
    labels = clusterer.labels_
    keys = {} if key is None else {key: rows.column(key).to_numpy()}
    columns = {
        **keys,
        "label": labels,
        "probability": clusterer.probabilities_,
        "outlier_score": clusterer.outlier_scores_,
    }
    write_table(table_of(columns), output, to)
    count, noise = int(labels.max(initial=-1)) + 1, int(np.sum(labels < 0))
    told = {
        "rows": len(labels),
        "clusters": count,
        "noise": noise,
        "min_cluster_size": clusterer.min_cluster_size,
        "output": output,
    }
    text = f"{count} clusters; {noise:,} of {len(labels):,} rows are noise"
    (speaker.say(text) if output == "-" else speaker.result(text, told))


def _key(given: Optional[str], rows: Any) -> Optional[str]:
    """The column that names the rows: a usual name, and no value twice."""
    names = rows.column_names
    if given == "none":
        return None
    if given is not None:
        if given not in names:
            raise click.UsageError(f"--key: there is no column {given!r} in {names}")
        return given
    usual = (name for wanted in _KEYS for name in names if name.lower() == wanted)
    return next((name for name in usual if len(rows.column(name).unique()) == rows.num_rows), None)


def embeddings_of(path: str, form: Formats, key: Optional[str], rows: Any = None) -> Any:
    """The columns e0, e1, ... of a file of `covey embed`, with its keys."""
    from .._keys import as_column, read_keys
    from .._rows import with_keys

    found = rows if rows is not None else table(path, "embeddings", form)
    count = sum(name[:1] == "e" and name[1:].isdigit() for name in found.column_names)
    names = [f"e{index}" for index in range(count)]
    if not count or any(name not in found.column_names for name in names):
        raise click.ClickException(f"embeddings: {path!r} lacks the columns e0, e1, ... of `covey embed`")
    matrix = np.column_stack([found.column(name).to_numpy() for name in names]).astype(np.float32)
    if key is None:
        return matrix
    if key not in found.column_names:
        raise click.ClickException(f"embeddings: {path!r} has no column {key!r}")
    return with_keys(np.ascontiguousarray(matrix), read_keys(as_column(found.column(key)), f"embeddings[{key!r}]"), key)
