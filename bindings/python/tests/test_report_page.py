"""The case report as a page: one file, its policy, contrast, sizes, hostile names."""

import base64
import hashlib
import json
import re

import numpy as np

import covey
from covey.report.escape import to_html, to_markdown, visible
from covey.report.source import clusters_of, read_source
from report_support import HOSTILE, Text, hostile, many, page, sample, written  # noqa: F401


def test_the_sample_is_one_safe_file(page):
    assert len(page.encode()) < 1_000_000
    assert not re.search(r"https?:|//[a-z]|[^L]url\(|@import|\bsrc=|srcset|<link|<iframe|<object|<base", page)
    assert "eval(" not in page and "new Function" not in page and "unsafe" not in page
    read = Text(page)
    assert not [name for name, _ in read.attributes if name.startswith("on") or name == "style"]
    assert all(value.startswith("#") for name, value in read.attributes if name == "href")


def test_the_policy_is_that_of_the_page(page):
    content = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page).group(1)
    policy = {part.split()[0]: part.split()[1:] for part in content.split("; ")}
    assert (
        policy["default-src"] == ["'none'"] and policy["base-uri"] == ["'none'"] and policy["form-action"] == ["'none'"]
    )
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        text = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.S).group(1)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert policy[rule] == [f"'sha256-{digest}'"]
    assert len(re.search(r"<script>(.*?)</script>", page, re.S).group(1)) < 60_000


def contrast(one, two):
    def light(colour):
        colour = colour.lstrip("#")
        colour = "".join(letter * 2 for letter in colour) if len(colour) == 3 else colour
        parts = [int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted([light(one), light(two)])
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_enough_in_light_and_dark(page):
    style = re.search(r"<style>(.*?)</style>", page, re.S).group(1)
    themes = re.findall(r":root(?:\[data-theme=dark\])?\{([^}]*)\}", style)
    assert len(themes) >= 3  # light, dark, paper
    for theme in themes:
        colours = dict(re.findall(r"--([a-z]+):(#[0-9a-f]{3,6})\b", theme))
        for ink in ("ink", "soft", "accent", "fraud", "fine"):
            for paper in ("paper", "card", "chip"):
                assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper, theme)
        assert contrast(colours["warn"], colours["warnpaper"]) >= 4.5 and contrast(colours["dim"], colours["card"]) >= 3
    for fill in re.findall(r"\.e\d\{fill:(#[0-9a-f]{6})", style):
        assert contrast(fill, "#10161d") >= 7


def test_hostile_names_are_text(hostile, tmp_path):
    found, frame = hostile
    for mask in (True, False):
        report = covey.report(
            found, tmp_path / "x.html", mask=mask, links=["device", HOSTILE[1]], names={"device": "<i>device</i>"}
        )
        content = (tmp_path / "x.html").read_text(encoding="utf-8")
        read = Text(content)
        assert read.tags.count("script") == 2 and not {"img", "iframe", "object", "embed", "base", "form"} & set(
            read.tags
        )
        assert (
            not re.search(r"https?://", content)
            and "\u202e" not in content
            and "\x1b" not in content
            and "\x07" not in content
        )
        assert "\u2028" not in content and not [name for name, _ in read.attributes if name.startswith("on")]
        assert "<script>alert(1)</script>" in "".join(read.text)  # as text
        for text in (report.to_text(), report.to_markdown()):
            assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028]", text)
        assert "<script>" not in report.to_markdown().replace("\\<script", "")
        json.loads(report.to_json())
    assert any(link["members"] > 1 for group in report.model["groups"] for link in group["profile"]["links"])


def test_identifiers_are_masked(sample, hostile):
    found, frame = hostile
    content = found.report(links=["device"]).to_html()
    for key in frame.id[:30]:
        assert to_html(key) not in content
    assert "dev1" not in content
    again = found.report(links=["device"])
    assert again.to_html() == content  # the same words for the same data
    assert "dev" in found.report(links=["device"], mask=False).to_html()


def test_escapes():
    assert (
        visible("a\u202eb\x00\x1b") == "a\\u{202e}b\\u{0}\\u{1b}"
        and visible("שלום é 👩\u200d💻") == "שלום é 👩\u200d💻"
    )
    assert visible("\ud800") == "\\u{d800}"
    assert to_html('<a href="x">&') == "&lt;a href=&quot;x&quot;&gt;&amp;" and "://" not in to_html("https://x")
    assert to_markdown("*a* [b](c) <d>") == "\\*a\\* \\[b\\]\\(c\\) \\<d\\>"


def test_a_million_clusters():
    source = many(1_000_000, each=1)
    content = written(source).to_html()
    assert len(content.encode()) <= 1_000_000 and "999,800 more groups" in content


def test_two_hundred_clusters_in_one_megabyte(sample):
    """Groups of the sample's own rows, 200 of them: each has its card."""
    found, events, table = sample
    source = read_source(found, dict.fromkeys(("events", "features", "fraud", "amount", "when", "key")))
    labels = np.full(source.rows, -1, dtype=np.int64)
    labels[:6000] = np.random.default_rng(0).integers(0, 200, 6000)
    source.row_groups, source.groups = labels, clusters_of(labels, source.known, source.scores, {})
    content = written(source).to_html()
    assert len(content.encode()) <= 1_000_000
    assert len(re.findall(r'<section class="card"', content)) == 200 and 'id="left-out"' not in content
