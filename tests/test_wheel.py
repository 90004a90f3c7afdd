"""The wheel and the source distribution hold what the command needs."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from tests.conftest import EXAMPLES, ROOT

PANDAS = """
import lossreport, pandas
frame = pandas.DataFrame({"actual": [1.0, None, 3], "predicted": [1.5, 2, 3], "g": ["a", "b", None]})
(prediction,) = lossreport.report(frame, by="g").predictions
assert prediction.overall.n == 2 and prediction.overall.mae == 0.25
assert len(prediction.groupings[0].groups) == 3
"""


def test_an_installed_wheel_makes_a_page(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    (sdist,) = tmp_path.glob("*.tar.gz")
    templates = {f"lossreport/templates/{t.name}" for t in (ROOT / "templates").iterdir()}
    assert templates | {"lossreport/report.schema.json"} <= set(zipfile.ZipFile(wheel).namelist())
    with tarfile.open(sdist) as archive:
        packed = {name.split("/", 1)[-1] for name in archive.getnames()}
    assert {"README.md", "templates/report.html", "tests/test_wheel.py", "LICENSE"} <= packed

    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    binaries = tmp_path / "venv" / "bin"
    install = [str(binaries / "python"), "-m", "pip", "install", "-q", str(wheel)]
    subprocess.run(install, check=True, env=environment, capture_output=True)
    page = tmp_path / "report.html"
    # No extra is there, such as the one that brings PyArrow.
    subprocess.run(
        [str(binaries / "python"), "-c", PANDAS],
        cwd=tmp_path, env=environment, capture_output=True, check=True,
    )  # fmt: skip
    ran = subprocess.run(
        [str(binaries / "lossreport"), "report", str(EXAMPLES / "apples.csv")],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "6.67" in ran.stdout
    assert page.read_text("utf-8").startswith("<!doctype html>")
