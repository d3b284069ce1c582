"""A table handed to the page: the recommendation that ``fm.recommend`` gives for the file, or one clear sentence."""

import base64
import gzip
import io
import os
import pickle
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import freshmix as fm
from freshmix.explorer import apart, uploaded
from freshmix.explorer.apart import Apart
from freshmix.explorer.state import State
from freshmix.explorer.uploaded import Asked, Recommended
from freshmix.words.layout import html, text
from freshmix.words.signs import visible

EXAMPLES = Path(__file__).parents[1] / "examples"
ROWS = "a,b,y\n" + "".join(f"{i % 7},{i * i % 11}.5,{(3 * i + i * i) % 13}\n" for i in range(60))


def sent(name, content):
    """As a browser sends it."""
    content = content.encode() if isinstance(content, str) else content
    return uploaded.received(name, f"data:text/csv;base64,{base64.b64encode(content).decode()}")


def here(name, content, target="y", **asked):
    """Read and worked on in this process."""
    return uploaded._recommended(sent(name, content), Asked(target, **asked))


def check_sentence(error):
    said = str(error.value)
    assert "\n" not in said
    assert said == visible(said)
    assert said.endswith(".")
    assert not any(sign in said for sign in ("Traceback", "=[", "=True", "='", "nan")), said
    assert len(said) < 600
    return said


@pytest.mark.parametrize("pack", ["csv", "csv.gz", "parquet"])
def test_the_recommendation_is_that_of_the_file(pack):
    path = EXAMPLES / "diabetes.csv"
    content = path.read_bytes()
    if pack == "csv.gz":
        content = gzip.compress(content)
    elif pack == "parquet":
        buffer = io.BytesIO()
        pl.read_csv(path).write_parquet(buffer)
        content = buffer.getvalue()
    found = here(f"C:\\data\\diabetes.{pack}", content, "progression")
    expected = fm.recommend(path, "progression")
    known, same = found.result, expected.to_dict()
    assert {key for key in known if key not in same} == set()
    for name in ("risk", "real_weight", "penalty", "verdict", "intervals", "rivals", "check", "warnings"):
        assert known[name] == same[name], name
    assert text(found.said) == text(expected.answer())
    assert found.population == expected.population.replace()
    assert type(found.population) is fm.Population
    assert found.lines == f"import freshmix as fm\n\nrecommendation = fm.recommend('diabetes.{pack}', 'progression')\n"


def monthly(rng, months=12, rows=40):
    X = rng.standard_normal((months * rows, 3))
    y = X @ [1.0, -1.0, 0.5] + rng.standard_normal(len(X))
    names = [f"2024-{1 + i // rows:02d}" for i in range(len(X))]
    labels = np.where(rng.random(len(X)) < 0.5, y.round(3), np.nan)
    return pl.DataFrame({"month": names, "p": X[:, 0], "q": X[:, 1], "r": X[:, 2], "y": labels}).fill_nan(None)


@pytest.mark.slow
def test_times_gaps_and_columns_left_out_are_those_of_the_library(tmp_path):
    frame = monthly(np.random.default_rng(0)).with_columns(
        row=pl.int_range(pl.len()), r=pl.when(pl.int_range(pl.len()) > 0).then("r")
    )
    frame.write_csv(tmp_path / "t.csv")
    content = (tmp_path / "t.csv").read_bytes()
    found = here("t.csv", content, time="month", drop=("row",), gaps="mean", may_keep="model")
    expected = fm.recommend(tmp_path / "t.csv", "y", time="month", drop="row", impute="mean", may_keep="model")
    assert text(found.said) == text(expected.answer())
    assert found.result["step"] == "month"
    assert found.lines.endswith("fm.recommend('t.csv', 'y', time='month', drop=('row',), impute='mean', may_keep='model')\n")
    state, said = uploaded.set_to(State(), found)
    assert said == []
    assert State.from_query(state.to_query()) == state
    assert (state.model, state.covariates, state.generations) == ("table", "fresh", 12)
    # The page shows what was estimated and what is recommended, as closely as an address can say it.
    for name in ("eigenvalues", "shares", "signal"):
        np.testing.assert_allclose(getattr(state.population(), name), getattr(expected.population, name), rtol=1e-3)
    assert state.population().noise_variance == pytest.approx(expected.population.noise_variance, rel=1e-6)
    assert state.population().persistence == pytest.approx(expected.population.persistence, rel=1e-3)
    close = fm.risk(state.population(), state.loop(), 12), fm.risk(expected.population, expected.loop, 12)
    np.testing.assert_allclose(*close, rtol=3e-3)
    assert len(state.to_query()) < 1000


