"""The whole road on the sample and on a small simulated stream; README's code; the wheel in a fresh environment."""

import os
import re
import shutil
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import covey
import road
from support import REPOSITORY, SAMPLE, write_random_encoder

FILES = [
    "embeddings.f32", "hybrid.f32", "labels.i32", "probabilities.f64", "outlier_scores.f64", "scores.f64", "rules.json",
    "engine.safetensors", "found_groups.i32", "found_scores.f64", "found.engine.safetensors",
]  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The canonical road walked twice, on one thread and on three."""
    base = tmp_path_factory.mktemp("road")
    roads = [road.write_road(base / str(threads), covey.Context(threads=threads)) for threads in (1, 3)]
    return base, roads


def test_the_sample_is_understood(folders, show):
    walked = folders[1][0]
    truth = road.read("truth.csv")
    fraud = truth.fraud.to_numpy() == "1"
    risky = np.isin(walked.labels, walked.risk.risky_clusters)
    ringed = truth.ring.notna().to_numpy()
    unlabelled = walked.transactions.label.isna().to_numpy()
    show(
        f"sample: {walked.labels.max() + 1} clusters, risky {walked.risk.risky_clusters}: {risky.sum()} transactions,"
        f" {fraud[risky].mean():.0%} fraud (base rate {fraud.mean():.1%}); ring members in them"
        f" {np.mean(risky[ringed]):.0%}, of them unlabelled {np.sum(risky & ringed & unlabelled)}"
    )
    assert fraud[risky].mean() > 0.6 and fraud[risky & unlabelled].sum() > 20
    assert np.mean(risky[ringed]) > 0.3
    assert any(len(rules) for rules in walked.rules.values())


def test_threads_do_not_change_a_byte(folders):
    base = folders[0]
    for name in FILES:
        assert (base / "1" / name).read_bytes() == (base / "3" / name).read_bytes(), name
        assert (base / "1" / name).stat().st_size > 0


def test_engine_from_its_file(folders):
    base, (walked, _) = folders
    engine = covey.Engine.load(base / "1" / "engine.safetensors")
    assert engine.features == walked.engine.features
    assert set(engine.features) == set(walked.features) and engine.features["vpn"] == "boolean"
    assert engine.encoder.vocabulary.names == walked.encoder.vocabulary.names
    scores = engine.score(walked.sequences[: road.SCORED], walked.features[: road.SCORED])
    assert list(scores) == list(walked.scores) and len(scores) == road.SCORED
    for field in ("cluster", "strength", "risk", "risky"):
        assert getattr(scores, field).tobytes() == getattr(walked.scores, field).tobytes()
        assert [getattr(score, field) for score in scores[:20]] == getattr(scores, field)[:20].tolist()
    # One transaction alone, as a mapping of plain values, scores as in the batch.
    at = int(np.argmax(scores.risk))
    one = engine.score(walked.sequences[at : at + 1], walked.features.iloc[at].to_dict())
    assert one[0] == scores[at] == scores[at - road.SCORED] and one[0].reasons
    assert list(scores.to_frame()) == ["transaction", "cluster", "strength", "risk", "risky"]
    assert list(scores.to_frame().transaction) == list(walked.transactions.transaction[: road.SCORED])
    with pytest.raises(IndexError):
        scores[road.SCORED]
    assert len(engine.score(walked.sequences[:0], walked.features[:0])) == 0


def test_risk_follows_its_formula(folders):
    walked = folders[1][0]
    scores, base = walked.scores, walked.risk.base_rate
    assert scores.risky.any() or walked.risk.risky_clusters
    for score in scores:
        share = walked.risk[score.cluster].share
        expected = score.strength * (base if np.isnan(share) else share) + (1 - score.strength) * base
        if not score.rules:
            assert score.risk == pytest.approx(expected, rel=1e-12)
        else:
            assert score.risk >= expected - 1e-12
    texts = {rule.text: (cluster, rule) for cluster, rules in walked.rules.items() for rule in rules}
    for score in scores:
        for fired in score.rules:
            cluster, rule = texts[fired.text]
            assert fired.cluster == cluster and score.risky
            assert score.risk >= rule.precision * walked.risk[cluster].share - 1e-12


def test_engine_from_many_threads_and_in_a_child(folders):
    base, (walked, _) = folders
    engine = covey.Engine.load(base / "1" / "engine.safetensors")
    expected = walked.scores.risk[:200].tobytes()
    batch, table = walked.sequences[:200], walked.features[:200]
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(engine.score(batch, table).risk.tobytes())) for _ in range(6)
    ]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert results == [expected] * 6
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if engine.score(batch, table).risk.tobytes() == expected else 1)
        except BaseException:
            traceback.print_exc()
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_engine_refuses(folders, tmp_path):
    base, (walked, _) = folders
    engine = walked.engine
    batch, table = walked.sequences[:10], walked.features[:10]
    for arguments, codes in [
        ((None, table), {1, 3}),
        ((batch, None), {1, 3}),
        ((batch, walked.features[:9]), {3}),
        ((batch, table.drop(columns="amount")), {3}),
        ((batch, table.assign(amount="much")), {3}),
        ((batch, table.assign(amount=np.inf)), {2}),
        ((walked.embeddings, table), {1}),
    ]:
        with pytest.raises(covey.CoveyError) as caught:
            engine.score(*arguments)
        assert caught.value.code in codes, str(caught.value)
    parts = {"encoder": walked.encoder, "hybrid": walked.hybrid, "clustering": walked.clusterer, "risk": walked.risk}
    unpredictive = covey.HDBSCAN(min_cluster_size=12).fit(walked.rows[:2000])
    for wrong, codes in [
        ({"encoder": None}, {1, 3}),
        ({"hybrid": covey.HybridFeatures()}, {1}),
        ({"clustering": unpredictive}, {1, 3}),
        ({"clustering": covey.HDBSCAN()}, {1}),
        ({"risk": "high"}, {1}),
        ({"rules": {0: "rule"}}, {1}),
        ({"rules": [1]}, {1}),
        ({"rules": {10**6: next(iter(walked.rules.values()))}}, {1, 3}),
        ({"clustering": covey.HDBSCAN(prediction_data=True).fit(walked.rows[:500, :5])}, {3}),
    ]:
        with pytest.raises(covey.CoveyError) as caught:
            covey.Engine.build(**{**parts, **wrong})
        assert caught.value.code in codes, (list(wrong), str(caught.value))
    whole = (base / "1" / "engine.safetensors").read_bytes()
    cut = tmp_path / "cut.safetensors"
    for size in (0, 7, 1000, len(whole) // 2, len(whole) - 1):
        cut.write_bytes(whole[:size])
        with pytest.raises(covey.CorruptFileError):
            covey.Engine.load(cut)
    with pytest.raises(covey.FileError):
        covey.Engine.load(tmp_path / "absent")
    with pytest.raises(covey.FileError):
        engine.save(tmp_path / "absent" / "engine.safetensors")
    assert len(engine.score(batch, table)) == 10  # still good


def streams(seed=5):
    """A small shop: customers who wander, and a ring of 60 that takes the same steps at a program's pace."""
    random = np.random.default_rng(seed)
    rows, features = [], []
    for number in range(1500):
        ring = number % 25 == 0
        steps = (
            ["login", "address", "cart", "pay"]
            if ring
            else list(random.choice(["home", "search", "cart", "photos"], 6))
        )
        pace = 2.0 if ring else float(random.exponential(60) + 5)
        clock = number * 600.0
        for step in [*steps, "pay"][: len(steps) + (not ring)]:
            rows.append((f"t{number}", clock, step))
            clock += pace * random.uniform(0.9, 1.1)
        features.append(
            (
                random.normal(400, 20) if ring else random.lognormal(3, 1),
                "new" if ring or random.random() < 0.1 else "old",
                ring,
            )
        )
    events = pd.DataFrame(rows, columns=["transaction", "time", "event"])
    table = pd.DataFrame(features, columns=["amount", "account", "ring"])
    return events, table.drop(columns="ring"), table.ring.to_numpy()


