"""A table of plain values, and what becomes of it as a frame of Polars or pandas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lossreport.formats import key_value, visible

if TYPE_CHECKING:
    import pandas
    import polars

Column = tuple[str, type]
"""A name, and the type of its values: str, int, float or bool; each may be None."""


@dataclass(frozen=True)
class Table:
    """Rows of plain values under named columns."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]

    def to_polars(self) -> polars.DataFrame:
        """Return the table as a Polars frame; what does not exist is null."""
        import polars

        return polars.DataFrame(self.rows, schema=list(self.columns), orient="row")

    def to_pandas(self) -> pandas.DataFrame:
        """Return the table as a pandas frame; what does not exist is NA (in floats NaN)."""
        import pandas

        types = {str: "str", int: "Int64", float: "float64", bool: "boolean"}
        each: Any = zip(*self.rows, strict=True) if self.rows else [()] * len(self.columns)
        return pandas.DataFrame(
            {
                name: pandas.Series(list(values), dtype=types[kind])
                for (name, kind), values in zip(self.columns, each, strict=True)
            }
        )


def shown_key(value: str | None) -> str:
    """Return a group's value as it is, or in words where it has none."""
    shown = key_value(value)
    return value if value is not None and shown == visible(value) else shown
