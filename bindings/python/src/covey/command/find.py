"""`covey find`: from files to a case, and `covey run`, which repeats one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

import click

from .._errors import CancelledError
from .checks import odd_columns, odd_sequences
from .columns import Roles, guess
from .find_options import check_options
from .options import common, event_columns, filled, label_columns, reading, running, settings, terminal
from .left_over import STATE, is_left, mark, state_of
from .runs import Run
from .tables import Formats, table_of, write_bytes, write_table
from .terminal import Terminal, plain


@click.command("find")
@click.argument("events", required=False)
@click.argument("transactions", required=False)
@click.option("-o", "--output", default="case", show_default=True, help="The folder of the case.")
@click.option("--features-only", is_flag=True, help="The one file holds transactions, without events.")
@click.option("--encoder", help="An encoder's file; without, one is trained on the events.")
@click.option("--epochs", type=click.IntRange(1, 1_000_000), help="Of the training.  [default: 20]")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of all that is drawn.")
@click.option(
    "--set", "sets", multiple=True, metavar="NAME=VALUE", help="An option of covey.find, such as known_share=0.3."
)
@click.option("--check", is_flag=True, help="Reads and checks, and stops there.")
@click.option("--run", "run_file", help="Repeats a run.yaml; takes no files.")
@event_columns
@label_columns
@reading
@common
def find_command(events: Optional[str], transactions: Optional[str], run_file: Optional[str], **values: Any) -> None:
    """Finds the fraud: from files to a case.

    EVENTS has one row an event, TRANSACTIONS one row a transaction. The folder gets labels and scores (Parquet), the
    rules, the report, the engine that scores the next transactions, and run.yaml, which repeats the run to the byte.
    Interrupted, the same command goes on where it was.

    \b
    Examples:
        covey find events.parquet transactions.parquet -o case/
        covey find clicks.csv orders.csv --key order --time ts --fraud chargeback -o case/
        covey find --features-only transactions.parquet -o case/
    """
    speaker = terminal(values)
    if run_file is not None:
        if events is not None:
            raise click.UsageError("--run takes no files: they are in the run file")
        _repeat(run_file, values["output"], speaker, values)
        return
    if events is None:
        raise click.UsageError("name the file of the events, or --features-only and that of the transactions")
    if values.pop("features_only"):
        if transactions is not None:
            raise click.UsageError("--features-only takes one file")
        events, transactions = None, events
    roles = {name: values.pop(name) for name in ("key", "time", "event", "dwell", "fraud", "amount", "when")}
    options: Dict[str, Any] = {**settings(values.pop("sets")), "seed": values.pop("seed")}
    if values["epochs"] is not None:
        given = options.get("training") or {}
        options["training"] = {**given, "epochs": values["epochs"]} if isinstance(given, dict) else given
    check_options(options)
    inputs = {"events": events, "features": transactions}
    _find(
        inputs,
        roles,
        values.pop("encoder"),
        options,
        values["form"],
        values["output"],
        values["check"],
        speaker,
        values,
    )


@click.command("run")
@click.argument("file")
@click.option("-o", "--output", help="The folder of the case; without, that of the run file.")
@common
def run_command(file: str, output: Optional[str], **values: Any) -> None:
    """Repeats a run of `covey find`: the same files, the same bytes.

    \b
    Example:
        covey run case/run.yaml -o again/
    """
    speaker = terminal(values)
    _repeat(file, output or str(Path(file).parent), speaker, values)


def _repeat(file: str, output: str, speaker: Terminal, values: Dict[str, Any]) -> None:
    run = Run.read(file)
    check_options(run.options, f"{file}: options")
    run.check_inputs()
    paths = {name: run.path(name) for name in ("events", "features")}
    columns: Dict[str, Optional[str]] = {**dict.fromkeys(("dwell", "fraud", "amount", "when"), "none"), **run.columns}
    for role, where in (("dwell", "events"), ("fraud", "features"), ("amount", "features"), ("when", "features")):
        if paths[where] is None:
            columns.pop(role, None)
    _find(paths, columns, run.path("encoder"), run.options, run.form, output, False, speaker, values)


def _find(
    inputs: Dict[str, Optional[str]],
    given: Dict[str, Optional[str]],
    encoder_file: Optional[str],
    options: Dict[str, Any],
    form: Formats,
    output: str,
    only_check: bool,
    speaker: Terminal,
    values: Dict[str, Any],
) -> None:
    from .. import _find_inputs
    from ..encoder import SequenceEncoder

    if list(inputs.values()).count("-") > 1:
        raise click.UsageError("only one input can be the standard input")
    events, features = tables(inputs, form, speaker)
    encoder = None if encoder_file is None else SequenceEncoder.load(encoder_file)
    roles, said = guess(events, features, given)
    for line in said:
        speaker.say(f"  {line}")
    odd = odd_columns(events, features, roles)
    sequences = None
    if events is not None:
        channels = (
            {} if encoder is None else {"numeric": encoder.numeric_names, "categorical": encoder.categorical_names}
        )
        sequences, _, told = _find_inputs.join_events(
            events,
            features,
            key=roles.key,
            time=roles.time,
            event=roles.event,
            dwell=roles.dwell,
            uses_dwell=encoder is not None and encoder.uses_dwell,
            channels=channels,
        )
        odd += told + odd_sequences(sequences)
    speaker.odd(odd)
    if only_check:
        speaker.result("", {"columns": roles.given(), "findings": [finding.__dict__ for finding in odd]})
        return
    case = Path(output)
    _make(case)
    if events is not None and encoder_file is None:
        options = {**options, "training": {**_bounds(), **(options.get("training") or {})}}
    run = Run.of(inputs, roles.given(), encoder_file, options, form)
    with running(values, speaker) as context:
        if sequences is not None and encoder is None:
            encoder = _encoder(case, run, sequences, options, context, speaker)
        found = _kept(case, run, speaker)
        if found is None:
            found = _search(sequences, events, features, roles, encoder, options, context, speaker)
            found.findings = [*odd, *(finding for finding in found.findings if finding not in odd)]
            found.save(case / RESULT)
            mark(case, "result", run.fingerprint(), case / RESULT)
        else:
            attach(found, sequences, features, roles)
    _write(case, run, found, speaker)


#: What `covey.Found.load` reads.
RESULT = "found.covey"


def tables(inputs: Dict[str, Optional[str]], form: Formats, speaker: Optional[Terminal] = None) -> Tuple[Any, Any]:
    """Events and transactions; None for one that has no file."""
    found = []
    for name, role in (("events", "events"), ("features", "transactions")):
        path = inputs.get(name)
        read = None if path is None else filled(path, role, form)
        if read is not None and speaker is not None:
            speaker.say(f"{role}: {read.num_rows:,} rows, {read.num_columns} columns")
        found.append(read)
    return found[0], found[1]


def _make(case: Path) -> None:
    try:
        case.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise click.ClickException(f"output: {str(case)!r} cannot be made a folder: {failure.strerror}") from None


def _bounds() -> Dict[str, Any]:
    """What bounds the time of a training, for the run file: another version may have another bound."""
    from .._structs import TrainingOptions

    return {"epoch_sequences": TrainingOptions().epoch_sequences}


def _kept(case: Path, run: Run, speaker: Terminal) -> Any:
    """The result of an earlier run of this kind that was interrupted after the search; None without one."""
    from .._find_results import Found

    path = case / RESULT
    if not is_left(case, "result", run.fingerprint(), path):
        return None
    speaker.say("the search is done already")
    return Found.load(path)


def attach(found: Any, sequences: Any, features: Any, roles: Roles) -> None:
    """Gives a result that was read from a file the rows that it was found in, for its report."""
    from ..find import _Inputs

    inputs = _Inputs(
        sequences, features, roles.key, roles.fraud, roles.amount, roles.when, found.engine.encoder, found.findings[:]
    )
    if inputs.rows != len(found.labels):
        raise click.ClickException(f"the result has {len(found.labels)} rows, the files {inputs.rows}")
    found._inputs, found._features, found.sequences = inputs, features, sequences


def _encoder(case: Path, run: Run, sequences: Any, options: Dict[str, Any], context: Any, speaker: Terminal) -> Any:
    """The encoder of this run: the one of an earlier, interrupted run where there is one, or a new one."""
    from ..encoder import SequenceEncoder

    path, checkpoint = case / "encoder.safetensors", case / "training.checkpoint"
    ours = run.encoder_fingerprint()
    if is_left(case, "encoder", ours, path):
        speaker.say("the encoder is there already")
        return SequenceEncoder.load(path)
    begun = state_of(case).get("encoder")
    if ours is None or not isinstance(begun, dict) or begun.get("run") != ours:
        checkpoint.unlink(missing_ok=True)
    elif checkpoint.exists():
        speaker.say("the training goes on where it was")
    mark(case, "encoder", ours)
    training = {"checkpoint_steps": 50, **options["training"]}
    most, there = training["epoch_sequences"], len(sequences)
    part = f", {most:,} of {there:,} sequences an epoch" if isinstance(most, int) and 0 < most < there else ""
    speaker.say(f"training an encoder{part}")
    try:
        encoder = SequenceEncoder.train(
            sequences, checkpoint=checkpoint, seed=int(options.get("seed", 0)), context=context, **training
        )
    except (KeyboardInterrupt, CancelledError):
        kept = f"; {checkpoint} keeps the training" if checkpoint.exists() else ""
        raise KeyboardInterrupt(f"the same command goes on where it was{kept}") from None
    encoder.save(path)
    mark(case, "encoder", ours, path)
    checkpoint.unlink(missing_ok=True)
    return encoder


def _search(
    sequences: Any,
    events: Any,
    features: Any,
    roles: Roles,
    encoder: Any,
    options: Dict[str, Any],
    context: Any,
    speaker: Terminal,
) -> Any:
    from ..find import find

    left = {name: value for name, value in options.items() if name != "training"}
    try:
        found = find(
            sequences,
            features,
            roles.fraud,
            key=roles.key,
            amount=roles.amount,
            when=roles.when,
            encoder=encoder,
            context=context,
            **left,
        )
    except (KeyboardInterrupt, CancelledError):
        raise KeyboardInterrupt(
            "the encoder is kept; the same command goes on from there" if encoder is not None else ""
        ) from None
    columns = {role: getattr(roles, role) for role in ("key", "time", "event", "dwell")}
    found.engine.columns = {role: column for role, column in columns.items() if column is not None}
    found._roles = roles.given()
    return found


def _write(case: Path, run: Run, found: Any, speaker: Terminal) -> None:
    keys = {} if found.keys is None else {found.key_name or "key": found.keys}
    write_table(
        table_of({**keys, "label": found.labels, "group": found.row_groups, "risky": found.risky}),
        str(case / "labels.parquet"),
    )
    from .._scores import EVIDENCE

    parts = {f"evidence_{part}": found.evidence(part) for part in EVIDENCE}
    write_table(table_of({**keys, "score": found.scores, **parts}), str(case / "scores.parquet"))
    found.engine.save(case / "engine.safetensors")
    write_bytes(found.rules.to_json().encode(), str(case / "rules.json"))
    groups = [{name: value for name, value in vars(group).items() if name != "members"} for group in found.groups]
    findings = [vars(finding) for finding in found.findings]
    told = {
        "groups": groups,
        "rules": [rule.text for rule in found.rules.rules],
        "findings": findings,
        "settings": found.settings,
    }
    write_bytes(
        json.dumps(plain(told), indent=1, ensure_ascii=False).encode("utf-8", "surrogatepass"), str(case / "found.json")
    )
    files = ["labels.parquet", "scores.parquet", "engine.safetensors", "rules.json", "found.json", RESULT]
    files += write_report(found, case / "report.html")
    run.write(case / "run.yaml")
    (case / STATE).unlink(missing_ok=True)
    speaker.odd(found.findings)
    columns = ("group", "rows", "fraud", "legitimate", "unknown", "share", "p value")
    speaker.table(
        "Risky groups",
        columns,
        [
            (group.group, group.rows, group.known, group.legitimate, group.unknown, group.share, group.p_value)
            for group in found.groups
        ],
    )
    for rule in found.rules.rules if not speaker.json else ():
        speaker.result(rule.text, {})
    rows, risky = len(found.labels), int(found.risky.sum())
    text = (
        f"{risky:,} of {rows:,} transactions are in {len(found.groups)} risky groups. {case}:"
        f" {', '.join([*files, 'run.yaml'])}"
    )
    speaker.result(text, {"rows": rows, "risky": risky, "output": str(case), "files": [*files, "run.yaml"], **told})


def write_report(found: Any, path: Path) -> "list[str]":
    """The case report, where this Covey has one."""
    import covey

    report = getattr(covey, "report", None)
    if not callable(report):
        return []
    report(found, path)
    return [path.name]
