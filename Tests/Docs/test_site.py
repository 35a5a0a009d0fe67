"""The documentation site that `make docs` built: every page is there, nothing is fetched when a page is read, links
lead somewhere, and notebooks and examples ran, each in under a minute."""

import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SITE = Path(os.environ["COVEY_SITE"])
NOTEBOOKS = ("bank_loans", "card_payments", "bots", "from_hdbscan")


class Page(HTMLParser):
    """What a page fetches, where it links to, and the anchors that it has."""

    def __init__(self, path):
        super().__init__()
        self.fetched, self.links, self.anchors = [], [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag in ("script", "img", "iframe", "source", "video") and found.get("src"):
            self.fetched.append(found["src"])
        if tag == "link" and "stylesheet" in (found.get("rel") or "") + (found.get("as") or ""):
            self.fetched.append(found["href"])
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])


def pages():
    return [path for path in SITE.rglob("*.html") if "javadoc" not in path.relative_to(SITE).parts]


@pytest.fixture(scope="module")
def read():
    return {path: Page(path) for path in pages()}


def test_every_guide_is_there():
    names = ["index", "quickstart", "road", "parameters", "investigators", "engine", "spark", "from-hdbscan", "design"]
    names += ["api/python", "api/c/index", "api/java", "command", *(f"notebooks/{name}" for name in NOTEBOOKS)]
    assert [name for name in names if not (SITE / f"{name}.html").exists()] == []


def test_nothing_is_fetched_from_the_network(read):
    for path, page in read.items():
        outside = [url for url in page.fetched if urlsplit(url).netloc]
        assert not outside, (path, outside)
    for sheet in SITE.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*[\"']?https?:", sheet.read_text(encoding="utf-8")), sheet


def test_links_lead_somewhere(read):
    for path, page in read.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.exists(), (path, link)
            if parts.fragment and target in read:
                assert unquote(parts.fragment) in read[target].anchors, (path, link)


def test_the_c_pages_have_every_function():
    header = re.sub(r"/\*.*?\*/", "", (REPOSITORY / "include" / "covey.h").read_text(encoding="utf-8"), flags=re.DOTALL)
    functions = set(re.findall(r"\b(covey_\w+)\(", header))
    index = (SITE / "api" / "c" / "index.html").read_text(encoding="utf-8")
    assert len(functions) > 150 and [name for name in sorted(functions) if name not in index] == []


def test_the_python_page_has_every_name():
    import covey

    page = Page(SITE / "api" / "python.html")
    assert [name for name in covey.__all__ if f"covey.{name}" not in page.anchors] == []


def test_notebooks_ran():
    """myst-nb keeps the outputs beside the page; a page of the right kind has some, and no error."""
    for name in NOTEBOOKS:
        text = (SITE / "notebooks" / f"{name}.html").read_text(encoding="utf-8")
        assert text.count("cell_output") > 5 and "Traceback" not in text, name
        notebook = json.loads((REPOSITORY / "examples" / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
        assert all(not cell.get("outputs") for cell in notebook["cells"]), f"{name}: outputs are not committed"
    for name in ("parameters", "quickstart"):
        text = (SITE / f"{name}.html").read_text(encoding="utf-8")
        assert "cell_output" in text and "Traceback" not in text, name
