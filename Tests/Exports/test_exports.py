"""Every export decides as Covey does, in the engine that it is written for. COVEY_EXPORT_ROWS says on how many rows
(make check-exports: 1,000,000); COVEY_EXPORT_ALL runs the engines that make test leaves out (Spark, Drools)."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bindings" / "python" / "src"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import covey  # noqa: E402
import engines  # noqa: E402
import hostile  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import pytest  # noqa: E402

ROWS = int(os.environ.get("COVEY_EXPORT_ROWS", "4000"))
ALL = bool(os.environ.get("COVEY_EXPORT_ALL"))
SETS = hostile.rule_sets(100, 12, 1)


@pytest.fixture(scope="session")
def frame() -> pd.DataFrame:
    return hostile.rows(ROWS, 7)


@pytest.fixture(scope="session")
def expected(frame) -> list:
    return [hostile.fired(rules, frame) for rules in SETS]


def agree(found: np.ndarray, expected: np.ndarray, rules: covey.RuleSet, frame: pd.DataFrame) -> None:
    wrong = np.argwhere(found != expected)
    if len(wrong):
        row, rule = wrong[0]
        conditions = [(c.feature, c.kind.name, c.low, c.high, c.categories) for c in rules.rules[rule].conditions]
        values = {c.feature: frame[c.feature].iloc[row] for c in rules.rules[rule].conditions if c.feature in frame}
        pytest.fail(
            f"{len(wrong)} disagreements; first: row {row}, rule {rule} {conditions}: {expected[row, rule]} on {values}"
        )


def test_the_rows_tell_the_conditions_apart(expected):
    """A check that cannot fail is none: nearly every rule matches some rows and leaves others."""
    shares = np.concatenate([found.mean(axis=0) for found in expected])
    assert np.mean((shares > 0) & (shares < 1)) > 0.9


def test_covey_does_as_its_words_say(frame, expected):
    """On a part of the rows, by a slow and obvious reading of the conditions."""
    part = frame.iloc[:500]
    worked = hostile.derived(part)
    for rules, found in zip(SETS, expected):
        for number, rule in enumerate(rules.rules):
            right = np.ones(len(part), dtype=bool)
            for condition in rule.conditions:
                name, kind = condition.feature, condition.kind.name
                values = worked[name].tolist() if name in worked else part[name].tolist()
                missing = np.array([value is None or value is pd.NA or value != value for value in values])
                if kind in ("MISSING", "PRESENT"):
                    right &= missing == (kind == "MISSING")
                    continue
                if kind == "INTERVAL":
                    held = [
                        not m
                        and condition.low <= float(v) < condition.high
                        or (not m and float(v) == condition.high == np.inf)
                        for v, m in zip(values, missing)
                    ]
                elif kind in ("IN", "NOT_IN"):
                    held = [not m and (v in condition.categories) == (kind == "IN") for v, m in zip(values, missing)]
                else:
                    held = [not m and bool(v) == (kind == "TRUE") for v, m in zip(values, missing)]
                right &= np.array(held)
            assert (found[:500, number] == right).all(), rule.conditions


@pytest.mark.parametrize("dialect", ["sqlite", "ansi"])
def test_sqlite(frame, expected, dialect):
    for rules, right in zip(SETS, expected):
        agree(engines.sqlite(rules, frame, dialect), right, rules, frame)


@pytest.mark.parametrize("dialect", ["duckdb", "ansi"])
def test_duckdb(frame, expected, dialect):
    for rules, right in zip(SETS, expected):
        agree(engines.duckdb(rules, frame, dialect), right, rules, frame)


@pytest.mark.skipif(not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")), reason="PostgreSQL is not installed")
def test_postgresql(frame, expected):
    import psycopg2

    with engines.postgres_server() as folder:
        connection = psycopg2.connect(host=folder, user="postgres", dbname="postgres")
        try:
            engines.postgres_load(connection, frame)
            for dialect in ("postgresql", "ansi"):
                for rules, right in zip(SETS, expected):
                    agree(engines.postgres(rules, connection, dialect), right, rules, frame)
            # A setting that changes what a backslash means in a text.
            cursor = connection.cursor()
            cursor.execute("SET standard_conforming_strings = off; SET timezone = 'Asia/Tokyo'")
            agree(engines.postgres(SETS[0], connection), expected[0], SETS[0], frame)
        finally:
            connection.close()


@pytest.mark.skipif(not ALL, reason="part of make check-exports")
def test_spark(frame, expected):
    import pyarrow
    import pyarrow.parquet
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .config("spark.driver.memory", "4g")
        .getOrCreate()
    )
    try:
        with tempfile.TemporaryDirectory() as folder:
            columns = [pyarrow.array(np.arange(len(frame)))] + [
                pyarrow.array(frame[name].to_numpy(), from_pandas=False)
                if frame[name].dtype.kind == "f"
                else pyarrow.array(engines.plain(frame[[name]])[name].tolist())
                for name in frame.columns
            ]
            # Parquet takes any name; Spark refuses some in its own tables alone.
            table = pyarrow.Table.from_arrays(columns, names=["number", *frame.columns])
            pyarrow.parquet.write_table(table, folder + "/rows.parquet")
            for rules, right in zip(SETS, expected):
                agree(engines.spark(rules, session, folder + "/rows.parquet"), right, rules, frame)
    finally:
        session.stop()


def test_python(frame, expected):
    for rules, right in zip(SETS, expected):
        agree(engines.python(rules, frame), right, rules, frame)


@pytest.mark.parametrize("compiler", ["cc -std=c99", "c++ -std=c++17"])
def test_c(frame, expected, compiler):
    for rules, right in zip(SETS, expected):
        agree(engines.c(rules, frame, compiler), right, rules, frame)


@pytest.mark.skipif(shutil.which("javac") is None, reason="no Java compiler")
def test_java(frame, expected):
    for rules, right in zip(SETS, expected):
        agree(engines.java(rules, frame), right, rules, frame)


def test_dmn(frame, expected):
    pytest.importorskip("SpiffWorkflow")
    # It parses each entry again for each row: a part of the rows.
    part = frame.iloc[: max(300, ROWS // 100)]
    for rules, right in zip(SETS, expected):
        agree(engines.dmn(rules, part), right[: len(part)], rules, part)


@pytest.mark.skipif(shutil.which("java") is None, reason="no Java")
def test_pmml(frame, expected):
    pytest.importorskip("jpmml_evaluator")
    for rules, right in zip(SETS, expected):
        first = np.where(right.any(axis=1), right.argmax(axis=1), -1)
        found = engines.pmml(rules, frame)
        agree(found[:, None], first[:, None], rules, frame)


def test_json_fits_its_schema(frame, expected):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(SETS[0].export("json-schema"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    part, target = frame.iloc[:4000], expected[0][:4000].any(axis=1)
    found = covey.extract_rules(
        part.drop(columns=[hostile.OPENED, hostile.PAID]),
        target,
        amounts=np.ones(len(part)),
        weights=np.full(len(part), 2.0),
        min_precision=0.1,
        min_lift=1,
    )
    for rules in [found, *SETS]:
        validator.validate(json.loads(rules.to_json()))
        assert covey.RuleSet.from_json(rules.to_json()).to_json() == rules.to_json()
    text = json.loads(SETS[0].to_json())
    text["rules"][0]["conditions"][0]["hihg"] = 3
    assert list(validator.iter_errors(text))
    published = Path(__file__).resolve().parents[2] / "packaging" / "rules.schema.json"
    assert published.read_text() == SETS[0].export("json-schema")


@pytest.mark.skipif(not ALL, reason="part of make check-exports")
def test_drools_reads_the_rules():
    """By the parser inside drools-jpy."""
    import drools

    jars = [str(path) for path in Path(drools.__file__).parent.rglob("*.jar")]
    assert jars
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "Parse.java"
        source.write_text("""
            import java.nio.file.*;
            public class Parse {
                public static void main(String[] files) throws Exception {
                    for (String file : files) {
                        var parser = new org.drools.drl.parser.DrlParser();
                        var found = parser.parse(null, Files.readString(Path.of(file)));
                        if (parser.hasErrors() || found == null) {
                            System.out.println(parser.getErrors());
                            System.exit(1);
                        }
                        System.out.println(found.getRules().size());
                    }
                }
            }""")
        files = []
        for number, rules in enumerate(SETS):
            files.append(Path(folder) / f"{number}.drl")
            files[-1].write_text(rules.export("drl"), encoding="utf-8")
        path = ":".join(jars)
        subprocess.run(["javac", "-cp", path, "-d", folder, str(source)], check=True)
        found = subprocess.run(
            ["java", "-cp", path + ":" + folder, "Parse", *map(str, files)], capture_output=True, text=True
        )
        assert found.returncode == 0, found.stdout + found.stderr
        assert found.stdout.split() == [str(len(rules)) for rules in SETS]
