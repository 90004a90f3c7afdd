"""Which column plays which role: by name if that is plain, else an error names the choice."""

from __future__ import annotations

import polars as pl
import pytest

from lossreport.errors import UsageError
from lossreport.logs.columns import find_columns, split_grouping

DAY = ["2024-01-31", "2024-02-01"]


def log(**columns: list[object]) -> pl.DataFrame:
    """Return two rows with these columns, numbers unless said otherwise."""
    return pl.DataFrame({name: values or [1.0, 2.0] for name, values in columns.items()})


def plain(**more: list[object]) -> pl.DataFrame:
    return log(y=[], pred=[], **more)


@pytest.mark.parametrize(
    ("names", "actual", "predicted"),
    [(["y_true", "y_pred"], "y_true", "y_pred"), (["Actual", "Forecast"], "Actual", "Forecast"),
     (["yTrue", "yPred"], "yTrue", "yPred"), (["ground truth", "y-hat"], "ground truth", "y-hat"),
     (["price_actual", "price_forecast"], "price_actual", "price_forecast"),
     (["salesObserved", "salesPredicted"], "salesObserved", "salesPredicted"),
     (["y", "price_actual", "pred", "old_forecast"], "y", "pred"),
     (["actual_x", "abs_actual", "actual_id", "forecast_x", "forecast_error", "forecast_lower"],
      "actual_x", "forecast_x")],
)  # fmt: skip
def test_roles_are_found_by_whole_name_then_by_word_never_in_derived_columns(
    names, actual, predicted
):
    found = find_columns(log(**{n: [] for n in names}))
    assert (found.actual, found.predicted) == (actual, (predicted,))
    assert found.found == ("actual", "predicted", "by")


@pytest.mark.parametrize(
    ("names", "option"),
    [(["y", "target", "pred"], "--actual"), (["y", "pred", "yhat"], "--predicted"),
     (["a_actual", "b_actual", "pred"], "--actual")],
)  # fmt: skip
def test_several_candidates_are_listed_with_the_option_that_chooses(names, option):
    with pytest.raises(UsageError) as error:
        find_columns(log(**{n: [] for n in names}))
    assert f"{option} COLUMN" in str(error.value)
    assert all(
        n in str(error.value) for n in names if ("pred" in n or "hat" in n) == ("pr" in option)
    )


@pytest.mark.parametrize(
    ("names", "actual", "predicted"),
    [(["x", "y", "actual_price", "predicted_price"], "actual_price", "predicted_price"),
     (["label", "kwhActual", "pred_kwh"], "kwhActual", "pred_kwh"),
     (["score", "actual_score", "predicted_score"], "actual_score", "predicted_score"),
     (["actual", "predicted", "actual_x", "predicted_x"], "actual", "predicted"),
     (["y", "y_1", "yhat"], "y", "yhat"),
     (["actual", "forecast", "forecast_10", "forecast_90"], "actual", "forecast")],
)  # fmt: skip
def test_two_names_that_belong_together_go_before_a_plain_one(names, actual, predicted):
    found = find_columns(log(**{n: [] for n in names}))
    assert (found.actual, found.predicted) == (actual, (predicted,))


@pytest.mark.parametrize(
    ("names", "listed"),
    [(["observation", "sales", "sales_forecast"], "the actual value: observation, sales"),
     (["sales", "target", "sales_forecast"], "the actual value: target, sales"),
     (["outcome", "score", "actual_days", "predicted_days"], "actual value: outcome, actual_days"),
     (["sales", "sales_forecast", "cost", "cost_forecast"], "the actual value: sales, cost"),
     (["actual", "predicted", "predicted_2"], "the predicted value: predicted, predicted_2"),
     (["actual", "actual (2)", "predicted"], r"the actual value: actual, actual \(2\)")],
)  # fmt: skip
def test_names_that_would_do_as_well_are_listed(names, listed):
    with pytest.raises(UsageError, match=listed):
        find_columns(log(**{n: [] for n in names}))


