"""The command `covey`: each command on a small shop and on bad input, in the formats that it reads."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from covey.command import find, program
from covey.command.drift import stability
from covey.command.tables import read_table, write_table
from support import REPOSITORY
from find_support import shop

FAST = ["--set", "trees=10", "--set", "permutations=99"]


@pytest.fixture
def command(monkeypatch, capfd):
    """Runs the command in this process: its exit code and what it printed."""
    monkeypatch.setattr(program, "stop_on_terminate", lambda: None)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["covey", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end, warnings.catch_warnings():
            program.run()
        told = capfd.readouterr()
        return end.value.code or 0, told.out, told.err

    return run


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    events, features, _ = shop()
    events["time"] = ((events.time + 1.7e9) * 1000).astype("int64")
    events = events.rename(columns={"time": "ts"})
    parquet.write_table(pa.Table.from_pandas(events, preserve_index=False), folder / "events.parquet")
    csv.write_csv(pa.Table.from_pandas(features, preserve_index=False), folder / "transactions.csv")
    return folder


def test_the_road_repeats_to_the_byte(command, files, tmp_path):
    case = tmp_path / "case"
    code, out, err = command(
        "find", files / "events.parquet", files / "transactions.csv", "-o", case, "--epochs", 1, *FAST
    )
    assert code == 0, err
    for line in (
        "key = id",
        "time = ts (milliseconds) (guessed)",
        "fraud = label (guessed)",
        "amount = amount",
        "when = when",
    ):
        assert line in err
    assert "Risky groups" in out
    made = {
        "labels.parquet",
        "scores.parquet",
        "engine.safetensors",
        "rules.json",
        "found.json",
        "found.covey",
        "run.yaml",
        "encoder.safetensors",
    }
    assert made <= set(os.listdir(case)) <= made | {"report.html"}
    labels, scores = parquet.read_table(case / "labels.parquet"), parquet.read_table(case / "scores.parquet")
    assert labels.num_rows == scores.num_rows == 600 and labels.column_names == ["id", "label", "group", "risky"]
    code, out, _ = command("run", case / "run.yaml", "-o", tmp_path / "again", "--json")
    assert code == 0 and json.loads(out)["rows"] == 600
    for name in sorted(made):
        assert (case / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name
    for name, kind in (
        ("engine.safetensors", "engine"),
        ("encoder.safetensors", "encoder"),
        ("rules.json", "rule set"),
        ("run.yaml", "run of covey find"),
        ("found.covey", "result of covey find"),
        ("labels.parquet", "table"),
    ):
        code, out, _ = command("inspect", case / name, "--json")
        assert code == 0 and json.loads(out)[str(case / name)]["kind"] == kind
    code, _, err = command(
        "score",
        case / "engine.safetensors",
        files / "transactions.csv",
        "--events",
        files / "events.parquet",
        "--time",
        "ts",
        "-o",
        tmp_path / "scores.jsonl",
        "--reasons",
    )
    assert code == 0, err
    assert read_table(str(tmp_path / "scores.jsonl"), "scores").column_names == [
        "id",
        "cluster",
        "strength",
        "risk",
        "risky",
        "reasons",
    ]


def test_reports_of_a_case_and_interruption_after_the_search(command, files, tmp_path, monkeypatch):
    case = tmp_path / "case"
    arguments = ["find", files / "events.parquet", files / "transactions.csv", "-o", case, "--epochs", 1, *FAST]
    written = find._write
    with monkeypatch.context() as patch:
        patch.setattr(find, "_write", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt()))
        assert command(*arguments)[0] == 130 and (case / "found.covey").exists() and not (case / "run.yaml").exists()
    assert find._write is written
    kept = (case / "found.covey").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(find, "_search", lambda *given: pytest.fail("it searched again"))
        code, _, err = command(*arguments)
        assert code == 0 and "the search is done already" in err, err
        assert (case / "found.covey").read_bytes() == kept and not (case / "state.json").exists()
        for target, more in (
            (case, []),
            (
                case / "found.covey",
                ["--events", files / "events.parquet", "--transactions", files / "transactions.csv"],
            ),
        ):
            code, _, err = command("report", target, "-o", tmp_path / "r.html", *more)
            assert code == 0, err
            assert (tmp_path / "r.html").read_bytes() == (case / "report.html").read_bytes()
    code, _, _ = command(*arguments[:4], tmp_path / "whole", *arguments[5:])
    assert code == 0
    for name in sorted(path.name for path in case.iterdir()):
        assert (case / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_stage_by_stage(command, files, tmp_path):
    encoder, vectors = tmp_path / "encoder.st", tmp_path / "vectors.arrow"
    assert command("train", files / "events.parquet", "-o", encoder, "--epochs", 1, "--hidden-size", 8)[0] == 0
    sample = ["--epochs", 2, "--hidden-size", 8, "--epoch-sequences", 128, "--json"]
    code, out, _ = command("train", files / "events.parquet", "-o", tmp_path / "sample.st", *sample)
    assert code == 0 and json.loads(out)["steps"] == 2
    assert not (tmp_path / "encoder.st.checkpoint").exists()
    assert command("embed", encoder, files / "events.parquet", "-o", vectors)[0] == 0
    assert read_table(str(vectors), "vectors").num_columns == 17
    table = files / "transactions.csv"
    code, out, err = command(
        "cluster",
        table,
        "--embeddings",
        vectors,
        "--leave-out",
        "label",
        "--leave-out",
        "when",
        "--json",
        "-o",
        tmp_path / "labels.csv",
        "--hybrid",
        tmp_path / "h.st",
        "--clustering",
        tmp_path / "c.st",
    )
    assert code == 0, err
    assert json.loads(out)["rows"] == 600 and "by persistence" in err
    labels = read_table(str(tmp_path / "labels.csv"), "labels")
    assert labels.column_names == ["id", "label", "probability", "outlier_score"]
    for name, kind in (("h.st", "hybrid features"), ("c.st", "clustering"), ("encoder.st", "encoder")):
        assert json.loads(command("inspect", tmp_path / name, "--json")[1])[str(tmp_path / name)]["kind"] == kind
    code, out, err = command(
        "build",
        table,
        "--hybrid",
        tmp_path / "h.st",
        "--clustering",
        tmp_path / "c.st",
        "--encoder",
        encoder,
        "-o",
        tmp_path / "engine.st",
        "--json",
    )
    assert code == 0 and "risky" in json.loads(out), err


def test_rules_and_backtest(command, files, tmp_path):
    features = read_table(str(files / "transactions.csv"), "t")
    label = pa.array(np.arange(600) % 3 == 0).cast(pa.int8())
    mark = pa.array(np.where(np.arange(600) % 3 == 0, 10.0, 1.0))
    table = features.set_column(features.column_names.index("label"), "label", label).append_column("mark", mark)
    write_table(table, str(tmp_path / "t.parquet"))
    code, out, err = command("rules", tmp_path / "t.parquet", "--leave-out", "id", "-o", tmp_path / "rules.json")
    assert code == 0 and "mark is" in out, err
    assert "'mark' tells fraud" in command("find", "--features-only", tmp_path / "t.parquet", "--check")[2]
    code, out, _ = command("backtest", tmp_path / "rules.json", tmp_path / "t.parquet", "--json")
    assert code == 0 and json.loads(out)["any"]["fraud"] == 200
    assert command("rules", tmp_path / "t.parquet", "--leave-out", "id", "--to", "sql")[1].strip()


def test_drift(command, tmp_path):
    random = np.random.default_rng(0)
    for name, shift in (("a", 0.0), ("b", 0.0), ("c", 2.0)):
        write_table(
            pa.table({"x": random.normal(shift, 1, 2000), "k": random.choice(["p", "q"], 2000)}),
            str(tmp_path / f"{name}.csv"),
        )
    code, out, _ = command("drift", tmp_path / "a.csv", tmp_path / "b.csv", "--json")
    assert code == 0 and json.loads(out)["drifted"] == []
    code, out, _ = command("drift", tmp_path / "a.csv", tmp_path / "c.csv", "--json")
    assert code == 3 and json.loads(out)["drifted"] == ["x"]
    one, other = (pa.chunked_array([pa.array(["p"] * a + ["q"] * (100 - a))]) for a in (50, 80))
    p, q = np.array([50.5, 50.5]) / 101, np.array([80.5, 20.5]) / 101
    assert stability(one, other, 10) == pytest.approx(np.sum((q - p) * np.log(q / p)))


@pytest.mark.parametrize("form", ["csv", "parquet", "arrow", "jsonl"])
def test_formats(form, tmp_path):
    table = pa.table({"a": [1, 2], "b": ["x", None], "c": [0.5, 1.5]})
    write_table(table, str(tmp_path / "t"), form)
    found = read_table(str(tmp_path / "t"), "t", form)
    assert found.column("a").to_pylist() == [1, 2] and found.column("c").to_pylist() == [0.5, 1.5]


def test_bad_input(command, files, tmp_path):
    (tmp_path / "junk.parquet").write_bytes(b"junk")
    (tmp_path / "junk.st").write_bytes(b"\x10" + b"\0" * 7 + b"{" * 16)
    (tmp_path / "junk.yaml").write_text("a: [")
    (tmp_path / "empty.csv").write_text("")
    run = "command: find\ninputs: {}\ncolumns: {}\noptions: {zz: 3}\n"
    (tmp_path / "wrong.yaml").write_text(run)
    (tmp_path / "odd.yaml").write_text(run + "format: {events: xml}\n")
    (tmp_path / "empty rows.csv").write_text((files / "transactions.csv").read_text().splitlines()[0] + "\n")
    (tmp_path / "other.json").write_text('{"a": 1}')
    (tmp_path / "junk.covey").write_bytes(b"PK\x03\x04junk")
    events, table = files / "events.parquet", files / "transactions.csv"
    for code, text, arguments in (
        (1, "no file", ["find", "nothing.csv"]),
        (1, "not a table", ["find", tmp_path / "junk.parquet"]),
        (2, "name the file", ["find"]),
        (1, "not a table", ["find", tmp_path / "empty.csv"]),
        (2, "have no column 'x'", ["find", events, table, "--key", "x", "--check"]),
        (2, "No such command", ["nonsense"]),
        (1, "no YAML", ["run", tmp_path / "junk.yaml"]),
        (1, "damaged", ["inspect", tmp_path / "junk.st"]),
        (2, "wrong.yaml: options zz: .* no such option", ["run", tmp_path / "wrong.yaml"]),
        (1, "format has 'xml'", ["run", tmp_path / "odd.yaml"]),
        (1, "cannot read", ["inspect", tmp_path / "none"]),
        (1, "", ["train", events, "-o", tmp_path / "no" / "e.st", "--epochs", 1]),
        (1, "", ["embed", tmp_path / "junk.st", events]),
        (1, "lacks the columns", ["cluster", table, "--embeddings", table]),
        (2, "no column 'x'", ["rules", table, "--leave-out", "x"]),
        (1, "", ["backtest", events, table]),
        (1, "", ["score", tmp_path / "junk.st", table]),
        (1, "", ["report", tmp_path]),
        (1, "", ["build", table, "--hybrid", "none", "--clustering", "none"]),
        (2, "name=value", ["find", events, "--set", "x"]),
        (2, "no such option; it has", ["find", events, table, "--set", "zz=3"]),
        (2, "did you mean known_share?", ["find", events, table, "--set", "known_shar=0.3"]),
        (2, "known_share must be above 0", ["find", events, table, "--set", "known_share=3"]),
        (2, "trees must be an integer", ["find", events, table, "--set", "trees=many"]),
        (2, "is not an option of training", ["find", events, table, "--set", "training={zz: 3}"]),
        (2, "an option of its own, --fraud", ["find", events, table, "--set", "fraud=label"]),
        (2, "checkpoint is set by the command", ["find", events, table, "--set", "training={checkpoint: x}"]),
        (2, "'xml' is none of csv", ["find", events, table, "--from", "xml"]),
        (2, "no input of this command, which has events", ["find", events, table, "--from", "after=csv"]),
        (2, "one format for all inputs", ["find", events, table, "--from", "csv", "--from", "events=csv"]),
        (1, "events: .* format jsonl", ["find", events, table, "--from", "events=jsonl"]),
        (1, "empty.*rows.csv' has no rows", ["find", events, tmp_path / "empty rows.csv"]),
        (1, "file: .* has no rows", ["cluster", tmp_path / "empty rows.csv"]),
        (1, "before: .* has no rows", ["drift", tmp_path / "empty rows.csv", table]),
        (1, "transactions: .* has no rows", ["rules", tmp_path / "empty rows.csv"]),
        (1, "cannot be made a folder", ["find", events, table, "-o", table, *FAST]),
        (1, "other.json.: format_version is missing", ["inspect", tmp_path / "other.json"]),
        (1, "junk.covey", ["inspect", tmp_path / "junk.covey"]),
    ):
        got, _, err = command(*arguments)
        assert got == code and "Traceback" not in err, (arguments, err)
        assert text in err or re.search(text, err), (arguments, err)
    code, out, _ = command("find", "nothing.csv", "--json")
    assert code == 1 and json.loads(out)["exit_code"] == 1


def test_one_format_for_each_input(command, files, tmp_path):
    events = read_table(str(files / "events.parquet"), "events")
    write_table(events, str(tmp_path / "events.log"), "jsonl")
    (tmp_path / "transactions.dat").write_bytes((files / "transactions.csv").read_bytes())
    arguments = ["find", tmp_path / "events.log", tmp_path / "transactions.dat", "-o", tmp_path / "case"]
    code, _, err = command(*arguments, "--check")
    assert code == 2 and "say the format with --from" in err
    formats = ["--from", "events=jsonl", "--from", "transactions=csv"]
    code, _, err = command(*arguments, *formats, "--epochs", 1, *FAST)
    assert code == 0 and "600 rows" in err, err
    # The run file has the formats, the bound of the training, and gives the same.
    text = (tmp_path / "case" / "run.yaml").read_text()
    assert "events: jsonl" in text and "epoch_sequences: 20000" in text
    assert command("run", tmp_path / "case" / "run.yaml", "-o", tmp_path / "again")[0] == 0
    assert (tmp_path / "case" / "scores.parquet").read_bytes() == (tmp_path / "again" / "scores.parquet").read_bytes()


def test_odd_values_of_run_files_and_options(command, files, tmp_path):
    run = tmp_path / "run.yaml"
    head = "command: find\ninputs: {}\ncolumns: {}\noptions: {}\n"
    for text in (
        head + "x: 2026-13-45\n",
        head + 'x: !!int "abc"\n',
        "[" * 5000,
        head.replace("inputs: {}", 'inputs: {events: {path: "a\\0b"}}'),
        head.replace("options: {}", "options: {1: 2}"),
    ):
        run.write_text(text)
        code, _, err = command("run", run, "-o", tmp_path / "case")
        assert code == 1 and "Traceback" not in err and "run.yaml" in err, (text[:80], err)
    find = ["find", files / "events.parquet", files / "transactions.csv", "-o", tmp_path / "case"]
    for option in (["--memory", "nan"], ["--memory", "inf"], ["--memory", "1e30"], ["--set", "trees=2026-13-45"]):
        code, _, err = command(*find, *option)
        assert code == 2 and option[0] in err and "Traceback" not in err, err


def test_an_encoder_that_is_left_serves_another_search(command, files, tmp_path, monkeypatch):
    arguments = ["find", files / "events.parquet", files / "transactions.csv", "-o", tmp_path / "case", "--epochs", 1]
    with monkeypatch.context() as patch:
        patch.setattr(find, "_search", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt()))
        assert command(*arguments, *FAST)[0] == 130
    kept = (tmp_path / "case" / "encoder.safetensors").read_bytes()
    # Other options of the search leave the encoder as it is; another seed does not.
    code, _, err = command(*arguments, "--set", "trees=5", "--set", "permutations=99")
    assert code == 0 and "the encoder is there already" in err
    assert (tmp_path / "case" / "encoder.safetensors").read_bytes() == kept
    with monkeypatch.context() as patch:
        patch.setattr(find, "_search", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt()))
        assert command(*arguments, *FAST)[0] == 130
    code, _, err = command(*arguments, *FAST, "--seed", 1)
    assert code == 0 and "the encoder is there already" not in err
    assert (tmp_path / "case" / "encoder.safetensors").read_bytes() != kept


def test_a_long_table_is_learnt_from_in_parts(command, files, tmp_path):
    arguments = ["find", files / "events.parquet", files / "transactions.csv", "-o", tmp_path / "case", *FAST]
    code, _, err = command(*arguments, "--set", "training={epochs: 2, epoch_sequences: 256}")
    assert code == 0 and "training an encoder, 256 of 600 sequences an epoch" in err
    assert "epoch_sequences: 256" in (tmp_path / "case" / "run.yaml").read_text()


def test_every_command_has_an_example(command):
    for name in program._COMMANDS:
        code, out, _ = command(name, "--help")
        assert code == 0 and "Example" in out and f"covey {name}" in out, name
    assert "_COVEY_COMPLETE" in command("completion", "bash")[1]
    assert command("--version")[1].startswith("covey ")


def test_streams_and_interruption(files, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "bindings/python/src")}
    covey = [sys.executable, "-m", "covey"]
    text = (files / "transactions.csv").read_bytes()
    arguments = ["cluster", "-", "--leave-out", "label", "--min-cluster-size", "20", "--to", "jsonl"]
    made = subprocess.run([*covey, *arguments], input=text, capture_output=True, env=environment, timeout=100)
    assert made.returncode == 0 and len(made.stdout.splitlines()) == 600 and b'"label"' in made.stdout, made.stderr
    model, checkpoint = tmp_path / "e.st", tmp_path / "e.st.checkpoint"
    train = [*covey, "train", str(files / "events.parquet"), "-o", str(model)]
    running = subprocess.Popen(
        [*train, "--epochs", "100000"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    )
    for _ in range(600):
        if checkpoint.exists() or running.poll() is not None:
            break
        time.sleep(0.1)
    running.send_signal(signal.SIGTERM)
    _, told = running.communicate(timeout=60)
    assert running.returncode == 130 and b"goes on where it was" in told and checkpoint.exists(), told


@pytest.mark.parametrize(
    "text, message",
    [
        (b"id;amount;label\n1;2.5;0\n2;3.5;1\n", "has one column, 'id;amount;label': write commas between columns"),
        (b"id\tamount\n1\t2.5\n", r"has one column, 'id\\tamount'.*\.tsv"),
        (b"id;amount\n1;2,5\n", "Columns must have commas between them, and numbers a point"),
        ("id,country\n1,café\n".encode("latin-1"), "text in column 'country' that is not UTF-8: `iconv"),
        ("id,country\n1,NL\n".encode("utf-16"), "Is it UTF-16\\? Text must be UTF-8"),
    ],
)
def test_text_that_is_no_table_of_commas_in_utf8(command, tmp_path, text, message):
    (tmp_path / "rows.csv").write_bytes(text)
    code, _, err = command("cluster", tmp_path / "rows.csv", "-o", tmp_path / "labels.csv")
    assert code == 1 and re.search(message, err), err


def test_an_output_that_cannot_be_is_refused_before_the_work(command, files, tmp_path):
    table = files / "transactions.csv"
    for output, code, message in (
        (tmp_path / "labels.zzz", 2, "has none of the endings"),
        (tmp_path / "nowhere" / "labels.csv", 1, "there is no folder"),
    ):
        for arguments in (["cluster", table], ["score", "none.engine", table], ["embed", "none.encoder", table]):
            found, _, err = command(*arguments, "-o", output)
            assert found == code and message in err and "key =" not in err, err
    found, _, err = command("rules", table, "-o", tmp_path / "nowhere" / "rules.json")
    assert found == 1 and "there is no folder" in err
    (tmp_path / "labels.csv").mkdir()
    found, _, err = command("cluster", table, "-o", tmp_path / "labels.csv")
    assert found == 1 and "is a folder" in err
