"""The ``labels(...)`` of a family, as a function of its own.

Sorting keywords into label names is what the interpreter does fastest, so each family gets a function whose
parameters are its labels, and the look-up of a known combination is one subscript inside it. Like a dataclass's
``__init__`` it is compiled from text; the only text in it is label names, which the catalog has checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

__all__ = ["MISSING", "Born", "labels_function"]

B = TypeVar("B")
Born = Callable[[tuple[object, ...], bool, Mapping[str, object]], B]
"""Finds or makes a series: the values by position, whether any came without a name, and what had a wrong one."""


class _Missing:
    """Stands for a label the caller left out."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


def labels_function(names: tuple[str, ...], series: Mapping[tuple[str, ...], B], born: Born[B]) -> Callable[..., B]:
    """Build ``labels(*, <names>)`` over ``series``; whatever is not found there, or not right, goes to ``born``.

    It accepts any arguments, because a telemetry call never raises: the type checker refuses wrong names, and at
    runtime ``born`` counts them.
    """
    parameters = "".join(f", {name}=_MISSING" for name in names)
    values = "(" + "".join(f"{name}, " for name in names) + ")"
    source = (
        f"def labels(*_nameless{parameters}, **_unknown):\n"
        f"    try:\n"
        f"        if not _unknown:\n"
        f"            return _series[{values}]\n"
        f"    except Exception:\n"
        f"        pass\n"
        f"    return _born({values}, bool(_nameless), _unknown)\n"
    )
    namespace: dict[str, Any] = {"_series": series, "_born": born, "_MISSING": MISSING}
    exec(compile(source, "<obslib labels>", "exec"), namespace)
    return cast("Callable[..., B]", namespace["labels"])
