"""Saved results of covey.find: all that they had, the same bytes, their reports, and damaged files."""

import copy
import io
import pickle
import zipfile

import numpy as np
import pytest

import covey
from support import write_random_encoder
from find_support import FAST, shop


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("found") / "model.safetensors"
    write_random_encoder(path, ["home", "search", "cart", "photos", "login", "address", "pay"])
    events, features, _ = shop()
    found = covey.find(events, features, "label", key="id", when="when", amount="amount", encoder=path, **FAST)
    return found, events, features


def same(one, other):
    for name in ("labels", "row_groups", "risky", "scores"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    for part in ("tree", "neighbours", "features", "events", "joint"):
        assert np.array_equal(one.evidence(part), other.evidence(part)), part
    assert one.groups == other.groups and list(one.keys) == list(other.keys) and one.key_name == other.key_name
    assert all(np.array_equal(a.members, b.members) for a, b in zip(one.groups, other.groups))
    assert one.findings == other.findings and one.settings == other.settings and str(one) == str(other)
    assert one.engine.hash == other.engine.hash and one.engine.columns == other.engine.columns
    assert one.to_frame().equals(other.to_frame().set_axis(one.to_frame().index))


def test_a_file_keeps_all_but_the_rows(made, tmp_path):
    found, events, features = made
    found.save(tmp_path / "a.covey")
    again = covey.Found.load(tmp_path / "a.covey")
    same(found, again)
    again.save(tmp_path / "b.covey")
    assert (tmp_path / "a.covey").read_bytes() == (tmp_path / "b.covey").read_bytes()
    scores = again.engine.score(events, features)
    assert scores.risk.tolist() == found.engine.score(events, features).risk.tolist()
    for kept in (pickle.loads(pickle.dumps(found)), copy.deepcopy(again)):
        same(found, kept)


def test_reports_of_a_saved_result_are_those_of_the_result(made, tmp_path):
    found, events, features = made
    found.save(tmp_path / "a.covey")
    again = covey.Found.load(tmp_path / "a.covey")
    assert again.report(events=events, features=features).to_html() == found.report(features=features).to_html()
    bare = again.report()  # without the rows: groups and scores alone
    assert "Risky" in bare.to_text() or "risky" in bare.to_text()


def test_damaged_and_foreign_files_are_refused(made, tmp_path):
    found, _, _ = made
    path = tmp_path / "a.covey"
    found.save(path)
    data = path.read_bytes()
    for broken in (b"", b"junk", data[: len(data) // 2], zipped({}), zipped({"found.json": b"{}"})):
        path.write_bytes(broken)
        with pytest.raises(covey.CorruptFileError):
            covey.Found.load(path)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for name in parts:
        path.write_bytes(zipped({other: content for other, content in parts.items() if other != name}))
        if name in ("known.npy", "amounts.npy", "times.npy", "keys.npy", "keys.json"):
            covey.Found.load(path)  # results without these exist
            continue
        with pytest.raises(covey.CorruptFileError):
            covey.Found.load(path)
    path.write_bytes(zipped({**parts, "found.json": parts["found.json"].replace(b'"format": 1', b'"format": 9')}))
    with pytest.raises(covey.UnsupportedError):
        covey.Found.load(path)
    with pytest.raises(covey.FileError):
        covey.Found.load(tmp_path / "none")
    with pytest.raises(covey.FileError):
        found.save(tmp_path / "no" / "folder.covey")


def zipped(parts):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return sink.getvalue()
