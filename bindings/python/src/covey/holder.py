"""An engine that is exchanged while it scores."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any, Callable, Optional, Union

from ._html import Shown
from ._arguments import checked_methods
from ._arrays import real
from ._errors import CoveyError, InvalidArgumentError, InvalidTypeError
from ._scores import Scores
from .context import Context
from .engine import Engine

#: Least and most seconds between two looks: a thread that does not wait would take a processor.
_PAUSES = (0.01, 86_400)


@checked_methods
class EngineHolder(Shown):
    """Holds an engine that is loaded from a file, and exchanges it between two calls.

    A call that scores uses the engine that was held when it began, to its end; nobody waits for a reload but who asked
    for it, and the old engine is freed when its last call ends. Where a reload fails the old engine stays. For any
    number of threads::

        with covey.EngineHolder("shop.engine") as holder:
            holder.watch(seconds=5)
            scores = holder.score(sequences, features)

    Attributes:
        path: of the file that the engine was read from.
    """

    def __init__(self, path: Union[str, "os.PathLike[Any]"], *, context: Optional[Context] = None) -> None:
        """Loads the engine with one thread, unless `context` says otherwise. Errors: as :meth:`Engine.load`."""
        self._context = Context(threads=1) if context is None else context
        self._loading = threading.Lock()
        self._stop = threading.Event()
        self._watcher: Optional[threading.Thread] = None
        self._mark: Any = None
        self._seen: Any = None
        self._closed = False
        self.path = path
        self._engine: Optional[Engine] = None
        self.reload()

    @property
    def engine(self) -> Engine:
        """The engine that is held now."""
        engine = self._engine
        if engine is None:
            raise InvalidArgumentError("this EngineHolder is closed")
        return engine

    def score(self, sequences: Any = None, features: Any = None, **options: Any) -> Scores:
        """As :meth:`Engine.score` of the engine that is held now."""
        return self.engine.score(sequences, features, **options)

    def exchange(self, engine: Engine) -> None:
        """Holds another engine from now on."""
        if not isinstance(engine, Engine):
            raise InvalidArgumentError(f"engine must be an Engine, got {engine!r}")
        if self._closed:
            raise InvalidArgumentError("this EngineHolder is closed")
        self._engine = engine

    def reload(self, path: Union[None, str, "os.PathLike[Any]"] = None) -> Engine:
        """Loads the file again, or another one, and holds its engine from now on. Errors: as :meth:`Engine.load`."""
        with self._loading:
            chosen = self.path if path is None else path
            mark = _mark(chosen)
            engine = Engine.load(chosen, context=self._context)
            self.exchange(engine)
            self.path, self._mark = chosen, mark
            return engine

    def watch(self, seconds: float = 5.0, failed: Optional[Callable[[CoveyError], None]] = None) -> None:
        """Looks at the file every `seconds` seconds, on its own thread, and reloads it where it was replaced.
        Ends with :meth:`close`, and when nobody has the holder any more.

        Args:
            seconds: 0.01 to 86,400.
            failed: told of reloads that fail. What it raises goes to ``threading.excepthook``, and the watch goes on.
        """
        pause = real(seconds, "seconds")
        if not _PAUSES[0] <= pause <= _PAUSES[1]:
            raise InvalidArgumentError(f"seconds must be {_PAUSES[0]} to {_PAUSES[1]}, got {seconds}")
        if failed is not None and not callable(failed):
            raise InvalidTypeError(f"failed must be callable or None, got {failed!r}")
        if self._closed:
            raise InvalidArgumentError("this EngineHolder is closed")
        if self._watcher is not None:
            raise InvalidArgumentError("this EngineHolder watches its file already")
        self._seen = self._mark
        self._watcher = threading.Thread(
            target=_watch, args=(weakref.ref(self), self._stop, pause, failed), daemon=True, name="covey-engine"
        )
        self._watcher.start()
        weakref.finalize(self, self._stop.set)

    def _look(self, failed: Optional[Callable[[CoveyError], None]]) -> None:
        mark = _mark(self.path)
        if mark is None or mark == self._seen or mark == self._mark:
            return
        self._seen = mark  # a file that does not load is not read again and again
        try:
            self.reload()
        except CoveyError as failure:
            if failed is not None and not self._closed:
                failed(failure)

    def close(self) -> None:
        """Stops watching and lets the engine go; calls that run end as they are."""
        self._closed = True
        self._stop.set()
        if self._watcher is not None and self._watcher is not threading.current_thread():
            self._watcher.join()
        self._engine = None

    def __enter__(self) -> "EngineHolder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"EngineHolder({self._engine!r})"


def _watch(
    owner: "weakref.ref[EngineHolder]",
    stop: threading.Event,
    pause: float,
    failed: Optional[Callable[[CoveyError], None]],
) -> None:
    while not stop.wait(pause):
        holder = owner()
        if holder is None:
            return
        try:
            holder._look(failed)
        except Exception as failure:
            told = (type(failure), failure, failure.__traceback__, threading.current_thread())
            threading.excepthook(threading.ExceptHookArgs(told))
        del holder  # the thread keeps no holder alive while it waits


def _mark(path: Any) -> Any:
    """What tells one file of this name from the next; None if there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