def test_naming_one_column_or_its_content_settles_an_ambiguity():
    frame = log(y=["n/a", "5"], target=[], pred=[], yhat=[])
    found = find_columns(frame, actual="target", predicted=["yhat", "pred"])
    assert (found.actual, found.predicted) == ("target", ("yhat", "pred"))
    assert found.found == ("by",)
    assert find_columns(log(y=[], target=["cat", "dog"], pred=[])).actual == "y"


def test_an_empty_name_means_find_it():
    assert find_columns(plain(), actual="").actual == "y"


@pytest.mark.parametrize(
    "given",
    [{"actual": "Y"}, {"predicted": ["Y"]}, {"time": "Y"}, {"by": ["Y"]}, {"by": ["pred,Y"]}],
)
def test_an_unknown_name_gets_the_nearest_one_as_suggestion(given):
    with pytest.raises(UsageError, match=r"no column 'Y'. Did you mean y?.*y, pred"):
        find_columns(plain(), **given)


def test_one_column_cannot_play_both_roles_nor_one_role_twice():
    with pytest.raises(UsageError, match="both"):
        find_columns(plain(), actual="y", predicted=["y"])
    with pytest.raises(UsageError, match="twice"):
        find_columns(plain(), predicted=["pred", "pred"])


@pytest.mark.parametrize("name", ["timestamp", "orderDate", "ds", "pickup_datetime", "startdate"])
def test_time_is_found_by_name_and_content(name):
    found = find_columns(plain(**{name: DAY}))
    assert (found.time, found.time_format) == (name, "%Y-%m-%d")
    assert "time" in found.found
    assert find_columns(plain(**{name: ["noon", "night"]})).time is None
    assert find_columns(plain(**{name: DAY}), time="").time is None


@pytest.mark.parametrize("token", ["NULL", "-", "NaT", " n/a "])
def test_a_time_that_is_missing_in_words_is_missing(token):
    assert find_columns(plain(ts=["2024-01-31", token])).time == "ts"


def test_a_text_that_is_no_time_is_the_example_of_one():
    texts = ["2024-01-31", "2024-02-01", "Total"]
    frame = pl.DataFrame({"y": [1.0] * 3, "pred": [1.0] * 3, "ts": texts})
    with pytest.raises(UsageError, match="'Total'"):
        find_columns(frame, time="ts")


def test_a_time_whose_day_and_month_cannot_be_told_apart_is_only_refused_if_asked_for():
    frame = plain(date=["01/02/2024", "03/04/2024"])
    assert find_columns(frame).time is None
    with pytest.raises(UsageError, match=r"'date'.*'01/02/2024'.*day and month"):
        find_columns(frame, time="date")


@pytest.mark.parametrize(
    ("text", "columns"),
    [("a", ("a",)), ("a,b", ("a,b",)), ("b, a", ("b", "a")), (" a ,a", ("a",)), ("", ()),
     (" , ", ()), (("a,b", "a", "a"), ("a,b", "a"))],
)  # fmt: skip
def test_a_comma_separates_columns_unless_a_column_is_called_so(text, columns):
    assert split_grouping(text, ["a", "b", "a,b"]) == columns


def test_groupings_are_each_kept_once_and_empty_text_means_none():
    frame = plain(a=["x", "z"], b=["x", "z"])
    found = find_columns(frame, by=["a", "a,b", "a", "b,a", ""])
    assert found.groupings == (("a",), ("a", "b"), ("b", "a"))
    assert found.keys == ("a", "b")
    assert found.needed == ("y", "pred", "a", "b")
    assert find_columns(frame, by=[""]).groupings == find_columns(frame, by=[]).groupings == ()


