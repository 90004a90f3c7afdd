"""The history of runs: each run is there once and whole, whatever happens, on disk and on S3."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lossreport
from lossreport.nights import history as history_module
from lossreport.nights.history import History, add, load, load_all, nights, survey
from lossreport.nights.names import CONTENT_LENGTH, KEY_LENGTH, Night, current
from lossreport.nights.places import Folder, Stored, place_at
from lossreport.nights.upkeep import merge_months, prune
from lossreport.profiles.profile import Profile
from tests.conftest import EXAMPLES, ROOT, Ran
from tests.places import environment, log_of_night, profile_of_night, s3_server

RUNS = int(os.environ.get("LOSSREPORT_RUNS", "24"))
"""Runs at the same time in the test of that; the full run has 200."""
PAUSE = float(os.environ.get("LOSSREPORT_PAUSE", "0.2"))
"""The longest time between two runs being killed, in seconds."""

Run = Callable[..., Ran]


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with s3_server(tmp_path_factory.mktemp("s3") / "server.log") as settings:
        yield settings


@pytest.fixture(params=["folder", "s3"])
def location(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """An empty history, in a folder and in a bucket."""
    if request.param == "folder":
        return str(tmp_path / "history")
    for name, value in request.getfixturevalue("s3").items():
        monkeypatch.setenv(name, value)
    return f"s3://nights/{tmp_path.name}/history"


def rows_in(location: str) -> int:
    """Return the rows of all nights that count, each profile read whole."""
    history = History(location)
    made, strange = load_all(history, nights(history))
    assert not strange
    return sum(p.rows for _, p in made)


def names_in(location: str) -> list[str]:
    return [f.name for f in place_at(location).files()]


def test_a_run_is_named_by_day_input_and_content_and_is_there_once(
    location: str, tmp_path: Path
) -> None:
    history = History(location)
    assert nights(history) == ()
    first = profile_of_night(tmp_path / "logs", "a", day=3, rows=5)
    added = add(history, first)
    assert not added.known
    (name,) = names_in(location)
    assert added.night.name == name
    day, key, content = name[:10], *name[11:].removesuffix(".parquet").split("-")
    assert day == "2026-11-03"
    assert (len(key), len(content)) == (KEY_LENGTH, CONTENT_LENGTH)
    assert add(history, first).known
    assert names_in(location) == [name]
    other = add(history, profile_of_night(tmp_path / "logs", "b", day=3, rows=7))
    assert other.night.key != key
    assert rows_in(location) == 12
    (night, _) = nights(history)
    assert load(history, night).rows in (5, 7)


def test_a_corrected_run_replaces_the_earlier_one_and_back_again(
    location: str, tmp_path: Path
) -> None:
    history, logs = History(location), tmp_path / "logs"
    one = profile_of_night(logs, "a", day=3, rows=5)
    two = profile_of_night(logs, "a", day=3, rows=6)
    first = add(history, one).night
    for profile, earlier in ((two, first.name), (one, None), (two, first.name)):
        added = add(history, profile)
        assert len(added.replaced) == 1
        assert earlier in (None, added.replaced[0].name)
        assert names_in(location) == [added.night.name]
        assert rows_in(location) == profile.rows


def test_clocks_that_go_back_do_not_make_a_correction_the_older_one(tmp_path: Path) -> None:
    history, logs = History(str(tmp_path / "h")), tmp_path / "logs"
    first = add(history, profile_of_night(logs, "a", day=3, rows=5)).night
    later = time.time_ns() + 10**15
    os.utime(tmp_path / "h" / first.name, ns=(later, later))
    add(history, profile_of_night(logs, "a", day=3, rows=6))
    assert rows_in(history.location) == 6


def test_a_damaged_copy_of_the_same_run_is_written_again(tmp_path: Path) -> None:
    history = History(str(tmp_path / "h"))
    profile = profile_of_night(tmp_path / "logs", "a", day=3, rows=5)
    path = tmp_path / "h" / add(history, profile).night.name
    path.write_bytes(path.read_bytes()[:-100])
    assert not add(history, profile).known
    assert rows_in(history.location) == 5


copies = st.lists(
    st.builds(
        Night,
        day=st.sampled_from([date(2026, 11, 1), date(2026, 11, 2)]),
        key=st.sampled_from(["0" * 12, "1" * 12]),
        content=st.sampled_from(["a" * 16, "b" * 16]),
        put=st.integers(0, 3),
        file=st.sampled_from(["one", "two"]),
        size=st.just(1),
    ),
    max_size=8,
)


@given(copies, copies, st.randoms(use_true_random=False))
def test_which_copies_count_depends_on_the_copies_alone(
    left: list[Night], right: list[Night], random: random.Random
) -> None:
    both = [*left, *right]
    expected = current(both)
    random.shuffle(both)
    assert current(both) == current([*both, *both]) == expected
    assert current([*current(left), *current(right)]) == expected
    assert {(n.day, n.key) for n in expected} == {(n.day, n.key) for n in both}
    for n in both:
        (counts,) = [e for e in expected if (e.day, e.key) == (n.day, n.key)]
        assert n.put <= counts.put


def test_months_are_merged_and_corrected_and_pruned(location: str, tmp_path: Path) -> None:
    history, logs = History(location), tmp_path / "logs"
    for day in (1, 2, 3):
        add(history, profile_of_night(logs, f"n{day}", day=day, rows=day))
    assert merge_months(history) == []  # the month may go on
    (merged,) = merge_months(history, ["2026-11"])
    assert merged.nights == 3
    assert names_in(location) == [merged.file]
    assert rows_in(location) == 6
    # A night of the month is corrected, another comes late, another is there already.
    added = add(history, profile_of_night(logs, "n2", day=2, rows=20))
    assert [n.file for n in added.replaced] == [merged.file]
    add(history, profile_of_night(logs, "n4", day=4, rows=4))
    assert add(history, profile_of_night(logs, "n3", day=3, rows=3)).known
    assert rows_in(location) == 1 + 20 + 3 + 4
    add(history, profile_of_night(logs, "d", day=5, rows=9), date(2026, 12, 5))
    (again,) = merge_months(history)
    assert (again.nights, len(names_in(location))) == (4, 2)
    assert rows_in(location) == 1 + 20 + 3 + 4 + 9
    assert merge_months(history) == []

    before = names_in(location)
    told = prune(history, before=date(2026, 11, 3), dry_run=True)
    assert [n.day.day for n in told.nights] == [1, 2]
    assert names_in(location) == before
    assert prune(history, before=date(2026, 11, 3)).nights == told.nights
    assert rows_in(location) == 3 + 4 + 9
    assert len(prune(history, keep_days=1).nights) == 2
    assert rows_in(location) == 9
    assert prune(history, keep_days=10**9).nights == ()


KILLED_AT = """
import os, signal, sys
from datetime import date
from pathlib import Path
import lossreport.profiling
from lossreport.nights import places
from lossreport.nights.history import History, add
from lossreport.nights.upkeep import merge_months, prune
what, log = sys.argv[1:]
def change(steps, location):
    def counted(made):
        def step(*arguments, **options):
            nonlocal steps
            steps -= 1
            if steps == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return made(*arguments, **options)
        return step
    profile = lossreport.profile(log, by="", worst=1)
    os.replace, os.rename, os.unlink = map(counted, (os.replace, os.rename, os.unlink))
    Path.replace, Path.unlink = counted(Path.replace), counted(Path.unlink)
    os.fsync = counted(os.fsync)
    history = History(location)
    {"add": lambda: add(history, profile), "merge": lambda: merge_months(history, ["2026-11"]),
     "prune": lambda: prune(history, before=date(2026, 11, 2))}[what]()
