"""Each engine runs a rule set's export on a table: n x rules of bool, or n x 1 where it says no more than whether one
matches."""

import re
import subprocess
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd

import hostile
from databases import duckdb, each, plain, postgres, postgres_load, postgres_server, spark, sqlite  # noqa: F401


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
