"""The documentation site: `make docs` stages this folder and runs Sphinx on the copy; see build.py."""

import re
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def _version():
    header = (_HERE / "covey.h").read_text(encoding="utf-8")
    return ".".join(re.findall(r"^#define COVEY_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)$", header, re.MULTILINE))


project = "Covey"
copyright = "the Covey authors"  # Sphinx reads this name
version = release = _version()
sys.path.insert(0, str(_HERE))
extensions = ["sphinx.ext.autodoc", "docstrings", "myst_nb"]
exclude_patterns = ["requirements.txt", "*.py"]
templates_path = []
nitpicky = False

html_theme = "furo"
html_title = f"Covey {release}"
html_static_path = ["static"]
html_extra_path = ["extra"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
# Nothing is fetched when a page is read: no page has formulas, so that Sphinx adds no MathJax.
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nb_ipywidgets_js = {}

# Pages with code cells are executed each time the site is built; an error, or more than a minute, fails the build.
nb_execution_mode = "force"
nb_execution_timeout = 60
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True
nb_output_stderr = "remove"  # progress

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_default_options = {"members": True, "show-inheritance": False}
autoclass_content = "class"
