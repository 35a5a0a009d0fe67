"""scikit-learn's conventions of transformers, without importing it."""

from __future__ import annotations

import sys
from typing import Any, Optional

import numpy as np

from ._errors import InvalidArgumentError
from ._output import Kind
from ._trees import pandas

_OUTPUTS = (None, "default", "pandas", "polars")


class Transformer:
    """``set_output``, as scikit-learn's transformers have it. Its mixin would not do: that takes one input alone."""

    def set_output(self, *, transform: Optional[str] = None) -> Any:
        """What ``transform`` gives: "default" (an array), "pandas" or "polars"; None leaves it as it is."""
        if transform not in _OUTPUTS:
            raise InvalidArgumentError(f"transform must be one of {', '.join(map(repr, _OUTPUTS))}, got {transform!r}")
        if transform is not None:
            # scikit-learn's clone copies this attribute.
            self._sklearn_output_config = {"transform": transform}
        return self


def output_of(estimator: Any, rows: Any, source: Any) -> Any:
    """Transformed rows as the estimator was asked for, or scikit-learn's configuration; `source`: whose index they
    take."""
    own = estimator.__dict__.get("_sklearn_output_config", {}).get("transform")
    sklearn = sys.modules.get("sklearn")
    wanted = own or ("default" if sklearn is None else sklearn.get_config().get("transform_output", "default"))
    if wanted == "default":
        return rows
    names = estimator.get_feature_names_out().tolist()
    if wanted == "pandas":
        index = Kind.of(source).index
        keys, key_name = getattr(rows, "keys", None), getattr(rows, "key_name", None)
        if index is None and keys is not None:
            index = pandas().Index(keys, name=key_name)
        return pandas().DataFrame(np.asarray(rows), columns=names, index=index)
    import polars

    return polars.DataFrame(np.asarray(rows), schema=names)
