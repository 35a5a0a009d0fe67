"""Narrative and case report: from risky groups to what an investigator sees.

`source` reads a result or an engine into rows; `model` works out everything that is shown, by `profile` (what sets a
group apart), `cases` (which rows are shown) and `statistics`; `narrative` writes the sentences from the texts of
`catalogue`; `page`, `card`, `svg` and `plain` write the files; `marks` reads an investigator's marks back.
"""

from .marks import Marks, read_marks
from .write import Report, report

__all__ = ["Marks", "Report", "read_marks", "report"]
