"""Regression problems from the data sets that ship inside scikit-learn and statsmodels.

All of at least 51 rows, none of them downloaded; of the two that are larger, 1,500 rows are drawn
(seeded). A series is predicted from its own past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

AT_MOST = 1500


@dataclass(frozen=True)
class Problem:
    """A target to be predicted from features; no value is missing."""

    data: str
    """Name of the data set: problems of one data set are not independent."""
    target: str
    x: Floats
    """Shape (rows, features)."""
    y: Floats


def problems() -> tuple[Problem, ...]:
    """Return all problems, in a fixed order."""
    made: list[Problem] = []
    for data, load, tasks in (*_from_sklearn(), *_from_statsmodels()):
        frame = load()
        made += [_problem(data, frame, target, features) for target, features in tasks]
    return tuple(made)


Source = tuple[str, Callable[[], pd.DataFrame], list[tuple[str, list[str]]]]


def _problem(data: str, frame: pd.DataFrame, target: str, features: list[str]) -> Problem:
    """Predict one column from some, or from all others if none are named."""
    features = features or [c for c in frame.columns if c != target]
    kept = frame[[target, *features]].dropna()
    if len(kept) > AT_MOST:
        chosen = np.random.default_rng(2026).choice(len(kept), AT_MOST, replace=False)
        kept = kept.iloc[np.sort(chosen)]
    values = kept.to_numpy(dtype=np.float64)
    return Problem(data, target, values[:, 1:], values[:, 0])


def _sklearn(name: str, **options: Any) -> Callable[[], pd.DataFrame]:
    def load() -> pd.DataFrame:
        loader = getattr(import_module("sklearn.datasets"), f"load_{name}")
        frame: pd.DataFrame = loader(as_frame=True, **options).data
        return frame

    return load


def _statsmodels(name: str) -> pd.DataFrame:
    frame: pd.DataFrame = import_module(f"statsmodels.datasets.{name}").load_pandas().data
    return frame


def _from_sklearn() -> tuple[Source, ...]:
    tumour = [
        f"mean {c}" for c in ("radius", "texture", "smoothness", "compactness", "concavity",
                              "concave points", "symmetry", "fractal dimension")
    ]  # fmt: skip

    def but(target: str) -> list[str]:
        return [c for c in tumour if c != target]

    return (
        ("diabetes", _diabetes, [("target", [])]),
        ("wine", _sklearn("wine"), [("proline", []), ("color_intensity", []), ("malic_acid", [])]),
        ("iris", _sklearn("iris"), [("sepal length (cm)", []), ("petal width (cm)", [])]),
        (
            "breast_cancer",
            _sklearn("breast_cancer"),
            [
                *((c, but(c)) for c in ("mean texture", "mean fractal dimension")),
                ("area error", tumour),
                ("symmetry error", tumour),
            ],
        ),
    )


def _diabetes() -> pd.DataFrame:
    frame: pd.DataFrame = import_module("sklearn.datasets").load_diabetes(as_frame=True).frame
    return frame


def _from_statsmodels() -> tuple[Source, ...]:
    def of(name: str) -> Callable[[], pd.DataFrame]:
        return lambda: _statsmodels(name)

    voter = ["TVnews", "selfLR", "age", "educ", "income", "vote", "logpopul"]
    school = ["LOWINC", "PERASIAN", "PERBLACK", "PERHISP", "PERMINTE", "AVYRSEXP", "AVSALK",
              "PERSPENK", "PTRATIO", "PCTAF", "PCTCHRT", "PCTYRRND"]  # fmt: skip
    state = ["hs_grad", "poverty", "single", "white", "urban"]
    return (
        (
            "anes96",
            of("anes96"),
            [(t, [c for c in voter if c != t]) for t in ("age", "income", "logpopul")],
        ),
        ("cancer", of("cancer"), [("cancer", ["population"])]),
        ("ccard", of("ccard"), [("AVGEXP", [])]),
        ("co2", lambda: _past(_statsmodels("co2")["co2"].dropna(), (1, 2, 52)), [("now", [])]),
        ("danish_data", of("danish_data"), [("lrm", [])]),
        (
            "elec_equip",
            lambda: _past(_statsmodels("elec_equip").iloc[:, 0], (1, 2, 12)),
            [("now", [])],
        ),
        ("elnino", _elnino, [("now", [])]),
        ("engel", of("engel"), [("foodexp", ["income"])]),
        ("fair", of("fair"), [("affairs", []), ("rate_marriage", [])]),
        ("fertility", of("fertility"), [("2011", ["2001", "1991", "1981", "1971"])]),
        ("grunfeld", of("grunfeld"), [("invest", ["value", "capital", "year"])]),
        ("heart", of("heart"), [("survival", ["age", "censors"])]),
        ("interest_inflation", _inflation, [("Dp", ["Dp1", "R1"]), ("R", ["Dp1", "R1"])]),
        (
            "macrodata",
            _macro,
            [
                ("infl", ["infl1", "unemp1", "tbilrate1"]),
                ("investment", ["investment1", "consumption"]),
                ("unemp", ["unemp1", "infl1", "consumption"]),
            ],
        ),
        (
            "modechoice",
            of("modechoice"),
            [
                ("gc", ["invc", "invt", "hinc", "psize"]),
                ("invt", ["mode", "invc", "hinc", "psize"]),
            ],
        ),
        ("nile", lambda: _past(_statsmodels("nile")["volume"], (1, 2)), [("now", [])]),
        ("randhie", of("randhie"), [("mdvis", [])]),
        (
            "star98",
            _star98,
            [
                ("above", school),
                *((t, [c for c in school if c != t]) for t in ("LOWINC", "AVSALK")),
            ],
        ),
        ("statecrime", of("statecrime"), [("violent", state), ("murder", state)]),
        ("strikes", of("strikes"), [("duration", ["iprod"])]),
        (
            "sunspots",
            lambda: _past(_statsmodels("sunspots")["SUNACTIVITY"], (1, 2, 11)),
            [("now", [])],
        ),
    )


def _past(series: pd.Series[Any], lags: Iterable[int]) -> pd.DataFrame:
    """Return a series beside its own values some steps before."""
    values = series.reset_index(drop=True)
    return pd.DataFrame({"now": values, **{f"lag{k}": values.shift(k) for k in lags}})


def _elnino() -> pd.DataFrame:
    months = _statsmodels("elnino").set_index("YEAR")
    return _past(pd.Series(months.to_numpy().reshape(-1)), (1, 2, 12))


def _inflation() -> pd.DataFrame:
    frame = _statsmodels("interest_inflation")[["Dp", "R"]]
    return frame.assign(Dp1=frame["Dp"].shift(1), R1=frame["R"].shift(1))


def _macro() -> pd.DataFrame:
    frame = _statsmodels("macrodata")
    growth = frame[["realinv", "realcons"]].apply(np.log).diff() * 100
    frame = frame.assign(investment=growth["realinv"], consumption=growth["realcons"])
    for name in ("infl", "unemp", "tbilrate", "investment"):
        frame[f"{name}1"] = frame[name].shift(1)
    return frame


def _star98() -> pd.DataFrame:
    frame = _statsmodels("star98")
    return frame.assign(above=frame["NABOVE"] / (frame["NABOVE"] + frame["NBELOW"]))
