"""`covey report`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import click

from .find import repeated, write_report
from .options import common, running, terminal


@click.command("report")
@click.argument("run")
@click.option("-o", "--output", help="The HTML file; without, report.html beside the run file.")
@common
def report_command(run: str, output: Optional[str], **values: Any) -> None:
    """Writes the case report of a run again. RUN is its folder or its run.yaml.

    \b
    Example:
        covey report case/ -o report.html
    """
    speaker = terminal(values)
    file = Path(run) / "run.yaml" if Path(run).is_dir() else Path(run)
    with running(values, speaker) as context:
        found, _ = repeated(str(file), context)
    path = Path(output) if output is not None else file.parent / "report.html"
    if not write_report(found, path):
        raise click.ClickException("this Covey has no report")
    speaker.result(f"{path}: {len(found.groups)} risky groups", {"output": str(path), "groups": len(found.groups)})
