"""`covey find`: from files to a case, and `covey run`, which repeats one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

import click

from .._errors import CancelledError
from .checks import odd_columns, odd_sequences
from .columns import Roles, guess
from .options import common, event_columns, label_columns, reading, running, settings, table, terminal
from .runs import Run, file_hash
from .tables import read_table, table_of, write_bytes, write_table
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
        options["training"] = {**options.get("training", {}), "epochs": values["epochs"]}
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
    form: Optional[str],
    output: str,
    only_check: bool,
    speaker: Terminal,
    values: Dict[str, Any],
) -> None:
    from .. import _find_inputs
    from ..encoder import SequenceEncoder

    if list(inputs.values()).count("-") > 1:
        raise click.UsageError("only one input can be the standard input")
    events, features = (table(inputs[name], name, form) for name in ("events", "features"))
    for name, found in (("events", events), ("transactions", features)):
        if found is not None:
            speaker.say(f"{name}: {found.num_rows:,} rows, {found.num_columns} columns")
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
    case.mkdir(parents=True, exist_ok=True)
    run = Run.of(inputs, roles.given(), encoder_file, options, form)
    with running(values, speaker) as context:
        if sequences is not None and encoder is None:
            encoder = _encoder(case, run, sequences, options, context, speaker)
        found = _kept(case, run, speaker)
        if found is None:
            found = _search(sequences, events, features, roles, encoder, options, context, speaker)
            found.findings = [*odd, *(finding for finding in found.findings if finding not in odd)]
            found.save(case / _RESULT)
            _mark(case, run, {"result": file_hash(str(case / _RESULT))})
        else:
            attach(found, sequences, features, roles)
    _write(case, run, found, speaker)


#: What `covey.Found.load` reads.
_RESULT = "found.covey"


def _kept(case: Path, run: Run, speaker: Terminal) -> Any:
    """The result of an earlier run of this kind that was interrupted after the search; None without one."""
    from .._find_results import Found

    path, state = case / _RESULT, _state(case / "state.json")
    if state.get("run") != run.fingerprint() or not path.exists() or state.get("result") != file_hash(str(path)):
        return None
    speaker.say("the search is done already")
    return Found.load(path)


def _mark(case: Path, run: Run, done: Dict[str, str]) -> None:
    """Notes what this run has done, for the case that it is interrupted."""
    state = _state(case / "state.json")
    before = state if state.get("run") == run.fingerprint() else {}
    write_bytes(json.dumps({**before, "run": run.fingerprint(), **done}).encode(), str(case / "state.json"))


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

    path, checkpoint, mark = case / "encoder.safetensors", case / "training.checkpoint", case / "state.json"
    ours = {"run": run.fingerprint()}
    state = _state(mark)
    if state.get("run") == ours["run"] and path.exists() and state.get("encoder") == file_hash(str(path)):
        speaker.say("the encoder is there already")
        return SequenceEncoder.load(path)
    if state.get("run") != ours["run"]:
        checkpoint.unlink(missing_ok=True)
    elif checkpoint.exists():
        speaker.say("the training goes on where it was")
    _mark(case, run, {})
    training = {"checkpoint_steps": 50, **options.get("training", {})}
    speaker.say("training an encoder")
    try:
        encoder = SequenceEncoder.train(
            sequences, checkpoint=checkpoint, seed=int(options.get("seed", 0)), context=context, **training
        )
    except (KeyboardInterrupt, CancelledError):
        kept = f"; {checkpoint} keeps the training" if checkpoint.exists() else ""
        raise KeyboardInterrupt(f"the same command goes on where it was{kept}") from None
    encoder.save(path)
    _mark(case, run, {"encoder": file_hash(str(path))})
    checkpoint.unlink(missing_ok=True)
    return encoder


def _state(mark: Path) -> Dict[str, Any]:
    try:
        found = json.loads(mark.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


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
    files = ["labels.parquet", "scores.parquet", "engine.safetensors", "rules.json", "found.json", _RESULT]
    files += write_report(found, case / "report.html")
    run.write(case / "run.yaml")
    (case / "state.json").unlink(missing_ok=True)
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


def repeated(file: str, context: Any) -> Tuple[Any, Roles]:
    """What a run found, for reports: as it left it, or found again with the encoder that it left."""
    run = Run.read(file)
    run.check_inputs()
    if (Path(file).parent / _RESULT).exists():
        return _reread(file, run)
    events, features = run.path("events"), run.path("features")
    roles = Roles(**run.columns)
    from ..encoder import SequenceEncoder
    from ..find import find

    left = {name: value for name, value in run.options.items() if name != "training"}
    kept = Path(file).parent / "encoder.safetensors"
    given = run.path("encoder") or (str(kept) if kept.exists() else None)
    if given is None and events is not None:
        raise click.ClickException(f"{kept} is not there: run `covey run {os.fspath(file)}` first")
    found = find(
        None if events is None else read_table(events, "events", run.form),
        None if features is None else read_table(features, "features", run.form),
        roles.fraud,
        key=roles.key,
        time=roles.time or "time",
        event=roles.event or "event",
        dwell=roles.dwell,
        amount=roles.amount,
        when=roles.when,
        encoder=None if given is None else SequenceEncoder.load(given),
        context=context,
        **left,
    )
    return found, roles


def _reread(file: str, run: Run) -> Tuple[Any, Roles]:
    """The result that a run left, with its rows."""
    from .. import _find_inputs
    from .._find_results import Found

    found, roles = Found.load(Path(file).parent / _RESULT), Roles(**run.columns)
    paths = {name: run.path(name) for name in ("events", "features")}
    events, features = (None if path is None else read_table(path, name, run.form) for name, path in paths.items())
    sequences = None
    if events is not None:
        encoder: Any = found.engine.encoder
        sequences, _, _ = _find_inputs.join_events(
            events,
            features,
            key=roles.key,
            time=roles.time,
            event=roles.event,
            dwell=roles.dwell,
            uses_dwell=encoder.uses_dwell,
            channels={"numeric": encoder.numeric_names, "categorical": encoder.categorical_names},
        )
    attach(found, sequences, features, roles)
    return found, roles
