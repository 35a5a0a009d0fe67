"""Events as lists inside transactions."""

import numpy as np
import pandas as pd
import pytest

import covey
from test_tables import duckdb, event_frame, pa, pl

FIELDS = {"time": "when", "event": "what", "dwell": "spent", "numeric": "load"}


def nested():
    """The events of each id as a list of mappings; the third id has none, the fifth a missing list."""
    frame = event_frame().sort_values("id", kind="stable")
    ids = [f"id {number}" for number in range(frame["id"].nunique() + 2)]
    lists = [part.drop(columns="id").to_dict("records") for _, part in frame.groupby("id")]
    lists.insert(2, [])
    lists.insert(4, None)
    rows = [{"id": name, "clicks": events} for name, events in zip(ids, lists)]
    return rows, frame


def clothes(rows):
    names = ["when", "what", "spent", "load"]
    plain = [
        {
            "id": row["id"],
            "clicks": row["clicks"]
            and [
                {name: None if event[name] != event[name] else event[name] for name in names} for event in row["clicks"]
            ],
        }
        for row in rows
    ]
    struct = pa.struct(
        [("when", pa.timestamp("us")), ("what", pa.string()), ("spent", pa.float64()), ("load", pa.float64())]
    )
    arrow = pa.table(
        {"id": [row["id"] for row in rows], "clicks": pa.array([row["clicks"] for row in plain], type=pa.list_(struct))}
    )
    found = {
        "mappings": plain,
        "pandas objects": pd.DataFrame(rows),
        "arrow": arrow,
        "arrow large": arrow.set_column(1, "clicks", arrow.column(1).cast(pa.large_list(struct))),
        "arrow chunks": pa.concat_tables([arrow.slice(0, 7), arrow.slice(7, 0), arrow.slice(7)]),
        "pandas of Arrow": pd.DataFrame(
            {
                "id": [row["id"] for row in rows],
                "clicks": pd.Series(arrow.column(1).combine_chunks(), dtype=pd.ArrowDtype(pa.list_(struct))),
            }
        ),
    }
    if pl is not None:
        found["polars"] = pl.from_arrow(arrow)
    if duckdb is not None:
        connection = duckdb.connect()
        connection.register("t", arrow)
        found["duckdb"] = connection.table("t")
        found["kept"] = connection
    return found


@pytest.mark.parametrize("name", [name for name in clothes(nested()[0]) if name != "kept"])
def test_lists_of_events(name):
    rows, frame = nested()
    expected = covey.Sequences.from_frame(frame, sequence="id", **FIELDS)
    every = clothes(rows)
    found = covey.Sequences.from_lists(every[name], events="clicks", key="id", **FIELDS)
    assert found.keys.tolist() == [row["id"] for row in rows] and found.key_name == "id"
    assert found.lengths.tolist() == [len(row["clicks"] or ()) for row in rows]
    assert found.times.tolist() == expected.times.tolist()
    assert [None if pd.isna(name) else name for name in found.types] == [
        None if pd.isna(name) else name for name in expected.types
    ]
    np.testing.assert_array_equal(found.dwell, expected.dwell)
    np.testing.assert_array_equal(found._numeric.values[0], expected._numeric.values[0])


def test_lists_that_are_none():
    for lists in ([[], []], [None, []], np.array([np.nan, None], dtype=object)):
        batch = covey.Sequences.from_lists({"clicks": lists}, events="clicks", **FIELDS)
        assert batch.offsets.tolist() == [0, 0, 0]
    ok = {"when": 1.0, "what": "a"}
    for lists, error, message in [
        ([[ok], 3], covey.InvalidTypeError, r"events='clicks'\[1\] must be a list of mappings, got int"),
        ([[ok, 3]], covey.InvalidTypeError, "got a list of int"),
        (pa.array([1]), covey.InvalidTypeError, "must hold lists of structs"),
        (pa.array([[1]]), covey.InvalidTypeError, "lists must hold structs"),
        ([[{"what": "a"}]], covey.InvalidArgumentError, "time='when' is not a column of the events='clicks'"),
        ([[ok], [{"when": None, "what": "a"}]], covey.InvalidDataError, "must be finite, got nan in row 1"),
    ]:
        with pytest.raises(error, match=message):
            covey.Sequences.from_lists({"clicks": lists}, events="clicks", time="when", event="what")
    with pytest.raises(covey.InvalidDataError, match="key='id': the key 1 of row 1"):
        covey.Sequences.from_lists(
            {"clicks": [[ok], [ok]], "id": [1, 1]}, events="clicks", time="when", event="what", key="id"
        )
    with pytest.raises(covey.InvalidArgumentError, match="events='nothing'"):
        covey.Sequences.from_lists({"clicks": [[ok]]}, events="nothing", time="when", event="what")
