"""The architecture: imports go downwards only, and heavy packages are imported where used."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "lossreport"
# From the top floor to the bottom; modules of one line do not import each other.
FLOORS = [
    ["__main__"],
    ["cli"],
    [
        "commands.config",
        "commands.history",
        "commands.index",
        "commands.inspect",
        "commands.profile",
        "commands.report",
    ],
    ["commands.defaults", "commands.remembering", "commands.telling"],
    ["commands.console", "commands.reading"],
    ["options"],
    ["outputs", "pages", "progress", "reporting"],
    ["gates.config"],
    ["render.notebook"],
    ["render.more_groups"],
    [
        "gates.judging",
        "gates.parsing",
        "gates.toml_lines",
        "notifying",
        "render.annotations",
        "render.card",
        "render.csv_files",
        "render.index",
        "render.gate_table",
        "render.junit",
        "render.markdown",
        "render.message",
        "render.page",
        "render.plain_text",
        "render.prometheus",
        "render.report_json",
        "render.terminal",
        "render.terminal_colours",
    ],
    [
        "render.charts",
        "render.level_chart",
        "render.loss_charts",
        "render.penalties",
        "render.ruler",
        "render.source_charts",
        "reports.tables",
    ],
    ["reports.private", "reports.tables_found"],
    [
        "render.summaries",
        "render.templating",
        "reports.build",
        "reports.private_groups",
        "reports.table",
    ],
    ["reports.private_figures"],
    ["reports.private_fields"],
    ["render.drawing", "render.labels", "render.short_forms", "render.sparklines"],
    ["output_files", "profiling"],
    ["nights.saved", "nights.upkeep"],
    ["nights.history"],
    ["nights.months", "nights.places"],
    ["render.svg", "nights.names", "writing"],
    ["profiles.elsewhere"],
    ["profiles.file"],
    ["reports.comparing"],
    ["reports.prediction"],
    ["reports.located", "reports.over_time", "reports.groupings", "reports.patterns"],
    ["reports.place_fits"],
    ["reports.row_fits"],
    ["reports.findings"],
    ["reports.log_findings"],
    ["reports.issues"],
    ["reports.advising", "reports.biased", "reports.ranking_flips", "reports.slices"],
    ["reports.scored"],
    ["reports.wording"],
    [
        "reports.attribution",
        "reports.by_level",
        "reports.comparing_groups",
        "reports.comparing_words",
        "reports.concentration",
        "reports.reconcile",
        "reports.recommending",
    ],
    ["reports.level_words"],
    ["checks.all"],
    [
        "checks.order",
        "checks.pairs",
        "checks.places",
        "checks.repeats",
        "checks.totals",
        "checks.units",
        "checks.values",
    ],
    ["checks.placeholders"],
    ["reports.joined"],
    ["reports.groups"],
    ["reports.index"],
    ["reports.summary"],
    ["gates.baseline", "gates.wording"],
    ["gates.values"],
    ["reports.results", "reports.ranking"],
    ["nights.tonight"],
    ["nights.events", "nights.trends"],
    ["nights.following"],
    ["nights.gathering", "nights.membership", "nights.differences"],
    ["nights.levels", "nights.words"],
    ["nights.breaks"],
    ["nights.reference", "nights.baseline"],
    ["nights.series"],
    ["nights.changes"],
    ["reports.differences"],
    ["reports.comparison"],
    ["reports.goals", "reports.metrics", "reports.seen", "reports.where"],
    ["reports.filters"],
    ["checks.view"],
    ["reports.curves", "reports.efficiency", "reports.figures", "checks.finding", "gates.gate"],
    ["advice.probabilities", "advice.settings"],
    ["advice.choice"],
    ["advice.picking"],
    ["advice.advice", "advice.usual"],
    ["advice.families"],
    ["advice.drift"],
    ["advice.levels", "advice.mixing", "advice.resampling"],
    ["advice.bins"],
    ["advice.shape"],
    ["advice.centres", "advice.gap", "advice.level"],
    ["advice.histogram", "profiles.of_log", "profiles.centring"],
    ["profiles.scan"],
    ["profiles.gathering"],
    ["profiles.kept_rows", "profiles.shared_rows_sums"],
    ["profiles.summing"],
    ["profiles.cells", "profiles.merging"],
    ["profiles.compiling", "profiles.profile"],
    ["profiles.bin_edges"],
    ["profiles.loops"],
    ["profiles.shared_rows"],
    ["logs.engines"],
    ["logs.queries", "logs.spark_session"],
    ["logs.joining", "logs.opening", "logs.frames", "logs.spark"],
    ["logs.json_text", "logs.pandas_files", "logs.partitions", "logs.text"],
    ["logs.pandas_frames"],
    ["logs.object_stores"],
    ["logs.arrow_stream", "logs.fields", "logs.files", "logs.json_layout"],
    ["logs.json_arrays", "logs.json_columns"],
    ["logs.tables"],
    ["logs.kinds"],
    ["logs.dialect", "logs.keys", "logs.log"],
    ["logs.rows"],
    ["logs.heading", "logs.part"],
    ["losses", "profiles.evidence", "profiles.statistics", "logs.separators"],
    ["arguments", "logs.columns", "logs.patience"],
    ["formats"],
    ["logs.time_role", "logs.value_roles"],
    ["logs.names", "logs.times"],
    ["logs.digits"],
    ["logs.values", "logs.shape"],
    ["logs.compression", "logs.encoding", "logs.numerals", "logs.records"],
    ["logs.number_style"],
    ["chances", "errors", "version"],
]
HEAVY = {
    "matplotlib": {"render.card", "render.drawing"},
    "jinja2": {"render.templating"},
    "obstore": {"logs.object_stores", "nights.places"},
    "markupsafe": {"render.templating"},
    "typer": {
        "cli",
        "commands.config",
        "commands.console",
        "commands.index",
        "commands.defaults",
        "commands.history",
        "commands.profile",
        "commands.report",
        "commands.telling",
        "options",
    },
    "numba": {"profiles.compiling"},
    "pandas": {"logs.pandas_files", "profiles.summing", "reports.table"},
    "pyarrow": {"logs.spark"},
    "pyspark": {"logs.spark", "logs.spark_session"},
}
NOT_AT_IMPORT = {"matplotlib", "numba", "obstore", "pyarrow", "pyspark", "rich"}


def text_of(module: str) -> str:
    return (PACKAGE / f"{module.replace('.', '/')}.py").read_text("utf-8")


def imports(module: str, *, top_level: bool = False) -> set[str]:
    tree = ast.parse(text_of(module))
    nodes = tree.body if top_level else list(ast.walk(tree))
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


MODULES = sorted(
    ".".join(p.relative_to(PACKAGE).with_suffix("").parts)
    for p in PACKAGE.rglob("*.py")
    if p.stem != "__init__"
)
LEVEL = {module: level for level, floor in enumerate(FLOORS) for module in floor}


def test_every_module_has_its_floor() -> None:
    assert set(LEVEL) == set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_downwards_only(module: str) -> None:
    ours = {i.removeprefix("lossreport.") for i in imports(module)}
    upwards = {m for m in ours & set(LEVEL) if LEVEL[m] <= LEVEL[module]}
    assert not upwards


@pytest.mark.parametrize("package", HEAVY)
def test_only_one_module_imports(package: str) -> None:
    users = {m for m in MODULES if any(i.split(".")[0] == package for i in imports(m))}
    assert users <= HEAVY[package]


@pytest.mark.parametrize("module", MODULES)
def test_slow_packages_are_not_imported_at_the_top(module: str) -> None:
    top = {i.split(".")[0] for i in imports(module, top_level=True)}
    assert not top & NOT_AT_IMPORT


@pytest.mark.parametrize("module", MODULES)
def test_modules_and_functions_stay_readable(module: str) -> None:
    text = text_of(module)
    assert len(text.splitlines()) <= 400
    assert ast.get_docstring(ast.parse(text))
