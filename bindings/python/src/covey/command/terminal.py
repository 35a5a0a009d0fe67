"""What the command prints: progress and notes on standard error, results on standard output."""

from __future__ import annotations

import json
import math
import sys
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Optional, Sequence

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table


class Terminal:
    """Where a command speaks to. With `json`, standard output has one JSON object and nothing else."""

    def __init__(self, json: bool = False, quiet: bool = False) -> None:
        self.json = json
        self.quiet = quiet
        self.notes = Console(stderr=True, highlight=False)
        self.out = Console(highlight=False)

    def say(self, text: str) -> None:
        """A line about what is being done."""
        if not self.quiet:
            self.notes.print(printable(text), markup=False, soft_wrap=True)

    def odd(self, findings: Sequence[Any]) -> None:
        """What is odd about the data."""
        for finding in findings:
            self.say(f"! {finding}")

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """A table for people; nothing with --json."""
        if self.json:
            return
        table = Table(title=escape(printable(title)), title_justify="left")
        for index, column in enumerate(columns):
            number = any(isinstance(row[index], (int, float)) and not isinstance(row[index], bool) for row in rows)
            table.add_column(escape(printable(str(column))), justify="right" if number else "left", overflow="fold")
        for row in rows:
            table.add_row(*(escape(printable(shown(value))) for value in row))
        self.out.print(table)

    def result(self, text: str, values: Dict[str, Any]) -> None:
        """What the command has to say in the end: a sentence, or the JSON object."""
        if self.json:
            click.echo(json.dumps(plain(values), ensure_ascii=False, allow_nan=False))
        elif text:
            self.out.print(printable(text), markup=False, soft_wrap=True)

    @contextmanager
    def context(self, threads: int = 0, memory: int = 0) -> Iterator[Any]:
        """A covey.Context whose stages are bars with the time left, where standard error is a terminal."""
        from ..context import Context

        if self.quiet or not self.notes.is_terminal:
            # With a callback, a signal handler of Python can stop a long call.
            yield Context(threads, memory, progress=lambda stage, fraction: None)
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.notes, transient=True) as bars:
            tasks: Dict[str, Any] = {}

            def report(stage: str, fraction: float) -> None:
                if stage not in tasks:
                    tasks[stage] = bars.add_task(escape(stage), total=1.0)
                bars.update(tasks[stage], completed=fraction)

            yield Context(threads, memory, progress=report)


def printable(text: str) -> str:
    """The text without control characters, which could drive a terminal."""
    return "".join(char if char.isprintable() or char == "\n" else f"\\x{ord(char):02x}" for char in text)


def shown(value: Any) -> str:
    """A value as tables show it."""
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def plain(value: Any) -> Any:
    """Values as JSON has them: NaN and infinities are null."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def fail(text: str, code: int, json_wanted: Optional[bool] = False) -> None:
    """Ends the command with a message and an exit code."""
    if json_wanted:
        click.echo(json.dumps({"error": text, "exit_code": code}))
    click.echo(f"covey: {printable(text)}", err=True)
    sys.exit(code)


def lines_of(found: Any) -> List[str]:
    """Findings as text."""
    return [str(finding) for finding in found]
