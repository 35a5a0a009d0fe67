"""SQL of a rule set in databases: n x rules of bool."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

import hostile


def each(rules) -> list:
    """A set for each rule."""
    import json

    text = json.loads(rules.to_json())
    return [hostile.covey.RuleSet.from_json(json.dumps({**text, "rules": [rule]})) for rule in text["rules"]]


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """None for what is missing."""
    return frame.astype(object).where(frame.notna(), None)


def select(rules, dialect: str, **options) -> str:
    cases = [
        f"CASE WHEN {rule.export('sql', dialect=dialect, **options)} THEN 1 ELSE 0 END AS r{number}"
        for number, rule in enumerate(each(rules))
    ]
    return "SELECT number, " + ", ".join(cases) + " FROM rows ORDER BY number"


def sqlite(rules, frame: pd.DataFrame, dialect: str = "sqlite") -> np.ndarray:
    connection = sqlite3.connect(":memory:")
    names = ", ".join('"' + name.replace('"', '""') + '"' for name in frame.columns)
    connection.execute(f"CREATE TABLE rows (number INTEGER PRIMARY KEY, {names})")
    columns = [plain(frame[[name]])[name].tolist() for name in frame.columns]
    marks = ", ".join("?" * (1 + len(columns)))
    connection.executemany(f"INSERT INTO rows VALUES ({marks})", zip(range(len(frame)), *columns))
    return np.array([row[1:] for row in connection.execute(select(rules, dialect))], dtype=bool)


def duckdb(rules, frame: pd.DataFrame, dialect: str = "duckdb") -> np.ndarray:
    import duckdb
    import pyarrow

    # NaN as NaN: Arrow and Parquet tables of float columns hold them beside NULL.
    table = pyarrow.Table.from_arrays(
        [pyarrow.array(np.arange(len(frame)))]
        + [
            (
                pyarrow.array(frame[name].to_numpy(), from_pandas=False)
                if frame[name].dtype.kind == "f"
                else pyarrow.array(plain(frame[[name]])[name].tolist())
            )
            for name in frame.columns
        ],
        names=["number", *frame.columns],
    )
    connection = duckdb.connect()
    connection.register("rows", table)
    found = connection.execute(select(rules, dialect)).fetchnumpy()
    return np.column_stack([np.asarray(values) for name, values in found.items() if name != "number"]) == 1


@contextmanager
def postgres_server():
    """A server of its own, on a socket in a new folder, as another user where this one is root. Ends with the test."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="covey-postgres-"))
    user = []
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        user = ["runuser", "-u", "postgres", "--"]
    try:
        subprocess.run(
            [
                *user,
                binaries / "initdb",
                "-D",
                folder / "data",
                "-A",
                "trust",
                "-U",
                "postgres",
                "-E",
                "UTF8",
                "--locale=C",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
        )
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c jit=off"
        subprocess.run(
            [*user, binaries / "pg_ctl", "-D", folder / "data", "-w", "-o", options, "-l", folder / "log", "start"],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=folder,
        )
        try:
            yield str(folder)
        finally:
            subprocess.run(
                [*user, binaries / "pg_ctl", "-D", folder / "data", "-m", "immediate", "-w", "stop"],
                check=True,
                stdout=subprocess.DEVNULL,
                cwd=folder,
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def postgres_load(connection, frame: pd.DataFrame) -> None:
    import io

    types = {hostile.SINGLE: "real", hostile.WHOLE: "bigint", hostile.PLACE: "text", hostile.FLAG: "boolean"}
    cursor = connection.cursor()
    names = ", ".join(
        '"' + name.replace('"', '""') + '" ' + types.get(name, "double precision") for name in frame.columns
    )
    cursor.execute(f"CREATE TABLE rows (number bigint, {names})")

    def text(value) -> str:
        if value is None or value is pd.NA:
            return "\\N"
        if isinstance(value, str):
            return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
        return "NaN" if value != value else repr(value.item() if hasattr(value, "item") else value)

    columns = [
        frame[name].tolist() if frame[name].dtype.kind == "f" else plain(frame[[name]])[name].tolist()
        for name in frame.columns
    ]
    lines = ("\t".join([str(number), *map(text, row)]) + "\n" for number, row in enumerate(zip(*columns)))
    for start in range(0, len(frame), 100_000):
        part = "".join(line for line, _ in zip(lines, range(100_000)))
        cursor.copy_expert("COPY rows FROM STDIN", io.StringIO(part))
    connection.commit()


def postgres(rules, connection, dialect: str = "postgresql") -> np.ndarray:
    import io

    output = io.StringIO()
    connection.cursor().copy_expert(f"COPY ({select(rules, dialect)}) TO STDOUT WITH (FORMAT csv)", output)
    return np.loadtxt(io.StringIO(output.getvalue()), delimiter=",", dtype=np.int64, ndmin=2)[:, 1:] == 1


def spark(rules, session, path: str) -> np.ndarray:
    session.read.parquet(path).createOrReplaceTempView("rows")
    found = session.sql(select(rules, "spark")).toPandas().sort_values("number")
    return found.drop(columns="number").to_numpy() == 1
