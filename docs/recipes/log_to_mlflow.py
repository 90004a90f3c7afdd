"""Logs a report to MLflow, figures, verdict and page as one run: python log_to_mlflow.py LOG."""

import sys

import mlflow

import lossreport


def log_report(log: str) -> str:
    """Log the report of a prediction log to a new run, and return the run's id."""
    report = lossreport.report(log)
    first = report.predictions[0]
    with mlflow.start_run() as run:
        mlflow.log_params({"actual": report.actual, "predicted": first.predicted})
        figures = {name: getattr(first.overall, name) for name in ("mae", "rmse", "ratio", "bias")}
        mlflow.log_metrics({name: value for name, value in figures.items() if value is not None})
        mlflow.set_tag("lossreport.verdict", first.verdict.headline)
        mlflow.set_tag("lossreport.loss", first.recommendation.advice.loss or "none")
        mlflow.log_text(lossreport.render_page(report), "report.html")
        mlflow.log_text(lossreport.to_json(report), "report.json")
    return run.info.run_id


if __name__ == "__main__":
    try:
        sys.stdout.write(log_report(sys.argv[1]) + "\n")
    except lossreport.LossReportError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)  # 2 wrong usage, 4 a log could not be read
