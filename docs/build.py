#!/usr/bin/env python3
"""Builds the documentation site: build.py OUT [JAVADOC] [--quick].

The sources are staged first: the pages of this folder,
the notebooks and the sample's picture, the documents of the repository that
belong to the site, and pages of the C interface,
which are made from covey.h. JAVADOC is a folder with the output of javadoc;
without it the page of the Java interface says so. Warnings are errors. --quick runs no code cell.
"""

import argparse
import shutil
import sys
from pathlib import Path

from header_pages import write_pages

DOCS = Path(__file__).resolve().parent
REPOSITORY = DOCS.parent


def stage(out, javadoc):
    """The folder that Sphinx reads."""
    source = out / "source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(DOCS, source, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(REPOSITORY / "examples" / "notebooks", source / "notebooks", ignore=shutil.ignore_patterns(".*"))
    shutil.copytree(REPOSITORY / "examples" / "data", source / "data", ignore=shutil.ignore_patterns("*.py", "*.md"))
    for name in ("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md"):
        shutil.copy(REPOSITORY / name, source / name)
    shutil.copy(REPOSITORY / "include" / "covey.h", source / "covey.h")
    (source / "static").mkdir(exist_ok=True)
    shutil.copy(REPOSITORY / "examples" / "road.svg", source / "static" / "road.svg")
    write_pages(REPOSITORY / "include" / "covey.h", source / "api" / "c")
    (source / "extra").mkdir(exist_ok=True)
    if javadoc is not None:
        shutil.copytree(javadoc, source / "extra" / "javadoc")
    (source / "api" / "java.md").write_text(_java_page(javadoc is not None), encoding="utf-8")
    return source


def _java_page(is_there):
    readme = (REPOSITORY / "bindings" / "java" / "README.md").read_text(encoding="utf-8")
    body = readme.split("\n", 1)[1]
    where = (
        'Every class is in the <a href="../javadoc/index.html">Javadoc</a>.'
        if is_there
        else "This site was built without javadoc; `make docs` adds it if the JDK is there."
    )
    return f"# Java\n\n{where}\n{body}"


def build(out, javadoc=None, quick=False):
    """Exit status of Sphinx."""
    from sphinx.cmd.build import main

    source = stage(out, javadoc)
    shutil.rmtree(out / "html", ignore_errors=True)
    options = ["-D", "nb_execution_mode=off", "-D", "suppress_warnings=myst-nb.lexer"] if quick else []
    options += ["-q", "-W", "--keep-going", "-b", "html", "-d", str(out / "trees")]
    return main([*options, str(source), str(out / "html")])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("javadoc", type=Path, nargs="?")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    sys.exit(build(options.out.resolve(), options.javadoc, options.quick))
