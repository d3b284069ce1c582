"""Files from strangers: nothing is unpacked beyond a bound, and nothing in them is for a terminal or a browser to obey."""

import bz2
import gzip
import io
import lzma
import sys
import unicodedata
import zipfile
import zlib

import numpy as np
import polars as pl
import pytest

from freshmix.cli import main
from freshmix.cli.output import csv
from freshmix.tables import Held, open_table, read_table
from freshmix.tables import parts as files
from freshmix.tables.textfile import NotRead, size_read
from freshmix.words import layout
from freshmix.words.signs import visible

HEADER = b"a,b,y\n"
ROWS = b"1.25,2,3\n2.5,1,4\n3.75,5,1\n4.5,0,2\n5.25,3,2\n"
# 24 MB in 40 kB, of cells that take less room as text than as numbers.
BOMB = gzip.compress(HEADER + ROWS * 600_000)


def written(folder, name, content):
    (folder / name).write_bytes(content)
    return folder / name


@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv", "t.txt"])
def test_a_packed_file_is_unpacked_up_to_the_limit(tmp_path, name):
    path = written(tmp_path, name, BOMB)
    with pytest.raises(ValueError, match=r"is too large \(more than 0\.00\d+ GB, limit 0\.001 GB\): take a sample"):
        read_table(path, "y", max_bytes=10**6)
    with pytest.raises(ValueError, match="compressed and too large to be read at once: unpack it"):
        open_table(path, "y", max_bytes=10**6)
    # A megabyte at a time, and cells count as numbers of 8 bytes.
    assert 10**6 < size_read(name, path, 10**6) < 8 * (10**6 + 2**21)
    # Several files add up.
    small = written(tmp_path, "small.csv.gz", gzip.compress(HEADER + ROWS * 1000))
    size = size_read("small", small, 10**6)
    assert size == pytest.approx(8 * 15_000, rel=0.01)
    assert read_table([small, small], "y", max_bytes=2 * size).X.shape == (10_000, 2)
    with pytest.raises(ValueError, match=r"small.csv.gz and 1 more is too large"):
        read_table([small, small], "y", max_bytes=2 * size - 1)


def test_a_pipe_is_unpacked_up_to_the_limit(monkeypatch):
    monkeypatch.setattr(files, "MOST_BYTES", 10**6)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BOMB)))
    with pytest.raises(ValueError, match="too large for a pipe"):
        read_table("-", "y")


def test_a_file_in_memory_is_unpacked_up_to_the_limit(tmp_path):
    pl.select(a=pl.repeat(1.0, 10**6), y=pl.repeat(2.0, 10**6)).write_parquet(tmp_path / "rows.parquet", compression="zstd")
    rows = (tmp_path / "rows.parquet").read_bytes()
    for name, content in (("t.csv.gz", BOMB), ("t.csv", BOMB), ("t.parquet", rows)):
        for ask in (lambda file: file.columns(), lambda file: file.read("y")):
            with pytest.raises(
                ValueError, match=rf"{name} is too large \(more than 1 MB, unpacked\): take a sample of its rows"
            ):
                ask(Held(name, content, 10**6))


def test_a_file_in_memory_is_what_its_name_says(tmp_path):
    """Nothing is looked for under the name."""
    for name in ("/etc/passwd", "t", "t.csv.zip", "t.pkl", "t.csv\x00"):
        with pytest.raises(ValueError, match=r"must end in one of \.csv"):
            Held(name, HEADER + ROWS).columns()
    assert Held("/nowhere/../t.csv", HEADER + ROWS).columns() == ("a", "b", "y")
    with pytest.raises(ValueError, match=r"t\.parquet cannot be read as Parquet"):
        Held("t.parquet", HEADER + ROWS).columns()
    with pytest.raises(ValueError, match=r"t\.csv is empty"):
        Held("t.csv", b"").columns()


def test_parquet_through_a_pipe_counts_as_numbers(tmp_path, monkeypatch):
    pl.select(a=pl.repeat(1.0, 10**6), y=pl.repeat(2.0, 10**6)).write_parquet(tmp_path / "rows.parquet", compression="zstd")
    monkeypatch.setattr(files, "MOST_BYTES", 10**6)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((tmp_path / "rows.parquet").read_bytes())))
    with pytest.raises(ValueError, match="too large for a pipe"):
        read_table("-", "y")


def test_short_cells_are_as_large_as_numbers(tmp_path):
    path = written(tmp_path, "t.csv", HEADER + b"1,2,3\n" * 50_000)
    assert size_read("t.csv", path, 0) == pytest.approx(8 * 150_000, rel=1e-3)
    with pytest.raises(ValueError, match="too large"):
        read_table(path, "y", max_bytes=10**6)


@pytest.mark.parametrize("cut", [8, 15, 60, -9, -1])
def test_half_a_packed_file_is_none(tmp_path, cut):
    packed = gzip.compress(HEADER + ROWS * 20)
    with pytest.raises(NotRead, match=r"t.csv.gz cannot be unpacked: "):
        read_table(written(tmp_path, "t.csv.gz", packed[:cut]), "y")
    changed = bytearray(packed)
    changed[-5] ^= 1
    with pytest.raises(NotRead, match=r"t.csv.gz cannot be unpacked: "):
        read_table(written(tmp_path, "t.csv.gz", changed), "y")


