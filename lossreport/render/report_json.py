"""The report as JSON, schema "lossreport/report/1" (report.schema.json beside this file)."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

from lossreport.gates.gate import Judged
from lossreport.reports.comparison import Comparison
from lossreport.reports.figures import Figures
from lossreport.reports.results import (
    SCHEMA,
    Group,
    Grouping,
    Ledger,
    Prediction,
    Recommendation,
    Report,
)
from lossreport.reports.where import Attribution, ByLevel, Concentration, Pattern, Slices


def to_json(report: Report) -> str:
    """Return the report as JSON text: the same report gives the same bytes."""
    return json.dumps(as_dict(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_dict(report: Report) -> dict[str, Any]:
    """Return the report as plain dicts and lists, as the JSON has it."""
    return {
        "schema": SCHEMA,
        "lossreport": report.version,
        "title": report.title,
        "sources": [asdict(s) for s in report.sources],
        "columns": {
            "actual": report.actual,
            "predicted": list(report.predicted),
            "time": report.time,
            "by": [list(g.by) for g in report.predictions[0].groupings],
            "found_by_name": list(report.found),
        },
        "rows": _ledger(report.rows),
        "time_span": list(report.span) if report.span else None,
        "predictions": [_prediction(p, report.keys) for p in report.predictions],
        "findings": [asdict(f) for f in report.findings],
        "gates": [_gate(g) for g in report.gates],
        "notes": list(report.notes),
        "joined": [asdict(j) for j in report.joins],
        "comparison": report.comparison and _comparison(report.comparison),
        "unit": report.unit,
        "private": report.private and asdict(report.private),
        "changes": report.changes and asdict(report.changes),
    }


def _gate(judged: Judged) -> dict[str, Any]:
    gate = {k: v for k, v in asdict(judged.gate).items() if k != "name"}
    return {
        "name": judged.name,
        "condition": judged.condition,
        "status": judged.status,
        "undecided": judged.undecided,
        "gate": {k: list(v) if isinstance(v, tuple) else v for k, v in gate.items()},
        "checks": [
            {**asdict(c), "by": list(c.by), "key": list(c.key)} for c in judged.gravest_first
        ],
    }


def _comparison(found: Comparison) -> dict[str, Any]:
    without = found.without and {
        "sources": [{"by": list(by), "key": list(key)} for by, key in found.without.sources],
        "n": found.without.n,
        "models": [asdict(m) for m in found.without.models],
        "said": found.without.said,
        "how": found.without.how,
    }
    return {**asdict(found), "without": without}


def _ledger(rows: Ledger) -> dict[str, Any]:
    return {"read": rows.read, "scored": rows.scored, "left_out": dict(rows.left_out)}


def _figures(figures: Figures) -> dict[str, Any]:
    return asdict(figures)


def _recommendation(recommendation: Recommendation) -> dict[str, Any]:
    advice = recommendation.advice
    return {
        "loss": advice.loss,
        "verdict": recommendation.headline,
        "because": list(recommendation.because),
        "kind": advice.verdict,
        "goal": advice.goal,
        "confidence": advice.confidence,
        "probability": advice.probability,
        "best_guess": advice.best_guess,
        "for_totals": advice.for_totals,
        "for_typical": advice.for_typical,
        "ruled_out": list(advice.ruled_out),
        "delta": advice.delta,
        "delta_quantile": advice.delta_quantile,
        "scale": advice.scale,
        "rows_needed": {k: v if math.isfinite(v) else None for k, v in advice.rows_needed},
        "efficiency": [asdict(e) for e in advice.efficiency],
        "lopsided": advice.lopsided,
        "flags": list(advice.flags),
        "broken_rows": advice.broken
        and {
            "rows": advice.broken.rows,
            "cut": advice.broken.cut,
            "times_further_out": advice.broken.factor,
            "share_of_sq_error": advice.broken.share_of_sq_error,
            "loss_if_repaired": advice.repaired and advice.repaired.best_guess,
            "delta_if_repaired": advice.repaired and advice.repaired.delta,
        },
        "quantile_level": advice.level,
        "shift": advice.shift,
        "weights_by": list(advice.weights_by),
        "levels_by": list(advice.levels_by),
        "levels_share": advice.levels_share,
        "drift": advice.drift and asdict(advice.drift),
    }


def _concentration(few: Concentration | None) -> dict[str, Any] | None:
    if few is None:
        return None
    place = few.place and {
        "by": list(few.place.by),
        "key": list(few.place.key),
        "rows": few.place.rows,
        "share_of_rows": few.place.share_of_rows,
        "without": _figures(few.place.without),
    }
    return {**asdict(few), "place": place}


def _attribution(found: Attribution | None) -> dict[str, Any] | None:
    """Return the sources and how many groups have each role; null if none were looked for."""
    if found is None:
        return None
    return {
        "sources": [{**asdict(o), "by": list(o.by), "key": list(o.key)} for o in found.origins],
        "affected": found.count("affected"),
        "part_of_the_source": found.count("part of the source"),
        "heavy_tail": found.count("heavy tail"),
        "without": found.without and _figures(found.without),
    }


def _pattern(pattern: Pattern) -> dict[str, Any]:
    return {
        "kind": pattern.kind,
        "what": pattern.what,
        "rows": pattern.rows,
        "of": pattern.of,
        "positions": list(pattern.positions),
        "elsewhere": pattern.elsewhere,
        "others": pattern.others,
        "sentence": pattern.sentence,
    }


def _levels(found: ByLevel | None) -> dict[str, Any] | None:
    if found is None:
        return None
    levels = found.levels
    return {
        "rows": found.rows,
        "all_rows": found.whole,
        "grows": levels.grows,
        "factor": levels.factor,
        "slope": levels.slope,
        "slope_low": levels.slope_low,
        "slope_high": levels.slope_high,
        "bands": [
            {**asdict(b), "high": b.high if b.high < math.inf else None} for b in levels.bands
        ],
        "bins": [asdict(b) for b in found.bins],
        "sentences": list(found.sentences),
    }


def _slices(slices: Slices) -> dict[str, Any]:
    found = [{**asdict(s), "by": list(s.by), "key": list(s.key)} for s in slices.found]
    return {"found": found, "looked_at": slices.looked_at, "note": slices.note}


def _group(group: Group) -> dict[str, Any]:
    return {
        "key": list(group.key),
        **_figures(group.figures),
        "rows": _ledger(group.rows),
        "share_of_rows": group.share_of_rows,
        "share_of_abs_error": group.share_of_abs_error,
        "share_of_sq_error": group.share_of_sq_error,
        "ratio_without": group.ratio_without,
        "without_source": group.without_source and _figures(group.without_source),
        "flagged": group.flagged,
        "biased": group.biased,
        "role": group.role,
        "too_few_rows": group.too_few_rows,
        "recommendation": _recommendation(group.recommendation),
    }


def _rest(grouping: Grouping) -> dict[str, Any] | None:
    """Return the groups that are not told apart, all together."""
    if grouping.rest_rows is None or grouping.rest_figures is None:
        return None
    rows, figures = _ledger(grouping.rest_rows), _figures(grouping.rest_figures)
    about = {"groups": grouping.rest_groups, "flagged": grouping.rest_flagged}
    return {**about, **figures, "rows": rows}


def _prediction(prediction: Prediction, keys: tuple[str, ...]) -> dict[str, Any]:
    return {
        "predicted": prediction.predicted,
        "rows": _ledger(prediction.rows),
        "tokens": [asdict(t) for t in prediction.tokens],
        "other_tokens": prediction.other_tokens,
        "overall": _figures(prediction.overall),
        "recommendation": {
            **_recommendation(prediction.recommendation),
            "settings": [asdict(s) for s in prediction.settings],
            "goals": [asdict(g) for g in prediction.goals],
        },
        "concentration": _concentration(prediction.concentration),
        "attribution": _attribution(prediction.attribution),
        "ranking_flips": list(prediction.ranking_flips),
        "slices": prediction.slices and _slices(prediction.slices),
        "groupings": [
            {
                "by": list(g.by),
                "ratio_inside": g.decomposition and g.decomposition.inside,
                "ratio_between": g.decomposition and g.decomposition.between,
                "groups": [_group(x) for x in g.groups],
                "rest": _rest(g),
            }
            for g in prediction.groupings
        ],
        "worst_rows": [
            {**asdict(w), "keys": dict(zip(keys, w.keys, strict=True))} for w in prediction.worst
        ],
        "metrics": [asdict(m) for m in prediction.metrics],
        "exceedance": [asdict(e) for e in prediction.exceedance],
        "quantiles": [asdict(q) for q in prediction.quantiles],
        "patterns": [_pattern(p) for p in prediction.patterns],
        "levels": _levels(prediction.levels),
        "timeline": [{"start": t.start, **_figures(t.figures)} for t in prediction.timeline],
    }