def test_columns_with_few_values_are_chosen_to_group_by():
    n = 200
    frame = pl.DataFrame(
        {"y": [1.0] * n, "pred": [2.0] * n, "region": ["a", "b"] * (n // 2), "same": ["a"] * n,
         "many": [str(i) for i in range(n)], "price": [0.5, 1.5] * (n // 2),
         "store": [1, 2] * (n // 2), "row_id": [1, 2] * (n // 2), "flag": [True, False] * (n // 2),
         "date": DAY * (n // 2)}
    )  # fmt: skip
    assert find_columns(frame).groupings == (("region",), ("store",), ("flag",))


@pytest.mark.parametrize(
    ("names", "actual", "predicted"),
    [(["sales", "predicted_sales"], "sales", "predicted_sales"),
     (["sales_forecast", "price", "sales"], "sales", "sales_forecast"),
     (["netSales", "pred_net_sales", "target_group"], "netSales", "pred_net_sales"),
     (["sales", "predicted_sales", "actual"], "actual", "predicted_sales"),
     (["price_actual", "price_pred", "price"], "price_actual", "price_pred"),
     (["y_test", "y_score"], "y_test", "y_score"), (["labels", "predictions"], "labels", "predictions"),
     (["label", "prob"], "label", "prob"), (["obs", "fcst"], "obs", "fcst"),
     (["obs", "y", "prob", "pred"], "y", "pred")],
)  # fmt: skip
def test_a_prediction_named_after_a_column_predicts_it_and_lesser_names_come_last(
    names, actual, predicted
):
    found = find_columns(log(**{n: [] for n in names}))
    assert (found.actual, found.predicted) == (actual, (predicted,))


def test_a_named_prediction_tells_the_actual_as_well():
    frame = log(a=[], b=[], a_forecast=[], b_forecast=[])
    assert find_columns(frame, predicted=["b_forecast"]).actual == "b"
    with pytest.raises(UsageError, match="--actual COLUMN"):
        find_columns(frame)
    with pytest.raises(UsageError, match="--actual COLUMN"):
        find_columns(log(a=["x", "y"], a_forecast=[]))


def test_the_column_of_the_files_name_is_not_listed_as_the_logs():
    with pytest.raises(UsageError, match=r"columns: y, pred\.$"):
        find_columns(plain(**{"@file": ["a", "a"]}), time="t")


@pytest.mark.parametrize(
    ("actual", "predicted"),
    [("Ist-Wert", "Prognose"), ("Tats\u00e4chlich", "Vorhersage"), ("R\u00e9el", "Pr\u00e9vu"),
     ("valor real", "Predicci\u00f3n"), ("Valore reale", "previsto"), ("\u5b9f\u7e3e", "\u4e88\u6e2c"),
     ("\u5b9e\u9645\u503c", "\u9884\u6d4b\u503c"), ("\uc2e4\uc81c\uac12", "\uc608\uce21\uac12"),
     ("\u0424\u0430\u043a\u0442", "\u041f\u0440\u043e\u0433\u043d\u043e\u0437")],
)  # fmt: skip
def test_roles_are_found_in_other_languages_too(actual: str, predicted: str) -> None:
    frame = pl.DataFrame({"n": [1, 2], actual: [1.0, 2.0], predicted: [2.0, 4.0]})
    found = find_columns(frame)
    assert (found.actual, found.predicted) == (actual, (predicted,))
    both = frame.with_columns(y_true=pl.lit(1.0), y_pred=pl.lit(2.0))
    found = find_columns(both)  # a usual name comes first
    assert (found.actual, found.predicted) == ("y_true", ("y_pred",))


@pytest.mark.parametrize("name", ["Datum", "Zeitstempel", "Fecha-Hora", "\u65e5\u4ed8"])
def test_the_time_is_found_in_other_languages_too(name: str) -> None:
    frame = pl.DataFrame(
        {"actual": [1.0, 2.0], "predicted": [2.0, 4.0], name: ["2026-01-01", "2026-01-02"]}
    )
    assert find_columns(frame).time == name
    assert find_columns(frame.with_columns(pl.lit("x").alias(name))).time is None
    both = frame.with_columns(time=pl.lit("2026-02-01"))
    assert find_columns(both).time == "time"