def test_small_stream(tmp_path):
    """Everything once on simulated streams, without the sample."""
    events, features, ring = streams()
    model = tmp_path / "model.safetensors"
    write_random_encoder(model, covey.Vocabulary.build(events.event).names)
    encoder = covey.SequenceEncoder.load(model)
    sequences = covey.Sequences.from_frame(events, sequence="transaction", time="time", event="event")
    assert sequences.keys[0] == "t0" and len(sequences) == 1500
    hybrid = covey.HybridFeatures(clip=3.0)
    rows = hybrid.fit_transform(encoder.embed(sequences), features=features)
    clusterer = covey.HDBSCAN(min_cluster_size=30, prediction_data=True).fit(rows)
    labels = clusterer.labels_
    known = np.where(np.arange(1500) < 750, ring, np.nan)
    risk = covey.cluster_risk(labels, known, amounts=features.amount)
    assert len(risk.risky_clusters) == 1
    inside = labels == risk.risky_clusters[0]
    assert ring[inside].mean() > 0.95 and inside[ring].mean() > 0.9
    rules = covey.extract_rules(features, inside, min_support=5, target_name="the ring")
    assert rules.rules and np.mean(ring[rules.predict(features)]) > 0.9
    engine = covey.Engine.build(
        encoder=encoder, hybrid=hybrid, clustering=clusterer, risk=risk, rules={risk.risky_clusters[0]: rules}
    )
    events, features, ring = streams(seed=6)
    new = covey.Sequences.from_frame(events, sequence="transaction", time="time", event="event")
    scores = engine.score(new, features)
    assert scores.risky[ring].mean() > 0.9 and scores.risky[~ring].mean() < 0.02
    assert scores.risk[ring].min() > np.median(scores.risk[~ring])


