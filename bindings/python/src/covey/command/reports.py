"""`covey report`."""

from __future__ import annotations

import dataclasses
import os
import zipfile
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

import click

from .columns import Roles
from .find import RESULT, attach, tables, write_report
from .options import common, reading, running, table, terminal
from .runs import Run


@click.command("report")
@click.argument("run")
@click.option("-o", "--output", help="The HTML file; without, report.html beside the run.")
@click.option("--events", help="Of a saved result: the file of its events.")
@click.option("--transactions", help="Of a saved result: the file of its transactions, in the same order.")
@reading
@common
def report_command(run: str, output: Optional[str], **values: Any) -> None:
    """Writes a case report, without another search. RUN is the folder of a case, its run.yaml, or a saved result
    (covey.Found.save, found.covey).

    \b
    Examples:
        covey report case/ -o report.html
        covey report found.covey --events events.parquet --transactions transactions.parquet
    """
    speaker = terminal(values)
    path = Path(run)
    file = path / "run.yaml" if path.is_dir() else path
    target = Path(output) if output is not None else file.parent / "report.html"
    if path.is_file() and zipfile.is_zipfile(path):
        found = _saved(path, values)
    else:
        if values["events"] or values["transactions"]:
            raise click.UsageError("--events and --transactions are for a saved result: a run file names its own")
        with running(values, speaker) as context:
            found, _ = _repeated(str(file), context)
    if not write_report(found, target):
        raise click.ClickException("this Covey has no report")
    speaker.result(f"{target}: {len(found.groups)} risky groups", {"output": str(target), "groups": len(found.groups)})


def _saved(path: Path, values: Dict[str, Any]) -> Any:
    """A saved result with the rows of the files that are named."""
    from .._find_results import Found

    found = Found.load(path)
    events, features = (table(values[name], name, values["form"]) for name in ("events", "transactions"))
    if events is None and features is None:
        return found
    roles = Roles(**found._roles)
    roles = dataclasses.replace(roles, time=roles.time or "time", event=roles.event or "event")
    _join(found, events, features, roles)
    return found


def _join(found: Any, events: Any, features: Any, roles: Roles) -> None:
    """Gives a saved result the rows that it was found in."""
    from .. import _find_inputs

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
            uses_dwell=encoder is not None and encoder.uses_dwell,
            channels={}
            if encoder is None
            else {"numeric": encoder.numeric_names, "categorical": encoder.categorical_names},
        )
    attach(found, sequences, features, roles)


def _repeated(file: str, context: Any) -> Tuple[Any, Roles]:
    """What a run found, for reports: as it left it, or found again with the encoder that it left."""
    run = Run.read(file)
    run.check_inputs()
    if (Path(file).parent / RESULT).exists():
        return _reread(file, run)
    roles = Roles(**run.columns)
    from ..encoder import SequenceEncoder
    from ..find import find

    left = {name: value for name, value in run.options.items() if name != "training"}
    kept = Path(file).parent / "encoder.safetensors"
    given = run.path("encoder") or (str(kept) if kept.exists() else None)
    if given is None and run.path("events") is not None:
        raise click.ClickException(f"{kept} is not there: run `covey run {os.fspath(file)}` first")
    events, features = tables(_paths(run), run.form)
    found = find(
        events,
        features,
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
    from .._find_results import Found

    found, roles = Found.load(Path(file).parent / RESULT), Roles(**run.columns)
    events, features = tables(_paths(run), run.form)
    _join(found, events, features, roles)
    return found, roles


def _paths(run: Run) -> Dict[str, Optional[str]]:
    return {name: run.path(name) for name in ("events", "features")}
