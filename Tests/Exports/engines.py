"""Each engine runs a rule set's export on a table: n x rules of bool, or n x 1 where it says no more than whether one
matches."""

import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

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


def python(rules, frame: pd.DataFrame) -> np.ndarray:
    space: dict = {}
    exec(compile(rules.export("python", name="decide"), "rules.py", "exec"), space)
    result = np.zeros((len(frame), len(rules)), dtype=bool)
    names = [name for name, _ in hostile.columns(rules)]
    for number, row in enumerate(zip(*(frame[name].tolist() for name in names))):
        result[number, space["decide"](dict(zip(names, row)))] = True
    return result


def binary(rules, frame: pd.DataFrame, folder: Path) -> list:
    """Columns as files: doubles, bytes, or numbers of the names in another file. For each column its kind."""
    kinds = hostile.columns(rules)
    for index, (name, kind) in enumerate(kinds):
        values = frame[name]
        if kind == "categorical":
            values.cat.codes.to_numpy(dtype=np.int32).tofile(folder / f"c{index}")
            (folder / f"n{index}").write_bytes(b"".join(text.encode() + b"\0" for text in values.cat.categories))
        elif kind == "boolean":
            values.to_numpy(dtype=np.int8, na_value=-1).tofile(folder / f"c{index}")
        else:
            numbers = (
                values.to_numpy(dtype=np.float64, na_value=np.nan) if values.dtype.kind != "f" else values.to_numpy()
            )
            numbers.astype(np.float64).tofile(folder / f"c{index}")
    return kinds


C_MAIN = """
#include "rules.h"
#include <stdio.h>
#include <stdlib.h>
static void *read_all(const char *path, long *size) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) exit(2);
    *size = ftell(file);
    rewind(file);
    char *bytes = (char *)malloc((size_t)*size + 1);
    if (fread(bytes, 1, (size_t)*size, file) != (size_t)*size) exit(3);
    fclose(file);
    return bytes;
}
int main(void) {
    const long rows = ROWS;
    static unsigned char fired[RULES_COUNT + 1];
    long size;
    FILE *out = fopen("out", "wb");
    READ
    for (long row = 0; row < rows; row++) {
        rules_row one;
        SET
        rules_fired(&one, fired);
        fwrite(fired, 1, RULES_COUNT, out);
    }
    return fclose(out) != 0;
}
"""


def c(rules, frame: pd.DataFrame, compiler: str = "cc -std=c99") -> np.ndarray:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        header = rules.export("c")
        (folder / "rules.h").write_text(header)
        fields = re.findall(r"^    (?:double |const char \*|signed char )(\w+); /\*", header, re.M)
        read, put = [], []
        for index, (_, kind) in enumerate(binary(rules, frame, folder)):
            field = fields[index]
            if kind == "categorical":
                read += [
                    f'const int *v{index} = (const int *)read_all("c{index}", &size);',
                    f'char *t{index} = (char *)read_all("n{index}", &size); static const char *names{index}[4096];',
                    (
                        f"for (long at = 0, k = 0; at < size; at += (long)strlen(t{index} + at) + 1) names{index}[k++]"
                        f" = t{index} + at;"
                    ),
                ]
                put.append(f"one.{field} = v{index}[row] < 0 ? NULL : names{index}[v{index}[row]];")
            else:
                type_name = "signed char" if kind == "boolean" else "double"
                read.append(f'const {type_name} *v{index} = (const {type_name} *)read_all("c{index}", &size);')
                put.append(f"one.{field} = v{index}[row];")
        source = (
            C_MAIN.replace("ROWS", str(len(frame)), 1)
            .replace("READ", "\n    ".join(read))
            .replace("SET", "\n        ".join(put))
        )
        suffix = "cpp" if "++" in compiler else "c"
        (folder / f"main.{suffix}").write_text(source)
        subprocess.run(
            [
                *compiler.split(),
                "-O2",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-pedantic",
                "-Wno-overlength-strings",
                f"main.{suffix}",
                "-o",
                "main",
                "-lm",
            ],
            cwd=folder,
            check=True,
        )
        subprocess.run(["./main"], cwd=folder, check=True)
        return np.fromfile(folder / "out", dtype=np.uint8).reshape(len(frame), len(rules)) == 1


JAVA_MAIN = """
import java.nio.*;
import java.nio.file.*;
import java.nio.charset.StandardCharsets;
class Main {
    static ByteBuffer read(String path) throws Exception {
        return ByteBuffer.wrap(Files.readAllBytes(Path.of(path))).order(ByteOrder.LITTLE_ENDIAN);
    }
    public static void main(String[] arguments) throws Exception {
        READ
        byte[] out = new byte[ROWS * Rules.COUNT];
        for (int row = 0; row < ROWS; row++) {
            Rules.Row one = new Rules.Row();
            SET
            boolean[] fired = Rules.fired(one);
            boolean any = false;
            for (int rule = 0; rule < fired.length; rule++) {
                out[row * Rules.COUNT + rule] = (byte) (fired[rule] ? 1 : 0);
                any |= fired[rule];
            }
            if (any != Rules.matches(one)) throw new AssertionError("matches");
        }
        Files.write(Path.of("out"), out);
    }
}
"""


