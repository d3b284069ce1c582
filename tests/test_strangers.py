"""Files from strangers: nothing is unpacked beyond a bound, whatever their names and first bytes say."""

import bz2
import gzip
import io
import lzma
import sys
import zipfile
import zlib

import polars as pl
import pytest

from freshmix.tables import open_table, read_table
from freshmix.tables import parts as files
from freshmix.tables.textfile import NotRead, size_read

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