def zipped():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("t.csv", HEADER + ROWS)
    return content.getvalue()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("zstd", b"\x28\xb5\x2f\xfd" + bytes(range(1, 200))),
        ("bzip2", bz2.compress(HEADER + ROWS)),
        ("xz", lzma.compress(HEADER + ROWS)),
        ("zlib", zlib.compress(HEADER + ROWS)),
        ("zip", zipped()),
    ],
)
def test_other_kinds_of_packing_are_named(tmp_path, kind, content):
    for name in ("t.csv", "t.csv.gz"):
        with pytest.raises(ValueError, match=f"{name} is packed by {kind}: unpack it, or pack it by gzip"):
            open_table(written(tmp_path, name, content), "y")


def test_a_packed_line_has_a_bound(tmp_path):
    path = written(tmp_path, "t.csv.gz", gzip.compress(HEADER + b"1" * (70 << 20), compresslevel=1))
    with pytest.raises(NotRead, match="must be lines of fields, got one of more than 64 MB"):
        open_table(path, "y")


@pytest.mark.parametrize("name", ["t.parquet", "t.feather"])
def test_text_of_columnar_files_counts_with_its_length(tmp_path, name):
    """A page of one long text, a dictionary of it, and many row groups of such."""
    frame = pl.DataFrame({"a": ["x" * 10**6, *"bbccddee"], "y": [float(k) for k in range(9)]})
    path = tmp_path / name
    if name.endswith("parquet"):
        pl.concat([frame] * 5).write_parquet(path, row_group_size=9, compression="zstd")
    else:
        pl.concat([frame] * 5).write_ipc(path, compression="zstd")
    assert path.stat().st_size < 20_000 or name == "t.feather"
    with pytest.raises(ValueError, match=r"too large \(0\.005 GB, limit 0\.001 GB\)"):
        read_table(path, "y", max_bytes=10**6)
    # Rows without end in a few bytes.
    pl.select(a=pl.repeat(1.0, 10**6), y=pl.repeat(2.0, 10**6)).write_parquet(tmp_path / "rows.parquet", compression="zstd")
    assert (tmp_path / "rows.parquet").stat().st_size < 50_000
    with pytest.raises(ValueError, match=r"too large \(0\.016 GB"):
        read_table(tmp_path / "rows.parquet", "y", max_bytes=10**6)


def test_a_spreadsheet_counts_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"<row/>" * 500_000)
    assert (tmp_path / "t.xlsx").stat().st_size < 10_000
    with pytest.raises(ValueError, match=r"too large \(0\.003 GB"):
        read_table(tmp_path / "t.xlsx", "y", max_bytes=10**6)


# Sets the title of a terminal, and more, in seven bits and in eight; turns the direction of writing.
EVIL = "size\x1b]0;owned\x07\x9b31m\u202e"
SEEN = r"size\x1b]0;owned\x07\x9b31m\u202e"


def obeyed(text):
    return {each for each in text if unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") and each != "\n"} | {*text} & {
        "\u202e"
    }


def test_what_is_obeyed_is_made_visible():
    every = "".join(map(chr, range(0x110000)))
    assert not obeyed(visible(every))
    for text in ("plain\nlines", "naïve β², 数据, مرحبا", "emoji 🎲"):
        assert visible(text) == text
    assert visible(EVIL) == SEEN


def test_every_form_of_an_answer():
    answer = [
        layout.Block([EVIL]),
        layout.Verdict("stable", EVIL),
        layout.Pairs(None, [(EVIL, EVIL)]),
        layout.Grid("heading", ["name", EVIL], [(EVIL, "1")], left=1),
        layout.Lines("Notes", dict.fromkeys([EVIL])),
    ]
    for form in (layout.text(answer), layout.html(answer), layout.brief("answer", answer)):
        assert not obeyed(form)
        assert "owned" in form
    assert not obeyed(csv({EVIL: ["a", EVIL], "x": [1.0, 2.0]}).decode())


@pytest.mark.parametrize(
    ("name", "column", "cell"),
    [("t.csv", EVIL, "x"), ("t.csv", "a", EVIL), (f"{EVIL[4:9]}.csv", "a", "1"), ("t.csv", "y", "1")],
)
def test_refusals(tmp_path, capsys, name, column, cell):
    path = tmp_path / name
    if name == "t.csv":
        rows = "".join(f"{k},{k % 3},{k % 5}\n" for k in range(30))
        written(tmp_path, name, f"{column},b,y\n{rows}{cell},2,3\n".encode())
    assert main(["recommend", str(path), "--target", EVIL if column == "y" else "y"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert not obeyed(err)


@pytest.mark.slow
def test_an_answer_and_its_page(tmp_path, capsys):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 2))
    kinds = [f"red{EVIL}", "blue"]
    rows = [f"{a:.3f},{kinds[k % 2]},{a + b + rng.standard_normal():.3f}" for k, (a, b) in enumerate(X)]
    table = written(tmp_path, "t.csv", "\n".join([f"{EVIL},kind,y", *rows]).encode())
    page = tmp_path / "page.html"
    assert main(["recommend", str(table), "--target", "y", "--generations", "3", "--report", str(page)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for text in (out, page.read_text()):
        assert not obeyed(text)