def test_same_rows_set_the_page_too():
    found = here("diabetes.csv", (EXAMPLES / "diabetes.csv").read_bytes(), "progression")
    state, _ = uploaded.set_to(State(picture="spectrum", aspect=7.0), found)
    assert (state.covariates, state.picture) == ("frozen", "spectrum")
    np.testing.assert_allclose(
        fm.limit(state.population(), state.loop()).risk, fm.limit(found.population, found.loop).risk, rtol=3e-3
    )


def test_a_setting_without_room_is_told_of():
    found = here("t.csv", ROWS)
    wide = Recommended(found.said, {}, found.population, found.loop.replace(aspect=1e5), 12, "")
    state, said = uploaded.set_to(State(), wide)
    assert said == ["aspect is 100000 for this table; the page shows 1000."]
    assert state.aspect == 1000


def test_menus_start_with_what_is_likely():
    assert uploaded.likely(["month", "a", "y"]) == ("y", "month")
    assert uploaded.likely(["y", "date", "year"]) == ("y", None)
    assert uploaded.likely(["date"]) == (None, "date")


WIDE = ",".join(f"c{i}" for i in range(10**5))
BOMB = gzip.compress(b"a,b,y\n" + b"1,2,3\n" * 20_000_000, compresslevel=1)


@pytest.mark.parametrize(
    ("name", "content", "asked", "says"),
    [
        ("t.csv", b"", {}, "No file has come|t.csv is empty"),
        ("t.exe", ROWS, {}, r"t\.exe must end in one of \.csv"),
        ("t.pkl", pickle.dumps({"a": [1]}), {}, r"t\.pkl must end in"),
        ("noname", ROWS, {}, "must end in one of"),
        ("t.csv", "a,b,y\n", {}, "t.csv must have at least 3 rows, got 0"),
        ("t.csv", "a,b,y\n1,2,3\n", {}, "at least 3 rows, got 1"),
        ("t.csv", ROWS, {"target": "z"}, "no column 'z'"),
        ("t.csv", ROWS, {"target": "y", "time": "z"}, "no column 'z'"),
        ("t.csv", ROWS, {"target": "y", "time": "y"}, "The column of times must not name the target"),
        ("t.csv", ROWS + "5,x,1\n", {}, "t.csv must have numbers in column 'b'.*leave the column out .“Columns to leave out”"),
        ("t.csv", ROWS + "5,,1\n", {}, "Features have missing values: .*“Empty cells of features”: fill by the mean"),
        ("t.csv", ROWS + "5,1\n", {}, "must have 3 fields in each row"),
        ("t.csv", ROWS.replace("y", "b", 1), {}, "columns of the same name|no column 'y'"),
        ("t.csv", ROWS.replace("y", "b", 1), {"target": "b"}, "columns of the same name"),
        ("t.csv", bytes(range(256)) * 40, {}, "NUL bytes"),
        ("t.csv", np.random.default_rng(0).bytes(5000), {}, "t.csv"),
        ("t.parquet", np.random.default_rng(0).bytes(5000), {}, "cannot be read as Parquet"),
        ("t.parquet", b"PAR1" + np.random.default_rng(0).bytes(5000) + b"PAR1", {}, "cannot be read"),
        ("t.csv.gz", b"\x1f\x8b" + np.random.default_rng(0).bytes(5000), {}, "cannot be unpacked"),
        ("t.xlsx", b"PK\x03\x04" + np.random.default_rng(0).bytes(5000), {}, "cannot be read as a spreadsheet"),
        ("t.feather", b"ARROW1" + np.random.default_rng(0).bytes(5000), {}, "cannot be read"),
        ("t.csv.gz", BOMB, {}, r"t.csv.gz is too large \(more than 50 MB, unpacked\)"),
        (
            "t.csv",
            WIDE + "\n" + "1," * 99_999 + "1\n",
            {},
            "t.csv has 100,000 columns: this page takes tables of at most 2,000",
        ),
        ("t.csv", '"a\nb",y\n' + "1,2\n2,1\n4,4\n", {"target": "z"}, "no column 'z'"),
        ("t.csv", "a;b;y\n" + "1,555;2,250;3\n7,111;1,205;4\n" * 9, {}, "save the table with points"),
        ("t.csv", ROWS.encode("utf-16"), {}, "UTF-16: save it as UTF-8"),
        (f"{'x' * 300}.csv", "a\n", {}, r"xxx\.\.\.xxx"),
        ("\x1b]0;owned\x07.csv", "a\n1\n", {}, r"owned"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(name, content, asked, says):
    with pytest.raises(ValueError, match=says) as error:
        here(name, content, **{"target": "y"} | asked)
    check_sentence(error)


def test_a_file_must_come_whole():
    for contents in (None, "", 3, ["a"]):
        with pytest.raises(ValueError, match="No file has come"):
            uploaded.received("t.csv", contents)
    with pytest.raises(ValueError, match="incomplete"):
        uploaded.received("t.csv", "data:text/csv;base64,YWJ")
    with pytest.raises(ValueError, match="incomplete"):
        uploaded.received("t.csv", "data:text/csv;base64,Y*Jj")


def test_the_limits_are_stated():
    with pytest.raises(ValueError, match=r"t.csv has 10\.1 MB: this page takes tables of at most 10 MB") as error:
        sent("t.csv", b"1,2\n" * 2_500_010)
    check_sentence(error)
    cells = pl.DataFrame({f"c{i}": np.arange(60_000) % (i + 2) for i in range(21)})
    buffer = io.BytesIO()
    cells.write_parquet(buffer)
    with pytest.raises(
        ValueError, match="60,000 rows of 20 features, 1,200,000 cells: this page works on at most 1,000,000"
    ) as error:
        here("t.parquet", buffer.getvalue(), "c20")
    check_sentence(error)
    for limit in ("10 MB", "50 MB unpacked", "2,000 columns", "1,000,000 cells"):
        assert limit in uploaded.LIMITS


def test_cells_are_text_and_nothing_else():
    """Formulas, markup and paths in names and cells are shown as they are."""
    names = ["=cmd('x')", "<script>alert(1)</script>", "y"]
    rows = "".join(f"{['=1+1', '@x', '+y', '-z'][i % 4]},{i % 5},{i * i % 7}\n" for i in range(60))
    found = here("=cmd().csv", ",".join(names) + "\n" + rows)
    said = text(found.said)
    assert "=cmd('x') one-hot encoded (4 values)" in " ".join(said.split())
    assert "<script>" not in html(found.said)
    assert found.lines.splitlines()[-1] == "recommendation = fm.recommend('=cmd().csv', 'y')"


@pytest.mark.slow
def test_apart_gives_what_here_gives():
    file, asked = sent("t.csv", ROWS), Asked("y")
    alone, direct = uploaded.recommended(file, asked), uploaded._recommended(file, asked)
    assert text(alone.said) == text(direct.said)
    assert alone.result == direct.result
    assert uploaded.columns_of(file) == ("a", "b", "y")
    with pytest.raises(ValueError, match="no column 'z'"):
        uploaded.recommended(file, Asked("z"))
    uploaded._apart().close()


def hog():
    return len(bytearray(4 << 30))


def spin():
    while True:
        pass


def panic():
    raise BaseException("rust")


def stop():
    os._exit(3)


def named(name):
    return name, os.getpid(), time.sleep(0.2)


@pytest.fixture
def bounded():
    made = Apart("freshmix.words.uploading", seconds=2, memory=1 << 30, waiting=1)
    yield made
    made.close()


@pytest.mark.slow
def test_a_call_that_goes_beyond_its_bounds_ends_alone(bounded):
    for call, says in (
        (spin, "more than 2 seconds of the processor"),
        (hog, "more memory"),
        (panic, "damaged"),
        (stop, "more memory"),
    ):
        with pytest.raises(ValueError, match=says):
            bounded.call(call)
    assert bounded.call(divmod, 7, 2) == (3, 1)


@pytest.mark.slow
def test_each_call_has_a_process_of_its_own_and_too_many_are_refused(bounded):
    with ThreadPoolExecutor(6) as pool:
        calls = [pool.submit(bounded.call, named, str(i)) for i in range(6)]
        done = [call.result() for call in calls if call.exception() is None]
        refused = [str(call.exception()) for call in calls if call.exception() is not None]
    assert 2 <= len(done) < 6
    assert set(refused) == {"Other tables are being worked on: try again in a minute."}
    assert len({pid for _, pid, _ in done}) == len(done)
    for _, pid, _ in done:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.slow
def test_no_file_is_written(tmp_path):
    """Neither by the process that works on a table nor by the one that asks it to."""
    script = (
        "from freshmix.explorer import uploaded; import base64\n"
        "if __name__ == '__main__':\n"
        f"    rows = {ROWS!r}\n"
        "    file = uploaded.received('t.csv', ',' + base64.b64encode(rows.encode()).decode())\n"
        "    print(uploaded.recommended(file, uploaded.Asked('y')).loop.aspect > 0)\n"
    )
    folder = tmp_path / "temporary"
    folder.mkdir()
    (tmp_path / "ask.py").write_text(script)
    folder.chmod(0o500)
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    said = subprocess.run(
        [sys.executable, tmp_path / "ask.py"], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout == "True\n"
    assert list(folder.iterdir()) == []


def test_the_bounds_leave_room_for_what_is_allowed():
    """The largest tables that are taken, in memory: a part of the bound."""
    assert 8 * uploaded.MOST_CELLS * 20 < apart.MOST_MEMORY
    assert 8 * uploaded.MOST_UNPACKED < apart.MOST_MEMORY