def java(rules, frame: pd.DataFrame) -> np.ndarray:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = rules.export("java")
        (folder / "Rules.java").write_text(source)
        fields = re.findall(r"^        public (?:double|String|Boolean) (\w+)(?: = Double.NaN)?;", source, re.M)
        read, put = [], []
        for index, (_, kind) in enumerate(binary(rules, frame, folder)):
            field = fields[index]
            if kind == "categorical":
                read += [
                    f'IntBuffer v{index} = read("c{index}").asIntBuffer();',
                    (
                        f'String[] names{index} = new String(read("n{index}").array(),'
                        ' StandardCharsets.UTF_8).split("\\0", -1);'
                    ),
                ]
                put.append(f"one.{field} = v{index}.get(row) < 0 ? null : names{index}[v{index}.get(row)];")
            elif kind == "boolean":
                read.append(f'ByteBuffer v{index} = read("c{index}");')
                put.append(f"one.{field} = v{index}.get(row) < 0 ? null : v{index}.get(row) == 1;")
            else:
                read.append(f'DoubleBuffer v{index} = read("c{index}").asDoubleBuffer();')
                put.append(f"one.{field} = v{index}.get(row);")
        text = (
            JAVA_MAIN.replace("ROWS", str(len(frame)))
            .replace("READ", "\n        ".join(read))
            .replace("SET", "\n            ".join(put))
        )
        (folder / "Main.java").write_text(text)
        subprocess.run(
            [
                "javac",
                "--release",
                "11",
                "-encoding",
                "UTF-8",
                "-Xlint:all,-options",
                "-Werror",
                "Rules.java",
                "Main.java",
            ],
            cwd=folder,
            check=True,
        )
        subprocess.run(["java", "-cp", ".", "Main"], cwd=folder, check=True)
        return np.fromfile(folder / "out", dtype=np.uint8).reshape(len(frame), len(rules)) == 1


def dmn(rules, frame: pd.DataFrame) -> np.ndarray:
    """SpiffWorkflow evaluates in Python, where null, true and false are names that the data give."""
    from lxml import etree
    from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
    from SpiffWorkflow.dmn.engine.DMNEngine import DMNEngine
    from SpiffWorkflow.dmn.parser.DMNParser import DMNParser

    text = rules.export("dmn")
    root = etree.fromstring(text.encode())
    ElementTree.fromstring(text)
    model = "https://www.omg.org/spec/DMN/20191111/MODEL/"
    parser = DMNParser(None, root, {"dmn": model})
    parser.parse()
    engine = PythonScriptEngine()
    table = DMNEngine(parser.decision.decisionTables[0])
    inputs = [(item.get("label"), item.get("name")) for item in root.iter(f"{{{model}}}inputData")]
    worked = hostile.derived(frame)
    values = []
    for label, _ in inputs:
        if label in worked:
            values.append([None if value != value else value for value in worked[label].tolist()])
        else:
            values.append(
                [
                    float(value) if isinstance(value, int) and not isinstance(value, bool) else value
                    for value in plain(frame[[label]])[label].tolist()
                ]
            )

    class Task:
        data: dict = {}

        class workflow:
            script_engine = engine

    task = Task()
    result = np.zeros((len(frame), len(rules)), dtype=bool)
    for number, row in enumerate(zip(*values)):
        task.data = {"null": None, "true": True, "false": False, **dict(zip([name for _, name in inputs], row))}
        result[number, table.result(task).get("rule", [])] = True
    return result


def pmml(rules, frame: pd.DataFrame) -> np.ndarray:
    """The first rule that matches; -1 where none does."""
    from jpmml_evaluator import make_evaluator

    with tempfile.NamedTemporaryFile("w", suffix=".pmml", encoding="utf-8") as file:
        file.write(rules.export("pmml"))
        file.flush()
        evaluator = make_evaluator(file.name, backend="jpype")
    evaluator.verify()
    names = [name for name, _ in hostile.columns(rules)]
    found = evaluator.evaluateAll(plain(frame[names]))
    assert "errors" not in found or found["errors"].isna().all(), found["errors"].dropna().iloc[0]
    match = found["match"].to_numpy() == "match"
    first = pd.to_numeric(found["rule"], errors="coerce").fillna(-1).to_numpy(dtype=np.int64)
    assert ((first >= 0) == match).all()
    return first
