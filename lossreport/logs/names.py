"""The names by which a log's columns tell what they are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence

import polars as pl

ACTUAL_NAMES = (
    "y_true", "actual", "actuals", "actual_value", "y_actual", "y", "target", "observed",
    "observation", "label", "truth", "true", "true_value", "ground_truth", "outcome",
)  # fmt: skip
PREDICTED_NAMES = (
    "y_pred", "predicted", "prediction", "predictions", "pred", "y_predicted", "predicted_value",
    "forecast", "forecasted", "yhat", "y_hat", "estimate", "estimated", "fitted", "score",
    "model_output", "expected",
)  # fmt: skip
TIME_NAMES = (
    "time", "timestamp", "datetime", "date_time", "ts", "ds", "date", "day", "hour", "week",
    "month", "event_time", "created_at", "predicted_at", "scored_at",
)  # fmt: skip
LESSER_NAMES = {
    ACTUAL_NAMES: (
        "y_test", "labels", "obs",
        # German, French, Spanish, Portuguese, Italian, Dutch, ... without their accents
        "ist", "istwert", "ist_wert", "tatsachlich", "tatsachlicher_wert", "beobachtet",
        "reel", "reelle", "valeur_reelle", "observe", "observee", "real", "valor_real",
        "observado", "reale", "valore_reale", "osservato", "werkelijk", "waargenomen", "faktisk",
        "rzeczywisty", "\u0444\u0430\u043a\u0442",
        # Japanese, Chinese, Korean
        "\u5b9f\u7e3e", "\u5b9f\u7e3e\u5024", "\u5b9f\u6e2c\u5024", "\u5b9e\u9645",
        "\u5b9e\u9645\u503c", "\u771f\u5b9e\u503c", "\uc2e4\uc81c", "\uc2e4\uc81c\uac12",
    ),
    PREDICTED_NAMES: (
        "y_score", "fcst", "prob", "probability",
        "prognose", "prognosewert", "vorhersage", "vorhergesagt", "soll", "sollwert", "soll_wert",
        "prevu", "prevue", "prevision", "predit", "valeur_prevue", "previsto", "pronostico",
        "predicho", "prediccion", "previsao", "predito", "previsione", "predetto", "voorspelling",
        "voorspeld", "prognos", "prognoza", "\u043f\u0440\u043e\u0433\u043d\u043e\u0437",
        "\u4e88\u6e2c", "\u4e88\u6e2c\u5024", "\u9884\u6d4b", "\u9884\u6d4b\u503c",
        "\uc608\uce21", "\uc608\uce21\uac12",
    ),
    TIME_NAMES: (
        "datum", "zeit", "zeitpunkt", "zeitstempel", "tag", "heure", "jour", "horodatage", "fecha",
        "hora", "fecha_hora", "data", "data_hora", "data_ora", "tijd", "tijdstip", "tid",
        "tidspunkt", "\u0434\u0430\u0442\u0430", "\u65e5\u4ed8", "\u65e5\u6642",
        "\u65e5\u671f", "\u65f6\u95f4", "\ub0a0\uc9dc",
    ),
}  # fmt: skip
"""Names that tell where nothing else does."""
ACTUAL_WORDS = {"actual", "true", "observed", "target", "truth", "label"}
PREDICTED_WORDS = {"predicted", "prediction", "pred", "forecast", "yhat", "estimate", "estimated"}
TIME_WORDS = {"time", "timestamp", "date", "datetime"}
DERIVED_WORDS = {
    "error", "err", "residual", "resid", "abs", "diff", "loss", "bias", "id", "name", "std",
    "lower", "upper", "lo", "hi", "low", "high", "at", "time", "date", "count",
}  # fmt: skip
"""Words that make a column something computed from, or said about, an actual or a prediction."""


def is_pattern(name: str) -> bool:
    """Return whether Polars takes a column's name for a pattern of names: "*", and "^...$"."""
    return name == "*" or (name.startswith("^") and name.endswith("$"))


def words_of(name: str) -> list[str]:
    """Return the words of a name, lower case: those of "yTrue" are "y" and "true".

    Without accents, as programs often drop them.
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    split_up = unicodedata.normalize("NFKD", spaced.lower())
    plain = "".join(c for c in split_up if not unicodedata.combining(c))
    return [w for w in re.split(r"[\W_]+", unicodedata.normalize("NFKC", plain)) if w]


def by_name(
    columns: Mapping[str, pl.Series],
    names: Sequence[str],
    words: set[str],
    taken: set[str],
    suits: Callable[[pl.Series], bool],
) -> list[str]:
    """Return the columns whose whole name is a known one or, if none, that contain a known word.

    Of a field with a dotted name, its own name may also be a known one. A column that is called
    "actual" is the actual value even if none of its texts is a number; of several, and by a word
    alone, only those that suit are candidates. `LESSER_NAMES` come last.
    """
    free = [c for c in columns if c not in taken]
    exact = [c for c in free if "_".join(words_of(c)) in names]
    exact += [c for c in free if _second_of(c, exact, words)]
    of_field = [c for c in free if "." in c and "_".join(words_of(c.rsplit(".", 1)[1])) in names]
    of_words = [
        c
        for c in free
        if words & set(words_of(c)) and not (DERIVED_WORDS - words) & set(words_of(c))
    ]
    lesser = [c for c in free if "_".join(words_of(c)) in LESSER_NAMES.get(tuple(names), ())]
    tiers = (exact, of_field, of_words, lesser)
    suiting = [found for some in tiers if (found := [c for c in some if suits(columns[c])])]
    return suiting[0] if suiting else exact or of_field


def _second_of(name: str, firsts: Sequence[str], words: set[str]) -> bool:
    """Return whether a column is another one of a name that speaks for itself: predicted_2.

    So programs call a second column of one name; forecast_90 is a quantile.
    """
    *own, last = words_of(name) or [""]
    again = last in ("1", "2", "3") and bool(words & set(own))
    return again and own in [words_of(f) for f in firsts]


def pairs_by_name(columns: Mapping[str, pl.Series]) -> list[tuple[str, str]]:
    """Return the columns whose names say that they belong together: actual_x and predicted_x.

    Each may have its word before or behind what is common to both.
    """

    def stems(words: set[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for column in columns:
            said = words_of(column)
            for first, rest in ((said[:1], said[1:]), (said[-1:], said[:-1])):
                derived = DERIVED_WORDS & set(rest)
                if rest and not derived and words & set(first):
                    found.setdefault(" ".join(rest), column)
        return found

    actual, predicted = stems(ACTUAL_WORDS), stems(PREDICTED_WORDS)
    return [(actual[stem], predicted[stem]) for stem in actual if stem in predicted]


def says_it_all(name: str) -> bool:
    """Return whether a name leaves no doubt that a column is the actual or the predicted value."""
    return bool({"actual", "actuals", "true"} & set(words_of(name))) or bool(
        PREDICTED_WORDS & set(words_of(name))
    )


def predicted_from(columns: Mapping[str, pl.Series], prediction: str) -> list[str]:
    """Return the columns that a prediction's name speaks of: of predicted_x or x_forecast, x."""
    words = words_of(prediction)
    around = PREDICTED_WORDS | {"fcst", "forecasted", "predictions"}
    stems = [words[1:]] if words and words[0] in around else []
    stems += [words[:-1]] if words and words[-1] in around else []
    return [c for c in columns if c != prediction and words_of(c) and words_of(c) in stems]
