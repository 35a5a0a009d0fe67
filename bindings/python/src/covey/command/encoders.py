"""`covey train` and `covey embed`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Optional

import click

from .._errors import CancelledError
from .checks import odd_sequences
from .columns import guess
from .options import common, event_columns, reading, running, table, terminal, writing
from .tables import check_output, table_of, write_table
from .terminal import Terminal


def sequences_of(path: str, values: Dict[str, Any], speaker: Terminal, encoder: Any = None) -> Any:
    """The sequences of a file of events, with what was guessed and what is odd said."""
    from .._find_inputs import join_events

    events = table(path, "events", values.pop("form"))
    given = {name: values.pop(name) for name in ("key", "time", "event", "dwell")}
    roles, said = guess(events, None, given)
    for line in said:
        speaker.say(f"  {line}")
    sequences, _, told = join_events(
        events,
        None,
        key=roles.key,
        time=roles.time,
        event=roles.event,
        dwell=roles.dwell,
        uses_dwell=encoder is not None and encoder.uses_dwell,
        channels={}
        if encoder is None
        else {"numeric": encoder.numeric_names, "categorical": encoder.categorical_names},
    )
    speaker.odd([*told, *odd_sequences(sequences)])
    return sequences


@click.command("train")
@click.argument("events")
@click.option("-o", "--output", default="encoder.safetensors", show_default=True, help="The encoder's file.")
@click.option("--epochs", type=click.IntRange(1, 1_000_000), default=20, show_default=True)
@click.option("--hidden-size", type=click.IntRange(1, 4096), default=64, show_default=True, help="Units a direction.")
@click.option(
    "--dimension",
    type=click.IntRange(0, 65536),
    default=0,
    show_default=True,
    help="Of an embedding; 0 = twice --hidden-size.",
)
@click.option(
    "--objective",
    "objectives",
    multiple=True,
    type=click.Choice(["next_event", "masked_event", "autoencoder", "contrastive"]),
    help="May be given more than once.",
)
@click.option("--batch-size", type=click.IntRange(1, 65536), default=128, show_default=True, help="Sequences a step.")
@click.option(
    "--epoch-sequences",
    type=click.IntRange(0, 2**31 - 1),
    default=20_000,
    show_default=True,
    help="The most sequences of an epoch, drawn anew for each; 0 = all.",
)
@click.option("--learning-rate", type=float, default=3e-3, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@event_columns
@reading
@common
def train_command(events: str, output: str, objectives: Any, **values: Any) -> None:
    """Trains an encoder on events, without labels.

    Interrupted, the same command goes on where it was: OUTPUT.checkpoint keeps the training.

    \b
    Example:
        covey train events.parquet -o encoder.safetensors --epochs 10
    """
    from ..encoder import SequenceEncoder

    speaker = terminal(values)
    sequences = sequences_of(events, values, speaker)
    checkpoint = Path(f"{output}.checkpoint")
    if checkpoint.exists():
        speaker.say("the training goes on where it was")
    with running(values, speaker) as context:
        try:
            encoder = SequenceEncoder.train(
                sequences,
                objectives=dict.fromkeys(objectives, 1.0) or None,
                checkpoint=checkpoint,
                checkpoint_steps=50,
                context=context,
                **values,
            )
        except (KeyboardInterrupt, CancelledError):
            kept = (
                f"{checkpoint} keeps the training; the same command goes on where it was" if checkpoint.exists() else ""
            )
            raise KeyboardInterrupt(kept) from None
    encoder.save(output)
    checkpoint.unlink(missing_ok=True)
    report: Any = encoder.training
    speaker.table(
        "Training",
        ("epoch", "loss", "held-out loss", "seconds"),
        [(number, epoch.loss, epoch.held_out_loss, epoch.seconds) for number, epoch in enumerate(report.epochs, 1)],
    )
    told = {
        "output": output,
        "dimension": encoder.dimension,
        "events": len(encoder.vocabulary) - 1,
        "steps": report.steps,
        "losses": [epoch.loss for epoch in report.epochs],
        "sequences": len(sequences),
    }
    speaker.result(f"{output}: {encoder.dimension} numbers a sequence, {len(encoder.vocabulary) - 1} event types", told)


@click.command("embed")
@click.argument("encoder")
@click.argument("events")
@click.option("--precision", type=click.Choice(["float32", "bfloat16"]), default="float32", show_default=True)
@event_columns
@reading
@writing("The embeddings: the key, then e0, e1, ...")
@common
def embed_command(encoder: str, events: str, output: str, to: Optional[str], precision: str, **values: Any) -> None:
    """Turns events into one vector a sequence.

    \b
    Example:
        covey embed encoder.safetensors events.parquet -o embeddings.parquet
    """
    from ..encoder import SequenceEncoder

    speaker = terminal(values)
    if speaker.json and output == "-":
        raise click.UsageError("--json needs -o, as standard output has one of the two")
    check_output(output, to)
    model = SequenceEncoder.load(encoder)
    sequences = sequences_of(events, values, speaker, model)
    with running(values, speaker) as context:
        rows = model.embed(sequences, context=context, precision=precision)
    columns = {f"e{index}": rows[:, index] for index in range(rows.shape[1])}
    write_table(
        table_of(
            {sequences.key_name: sequences.keys, **{name: values_.__array__() for name, values_ in columns.items()}}
        ),
        output,
        to,
    )
    if output != "-":
        speaker.result(
            f"{output}: {rows.shape[0]:,} x {rows.shape[1]}",
            {"output": output, "rows": rows.shape[0], "dimension": rows.shape[1]},
        )