def test_readme(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (REPOSITORY / "bindings/python/README.md").read_text(), flags=re.S)
    assert blocks
    (tmp_path / "examples").symlink_to(SAMPLE.parent)
    program = tmp_path / "readme.py"
    program.write_text("\n".join(blocks))
    environment = {**os.environ, "PYTHONPATH": str(Path(covey.__file__).parents[1])}
    result = subprocess.run(
        [sys.executable, str(program)], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert "SELECT * FROM" in result.stdout and (tmp_path / "shop-engine.safetensors").exists()


def test_wheel_in_a_fresh_environment(tmp_path, folders):
    """Installed alone, with this environment's NumPy and scikit-learn; it must find the library that it carries."""
    wheels = sorted((REPOSITORY / "dist").glob("covey-*-py3-none-manylinux_2_27_x86_64.whl"))
    if not wheels:
        pytest.skip("no wheel: make wheel builds it")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "fresh")], check=True)
    python = tmp_path / "fresh" / "bin" / "python"
    site = next((tmp_path / "fresh" / "lib").glob("python3*")) / "site-packages"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--no-deps",
            "--no-index",
            "--target",
            str(site),
            str(wheels[-1]),
        ],
        check=True,
    )
    # The packages that Covey needs come from here; Covey itself must not.
    others = [path for path in sys.path if path.endswith("site-packages") and not (Path(path) / "covey").exists()]
    (site / "others.pth").write_text("\n".join(others))
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "COVEY_LIBRARY")}
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(Path(road.__file__), elsewhere / "road.py")
    program = (
        "import covey, road, sys; from covey._library import library; road.SAMPLE = road.Path(sys.argv[1]);"
        "road.write_road(sys.argv[2]); print(covey.__file__, library.path, covey.library_version(), covey.__version__)"
    )
    (elsewhere / "program.py").write_text(program)
    result = subprocess.run(
        [str(python), "program.py", str(SAMPLE), str(tmp_path / "out")],
        cwd=elsewhere, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    package, library, *versions = result.stdout.split()
    assert Path(package).is_relative_to(site) and library == str(Path(package).parent / "_native" / "libcovey.so.1")
    header = (REPOSITORY / "include/covey.h").read_text()
    wanted = ".".join(re.search(rf"COVEY_VERSION_{part} (\d+)", header)[1] for part in ("MAJOR", "MINOR", "PATCH"))
    assert versions == [wanted, wanted]
    for name in FILES:
        assert (tmp_path / "out" / name).read_bytes() == (folders[0] / "1" / name).read_bytes(), name
