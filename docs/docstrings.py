"""A Sphinx extension: docstrings are plain text for `help()`, and become reStructuredText here."""

import re

#: "Args:", "Attributes (n rows):", also over more than one line.
_SECTION = re.compile(r"^(Args|Attributes)( \(.*)?:?$")
_ITEM = re.compile(r"^(\*?\*?[a-zA-Z_][\w, ()./-]*?): (.*)$")
_CODE = re.compile(r"(``.+?``|:\w+:`[^`]+`)")


def setup(app):
    app.connect("autodoc-process-docstring", lambda app, what, name, owner, options, lines: process(lines))
    return {"parallel_read_safe": True}


def process(lines):
    """Rewrites a docstring in place."""
    out, index = [], 0
    while index < len(lines):
        line = lines[index]
        if _SECTION.match(line):
            head = line
            while not head.endswith(":") and index + 1 < len(lines):
                index += 1
                head += f" {lines[index].strip()}"
            body = []
            while index + 1 < len(lines) and (not lines[index + 1].strip() or lines[index + 1].startswith(" ")):
                index += 1
                body.append(lines[index])
            out += ["", f"**{head.split(' ')[0].rstrip(':')}**{_text(head[len(head.split(' ')[0]) :]).rstrip(':')}", ""]
            out += [*_items(body), ""]
        elif line.rstrip().endswith("::"):
            out.append(_text(line))
            while index + 1 < len(lines) and (not lines[index + 1].strip() or lines[index + 1].startswith(" ")):
                index += 1
                out.append(lines[index])
        else:
            # A wrapped line may be indented; only lists keep their indentation.
            wrapped = line.startswith(" ") and out and out[-1].strip() and not out[-1].startswith((" ", "*", "-"))
            out.append(_text(line.strip() if wrapped else line))
        index += 1
    lines[:] = out


def _items(body):
    """The items of a section as a list."""
    margin = min((len(line) - len(line.lstrip()) for line in body if line.strip()), default=0)
    for line in body:
        text = line[margin:]
        item = None if text.startswith(" ") else _ITEM.match(text)
        if item:
            yield f"* **{_text(item[1])}**: {_text(item[2])}"
        elif text.strip():
            yield f"  {_text(text.strip())}" if text.startswith(" ") else f"* {_text(text)}"
        else:
            yield ""


def _text(line):
    """A line with code marked as code, and nothing that reStructuredText would take for markup."""
    parts = _CODE.split(line)
    for at in range(0, len(parts), 2):
        text = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", parts[at])
        if "``" in text:
            parts[at] = "".join(
                part if part.startswith("``") else _escaped(part) for part in re.split(r"(``.+?``)", text)
            )
        else:
            parts[at] = _escaped(text)
    return "".join(parts)


def _escaped(text):
    text = re.sub(r"([*|\\])", r"\\\1", text)
    return re.sub(r"(\w)_(?!\w)", r"\1\\_", text)
