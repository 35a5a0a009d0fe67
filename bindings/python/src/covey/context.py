"""Threads, memory budget, progress and cancel (covey.h section 3), and Python's own interruptions."""

from __future__ import annotations

import os
import signal
import threading
from ctypes import byref, c_void_p
from typing import Any, Callable, Literal, Optional, Union

from . import _structs
from ._arguments import checked, checked_methods
from ._arrays import choice, integer
from ._errors import InvalidTypeError
from ._handle import Handle, Native
from ._library import call, library
from ._logging import StageLog, stage_log
from ._progress import ProgressLine, is_watched

#: Called with the running stage and the fraction done, 0 to 1.
Progress = Callable[[str, float], Any]


#: By their names in :func:`set_instructions`; the numbers are those of COVEY_INSTRUCTIONS_...
_INSTRUCTIONS = {"all": 0, "avx2": 1, "no_amx": 2}


@checked
def set_instructions(instructions: str) -> None:
    """Sets the instructions of the whole process, before anything else of this module is used.

    Args:
        instructions: "all" (default) = all that the processor has, up to AVX-512 and AMX. "no_amx" = all but AMX, for a
            process with signal stacks below 11 KB; results have the same bytes. "avx2" = AVX2 and FMA alone: all
            results then have the same bytes on every processor that has both (Intel since 2013, AMD since 2015), with
            the same C library. Without AVX-512 this costs nothing.

    Errors: INVALID_ARGUMENT (unknown, or too late); UNSUPPORTED (the processor lacks AVX2 or FMA).
    """
    call("covey_set_instructions", choice(instructions, "instructions", _INSTRUCTIONS))


@checked_methods
class Context(Handle):
    """How calls run. Pass it as ``context=`` to any call; ``None`` stands for all processors and all memory.

    Example::

        context = covey.Context(threads=2, memory_budget=10**9)
        covey.HDBSCAN(min_cluster_size=15, context=context).fit(rows)

    Args:
        threads: threads that a call may use, 0 to 1024; 0 = the processors this process may run on. Results never
            depend on it.
        memory_budget: bytes that a call may allocate beside its input; 0 = the machine's physical memory. More gives
            ``CoveyError`` with OUT_OF_MEMORY.
        progress: called as ``progress(stage, fraction)`` at most about 50 times a second, on the thread that made the
            call. A true result stops the call with CANCELLED; an exception stops it and is raised from the call. None:
            in a terminal or a notebook a line on standard error says how far a call is that takes longer than two
            seconds. False: nothing is shown.

    Log: the logger "covey" of Python's ``logging`` gets each stage of a call with its seconds, at the level INFO.

    Threads: any number of threads may share a context. Long calls on the main thread can be interrupted by Ctrl-C
    (or by any other Python handler of SIGINT that raises), with or without a context.
    """

    def __init__(
        self, threads: int = 0, memory_budget: int = 0, progress: Union[None, Literal[False], Progress] = None
    ) -> None:
        if progress is not None and progress is not False and not callable(progress):
            raise InvalidTypeError(f"progress must be callable, None or False, got {type(progress).__name__}")
        self.threads = integer(threads, "threads", bits=32)
        self.memory_budget = integer(memory_budget, "memory_budget", bits=64, signed=False)
        self.progress = progress
        options = _structs.ContextOptions(threads=self.threads, memory_budget=self.memory_budget, progress=_trampoline)
        pointer = c_void_p()
        call("covey_context_create", byref(options), byref(pointer))
        self._native = Native(pointer.value, "covey_context_destroy")
        self._lock = threading.Lock()
        self._works: list[Any] = []

    def cancel(self) -> None:
        """Stops every call that is running with this context now, within about 100 ms; later calls are not affected.
        From any thread."""
        library.covey_cancel(self._handle())
        with self._lock:
            works = list(self._works)
        for work in works:
            work.cancel()

    def _begin(self, work: Any) -> None:
        """A part of a call that Python does itself, which :meth:`cancel` stops too."""
        with self._lock:
            self._works.append(work)

    def _end(self, work: Any) -> None:
        with self._lock:
            self._works.remove(work)

    def __copy__(self) -> "Context":
        return self

    def __deepcopy__(self, memo: object) -> "Context":
        return self  # sklearn.base.clone copies parameters; the context is shared, as it is immutable

    def __reduce__(self) -> Any:
        return Context, (self.threads, self.memory_budget)  # a progress callback does not travel

    def __repr__(self) -> str:
        return f"Context(threads={self.threads}, memory_budget={self.memory_budget})"


class running:
    """``with running(context) as native:`` one call into the library: delivers progress, re-raises what Python code
    raised meanwhile, and lets Ctrl-C stop the call."""

    __slots__ = ("_context", "_native", "_failure", "_handler", "_temporary", "_line", "_log")

    def __init__(self, context: Optional[Context]) -> None:
        if context is None:
            context = _default()
        elif not isinstance(context, Context):
            raise InvalidTypeError(f"context must be a covey.Context or None, got {type(context).__name__}")
        self._context = context
        self._native = context._handle()
        self._failure: Optional[BaseException] = None
        self._handler: Any = None
        self._temporary: Any = None
        self._line: Optional[ProgressLine] = None
        self._log: Optional[StageLog] = None

    def __enter__(self) -> Native:
        if self._context.progress is None and not frames() and is_watched():
            self._line = ProgressLine()
        self._log = stage_log()
        frames().append(self)
        # A handler that raises inside the callback would lose its exception to ctypes; it is kept here instead.
        if threading.current_thread() is threading.main_thread():
            handler = signal.getsignal(signal.SIGINT)
            if callable(handler):
                try:
                    self._temporary = self._interrupted
                    signal.signal(signal.SIGINT, self._temporary)
                    self._handler = handler
                except ValueError:  # a sub-interpreter
                    pass
        return self._native

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if self._handler is not None and signal.getsignal(signal.SIGINT) == self._temporary:
            signal.signal(signal.SIGINT, self._handler)
        frames().pop()
        if self._line is not None:
            self._line.close()
        if self._log is not None:
            self._log.close()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure from None

    def _interrupted(self, number: int, frame: Any) -> None:
        try:
            self._handler(number, frame)
        except BaseException as failure:
            self._failure = failure

    def report(self, stage: bytes, fraction: float) -> int:
        try:
            progress = self._context.progress
            if self._line is not None:
                self._line.report(stage.decode("utf-8"), fraction)
            if self._log is not None:
                self._log.report(stage.decode("utf-8"))
            if self._failure is None and progress and progress(stage.decode("utf-8"), fraction):
                return 1
        except BaseException as failure:
            self._failure = failure
        return 0 if self._failure is None else 1


_local = threading.local()


def frames() -> list[running]:
    """The calls that this thread is in, outermost first: a progress callback may itself call with another context."""
    found: list[running] = _local.__dict__.setdefault("frames", [])
    return found


@_structs.ProgressFunction
def _trampoline(user_data: Any, stage: bytes, fraction: float) -> int:
    return frames()[-1].report(stage, fraction)


_shared: Optional[Context] = None


def _default() -> Context:
    """The context of calls that are given none: one a process, made when first needed."""
    global _shared
    context = _shared
    if context is None or context.closed:
        context = _shared = Context()
    return context


def _after_fork() -> None:
    global _shared
    _shared = None  # its mutex may have been held by a thread that the child does not have


os.register_at_fork(after_in_child=_after_fork)