for line in sys.stdin:  # each in a process of its own that has the imports behind it
    steps, location = line.rstrip("\\n").split(" ", 1)
    pid = os.fork()
    if pid == 0:
        try:
            change(int(steps), location)
            os._exit(0)
        finally:
            os._exit(1)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@pytest.mark.parametrize(("what", "sums"), [("add", {6, 15}), ("merge", {6}), ("prune", {6, 5})])
def test_a_run_killed_at_any_step_leaves_what_was_or_what_was_to_be(
    what: str, sums: set[int], tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    made = [profile_of_night(logs, f"n{day}", day=day, rows=day) for day in (1, 2, 3)]
    profile_of_night(logs, "n1", day=1, rows=10)  # the corrected log that is added
    words = [sys.executable, "-c", KILLED_AT, what, str(logs / "n1.csv")]
    runs = subprocess.Popen(
        words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    for steps in range(1, 20):
        history = History(str(tmp_path / f"h{steps}"))
        for profile in made:
            add(history, profile)
        if what == "prune":  # the first night is in a month's file and, later, in one of its own
            merge_months(history, ["2026-11"])
        runs.stdin.write(f"{steps} {history.location}\n")
        runs.stdin.flush()
        code = int(runs.stdout.readline())
        assert code in (0, -signal.SIGKILL)
        assert rows_in(history.location) in sums
        report = lossreport.report(history.location)
        assert report.predictions[0].rows.read in sums
        if code == 0:
            break
    runs.communicate()
    assert code == 0
    assert steps > 2


AT_THE_SAME_TIME = """
import json, os, random, signal, sys, time
import lossreport.reporting, lossreport.cli, lossreport.nights.upkeep, obstore.store, polars
import lossreport.commands.remembering, lossreport.progress
seed, share, *commands = json.loads(sys.stdin.read())
rng = random.Random(seed)
hold, go = os.pipe()
def start(words):
    pid = os.fork()
    if pid == 0:
        try:
            os.close(go)
            os.read(hold, 1)  # until the other end is closed: then all start together
            sys.argv = ["lossreport", *words]
            lossreport.cli.main()
        except SystemExit as ended:
            sys.stdout.flush()
            os._exit(ended.code or 0)
        finally:
            os._exit(1)
    return pid
pids = [start(words) for words in commands]
os.close(go)
for pid in rng.sample(pids, int(share * len(pids))):
    time.sleep(rng.random() * float(os.environ["LOSSREPORT_PAUSE"]))
    os.kill(pid, signal.SIGKILL)
print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]))
"""


def at_the_same_time(commands: list[list[str]], kill: float = 0.0, seed: int = 0) -> list[int]:
    """Run commands all at once, killing a share of them at random moments; return their codes.

    They are forked from a process that has imported everything, before it does anything, so that
    they meet in their work and not in starting.
    """
    done = subprocess.run(
        [sys.executable, "-c", AT_THE_SAME_TIME], cwd=ROOT, capture_output=True, text=True,
        input=json.dumps([seed, kill, *commands]), check=False,
        env=environment({"POLARS_MAX_THREADS": "1", "LOSSREPORT_PAUSE": str(PAUSE)}),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_runs_at_the_same_time_some_of_them_killed(location: str, tmp_path: Path) -> None:
    """Every run that completed is there once, none is half there, the totals are right."""
    logs = tmp_path / "logs"
    rows = {f"n{i}": 1 + i for i in range(RUNS)}
    commands = []
    for i, name in enumerate(rows):
        log_of_night(logs, name, day=1 + i % 28, rows=rows[name])
        words = ["profile", str(logs / f"{name}.csv"), "--by", "", "--history", location, "--quiet"]
        commands.append(words)
    upkeep = [["history", "merge", location, "--month", "2026-11"]] * 3
    add(History(location), lossreport.profile(EXAMPLES / "apples.csv"), date(2026, 11, 30))
    codes = at_the_same_time([*commands, *upkeep], kill=0.3, seed=RUNS)
    assert set(codes) <= {0, -signal.SIGKILL}
    completed = {name for name, code in zip(rows, codes, strict=False) if code == 0}
    assert completed
    for _ in range(2):  # as it was left, and when what is left is merged
        made, strange = load_all(History(location), nights(History(location)))
        assert not strange
        there = sorted(Path(p.sources[0].path).stem for _, p in made if p.span is not None)
        assert there == sorted(set(there))
        assert completed <= set(there) <= set(rows)
        of_apples = 3
        assert sum(p.rows for _, p in made) == of_apples + sum(rows[name] for name in there)
        assert not survey(place_at(location)).strange
        merge_months(History(location), ["2026-11"])
    told = f"{len(completed)} completed, {codes.count(-signal.SIGKILL)} killed, {len(there)} there"
    print(told)  # noqa: T201 - of the full run


def test_corrections_of_one_night_at_the_same_time_leave_one(location: str, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    commands = []
    for i in range(1, 7):
        # One input, six versions: a profile of each, which says that it is of the same file.
        profile = profile_of_night(logs, "n", day=1, rows=i)
        lossreport.save_profile(profile, logs / f"n{i}.parquet")
        commands.append(["profile", str(logs / f"n{i}.parquet"), "--history", location])
    assert at_the_same_time(commands) == [0] * len(commands)
    assert len(nights(History(location))) == 1
    assert 1 <= rows_in(location) <= 6


def _month_of_logs(folder: Path) -> None:
    folder.mkdir()
    rng = np.random.default_rng(1)
    for day in range(10):
        n = 150 + 17 * day
        actual, error = rng.normal(100, 20, n), rng.laplace(0, 3, n)
        error[rng.random(n) < 0.02] *= 60
        minutes = np.sort(rng.integers(0, 1440, n))
        frame = pl.DataFrame(
            {
                "time": [datetime(2026, 11, 1 + day) + timedelta(minutes=int(m)) for m in minutes],
                "actual": actual,
                "predicted": actual + error,
                "region": rng.choice(["a", "b", "c"], n),
                "kind": rng.choice(["x", "y"], n),
                "id": np.arange(n) + 10_000 * day,
            }
        )
        if day % 4 == 0:
            frame = frame.with_columns(
                predicted=pl.when(pl.col("id") % 50 == 0).then(None).otherwise("predicted")
            )
        frame.write_parquet(folder / f"night{day:02}.parquet")


def _equal(left: Any, right: Any, path: str = "") -> int:
    """Assert that two JSON values say the same; return how many figures and texts they hold."""
    if isinstance(left, dict):
        assert left.keys() == right.keys(), path
        return sum(_equal(v, right[k], f"{path}/{k}") for k, v in left.items())
    if isinstance(left, list):
        assert len(left) == len(right), path
        return sum(
            _equal(a, b, f"{path}/{i}") for i, (a, b) in enumerate(zip(left, right, strict=True))
        )
    if isinstance(left, float):
        assert math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9), path
    else:
        assert left == right, path
    return 1


def test_the_page_of_a_month_of_nights_is_the_page_of_its_logs(run: Run, tmp_path: Path) -> None:
    logs, location = tmp_path / "logs", tmp_path / "history"
    _month_of_logs(logs)
    roles = ["--by", "region", "--by", "kind", "--by", "region,kind", "--id", "id"]
    of_logs = run(logs, *roles).json
    history = History(str(location))
    for log in sorted(logs.iterdir()):
        add(history, lossreport.profile(log, by=["region", "kind", "region,kind"], id="id"))
    of_nights = run(f"{location}/2026-11-*.parquet").json
    assert _equal(of_logs, of_nights) > 1000
    merge_months(history, ["2026-11"])
    assert len(list(location.iterdir())) == 1
    assert run(f"{location}/2026-11-*.parquet").json == of_nights
    assert run(location).json == of_nights


def test_the_page_of_nights_on_s3(
    s3: dict[str, str], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    location = f"s3://nights/{tmp_path.name}"
    for day in (1, 2):
        profile_of_night(tmp_path, f"n{day}", day=day, rows=day)
        ran = run(tmp_path / f"n{day}.csv", "--by", "", "--history", location)
        assert f"Kept {location}/2026-11-0{day}-" in ran.out
    ran = run(f"{location}/2026-11-*.parquet")
    assert ran.json["rows"]["read"] == 3
    ran = run(f"{location}/2026-10-*.parquet")
    assert (ran.code, ran.err.strip()) == (
        2, f"lossreport: No file matches {location}/2026-10-*.parquet.",
    )  # fmt: skip
    assert run(f"{location}/2026-11-*.parquet", "--history", location).code == 2
    assert run("s3://nowhere/x/*.parquet").err.count("NoSuchBucket") == 1


def test_the_command_keeps_a_run_and_says_so(run: Run, tmp_path: Path) -> None:
    location, log = tmp_path / "history", EXAMPLES / "apples.csv"
    ran = run(log, "--history", location)
    assert ran.code == 2
    assert "The log has no times" in ran.err
    assert "--run-date YYYY-MM-DD" in ran.err
    assert (ran.folder / "out.html").exists()
    ran = run(log, "--history", location, "--run-date", "2026-11-26")
    (file,) = location.iterdir()
    assert ran.code == 0
    assert f"Kept {file} (" in ran.out
    assert (
        "Already in the history" in run(log, "--history", location, "--run-date", "2026-11-26").out
    )
    corrected = tmp_path / "log.csv"
    for n, said in ((3, "Kept"), (4, ", in place of 2026-11-27-")):
        corrected.write_text("actual,predicted\n" + "1,2\n" * n)
        words = ["--history", location, "--run-date", "2026-11-27"]
        ran = run(corrected, *words, command="profile", outputs=False)
        assert said in ran.out
    ran = run("list", location, command="history", outputs=False)
    assert "2 nights of 2 inputs, 2026-11-26 to 2026-11-27, in 2 files." in ran.out
    assert f"{file.name}\n" in ran.out


def test_a_night_that_was_written_anew_meanwhile_is_not_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(str(tmp_path))
    add(history, profile_of_night(tmp_path.parent, "a", 1, 60))
    (seen,) = nights(history)
    place = place_at(history.location)
    assert isinstance(place, Folder)
    newer = Stored(seen.name, seen.size, seen.put + 1)
    with monkeypatch.context() as patched:
        patched.setattr(Folder, "look", lambda *_: newer)
        history_module.remove_if_same(place, seen)
    assert (tmp_path / seen.name).is_file()
    history_module.remove_if_same(place, seen)
    assert not (tmp_path / seen.name).exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--run-date", "2026-11-26"], "--run-date is for --history"),
        (["--history", "h", "--run-date", "26.11.2026"], "'26.11.2026', no day: write it like"),
        (["--history", "h", "--private"], "--private and --history do not go together"),
        (["--history", "https://host/h"], "no URL for a history: s3://"),
        (["--history", "missing/h"], "no folder missing to make h in"),
        (["--history", str(EXAMPLES / "apples.csv")], "a history is a folder or a URL"),
        (["--history", str(EXAMPLES)], None),
    ],
)
def test_what_cannot_be_kept_is_refused_before_the_log_is_read(
    words: list[str], said: str | None, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if said is None:  # the log's own folder, where the next report would find the nights
        ran = run(EXAMPLES, *words)
        said = "where the next report would read it as part of the log"
    else:
        ran = run(EXAMPLES / "apples.csv", *words)
    assert ran.code == 2
    assert said in " ".join(ran.err.split())
    assert not (ran.folder / "out.html").exists()


def test_the_commands_of_a_history_say_what_they_did(run: Run, tmp_path: Path) -> None:
    def history(*words: object) -> Ran:
        return run(*words, command="history", outputs=False)

    location = tmp_path / "history"
    for command in ("list", "merge", "prune"):
        ran = history(command, location)
        assert (ran.code, "There is no folder" in ran.err) == (2, True)
    location.mkdir()
    assert history("list", location).out == "There are no nights in this history.\n"
    assert "nothing to delete" in history("prune", location, "--keep-days", 3).out
    for day in (1, 2):
        add(History(str(location)), profile_of_night(tmp_path, f"n{day}", day=day, rows=day))
    assert "nothing to merge" in history("merge", location).out
    assert "There are some of: 2026-11." in " ".join(
        history("merge", location, "--month", "2026-10").err.split()
    )
    assert (
        "2026-11: 2 nights in 2026-11-month-"
        in history("merge", location, "--month", "2026-11").out
    )
    assert "one of --keep-days N and --before" in history("prune", location).err
    ran = history("prune", location, "--keep-days", 1, "--dry-run")
    assert "1 night before 2026-11-02 would be deleted." in ran.out
    assert "1 night before 2026-11-02 deleted." in history("prune", location, "--keep-days", 1).out
    assert "2026-11-02" in history("list", location).out


def test_without_the_library_for_object_stores_the_message_names_the_extra(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    ran = run(EXAMPLES / "apples.csv", "--history", "s3://nights/h")
    assert ran.code == 2
    assert "pip install 'lossreport[s3]'" in ran.err


def test_a_page_of_nights_is_not_kept_among_them(run: Run, tmp_path: Path) -> None:
    location = tmp_path / "history"
    add(History(str(location)), profile_of_night(tmp_path, "a", day=1, rows=2))
    ran = run(f"{location}/*.parquet", "--history", location)
    assert ran.code == 2
    assert "would count twice" in ran.err


def test_damaged_and_foreign_files_are_named_and_left_alone(run: Run, tmp_path: Path) -> None:
    location = tmp_path / "history"
    history = History(str(location))
    for day in (1, 2, 3):
        add(history, profile_of_night(tmp_path / "logs", f"n{day}", day=day, rows=day))
    first, second, _ = (location / n.name for n in nights(history))
    whole = first.read_bytes()
    first.write_bytes(whole[: len(whole) // 2])
    (location / "notes.txt").write_text("by hand")
    (location / "2026-11-month-0123456789abcdef.parquet").write_bytes(b"PAR1 not at all")
    (location / "2026-13-01-000000000000-0123456789abcdef.parquet").write_bytes(b"")
    strange = {"notes.txt", "2026-11-month-0123456789abcdef.parquet",
               "2026-13-01-000000000000-0123456789abcdef.parquet"}  # fmt: skip
    assert {s.name for s in survey(place_at(history.location)).strange} == strange
    made, damaged = load_all(history, nights(history))
    assert sorted(p.rows for _, p in made) == [2, 3]
    assert [d.name for d in damaged] == [first.name]
    assert "is damaged: the profile of 2026-11-01" in damaged[0].why

    assert run("list", location, command="history", outputs=False).code == 0
    ran = run("list", location, "--check", command="history", outputs=False)
    assert ran.code == 4
    assert all(f"{name} is left alone" in ran.err for name in (*strange, first.name))
    ran = run(first, second)
    assert ran.code == 4
    assert str(first) in ran.err
    assert "--on-bad-file skip" in ran.err
    ran = run(first, second, "--on-bad-file", "skip")
    assert ran.code == 0
    assert ran.json["rows"]["read"] == 2
    assert first.name in json.dumps(ran.json["findings"])
    ran = run("merge", location, "--month", "2026-11", command="history", outputs=False)
    assert ran.code == 4
    assert first.read_bytes() == whole[: len(whole) // 2]
    assert not second.exists()
    first.write_bytes(whole)
    assert rows_in(history.location) == 6


def test_a_profile_of_another_version_says_what_to_do(tmp_path: Path) -> None:
    history = History(str(tmp_path / "h"))
    add(history, profile_of_night(tmp_path, "a", day=1, rows=2))
    about = {"lossreport_profile": json.dumps({"schema": "lossreport/profile/99"})}
    made = tmp_path / "other.parquet"
    pl.DataFrame({"part": ["x"]}).write_parquet(made, metadata=about)
    content = made.read_bytes()
    name = f"2026-11-02-000000000000-{history_module.hashed(content)}.parquet"
    (tmp_path / "h" / name).write_bytes(content)
    loaded, strange = load_all(history, nights(history))
    assert len(loaded) == 1
    assert strange[0].name == name
    assert "schema lossreport/profile/99" in strange[0].why
    assert "use the version that wrote it" in strange[0].why


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


def test_a_full_disk_loses_nothing_and_says_so(tmp_path: Path) -> None:
    history, logs = History(str(tmp_path / "h")), tmp_path / "logs"
    add(history, profile_of_night(logs, "a", day=1, rows=2))
    before = names_in(history.location)
    profile_of_night(logs, "a", day=1, rows=3)
    words = ["profile", logs / "a.csv", "--by", "", "--history", history.location]
    ran = subprocess.run(
        [sys.executable, "-m", "lossreport", *map(str, words)],
        preexec_fn=_limited, capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert ran.returncode == 2
    assert "cannot be written: File too large" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert names_in(history.location) == before
    assert rows_in(history.location) == 2
    words = ["history", "merge", history.location, "--month", "2026-11"]
    add(history, profile_of_night(logs, "b", day=2, rows=2))
    ran = subprocess.run(
        [sys.executable, "-m", "lossreport", *words],
        preexec_fn=_limited, capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert ran.returncode == 2
    assert rows_in(history.location) == 4


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a small disk of its own; skip where that is not allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options: str) -> Path:
        words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        try:
            done = subprocess.run(words, capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            done = False
        if not done:
            pytest.skip("no disk may be mounted here; the test with a limit on files stands in")
        return folder

    yield mount
    subprocess.run(["umount", "-q", str(folder)], capture_output=True, check=False)


def test_a_small_disk_that_is_full(disk: Callable[[str], Path], run: Run, tmp_path: Path) -> None:
    location = disk("size=64k")
    history = History(str(location))
    fitting = 0
    said = ""
    for day in range(1, 20):
        profile_of_night(tmp_path / "logs", f"n{day}", day=day, rows=2)
        ran = run(tmp_path / "logs" / f"n{day}.csv", "--by", "", "--history", location)
        assert ran.json["rows"]["read"] == 2  # the page and the JSON are there all the same
        if ran.code:
            said = ran.err
            break
        fitting += 1
    assert ran.code == 2
    assert "No space left on device" in said
    assert fitting
    assert rows_in(history.location) == 2 * fitting
    assert not [p for p in location.iterdir() if p.name.startswith(".")]


def test_a_folder_that_may_not_be_written_to(
    disk: Callable[[str], Path], run: Run, tmp_path: Path
) -> None:
    location = disk("size=64k,ro")
    profile_of_night(tmp_path, "a", day=1, rows=2)
    ran = run(tmp_path / "a.csv", "--history", location)
    assert ran.code == 2
    assert "not writable: the run cannot be kept there" in " ".join(ran.err.split())
    assert not (ran.folder / "out.html").exists()


def test_a_night_that_moves_into_a_months_file_is_still_found(tmp_path: Path) -> None:
    history = History(str(tmp_path / "h"))
    for day in (1, 2):
        add(history, profile_of_night(tmp_path, f"n{day}", day=day, rows=day))
    first, second = nights(history)
    merge_months(history, ["2026-11"])
    assert load(history, first).rows == 1
    prune(history, before=date(2026, 11, 2))
    with pytest.raises(lossreport.UnreadableLogError, match="is gone: it was replaced or pruned"):
        load(history, first)
    assert load(history, second).rows == 2


def test_days_come_from_the_last_time_or_are_given(tmp_path: Path) -> None:
    profile = profile_of_night(tmp_path, "a", day=7, rows=1)
    assert history_module.day_of(profile) == date(2026, 11, 7)
    assert history_module.day_of(profile, date(1999, 1, 2)) == date(1999, 1, 2)
    beyond: Profile = dataclasses.replace(profile, span=(0, 2**62))
    with pytest.raises(lossreport.UsageError, match="beyond the year 9999"):
        history_module.day_of(beyond)


def test_what_killed_runs_left_is_cleared_when_it_is_old(tmp_path: Path) -> None:
    history = History(str(tmp_path / "h"))
    add(history, profile_of_night(tmp_path, "a", day=1, rows=1))
    old, new = tmp_path / "h" / ".lossreport-a.part", tmp_path / "h" / ".lossreport-b.part"
    for part in (old, new):
        part.write_bytes(b"half")
    os.utime(old, ns=(1, 1))
    merge_months(history)
    assert not old.exists()
    assert new.exists()
    assert nights(history)
