"""Saved results of covey.find: all that they had, the same bytes, their reports, and damaged files."""

import copy
import io
import json
import pickle
import zipfile

import numpy as np
import pytest

import covey
from support import write_random_encoder
from find_support import FAST, shop


def npy(array):
    memory = io.BytesIO()
    np.save(memory, array)
    return memory.getvalue()


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
    head = json.loads(parts["found.json"])
    rows = len(found.labels)
    for changed in (
        {**head, "roles": None},
        {**head, "settings": None},
        {**head, "key_name": [1]},
        {**head, "findings": 5},
        {**head, "format": "x"},
    ):
        path.write_bytes(zipped({**parts, "found.json": json.dumps(changed).encode()}))
        with pytest.raises(covey.CorruptFileError):
            covey.Found.load(path)
    for name, array in (
        ("scores", np.full(rows, np.nan)),
        ("row_groups", np.full(rows, 99, np.int64)),
        ("labels", np.full(rows, -2, np.int64)),
        ("evidence_tree", np.full(rows, np.inf)),
    ):
        path.write_bytes(zipped({**parts, f"{name}.npy": npy(array)}))
        with pytest.raises(covey.CorruptFileError):
            covey.Found.load(path)
    for header in ("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999,), }", "((" * 50):
        text = header.ljust(117) + "\n"
        scores = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()
        path.write_bytes(zipped({**parts, "scores.npy": scores}))
        with pytest.raises(covey.CorruptFileError):
            covey.Found.load(path)
    path.write_bytes(zipped({**parts, "other": b"is not read"}))
    covey.Found.load(path)
    path.write_bytes(zipped({**parts, "found.json": parts["found.json"].replace(b'"format": 1', b'"format": 9')}))
    with pytest.raises(covey.UnsupportedError):
        covey.Found.load(path)
    with pytest.raises(covey.FileError):
        covey.Found.load(tmp_path / "none")
    with pytest.raises(covey.FileError):
        found.save(tmp_path / "no" / "folder.covey")


def test_every_changed_byte_is_an_error_of_coveys(made, tmp_path):
    found, _, _ = made
    path = tmp_path / "a.covey"
    found.save(path)
    data = path.read_bytes()
    random = np.random.default_rng(5)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        engine = archive.getinfo("engine.safetensors")
    places = [place for place in range(len(data)) if not 0 <= place - engine.header_offset < engine.file_size]
    for place in random.choice(places, 300):
        changed = bytearray(data)
        changed[place] ^= 1 << int(random.integers(8))
        if place % 3 == 0:
            del changed[place : place + 30]
        path.write_bytes(bytes(changed))
        try:
            covey.Found.load(path)
        except covey.CoveyError:
            pass


@pytest.mark.parametrize("path", [5, None, "a\0b", "/tmp/\ud800"])
def test_odd_paths_are_refused(made, path):
    found, _, _ = made
    for call in (found.save, covey.Found.load, covey.read_marks, found.report().save):
        with pytest.raises(covey.CoveyError):
            call(path)


def zipped(parts):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return sink.getvalue()
