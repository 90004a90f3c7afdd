"""Tells which loss suits a prediction log, and whether the log can be trusted.

>>> import lossreport
>>> report = lossreport.report("example_logs/apples.csv")
>>> report.predictions[0].overall.mae
6.666666666666667
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lossreport.version import __version__

if TYPE_CHECKING:
    from lossreport.errors import LossReportError, UnreadableLogError, UsageError
    from lossreport.gates.config import read_config
    from lossreport.gates.judging import judge
    from lossreport.losses import huber, mae, mse, rmse
    from lossreport.profiles.file import load_profile, save_profile
    from lossreport.profiles.merging import merge
    from lossreport.profiling import profile
    from lossreport.render.card import to_png
    from lossreport.render.csv_files import to_csv
    from lossreport.render.markdown import to_markdown
    from lossreport.render.page import render_page
    from lossreport.render.plain_text import to_text
    from lossreport.render.report_json import to_json
    from lossreport.reporting import report

_WHERE = {
    "LossReportError": "errors",
    "UnreadableLogError": "errors",
    "UsageError": "errors",
    "huber": "losses",
    "judge": "gates.judging",
    "load_profile": "profiles.file",
    "mae": "losses",
    "merge": "profiles.merging",
    "mse": "losses",
    "profile": "profiling",
    "read_config": "gates.config",
    "render_page": "render.page",
    "report": "reporting",
    "rmse": "losses",
    "save_profile": "profiles.file",
    "to_csv": "render.csv_files",
    "to_json": "render.report_json",
    "to_markdown": "render.markdown",
    "to_png": "render.card",
    "to_text": "render.plain_text",
}

__all__ = [
    "LossReportError",
    "UnreadableLogError",
    "UsageError",
    "__version__",
    "huber",
    "judge",
    "load_profile",
    "mae",
    "merge",
    "mse",
    "profile",
    "read_config",
    "render_page",
    "report",
    "rmse",
    "save_profile",
    "to_csv",
    "to_json",
    "to_markdown",
    "to_png",
    "to_text",
]


def __getattr__(name: str) -> Any:
    # Imported where first used, so that `import lossreport` and `lossreport --help` are quick.
    if name not in _WHERE:
        raise AttributeError(f"module 'lossreport' has no attribute {name!r}")
    return getattr(import_module(f"lossreport.{_WHERE[name]}"), name)
