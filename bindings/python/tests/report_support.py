"""What the tests of reports share: the sample, hostile names, any number of clusters."""

import html.parser

import numpy as np
import pandas as pd
import pytest

import covey
from covey.report import write as report_write
from covey.report.catalogue import Catalogue
from covey.report.model import Options, build
from covey.report.narrative import tell
from covey.report.source import Source, clusters_of
from support import SAMPLE

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "a\u202eevil\u202c",
    "bell\x07\x1b[31m",
    "שלום",
    "http://evil.example/x",
    "javascript:alert(1)",
    '"><svg onload=alert(1)>',
    "`code` *bold* [link](http://x.example)",
    "a\u2028b",
    "=cmd()",
    "ä" * 300,
]


@pytest.fixture(scope="module")
def sample():
    events = pd.read_csv(SAMPLE / "events.csv")
    table = pd.read_csv(SAMPLE / "transactions.csv").astype({"guest": bool, "ships_elsewhere": bool, "vpn": bool})
    found = covey.find(
        events,
        table,
        "label",
        key="transaction",
        time="seconds",
        dwell="dwell",
        amount="amount",
        when="time",
        encoder=covey.SequenceEncoder.load(SAMPLE / "shop.safetensors"),
    )
    return found, events, table


@pytest.fixture(scope="module")
def page(sample, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "case.html"
    sample[0].report(path)
    return path.read_text(encoding="utf-8")


def hostile_frame(rows=400, seed=1):
    random = np.random.default_rng(seed)
    bad = np.arange(rows) % 10 == 0
    names = np.array(HOSTILE, dtype=object)
    frame = pd.DataFrame(
        {
            "id": [f"{HOSTILE[row % len(HOSTILE)][:40]}{row}" for row in range(rows)],
            "<b>amount</b>": np.where(bad, 500.0, random.lognormal(2, 1, rows)),
            HOSTILE[1]: np.where(bad, names[0], names[random.integers(1, len(names), rows)]),
            HOSTILE[2]: random.normal(size=rows) + 6 * bad,
            "device": [f"dev{row % 7}" if flag else f"dev{row + 1000}" for row, flag in enumerate(bad)],
            "label": np.where(bad & (random.random(rows) < 0.7), 1.0, np.where(random.random(rows) < 0.5, 0.0, np.nan)),
        }
    )
    return frame


@pytest.fixture(scope="module")
def hostile():
    frame = hostile_frame()
    return covey.find(None, frame, "label", key="id", amount="<b>amount</b>", trees=20, permutations=99), frame


class Text(html.parser.HTMLParser):
    """Elements, attributes and text of a page."""

    def __init__(self, content):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []
        self.feed(content)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, text):
        self.text.append(text)


def many(clusters, each=3, seed=2):
    random = np.random.default_rng(seed)
    rows = clusters * each
    labels = np.repeat(np.arange(clusters), each)
    known = np.where(random.random(rows) < 0.2, 1.0, np.where(random.random(rows) < 0.5, 0.0, np.nan))
    scores = random.random(rows)
    return Source(
        rows=rows,
        kind="clusters",
        groups=clusters_of(labels, known, scores, {}),
        row_groups=labels,
        scores=scores,
        known=known,
        columns=[],
        sequences=None,
        amounts=random.random(rows) * 100,
        times=random.random(rows) * 1e7,
        keys=None,
        key_name=None,
        engine=None,
        rules=[],
        rule_set=None,
        findings=[],
        settings={},
        identifiers=[],
        evidence=None,
        frame=None,
        table=None,
    )


def written(source, **options):
    model = build(source, Options(**options))
    texts = Catalogue("en")
    tell(texts, model)
    return report_write.Report(model, texts, "", 1_000_000)
