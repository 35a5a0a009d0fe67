"""Embeddings and expert features joined into the rows that are clustered (covey.h section 7)."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from ctypes import byref, c_void_p
from typing import Any, Optional, Union

import numpy as np
from numpy.typing import NDArray

from . import _structs
from ._arguments import checked, checked_methods
from ._arrays import choice, contiguous, integer, matrix, path_bytes, real
from ._errors import InvalidArgumentError, InvalidTypeError, MismatchError
from ._estimator import Estimator
from ._files import file_bytes, read_bytes
from ._find_table import limit_categories
from ._findings import tell
from ._handle import Native
from ._keys import alignment
from ._library import call, library, required_text
from ._not_fitted import NotFittedError
from ._rows import keys_of, with_keys
from ._table import Table, feature_keys, has_names, held, is_table
from ._transformer import Transformer, output_of
from .context import Context, running

_SCALING = {"none": 0, "standard": 1, "robust": 2, "quantile": 3, "log": 4, "auto": 5}
_MISSING = {"reject": 0, "median": 1, "indicator": 2}


@checked_methods
class HybridFeatures(Transformer, Estimator):
    """A fitted transform: each block centred, scaled and weighted, then set side by side.

    Example::

        hybrid = covey.HybridFeatures(embedding_weight=1.5)
        rows = hybrid.fit_transform(embeddings, features=features)

    Embeddings are centred, projected on their leading principal components if asked, and divided by the root of the
    block's total variance. Numeric features are scaled and clipped; booleans become 0 and 1; categories become 0/1
    columns over sqrt(2); the block is divided by the root of the number of features. Missing numbers and booleans stand
    at the column's median; a missing category, or one not seen in fitting, is a row of zeros.

    Args:
        scaling: "robust" ((x - median) / interquartile range, as sklearn's RobustScaler), "standard",
            "none", "quantile" (normal quantiles of the ranks), "log" (robust on logarithms) or "auto" (the one of
            robust, log and quantile that a column's shape asks for).
        missing: "median", "indicator" (the median, and a 0/1 column for each feature with missing values) or "reject".
        embedding_components: principal components kept, 0 to d; 0 = all, unrotated.
        embedding_weight, feature_weight: of the blocks; finite, >= 0.
        clip: scaled numbers are held within [-clip, clip]; > 0.
        max_categories: the most frequent categories of each feature that are kept, at least 1; the others count as not
            seen in fitting. None = all, with a :class:`DataWarning` for a feature of more than 100.
        column_weights: a weight >= 0 for each feature, in the order of the columns, or a mapping by name (others 1).
        context: see :class:`covey.Context`.

    Fitted: ``n_features_out_``, the columns of a transformed row; ``keys_`` and ``key_name_`` of the rows, or None.
    Fitted objects are immutable and may be shared by threads. Pickles and copies keep the fit; ``save`` and ``load``
    keep it in a file that C and Java read too.
    """

    def __init__(
        self,
        *,
        scaling: str = "robust",
        missing: str = "median",
        embedding_components: int = 0,
        embedding_weight: float = 1.0,
        feature_weight: float = 1.0,
        clip: float = 10.0,
        column_weights: Any = None,
        max_categories: Optional[int] = None,
        context: Optional[Context] = None,
    ) -> None:
        self.scaling = scaling
        self.missing = missing
        self.embedding_components = embedding_components
        self.embedding_weight = embedding_weight
        self.feature_weight = feature_weight
        self.clip = clip
        self.column_weights = column_weights
        self.max_categories = max_categories
        self.context = context

    def fit(
        self, X: Any = None, y: Any = None, *, features: Any = None, key: Optional[str] = None, embeddings: Any = None
    ) -> "HybridFeatures":
        """Fits to n x d embeddings (float32 or float64) and a table of n rows (the README says what a table may be);
        either may be missing. O(n d + n f log n); with components O(n d^2).

        X: the embeddings, which `embeddings` names too; if there is no `features` and X has named columns, it is the
        table. y: labels, which are not read, as scikit-learn passes them; a table is refused there.
        key: the column (or the named index) of `features` that says which transaction a row is; it is no feature. None:
        the name of the embeddings' keys, where `features` has it. Where both have keys, the embeddings are put into the
        order of the features, and a feature row without an embedding is refused (MISMATCH).

        Errors: INVALID_ARGUMENT, INVALID_DATA (NaN in embeddings, infinities, no rows), MISMATCH (row counts),
        OUT_OF_MEMORY, CANCELLED."""
        _refuse_features(y)
        embeddings, features = _blocks(X, embeddings, features)
        return self._fit(embeddings, features, key)

    def _fit(self, embeddings: Any, features: Any, key: Optional[str]) -> "HybridFeatures":
        block, table, self.keys_, self.key_name_ = _inputs(embeddings, features, key)
        if table is not None:
            tell(limit_categories(table, self._most_categories()), stacklevel=4)
        weights = self._weights(table)
        options = _structs.HybridOptions(
            scaling=choice(self.scaling, "scaling", _SCALING),
            missing=choice(self.missing, "missing", _MISSING),
            embedding_components=integer(self.embedding_components, "embedding_components"),
            embedding_weight=real(self.embedding_weight, "embedding_weight"),
            feature_weight=real(self.feature_weight, "feature_weight"),
            clip=real(self.clip, "clip"),
            column_weights=None if weights is None else weights.ctypes.data,
        )
        pointer = c_void_p()
        with running(self.context) as native:
            call("covey_hybrid_fit", native, _reference(block), _table(table), byref(options), byref(pointer))
        self._fitted = Native(pointer.value, "covey_hybrid_destroy")
        self._kinds: Optional[dict[str, str]] = {} if table is None else table.kinds
        self.n_features_out_ = int(library.covey_hybrid_dimension(self._fitted))
        self.n_features_in_ = (0 if block is None else int(block[0].columns)) + (
            0 if table is None else len(table.names)
        )
        return self

    def transform(
        self, X: Any = None, features: Any = None, *, key: Optional[str] = None, embeddings: Any = None
    ) -> Any:
        """n rows x ``n_features_out_`` float32, which carry the keys; a frame where ``set_output`` asks for one. X,
        features and key as in :meth:`fit`. Columns of the table are found by name, whatever their order; others are
        ignored. Errors: as :meth:`fit`; MISMATCH names a column that is missing or of another kind."""
        handle = self._handle()
        embeddings, features = _blocks(X, embeddings, features)
        features = held(features)
        block, table, keys, key_name = _inputs(embeddings, features, key, self.key_name_, self._kinds)
        rows = block[0].rows if block is not None else table.rows if table is not None else 0
        output = np.empty((rows, self.n_features_out_), dtype=np.float32)
        with running(self.context) as native:
            call("covey_hybrid_transform", handle, native, _reference(block), _table(table), output.ctypes.data, 0)
        found = with_keys(output, keys, key_name)
        return output_of(self, found, features if features is not None else X)

    def fit_transform(
        self, X: Any = None, y: Any = None, *, features: Any = None, key: Optional[str] = None, embeddings: Any = None
    ) -> Any:
        """:meth:`fit`, then :meth:`transform` of the same rows."""
        _refuse_features(y)
        embeddings, features = _blocks(X, embeddings, features)
        features = held(features)
        return self._fit(embeddings, features, key).transform(None, features, key=key, embeddings=embeddings)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """The name of each transformed column: "embedding[3]", "amount", "country=NL", "age missing"."""
        handle = self._handle()
        names = [
            required_text(library.covey_hybrid_column_name(handle, index)) for index in range(self.n_features_out_)
        ]
        return np.array(names, dtype=object)

    def _most_categories(self) -> Optional[int]:
        most = None if self.max_categories is None else integer(self.max_categories, "max_categories")
        if most is not None and most < 1:
            raise InvalidArgumentError(f"max_categories must be at least 1 or None, got {most}")
        return most

    def _weights(self, table: Optional[Table]) -> Optional[NDArray[np.float64]]:
        given = self.column_weights
        if given is None:
            return None
        names = [] if table is None else table.names
        if isinstance(given, Mapping):
            unknown = [name for name in given if name not in names]
            if unknown:
                raise InvalidArgumentError(f"column_weights: {unknown[0]!r} is not a feature; there are {names}")
            return np.array(
                [real(given.get(name, 1.0), f"column_weights[{name!r}]") for name in names], dtype=np.float64
            )
        weights = contiguous(given, "column_weights", np.float64)
        if len(weights) != len(names):
            raise MismatchError(f"column_weights must have {len(names)} values, one a feature, got {len(weights)}")
        return weights

    def _handle(self) -> Native:
        fitted: Optional[Native] = self.__dict__.get("_fitted")
        if fitted is None:
            raise NotFittedError("this HybridFeatures is not fitted yet: call fit first")
        return fitted

    def save(self, path: Union[str, "os.PathLike[Any]"], *, context: Optional[Context] = None) -> None:
        """Writes the fitted transform to a file, whole or not at all. Errors: IO, OUT_OF_MEMORY, CANCELLED."""
        with running(context) as native:
            call("covey_hybrid_save", self._handle(), native, path_bytes(path))

    @classmethod
    def load(cls, path: Union[str, "os.PathLike[Any]"], *, context: Optional[Context] = None) -> "HybridFeatures":
        """Reads the fitted transform; its parameters, which fitting alone needs, are the defaults. The names of keys
        are not kept.
        Errors: IO, CORRUPT_FILE, UNSUPPORTED, OUT_OF_MEMORY."""
        pointer = c_void_p()
        with running(context) as native:
            call("covey_hybrid_load", native, path_bytes(path), byref(pointer))
        result = cls()
        result._fitted = Native(pointer.value, "covey_hybrid_destroy")
        # The file says which columns there are and of which kind, and the library looks for them.
        result._kinds, result.keys_, result.key_name_ = None, None, None
        result.n_features_out_ = int(library.covey_hybrid_dimension(result._fitted))
        return result

    def __deepcopy__(self, memo: Any) -> "HybridFeatures":
        # What is fitted never changes, so that copies share it.
        result = type(self).__new__(type(self))
        memo[id(self)] = result
        for name, value in self.__dict__.items():
            result.__dict__[name] = value if name == "_fitted" else copy.deepcopy(value, memo)
        return result

    def __copy__(self) -> "HybridFeatures":
        result = type(self).__new__(type(self))
        result.__dict__.update(self.__dict__)
        return result

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "_fitted" in state:
            state["_fitted"] = file_bytes("covey_hybrid_write", state["_fitted"])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if isinstance(state.get("_fitted"), bytes):
            state = {**state, "_fitted": read_bytes("covey_hybrid_read", state["_fitted"], "covey_hybrid_destroy")}
        super().__setstate__(state)

    def __sklearn_is_fitted__(self) -> bool:
        return "_fitted" in self.__dict__


@checked
def hybrid_features(embeddings: Any = None, features: Any = None, **options: Any) -> NDArray[np.float32]:
    """Embeddings (n x d) and expert features (a table of n rows) as the float32 rows to cluster.

    Example::

        rows = covey.hybrid_features(embeddings, features, clip=3.0)

    Takes the options of :class:`HybridFeatures` and returns
    ``HybridFeatures(**options).fit_transform(embeddings, features=features)``; keep the estimator where new
    transactions are to be scored.
    """
    rows: NDArray[np.float32] = HybridFeatures(**options).fit_transform(embeddings=embeddings, features=features)
    return rows


def _refuse_features(y: Any) -> None:
    """Labels have no place in features, and features none in the place of labels: a table there is a mistake."""
    shape = np.shape(y) if isinstance(y, np.ndarray) else getattr(y, "shape", ())
    if y is not None and (
        isinstance(y, Mapping)
        or (is_table(y) and not (len(shape) == 2 and shape[1] == 1))
        or (len(shape) == 2 and shape[1] != 1)
    ):
        raise InvalidTypeError(
            f"y is for labels, got a table ({type(y).__name__}): pass features by name, as features="
        )


def _blocks(X: Any, embeddings: Any, features: Any) -> tuple[Any, Any]:
    """Embeddings and features: X is one of them."""
    if X is None:
        return embeddings, features
    if embeddings is not None:
        raise InvalidArgumentError("X and embeddings are the same: pass one of them")
    if features is None and (isinstance(X, Mapping) or (is_table(X) and has_names(X))):
        return None, X
    return X, features


def _inputs(
    embeddings: Any,
    features: Any,
    key: Optional[str],
    usual: Optional[str] = None,
    kinds: Optional[dict[str, str]] = None,
) -> tuple[Optional[tuple[_structs.Matrix, Any]], Optional[Table], Optional[NDArray[Any]], Optional[str]]:
    """The matrix in the order of the table, the table without its keys, and the keys of the rows with their name."""
    features = held(features)
    own, own_name = keys_of(embeddings)
    keys, name = feature_keys(features, key, own_name or usual, own=own_name)
    chosen = alignment(own, keys, ("the embeddings", "the features"))
    if chosen is not None:
        embeddings = np.asarray(embeddings)[chosen]
    block = None if embeddings is None else matrix(embeddings, "embeddings")
    table = None if features is None else Table(features, kinds=kinds, without=name)
    return (block, table, own, own_name) if keys is None else (block, table, keys, name)


def _reference(block: Optional[tuple[_structs.Matrix, Any]]) -> Any:
    return None if block is None else byref(block[0])


def _table(table: Optional[Table]) -> Any:
    return None if table is None else byref(table.struct)
