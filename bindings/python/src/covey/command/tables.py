"""Tables in files: CSV, Parquet, Arrow IPC and JSON lines, read and written; `-` is a stream."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any, Dict, List, Mapping, Union

import click

FORMATS = ("csv", "tsv", "parquet", "arrow", "jsonl")
#: A format, or formats by input; None = by the names of the files.
Formats = Union[None, str, Mapping[str, str]]
_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".arrows": "arrow",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}


def arrow() -> Any:
    """pyarrow, or an error that says how to install it."""
    try:
        import pyarrow
    except ImportError:
        raise click.ClickException("files are read with pyarrow: pip install 'covey[cli]'") from None
    return pyarrow


def format_of(path: str, given: Formats, role: str) -> str:
    """The format of a file, by what was said or by the name's ending (`events.csv.gz` is CSV)."""
    if isinstance(given, Mapping):
        given = given.get(role)
    if given is not None:
        return given
    if path == "-":
        return "csv"
    suffixes = [suffix.lower() for suffix in Path(path).suffixes if suffix.lower() not in (".gz", ".bz2", ".zst")]
    found = _SUFFIXES.get(suffixes[-1]) if suffixes else None
    if found is None:
        raise click.UsageError(
            f"{role}: {path!r} has none of the endings {sorted(_SUFFIXES)}; say the format with"
            f" {'--to' if role == 'output' else '--from'}"
        )
    return found


def read_table(path: str, role: str, given: Formats = None) -> Any:
    """A pyarrow table. Errors name the file and its role."""
    pa = arrow()
    form = format_of(path, given, role)
    if path != "-" and not os.path.exists(path):
        raise click.ClickException(f"{role}: there is no file {path!r}")
    try:
        table = _read(pa, io.BytesIO(sys.stdin.buffer.read()) if path == "-" else path, form)
    except (pa.ArrowException, OSError, ValueError) as failure:
        first = (str(failure).splitlines() or ["it cannot be read"])[0]
        if form == "csv" and ("\0" in first or "\\x00" in first):
            first += ". Is it UTF-16? Text must be UTF-8"
        elif form == "csv" and ";" in first:
            first += ". Columns must have commas between them, and numbers a point"
        raise click.ClickException(f"{role}: {path!r} is not a table in the format {form}: {first}") from None
    if form in ("csv", "tsv"):
        _check_text(pa, table, f"{role}: {path!r}")
    if table.num_columns == 0:
        raise click.ClickException(f"{role}: {path!r} has no columns")
    twice = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if twice:
        raise click.ClickException(f"{role}: {path!r} has two columns named {twice[0]!r}")
    return table


def _check_text(pa: Any, table: Any, where: str) -> None:
    """Refuses text that was read as another thing than it is: one column for several, bytes for text."""
    names = table.column_names
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|,"):
        raise click.ClickException(
            f"{where} has one column, {names[0]!r}: write commas between columns, or name a file with tabs .tsv"
        )
    for field in table.schema:
        if pa.types.is_binary(field.type):
            raise click.ClickException(
                f"{where} has text in column {field.name!r} that is not UTF-8: `iconv -f latin1 -t utf-8` converts"
                " Latin-1"
            )


def check_output(path: str, given: Formats = None, table: bool = True) -> None:
    """Refuses an output that cannot be written, before any work is done for it."""
    if table:
        format_of(path, given, "output")
    folder = os.path.dirname(path) or "."
    if path != "-" and not os.path.isdir(folder):
        raise click.ClickException(f"output: there is no folder {folder!r}")
    if path != "-" and os.path.isdir(path):
        raise click.ClickException(f"output: {path!r} is a folder")


def _read(pa: Any, source: Any, form: str) -> Any:
    if form in ("csv", "tsv"):
        from pyarrow import csv

        return csv.read_csv(
            source, parse_options=csv.ParseOptions(delimiter="\t" if form == "tsv" else ",", newlines_in_values=True)
        )
    if form == "parquet":
        from pyarrow import parquet

        return parquet.ParquetFile(source).read()
    if form == "jsonl":
        from pyarrow import json

        return json.read_json(source)
    opened = source if isinstance(source, io.BytesIO) else pa.memory_map(source)
    try:
        return pa.ipc.open_file(opened).read_all()
    except pa.ArrowInvalid:
        opened.seek(0)
        return pa.ipc.open_stream(opened).read_all()


def table_of(columns: Dict[str, Any]) -> Any:
    """A pyarrow table of NumPy columns."""
    pa = arrow()
    found = {}
    for name, values in columns.items():
        plain = values.tolist() if getattr(getattr(values, "dtype", None), "kind", "") == "O" else values
        found[name] = pa.array(plain, from_pandas=True)
    return pa.table(found)


def write_table(table: Any, path: str, given: Formats = None) -> None:
    """Writes a pyarrow table whole or not at all; to standard output for `-`."""
    form = format_of(path, given, "output")
    sink = io.BytesIO()
    _write(table, sink, form)
    write_bytes(sink.getvalue(), path)


def _write(table: Any, sink: Any, form: str) -> None:
    pa = arrow()
    if form in ("csv", "tsv"):
        from pyarrow import csv

        csv.write_csv(table, sink, csv.WriteOptions(delimiter="\t" if form == "tsv" else ","))
    elif form == "parquet":
        from pyarrow import parquet

        parquet.write_table(table, sink)
    elif form == "arrow":
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    else:
        import json

        for batch in table.to_batches(max_chunksize=65_536):
            lines: List[str] = [json.dumps(row, default=str, ensure_ascii=False) for row in batch.to_pylist()]
            sink.write(("\n".join(lines) + "\n").encode("utf-8", "surrogatepass"))


def write_bytes(data: bytes, path: str) -> None:
    """Writes a file beside its place and renames it; to standard output for `-`."""
    if path == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    temporary = f"{path}.{os.getpid()}.part"
    try:
        with open(temporary, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError as failure:
        raise click.ClickException(f"cannot write {path!r}: {failure.strerror}") from None
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
