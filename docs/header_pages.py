"""Pages of the C interface from covey.h: one for each chapter, with every declaration beside its comment."""

import re
import textwrap
from pathlib import Path

_CHAPTER = re.compile(r"^/\* =+ (\d+)\. (.+?) === \*/$")
_PART = re.compile(r"^/\* -+ (.+?) ---( \*/)?$")
_NAMES = (
    re.compile(r"^#define (COVEY_\w+)", re.MULTILINE),
    re.compile(r"\b(covey_\w+)\(", re.MULTILINE),
    re.compile(r"^\}? ?(?:typedef .*?)?(covey_\w+);$", re.MULTILINE),
    re.compile(r"^typedef .*?\b(covey_\w+)\b.*;$", re.MULTILINE),
)


def write_pages(header, folder):
    """Writes the pages and an index of them; returns the names of all functions."""
    folder.mkdir(parents=True, exist_ok=True)
    text = Path(header).read_text(encoding="utf-8")
    lines = text.split("\n")
    head, chapters = _chapters(lines)
    functions = []
    for number, title, body in chapters:
        page, found = _page(number, title, body)
        (folder / f"{_slug(number, title)}.md").write_text(page, encoding="utf-8")
        functions += found
    (folder / "index.md").write_text(_index(head, chapters, functions), encoding="utf-8")
    return [name for name, _ in functions]


def _slug(number, title):
    return f"{int(number):02}-{re.sub(r'[^a-z]+', '-', title.lower())}"


def _chapters(lines):
    starts = [(index, match) for index, line in enumerate(lines) if (match := _CHAPTER.match(line))]
    head = lines[1 : lines.index(" */")]
    chapters = []
    for position, (index, match) in enumerate(starts):
        stop = starts[position + 1][0] if position + 1 < len(starts) else len(lines)
        body = lines[index + 1 : stop]
        if "#ifdef __cplusplus" in body:
            body = body[: body.index("#ifdef __cplusplus")]
        chapters.append((match[1], match[2], body))
    return head, chapters


def _page(number, title, body):
    out, functions, level = [f"# {number}. {title}", ""], [], "##"
    for block in _blocks(body):
        first = block[0]
        part = _PART.match(first)
        if part:
            out += [f"## {part[1]}", ""]
            level = "###"
            rest = [] if part[2] else block[1:]
            if rest:
                out += [*_comment(["/*", *rest]), ""]
            continue
        comment, code = _split(block)
        name = _name(code)
        if name is not None:
            out += [f"({_anchor(name)})=", "", f"{level} `{name}`", ""]
        out += _comment(comment)
        if code:
            out += ["", "```c", *code, "```", ""]
        page = f"{_slug(number, title)}.md"
        functions += [(found, page, name) for found in re.findall(r"\b(covey_\w+)\(", _plain("\n".join(code))) if name]
    named = [(found, f"{page}#{_anchor(name)}") for found, page, name in functions]
    return "\n".join(out).rstrip() + "\n", named


def _blocks(body):
    """Runs of lines without an empty line between them; an empty line inside a struct or a comment ends none."""
    block, depth, comment = [], 0, False
    for line in body:
        if not line.strip() and depth == 0 and not comment:
            if block:
                yield block
            block = []
            continue
        block.append(line)
        comment = (comment or "/*" in line) and "*/" not in line[line.rfind("/*") :]
        plain = _plain(line)
        depth += plain.count("{") - plain.count("}")
    if block:
        yield block


def _plain(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def _split(block):
    """The comment before the code, and the code."""
    if not block[0].startswith("/*"):
        return [], block
    for index, line in enumerate(block):
        if "*/" in line:
            return block[: index + 1], block[index + 1 :]
    return block, []


def _name(code):
    text = _plain("\n".join(code))
    for pattern in _NAMES:
        found = pattern.search(text)
        if found:
            return found[1]
    return None


def _anchor(name):
    return ("macro-" if name.isupper() else "") + name.lower().replace("_", "-")


def _comment(comment):
    """The text of a comment as Markdown: paragraphs, lists and indented tables."""
    text = "\n".join(comment)
    text = re.sub(r"^/\*\*? ?|\s*\*/$", "", text)
    lines = [re.sub(r"^ \* ? ?|^ \*$", "", line) for line in text.split("\n")]
    out = []
    for paragraph in re.split(r"\n\s*\n", textwrap.dedent("\n".join(lines))):
        rows = [row for row in paragraph.split("\n") if row.strip()]
        if not rows:
            continue
        if all(row.startswith("    ") for row in rows):
            out += ["", "```text", *(row[4:] for row in rows), "```"]
            continue
        out.append("")
        out += [_escape(row) for row in rows]
    return [*out, ""]


def _escape(row):
    """Header text as Markdown: names in code, and nothing that Markdown would take for markup."""
    parts = re.split(r"(`[^`]*`)", row.rstrip())
    for index in range(0, len(parts), 2):
        text = re.sub(r"([\\*_<>\[\]#|~$])", r"\\\1", parts[index])
        parts[index] = re.sub(
            r"\b((?:covey|COVEY)(?:\\_\w+)+(?:\\_)?)", lambda m: f"`{m[1].replace(chr(92), '')}`", text
        )
    text = "".join(parts)
    return re.sub(r"^(\s*)(\d+)\. ", r"\1\2\\. ", text)


def _index(head, chapters, functions):
    out = ["# C", ""]
    lines = [re.sub(r"^ \* ?", "", line) for line in head]
    body = "\n".join(line for line in lines[3:] if not line.startswith(("SPDX", "---")))
    for paragraph in re.split(r"\n\s*\n", body):
        rows = [row for row in paragraph.strip("\n").split("\n") if row.strip()]
        if not rows or re.match(r"\s+1\. Version", rows[0]):
            continue
        out += [*(_escape(row) for row in rows), ""]
    out += ["```{toctree}", ":maxdepth: 1", "", *(_slug(number, title) for number, title, _ in chapters), "```", ""]
    out += ["## All functions", "", ", ".join(f"[`{name}`]({target})" for name, target in sorted(set(functions))), ""]
    return "\n".join(out)
