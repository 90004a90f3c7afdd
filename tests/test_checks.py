"""The checks on the data: each finds what is planted in clean data, and clean data is silent."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import lossreport
from lossreport.checks.all import CODES, check_data
from lossreport.checks.finding import Finding
from lossreport.reports.results import Ledger
from tests.conftest import EXAMPLES, Ran
from tests.simulated import LAWS, ROWS, clean

OPTIONS = {"by": "site", "time": "time", "id": "site,time"}
Plant = Callable[[pl.DataFrame, np.random.Generator], pl.DataFrame]


def checked(log: object, **options: object) -> dict[str, Finding]:
    """What the checks on the data found, by code."""
    profile = lossreport.profile(log, **(OPTIONS | options))
    rows = profile.rows
    found = check_data(profile, [(None, Ledger(rows, rows, ()))])
    assert sorted(f.code for f in found) == list(CODES)
    return {f.code: f for f in found}


def issues(found: dict[str, Finding]) -> dict[str, Finding]:
    return {code: f for code, f in found.items() if f.status == "issue"}


def test_clean_logs_of_many_laws_are_silent_with_few_false_alarms() -> None:
    alarms: Counter[tuple[str, str]] = Counter()
    logs = 10
    for law in LAWS:
        for seed in range(logs):
            found = issues(checked(clean(law, seed, 1000)))
            alarms.update((f.code, f.severity) for f in found.values())
    # That counts are whole and their predictions are not is said, and is no alarm.
    assert alarms.pop(("LR026", "info")) == 2 * logs
    assert not any(severity == "error" for _, severity in alarms)
    assert sum(alarms.values()) <= 0.02 * len(LAWS) * logs, alarms


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("options", [{"time": "", "id": ()}, {"by": "", "time": "", "id": ()}])
def test_clean_logs_without_times_and_groups_are_silent_too(
    law: str, options: dict[str, object]
) -> None:
    for seed in range(30, 33):
        found = issues(checked(clean(law, seed, 1000), **options))
        assert {f.code for f in found.values()} <= {"LR026"}, found


def some(rng: np.random.Generator, share: float = 0.02) -> pl.Series:
    """Marks of a share of the rows, at least twenty."""
    n = max(20, round(share * ROWS))
    marks = np.zeros(ROWS, dtype=bool)
    marks[np.sort(rng.choice(ROWS, n, replace=False))] = True
    return pl.Series(marks)


def put(column: str, value: pl.Expr | float, share: float = 0.02) -> Plant:
    def plant(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
        new = pl.lit(value) if isinstance(value, float) else value
        return frame.with_columns(
            pl.when(some(rng, share)).then(new).otherwise(column).alias(column)
        )

    return plant


def scaled(factor: float, column: str = "actual") -> Plant:
    return put(column, pl.col(column) * factor)


def repeat_rows(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    return pl.concat([frame, frame.filter(some(rng))])


def one_group_constant(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    return frame.with_columns(predicted=pl.when(site="west").then(81.5).otherwise("predicted"))


def one_day_constant(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    day = pl.col("time").dt.date() == datetime(2026, 1, 9).date()
    return frame.with_columns(predicted=pl.when(day).then(70.25).otherwise("predicted"))


def stale(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    return frame.with_columns(
        actual=pl.when(some(rng)).then(pl.col("actual").shift(1).over("site")).otherwise("actual")
    ).fill_null(50.0)


def persistent(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    last = pl.col("actual").shift(1).over("site")
    return frame.with_columns(predicted=pl.when(some(rng, 0.3)).then(last).otherwise("predicted")).fill_null(50.0)  # fmt: skip


def moved(new: pl.Expr) -> Plant:
    def plant(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
        return frame.with_columns(time=pl.when(some(rng)).then(new).otherwise("time"))

    return plant


def without_days(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    return frame.filter(pl.col("time").dt.ordinal_day() != 12, (pl.col("time").dt.ordinal_day() != 20) | (pl.col("time").dt.hour() == 3))  # fmt: skip


def clock_put_back(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    back = frame.filter(pl.col("time") == datetime(2026, 1, 25, 2))
    other = back.with_columns(pl.col("actual") + 1.0625, pl.col("predicted") + 0.9375)
    return pl.concat([frame, other])


def respelled(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    odd = pl.lit("West ") if rng.random() < 0.5 else pl.lit("we\u200bst")
    return frame.with_columns(site=pl.when(some(rng) & pl.Series(frame["site"] == "west")).then(odd).otherwise("site"))  # fmt: skip


PLANTED: list[tuple[str, str, Plant]] = [
    ("LR014", "repeated rows", repeat_rows),
    ("LR015", "repeated ids", clock_put_back),
    ("LR016", "-999 as actual", put("actual", -999.0)),
    ("LR016", "a few 9999 as actual", put("actual", 9999.0, 0.0)),
    ("LR016", "0 as actual", put("actual", 0.0)),
    ("LR016", "one value too often", put("actual", 63.625)),
    ("LR017", "-1 as predicted", put("predicted", -1.0)),
    ("LR017", "a default value predicted", put("predicted", 55.5)),
    ("LR018", "a thousand times the actual", scaled(1000)),
    ("LR018", "a tenth of the actual", scaled(0.1)),
    ("LR018", "sixty times the prediction", scaled(60, "predicted")),
    ("LR018", "3600 times", scaled(3600)),
    ("LR018", "24 times", scaled(24)),
    ("LR019", "the sign of actual", scaled(-1)),
    ("LR019", "the sign of predicted", scaled(-1, "predicted")),
    ("LR020", "one group constant", one_group_constant),
    ("LR020", "one day constant", one_day_constant),
    ("LR021", "cut off at a bound", lambda f, _: f.with_columns(pl.col("predicted").clip(upper_bound=f["predicted"].quantile(0.9)))),
    ("LR021", "cut off at a bound and rounded", lambda f, _: f.with_columns(pl.col("predicted").clip(f["predicted"].quantile(0.1)).round(1))),
    ("LR022", "copies", put("predicted", pl.col("actual"))),
    ("LR023", "stale actual values", stale),
    ("LR024", "the last actual value predicted", persistent),
    ("LR026", "rounded predictions", lambda f, _: f.with_columns(pl.col("predicted").round())),
    ("LR027", "1970", moved(pl.lit(datetime(1970, 1, 1)))),
    ("LR027", "the year 58000", moved(pl.lit(datetime(8020, 1, 1)))),
    ("LR028", "days without rows", without_days),
    ("LR029", "clocks put back", clock_put_back),
    ("LR031", "names that look alike", respelled),
    ("LR032", "negative predictions", put("predicted", pl.col("predicted") * -0.01)),
]  # fmt: skip
POSITIVE = ("gaussian", "laplace", "t3", "heteroscedastic")


def positive(law: str, seed: int) -> pl.DataFrame:
    return clean(law, seed).with_columns(pl.col("actual", "predicted").clip(1, None))


@cache
def unplanted(law: str, seed: int) -> dict[str, Finding]:
    return checked(positive(law, seed))


@pytest.mark.parametrize(
    ("code", "what", "plant"), PLANTED, ids=[f"{c} {w}" for c, w, _ in PLANTED]
)
@pytest.mark.parametrize("law", POSITIVE)
def test_what_is_planted_is_found(code: str, what: str, plant: Plant, law: str) -> None:
    seed = POSITIVE.index(law)
    assert unplanted(law, seed)[code].status != "issue", unplanted(law, seed)[code]
    found = checked(plant(positive(law, seed), np.random.default_rng(seed)))[code]
    assert found.status == "issue", found
    assert found.todo
    assert found.message[0].isupper() or not found.message[0].isalpha()


def test_counts_shares_and_places_are_right() -> None:
    frame = clean("gaussian", 7)
    marks = some(np.random.default_rng(7))
    at = [i + 1 for i, m in enumerate(marks) if m]
    log = frame.with_columns(actual=pl.when(marks).then(-999.0).otherwise("actual"))
    found = checked(log)["LR016"]
    assert (found.count, found.share) == (len(at), len(at) / ROWS)
    assert [e.row for e in found.examples] == at[:5]
    assert found.message.startswith(f"\u2212999 is the actual value of {len(at)} rows (2.0%), far")


def test_units_of_a_precise_model_are_told_and_where() -> None:
    rng = np.random.default_rng(8)
    frame = clean("gaussian", 8).with_columns(
        actual=pl.col("predicted") * pl.Series(np.exp(rng.normal(0, 0.01, ROWS)))
    )
    for factor, name in ((1.609344, "miles"), (0.3048, "feet"), (2.54, "inches"), (0.45359237, "pounds")):  # fmt: skip
        west = pl.col("site") == "west"
        log = frame.with_columns(
            actual=pl.when(west).then(pl.col("actual") * factor).otherwise("actual")
        )
        found = checked(log)["LR018"]
        assert found.status == "issue"
        assert name in found.message
        assert "all in site = west" in found.message
        assert found.count == ROWS // 4
    every = frame.with_columns(pl.col("actual") * 1000)
    whole = checked(every)["LR018"]
    assert whole.severity == "error"
    assert "nearly all actual values are above the predictions" in whole.message.lower()


def test_one_row_is_told_in_the_singular() -> None:
    frame = clean("gaussian", 9)
    log = pl.concat([frame, frame.slice(100, 1)])
    found = checked(log)
    assert "1 row (0.03%) repeats another row in every column" in found["LR014"].message
    assert "1 row (0.03%) has an id (site, time) that an earlier row has" in found["LR015"].message
    assert [e.row for e in found["LR014"].examples] == [ROWS + 1]


def test_rows_that_values_of_few_digits_make_equal_are_no_duplicates() -> None:
    rng = np.random.default_rng(10)
    predicted = rng.integers(0, 20, 2000).astype(float)
    log = pl.DataFrame({"actual": predicted + rng.integers(-2, 3, 2000), "predicted": predicted})
    found = checked(log, by="", time="", id=())["LR014"]
    assert found.status == "skipped"
    assert "by chance" in found.message
    fine = log.with_columns(pl.col("predicted") + pl.Series(rng.random(2000)))
    assert checked(fine, by="", time="", id=())["LR014"].status == "passed"
    twice = checked(pl.concat([fine, fine]), by="", time="", id=())["LR014"]
    assert (twice.count, twice.severity) == (2000, "error")


def test_a_constant_prediction_is_an_error() -> None:
    found = checked(clean("gaussian", 11).with_columns(predicted=pl.lit(70.0)))["LR020"]
    assert (found.severity, found.count) == ("error", ROWS)


def test_predictions_copied_from_the_actual_values_are_an_error() -> None:
    log = clean("gaussian", 12).with_columns(
        predicted=pl.when(pl.int_range(pl.len()) % 5 > 0).then("actual").otherwise("predicted")
    )
    found = checked(log)["LR022"]
    assert (found.severity, found.count, found.share) == ("error", ROWS * 4 // 5, 0.8)


def test_files_cut_short_are_named(tmp_path: Path) -> None:
    frame = clean("gaussian", 13, 1200)
    for i in range(12):
        part = frame.slice(100 * i, 8 if i == 7 else 100)
        part.write_parquet(tmp_path / f"day-{i:02}.parquet")
    found = checked(tmp_path)["LR030"]
    assert (found.status, found.count) == ("issue", 1)
    assert "day-07.parquet (8)" in found.message
    assert "1 file of 12 has" in found.message


def test_texts_that_are_no_numbers_are_counted_by_text_with_their_first_row(tmp_path: Path) -> None:
    rows = [["1.5", "2.5"] for _ in range(40)]
    for at, text in ((3, "N/A"), (5, "N/A"), (6, "off"), (9, ""), (30, "  off "), (31, "<b>x")):
        rows[at][0] = text
    rows[12][1] = "error 7"
    path = tmp_path / "log.csv"
    path.write_text("actual,predicted\n" + "".join(f"{a},{p}\n" for a, p in rows), "utf-8")
    prediction = lossreport.report(path).predictions[0]
    told = {(t.side, t.token): (t.count, t.first.row) for t in prediction.tokens}
    assert told == {
        ("actual", "N/A"): (2, 4), ("actual", "off"): (2, 7),
        ("actual", "<b>x"): (1, 32), ("predicted", "error 7"): (1, 13),
    }  # fmt: skip
    assert prediction.other_tokens == 0
    found = {f.code: f for f in lossreport.report(path).findings}
    assert (found["LR012"].count, found["LR012"].severity) == (5, "warning")
    assert "“N/A” in 2, “off” in 2" in found["LR012"].message
    assert (found["LR013"].count, found["LR013"].examples[0].row) == (1, 13)


def test_many_different_texts_are_bounded_and_none_vanishes() -> None:
    n = 6000
    texts = ["offline" if i % 3 == 0 else f"bad {i}" for i in range(n)]
    log = pl.DataFrame({"actual": [*texts, "1", "2"], "predicted": [1.0] * (n + 2)})
    profile = lossreport.profile(log)
    assert profile.evidence is not None
    assert profile.evidence.tokens.height == 1001
    prediction = lossreport.report(profile).predictions[0]
    assert prediction.tokens[0].token == "offline"
    assert prediction.tokens[0].count == n // 3
    assert len(prediction.tokens) == 10
    assert prediction.other_tokens + sum(t.count for t in prediction.tokens) == n


def test_texts_too_many_to_tell_apart_are_counted_as_at_least() -> None:
    """What is rare in a part is frequent in the whole; the part does not know."""

    def part(i: int, others: int) -> Any:
        texts = [f"bad {i} {j // 2}" for j in range(2 * others)] + ["rare"]
        return lossreport.profile(pl.DataFrame({"actual": [*texts, "1"], "predicted": 1.0}))

    few = lossreport.report(lossreport.merge([part(i, 100) for i in range(5)]))
    many = lossreport.report(lossreport.merge([part(i, 1100) for i in range(5)]))
    (exact,) = (f for f in few.findings if f.code == "LR012")
    (bound,) = (f for f in many.findings if f.code == "LR012")
    assert "“rare” in 5," in exact.message
    assert not any(t.at_least for t in few.predictions[0].tokens)
    assert re.search(r"” in at least \d+, .* others in at most [\d,]+\.", bound.message)
    assert all(t.at_least for t in many.predictions[0].tokens)
    assert bound.count == 5 * 2201
    rows = [t["at_least"] for t in json.loads(lossreport.to_json(many))["predictions"][0]["tokens"]]
    assert rows == [True] * 10
    page = lossreport.render_page(many)
    assert "; at most " in page
    assert page.count(">at least ") == 10
    assert ">at least " not in lossreport.render_page(few)


def test_probabilities_are_told_and_never_advised_l1() -> None:
    rng = np.random.default_rng(14)
    p = rng.beta(1, 20, 5000)
    log = pl.DataFrame(
        {"actual": (rng.random(5000) < p).astype(int), "predicted": p, "site": rng.choice(["a", "b"], 5000)}
    )  # fmt: skip
    for goal in ("unknown", "typical", "totals", "large-errors"):
        report = lossreport.report(log, by="site", goal=goal)
        prediction = report.predictions[0]
        assert prediction.recommendation.advice.loss == "L2"
        assert "Brier" in prediction.recommendation.headline
        said = " ".join(
            (prediction.verdict.headline, prediction.verdict.why, *prediction.verdict.points)
        )
        assert "MAE, and look" not in said
        assert "Quote MAE" not in said
        for group in prediction.groupings[0].groups:
            assert group.recommendation.advice.loss == "L2"
            assert not group.flagged
    costly = lossreport.report(log, costs=(1.0, 3.0)).predictions[0]
    assert costly.recommendation.advice.loss == "L2"
    (found,) = (f for f in report.findings if f.code == "LR025")
    assert found.status == "issue"
    labels = log.with_columns(predicted=(pl.col("predicted") > 0.5).cast(pl.Float64))
    (other,) = (f for f in lossreport.report(labels).findings if f.code == "LR025")
    assert other.status == "passed"


def test_real_logs_are_told_what_is_known_of_them() -> None:
    persistence = lossreport.report(EXAMPLES / "ton_fee.csv")
    (found,) = (f for f in persistence.findings if f.code == "LR024")
    assert (found.status, found.count) == ("issue", 306)
    deliveries = lossreport.report(EXAMPLES / "deliveries.parquet", by="region")
    (found,) = (f for f in deliveries.findings if f.code == "LR018")
    assert "a factor of 10" in found.message
    assert "all in region = apac" in found.message
    closed = "1 day of 183 has no rows: 2023-12-25."
    for log, known in (("foodwaste.csv", [closed]), ("polls.csv", [])):
        options = (
            {"actual": "margin_actual", "predicted": "margin_poll"} if log == "polls.csv" else {}
        )
        findings = lossreport.report(EXAMPLES / log, **options).findings
        data = [f for f in findings if f.code > "LR011" and f.code != "LR035"]  # not of groups
        assert [f.message for f in data if f.status == "issue" and f.severity != "info"] == known


def test_values_near_the_largest_float_break_no_check() -> None:
    values = [1e308, -1e308, 5e-324, 0.0, -0.0, 1e300, -1e-300, 1.0] * 20
    for shift in range(8):
        log = pl.DataFrame({"actual": values, "predicted": values[shift:] + values[:shift]})
        checked(log, by="", time="", id=())
    empty = pl.DataFrame(
        {"actual": [None, None], "predicted": [1.0, None]}, schema_overrides={"actual": pl.Float64}
    )
    found = checked(empty, by="", time="", id=())
    assert not issues(found)


def test_a_profile_without_evidence_says_so(tmp_path: Path) -> None:
    profile = replace(lossreport.profile(EXAMPLES / "foodwaste.csv"), evidence=None)
    found = [f for f in lossreport.report(profile).findings if f.code in CODES]
    assert {f.status for f in found} == {"skipped"}
    lossreport.save_profile(profile, tmp_path / "p.parquet")
    assert lossreport.load_profile(str(tmp_path / "p.parquet")).evidence is None


def test_times_of_day_that_are_always_quiet_are_no_gap() -> None:
    start = datetime(2026, 3, 2)
    times = [
        start + timedelta(days=d, minutes=30 * k) for d in range(60) if d % 7 < 5 for k in range(48)
    ]
    rng = np.random.default_rng(16)
    log = pl.DataFrame({"actual": rng.normal(size=len(times)), "time": times}).with_columns(
        predicted=pl.col("actual") + pl.Series(rng.normal(size=len(times)))
    )
    assert checked(log, by="", id=())["LR028"].status == "passed"
    holed = log.filter(pl.col("time").dt.date() != datetime(2026, 3, 31).date())
    found = checked(holed, by="", id=())["LR028"]
    assert found.count == 1
    assert "2026-03-31" in found.message


def test_each_prediction_is_checked_and_the_actual_values_once() -> None:
    frame = clean("gaussian", 17)
    marks = some(np.random.default_rng(17))
    log = frame.with_columns(
        copied=pl.when(marks).then("actual").otherwise("predicted"),
        actual=pl.when(marks).then("actual").otherwise("actual"),
    )
    profile = lossreport.profile(log, predicted=["predicted", "copied"], **OPTIONS)
    findings = lossreport.report(profile).findings
    copies = {f.predicted: f.status for f in findings if f.code == "LR022"}
    assert copies == {"predicted": "passed", "copied": "issue"}
    assert sum(f.code == "LR016" for f in findings) == 1
    assert sum(f.code == "LR017" for f in findings) == 2
    merged = lossreport.merge([profile, profile])
    twice = {f.code: f for f in lossreport.report(merged).findings}["LR015"]
    assert (twice.count, twice.severity) == (ROWS, "error")


def test_files_left_out_are_not_thin(tmp_path: Path) -> None:
    frame = clean("gaussian", 18, 1200)
    for i in range(12):
        frame.slice(100 * i, 100).write_parquet(tmp_path / f"day-{i:02}.parquet")
    (tmp_path / "day-05.parquet").write_bytes(b"PAR1 no")
    assert checked(tmp_path, on_bad_file="skip")["LR030"].status == "passed"


def test_what_is_too_rare_for_the_rows_kept_is_found_among_the_worst() -> None:
    frame = clean("t3", 19, 200_000)
    assert not issues(checked(frame))
    rare = pl.int_range(pl.len()).is_in(range(77, 200_000, 16_000))
    slipped = checked(frame.with_columns(actual=pl.when(rare).then(pl.col("actual") * 1000).otherwise("actual")))["LR018"]  # fmt: skip
    assert slipped.status == "issue"
    assert re.match(r"1[123] of the 20 worst rows are off by a factor of 1,000", slipped.message)
    assert all(e.row % 16_000 == 78 for e in slipped.examples)
    coded = checked(frame.with_columns(actual=pl.when(rare).then(-9999.0).otherwise("actual")))["LR016"]  # fmt: skip
    assert "\u22129999 is the actual value of 13" in coded.message


@pytest.mark.parametrize("values", [(-1.0, 1.0), (0.0, 1.0), (-1.0, 0.0, 1.0), (1.0, 2.0, 99.0)])
def test_labels_are_no_placeholders(values: tuple[float, ...]) -> None:
    rng = np.random.default_rng(20)
    actual = rng.choice(values, 2000, p=[0.9, *[0.1 / (len(values) - 1)] * (len(values) - 1)])
    log = pl.DataFrame({"actual": actual, "predicted": actual + rng.normal(0, 0.1, 2000)})
    assert checked(log, by="", time="", id=())["LR016"].status == "passed"


def test_times_in_the_future_are_told_from_the_time_given() -> None:
    days = [datetime(2026, 11, 20) + timedelta(hours=6 * i) for i in range(40)]
    log = pl.DataFrame({"time": days, "actual": [1.0 * i for i in range(40)], "predicted": 2.0})

    def future(as_of: str | datetime | None) -> Finding:
        report = lossreport.report(log, by="", as_of=as_of)
        (finding,) = (f for f in report.findings if f.code == "LR033")
        return finding

    assert future(None).status == "skipped"
    assert future("2026-11-30").status == "passed"
    found = future("2026-11-25")
    assert (found.status, found.severity, found.count) == ("issue", "warning", 16)
    assert found.message.startswith("16 rows (40%) with a time after 2026-11-25 23:59 UTC")
    assert "the last is 2026-11-29 18:00" in found.message
    assert {e.row for e in found.examples} <= set(range(25, 41))
    assert future("2026-11-29T12:00").count == 1
    assert "1 row or more" in future("2026-11-29T12:00").message
    assert future("2026-11-29T13:00+02:00").count == 1
    assert future(datetime(2026, 12, 24)).status == "passed"
    with pytest.raises(lossreport.UsageError, match="is no time"):
        future("tomorrow")


def test_now_is_taken_from_the_clock_only_when_asked_for(
    run: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "log.csv").write_text("time,actual,predicted\n2026-01-01,1,2\n2999-01-01,3,4\n")
    codes = {}
    for asked in ((), ("--as-of", "now")):
        found = run(tmp_path / "log.csv", *asked).json["findings"]
        codes[asked] = next(f["status"] for f in found if f["code"] == "LR033")
    assert list(codes.values()) == ["skipped", "issue"]


def _repeats(log: pl.DataFrame, by: str = "") -> Finding:
    return checked(log, by=by, time="", id=())["LR014"]


def test_whole_numbers_that_one_float_stands_for_are_no_repeated_rows() -> None:
    large = 2**53 + np.arange(2000, dtype=np.int64)
    log = pl.DataFrame({"actual": large, "predicted": large})
    found = _repeats(log)
    assert found.status == "skipped"
    assert "2**53" in found.message
    small = log.with_columns(pl.col("actual", "predicted") - 2**53)
    assert _repeats(small).status == "passed"
    rng = np.random.default_rng(8)
    some = pl.DataFrame({"actual": rng.normal(size=500), "predicted": rng.normal(size=500)})
    both = pl.concat([log.cast(pl.Float64), some, some.head(100)])
    assert (_repeats(both).status, _repeats(both).count) == ("issue", 100)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("model", ["scaled", "squared", "copied"])
def test_rows_equal_because_predictions_follow_from_actuals_are_chance(
    seed: int, model: str
) -> None:
    rng = np.random.default_rng(seed)
    actual = rng.normal(100, 20, 2000).round(2)
    predicted = {"scaled": actual * 1.1, "squared": actual**2 / 100, "copied": actual}[model]
    log = pl.DataFrame(
        {"actual": actual, "predicted": predicted.round(2), "g": rng.choice(list("abcd"), 2000)}
    )
    for by in ("g", ""):
        found = _repeats(log, by)
        assert found.status == "skipped", found.message
        assert "equal by chance" in found.message


@pytest.mark.parametrize("seed", range(5))
def test_repeated_rows_are_found_whatever_the_actual_values_are(seed: int) -> None:
    rng = np.random.default_rng(seed)
    actual = rng.normal(100, 20, 2000).round(2)
    noisy = actual * 1.1 + rng.normal(size=2000)
    fine = rng.normal(size=2000)
    groups = rng.choice(list("abcd"), 2000)
    for a, p in ((actual, noisy), (actual.round(0), noisy), (fine, fine * 1.1), (fine, noisy)):
        log = pl.DataFrame({"actual": a, "predicted": p, "g": groups})
        assert _repeats(log, "g").status == "passed"
        found = _repeats(pl.concat([log, log.head(100)]), "g")
        assert (found.status, found.count) == ("issue", 100)


@pytest.mark.parametrize(("each_day", "days"), [(24, 60), (24, 30), (1, 800), (1, 40)])
@pytest.mark.parametrize("missing", [1, 2, 5])
def test_missing_days_of_a_regular_series_are_found(each_day: int, days: int, missing: int) -> None:
    rng = np.random.default_rng(each_day + days)
    start = datetime(2026, 3, 2)
    gone = set((1 + rng.choice(days - 2, missing, replace=False)).tolist())
    kept = [d for d in range(days) if d not in gone]
    times = [
        start + timedelta(days=d, hours=24 * k / each_day) for d in kept for k in range(each_day)
    ]
    actual = rng.normal(size=len(times))
    log = pl.DataFrame(
        {"time": times, "actual": actual, "predicted": actual + rng.normal(size=len(times))}
    )
    found = checked(log, by="", id=())["LR028"]
    assert (found.status, found.count) == ("issue", missing)
    whole = log.select(
        time=pl.datetime_range(start, start + timedelta(days=days - 1), "1d", eager=True)
    )
    assert (
        checked(
            whole.with_columns(actual=rng.normal(size=days), predicted=rng.normal(size=days)),
            by="",
            id=(),
        )["LR028"].status
        == "passed"
    )


def test_few_rows_at_random_times_say_nothing_of_days() -> None:
    rng = np.random.default_rng(5)
    minutes = np.sort(rng.integers(0, 90 * 1440, 150))
    times = [datetime(2026, 3, 2) + timedelta(minutes=int(m)) for m in minutes]
    log = pl.DataFrame(
        {"time": times, "actual": rng.normal(size=150), "predicted": rng.normal(size=150)}
    )
    assert checked(log, by="", id=())["LR028"].status == "skipped"


def found_in(log: pl.DataFrame, **options: Any) -> dict[str, Finding]:
    return {f.code: f for f in lossreport.report(log, **options).findings}


def of_ratio(log_ratio: np.ndarray, seed: int = 21, **columns: np.ndarray) -> pl.DataFrame:
    """Return a log with this logarithm of actual / predicted."""
    predicted = np.random.default_rng(seed).uniform(50, 90, len(log_ratio))
    return pl.DataFrame(
        {"actual": predicted * np.exp(log_ratio), "predicted": predicted, **columns}
    )


@pytest.mark.parametrize(("factor", "told"), [(2.54, True), (2.33, False), (2.75, False)])
def test_a_group_of_another_level_is_in_no_other_unit(factor: float, told: bool) -> None:
    rng = np.random.default_rng(22)
    group = np.repeat(["a", "b", "c"], 100)
    away = rng.normal(0, 0.05, 300) + np.where(group == "b", np.log(factor), 0)
    found = found_in(of_ratio(away, group=group), by="group")["LR018"]
    assert (found.status == "issue") is told, found


def test_a_scattered_median_is_no_factor() -> None:
    rng = np.random.default_rng(23)
    off = -np.log(1.609344) - 0.06
    assert found_in(of_ratio(rng.normal(off, 0.24, 60)))["LR018"].status == "passed"
    assert found_in(of_ratio(rng.normal(off + 0.06, 0.02, 60)))["LR018"].severity == "error"


@pytest.mark.parametrize("seed", range(5))
def test_small_values_of_a_weak_model_are_in_no_other_unit(seed: int) -> None:
    rng = np.random.default_rng([24, seed])
    actual = rng.beta(0.7, 0.7, 600) * 2000
    predicted = 0.2 * actual + 800 + rng.normal(0, 50, 600)
    found = found_in(pl.DataFrame({"actual": actual, "predicted": predicted}))["LR018"]
    assert found.status != "issue", found


def test_many_zeros_of_an_amount_are_amounts() -> None:
    rng = np.random.default_rng(25)
    actual = np.where(rng.random(2000) < 0.4, 0, rng.lognormal(6, 0.4, 2000))
    log = pl.DataFrame({"actual": actual, "predicted": rng.lognormal(5.5, 0.3, 2000)})
    found = found_in(log)["LR016"]
    assert (found.status, found.severity) == ("issue", "info")
    few = found_in(log.filter((pl.col("actual") > 0) | (pl.int_range(pl.len()) < 60)))["LR016"]
    assert (few.status, few.severity) == ("issue", "warning")


@pytest.mark.parametrize("rounded", ["sum", "float32"])
def test_errors_of_rounding_are_copies_and_no_bias(rounded: str) -> None:
    rng = np.random.default_rng(26)
    actual = rng.normal(5e3, 1e3, 800)
    predicted = (actual + 1 / 3) - 1 / 3 if rounded == "sum" else actual.astype("float32")
    report = lossreport.report(pl.DataFrame({"actual": actual, "predicted": predicted + 1e-12}))
    found = {f.code: f for f in report.findings}
    assert found["LR022"].severity == "error"
    assert "have a prediction that is the actual value but for rounding" in found["LR022"].message
    assert found["LR006"].status != "issue"
    (prediction,) = report.predictions
    assert "but for rounding" in prediction.verdict.headline
    assert "Put the level right" not in prediction.recommendation.headline


def alike(what: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(27)
    if what == "ratings":
        actual = rng.integers(2, 11, 2000) / 2
        return actual, np.where(
            rng.random(2000) < 0.65, actual, actual + rng.choice([-0.5, 0.5], 2000)
        )
    if what == "temperatures":
        actual = np.round(rng.normal(12, 6, 2000), 1)
        return actual, np.round(actual + rng.choice([0, 0, 0, 0.1, -0.1], 2000), 1)
    if what == "no demand":
        actual = np.where(rng.random(2000) < 0.6, 0, rng.lognormal(1, 1, 2000))
        return actual, np.where(actual == 0, 0, actual * rng.lognormal(0, 0.2, 2000))
    actual = rng.normal(100, 10, 2000) * np.repeat([1, 1e9], 1000)
    return actual, actual + rng.normal(0, 5, 2000) * np.repeat([1, 1e9], 1000)


@pytest.mark.parametrize("what", ["ratings", "temperatures", "no demand", "two magnitudes"])
def test_values_that_are_often_alike_are_no_copies_but_for_rounding(what: str) -> None:
    actual, predicted = alike(what)
    found = found_in(pl.DataFrame({"actual": actual, "predicted": predicted}))["LR022"]
    assert found.severity != "error", found


def test_a_perfect_match_stays_the_verdict() -> None:
    actual = np.random.default_rng(28).normal(size=50)
    report = lossreport.report(pl.DataFrame({"actual": actual, "predicted": actual}))
    assert report.predictions[0].verdict.tag == "Perfect match"


def shifted(rows: int, by: float, level: float = 100, spread: float = 20) -> pl.DataFrame:
    rng = np.random.default_rng([27, rows])
    actual = rng.normal(level, spread, 3000)
    predicted = actual + rng.normal(0, 3, 3000) + np.where(np.arange(3000) < rows, by, 0)
    return pl.DataFrame({"actual": actual, "predicted": predicted})


@pytest.mark.parametrize("rows", [20, 40, 60, 90])
@pytest.mark.parametrize("by", [61, 100, 150, 900])
def test_rows_that_are_off_by_a_number_are_in_no_other_unit(rows: int, by: float) -> None:
    found = found_in(shifted(rows, by))["LR018"]
    assert found.status == "passed", found
    placeholders = shifted(0, 0).with_columns(
        predicted=pl.when(pl.int_range(pl.len()) < rows).then(9999.0).otherwise("predicted")
    )
    assert found_in(placeholders)["LR018"].status == "passed"


@pytest.mark.parametrize("share", [0.03, 0.5, 1.0])
def test_turned_signs_are_found_however_many(share: float) -> None:
    rng = np.random.default_rng(28)
    actual = rng.normal(0, 20, 4000)
    sign = np.where(np.arange(4000) < share * 4000, -1, 1)
    frame = pl.DataFrame({"actual": actual, "predicted": sign * actual + rng.normal(0, 1, 4000)})
    found = found_in(frame)["LR019"]
    large = np.abs(actual) >= 5
    assert found.status == "issue"
    assert found.count == pytest.approx(int((large & (sign < 0)).sum()), rel=0.05)


def test_a_weak_model_has_no_turned_signs() -> None:
    rng = np.random.default_rng(29)
    frame = pl.DataFrame({"actual": rng.normal(size=4000), "predicted": rng.normal(size=4000)})
    assert found_in(frame)["LR019"].status == "passed"


def test_clipped_values_are_neither_copies_nor_rows_that_are_there_twice() -> None:
    rng = np.random.default_rng(30)
    actual = rng.normal(100, 20, 4000)
    predicted = (actual + rng.normal(0, 3, 4000)).clip(80, 120)
    frame = pl.DataFrame({"actual": actual.clip(80, 120), "predicted": predicted})
    found = found_in(frame)
    assert found["LR022"].status == "passed"
    assert found["LR014"].status in ("passed", "skipped")
    twice = found_in(pl.concat([frame, frame.head(300)]))["LR014"]
    assert twice.status in ("issue", "skipped"), "what is clipped on both sides may be chance"


def test_a_sure_probability_is_no_copy() -> None:
    rng = np.random.default_rng(31)
    actual = (rng.random(2000) < 0.6).astype(float)
    predicted = np.where(rng.random(2000) < 0.4, actual, rng.random(2000))
    assert (
        found_in(pl.DataFrame({"actual": actual, "predicted": predicted}))["LR022"].status
        == "skipped"
    )


def with_total(rows: int, off: float = 0.0, *, errors: float = 1.0) -> pl.DataFrame:
    made = np.random.default_rng(5)
    actual = made.uniform(10, 20, rows)
    predicted = actual + errors * made.normal(size=rows)
    both = [np.append(v, v.sum() * (1 + off)) for v in (actual, predicted)]
    return pl.DataFrame({"actual": both[0], "predicted": both[1]}).with_row_index("i")


@pytest.mark.parametrize("rows", [11, 500, 30_000])
def test_a_row_that_is_the_total_of_the_others_is_found(rows: int) -> None:
    found = found_in(with_total(rows).sample(fraction=1, shuffle=True, seed=2), by="")["LR036"]
    assert (found.status, found.severity, found.count) == ("issue", "error", 1)
    assert f"is the total of the other {rows:,} scored rows" in found.message
    assert found_in(with_total(rows, 0.01), by="")["LR036"].status == "passed"
    assert found_in(with_total(rows).head(rows), by="")["LR036"].status == "passed"


def test_of_few_rows_one_may_be_the_sum_of_the_others() -> None:
    assert found_in(with_total(9), by="")["LR036"].status == "skipped"
