"""Calls with arguments that a function does not take, told as a CoveyError."""

from __future__ import annotations

import difflib
import functools
import inspect
from typing import Any, Callable, TypeVar

from ._errors import CoveyError, InvalidTypeError

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)


def checked(function: F) -> F:
    """A keyword that the function does not know, or a missing argument, is an InvalidTypeError, which is a TypeError
    too."""

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except TypeError as failure:
            wrong = None if isinstance(failure, CoveyError) else _wrong(function, arguments, options)
            if wrong is None:
                raise
            raise InvalidTypeError(wrong) from None

    return call  # type: ignore[return-value]


def checked_methods(kind: C) -> C:
    """`checked` for all public methods that a class defines, and for making one."""
    for name, value in list(vars(kind).items()):
        if name.startswith("_") and name != "__init__":
            continue
        if isinstance(value, (classmethod, staticmethod)):
            setattr(kind, name, type(value)(checked(value.__func__)))
        elif inspect.isfunction(value):
            setattr(kind, name, checked(value))
    return kind


def _wrong(function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> "str | None":
    signature = inspect.signature(function)
    try:
        signature.bind(*arguments, **options)
    except TypeError as failure:
        name = _name(function, arguments).replace(".__init__", "")
        known = [label for label in signature.parameters if label not in ("self", "cls")]
        for option in options:
            if option not in known:
                return unknown_argument(name, option, known)
        return f"{name}: {failure}"
    return None


def _name(function: Callable[..., Any], arguments: tuple[Any, ...]) -> str:
    """What users call a function: a method by the class of its object, also if a part of that class defines it."""
    if not arguments or "." not in function.__qualname__:
        return function.__qualname__
    kind = arguments[0] if isinstance(arguments[0], type) else type(arguments[0])
    known = getattr(kind, function.__name__, None)
    same = inspect.unwrap(getattr(known, "__func__", known)) is function if callable(known) else False
    return f"{kind.__name__}.{function.__name__}" if same else function.__qualname__


def unknown_argument(call: str, option: str, known: list[str]) -> str:
    """Says that a call has no such argument, and which of those it has may be meant."""
    close = difflib.get_close_matches(option, known, 1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"{call} has no argument {option!r}{hint}"
