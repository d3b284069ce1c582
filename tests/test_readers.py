"""One table, many readers: every cell is equal, or the refusal is the same, however the table comes and is split."""

import gzip
import io
import re
import sys
import zipfile
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.impute import SimpleImputer

import freshmix as fm
from freshmix.prepared import prepare
from freshmix.prepared.moments import moments
from freshmix.prepared.stream import checked_times
from freshmix.prepared.suspects import table_warnings
from freshmix.tables import Blocks, Held, open_table, to_arrays
from freshmix.tables.gaps import Fill

from .mutations import check


def write(folder, text, name="t.csv"):
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def from_csv(folder, text, **options):
    return open_table(write(folder, text), "y", **options)


def from_gz(folder, text, **options):
    return open_table(write(folder, gzip.compress(text.encode()), "t.csv.gz"), "y", **options)


def from_two(folder, text, **options):
    head, *rows = text.splitlines()
    parts = [rows[: len(rows) // 2], rows[len(rows) // 2 :]]
    paths = [write(folder, "\n".join([head, *part]) + "\n", f"p{i}.csv") for i, part in enumerate(parts)]
    return open_table(paths, "y", **options)


def from_parquet(folder, text, **options):
    pl.read_csv(io.StringIO(text), infer_schema=False).write_parquet(folder / "t.parquet")
    return open_table(folder / "t.parquet", "y", **options)


def from_feather(folder, text, **options):
    pl.read_csv(io.StringIO(text), infer_schema=False).write_ipc(folder / "t.feather")
    return open_table(folder / "t.feather", "y", **options)


def from_excel(folder, text, **options):
    pytest.importorskip("fastexcel")
    rows = pl.read_csv(io.StringIO(text), infer_schema=False, has_header=False).rows()
    return open_table(write(folder, spreadsheet(rows), "t.xlsx"), "y", **options)


def spreadsheet(rows):
    """The bytes of an .xlsx file with one sheet; text goes into its cells as such."""

    def cell(at, value):
        if value is None:
            return ""
        if isinstance(value, bool):
            return f'<c r="{at}" t="b"><v>{int(value)}</v></c>'
        if isinstance(value, str):
            return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
        return f'<c r="{at}"><v>{value!r}</v></c>'

    lines = ("".join(cell(f"{'ABCDEFGH'[j]}{i}", value) for j, value in enumerate(row)) for i, row in enumerate(rows, start=1))
    body = "".join(f'<row r="{i}">{line}</row>' for i, line in enumerate(lines, start=1))
    schemas = "http://schemas.openxmlformats.org"
    kinds, office = f"{schemas}/package/2006", f"{schemas}/officeDocument/2006/relationships"
    vendor = "application/vnd.openxmlformats"

    def related(kind, target):
        relation = f'<Relationship Id="r1" Type="{office}/{kind}" Target="{target}"/>'
        return f'<Relationships xmlns="{kinds}/relationships">{relation}</Relationships>'

    def override(name, kind):
        return f'<Override PartName="/xl/{name}.xml" ContentType="{vendor}-officedocument.spreadsheetml.{kind}+xml"/>'

    types = f'<Default Extension="rels" ContentType="{vendor}-package.relationships+xml"/>'
    types += override("workbook", "sheet.main") + override("worksheets/sheet1", "worksheet")
    main = f'xmlns="{schemas}/spreadsheetml/2006/main"'
    sheets = '<sheets><sheet name="one" sheetId="1" r:id="r1"/></sheets>'
    files = {
        "[Content_Types].xml": f'<Types xmlns="{kinds}/content-types">{types}</Types>',
        "_rels/.rels": related("officeDocument", "xl/workbook.xml"),
        "xl/_rels/workbook.xml.rels": related("worksheet", "worksheets/sheet1.xml"),
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{office}">{sheets}</workbook>',
        "xl/worksheets/sheet1.xml": f"<worksheet {main}><sheetData>{body}</sheetData></worksheet>",
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, text in files.items():
            file.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return packed.getvalue()


def from_pandas(folder, text, **options):
    frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    return open_table(frame, "y", **options)


def from_polars(folder, text, **options):
    return open_table(pl.read_csv(io.StringIO(text), infer_schema=False).lazy(), "y", **options)


def from_dict(folder, text, **options):
    return open_table(pl.read_csv(io.StringIO(text), infer_schema=False).to_dict(as_series=False), "y", **options)


def from_stdin(folder, text, **options):
    class Piped:
        buffer = io.BytesIO(text.encode())

    kept, sys.stdin = sys.stdin, Piped
    try:
        return open_table("-", "y", **options)
    finally:
        sys.stdin = kept


def from_memory(folder, text, **options):
    return Held("t.csv", text.encode()).read("y", **options)


def from_memory_as_parquet(folder, text, **options):
    packed = io.BytesIO()
    pl.read_csv(io.StringIO(text), infer_schema=False).write_parquet(packed)
    return Held("T.PARQUET", packed.getvalue()).read("y", **options)


class Rows:
    """The rows of blocks, put together."""

    def __init__(self, source):
        self.stated = prepare(source).gaps
        fill = Fill.of(source) if source.impute else None
        rows = source.fold(
            lambda columns, y: np.column_stack([*(fill.into(columns) if fill else columns), y]),
            lambda a, b: np.concatenate([a, b]),
        )
        rows = rows[np.isfinite(rows[:, :-1]).all(axis=1)]
        vary = [i for i in range(rows.shape[1] - 1) if np.ptp(rows[:, i]) > 0]
        self.X, self.y, self.features = rows[:, vary], rows[:, -1], tuple(source.names[i] for i in vary)


def from_blocks(folder, text, **options):
    return Rows(open_table(write(folder, text), "y", max_bytes=0, **options))


READERS = [
    from_gz,
    from_two,
    from_parquet,
    from_feather,
    from_excel,
    from_pandas,
    from_polars,
    from_dict,
    from_stdin,
    from_memory,
    from_memory_as_parquet,
    from_blocks,
]


def repeated(*cells):
    """A table whose first column has these cells, in order and often enough to be categories."""
    return "a,b,y\n" + "".join(f"{cell},{i * i % 7},{i * i % 11}\n" for i, cell in enumerate(cells * 4))


TABLES = {
    "numbers": repeated("1", "2.5", "-3", "1e2", " 4", "+5", "0.5 "),
    "truth": repeated("TRUE", "false", "True"),
    "truth among numbers": "f,y\nTRUE,1\n5,2\n7,3\n9,5\n2,4\n4,6\n",
    "one truth word": repeated("1", "FALSE", "3", "4"),
    "truth in the target": "a,y\n1,1\n2,TRUE\n3,4\n4,FALSE\n5,3\n6,2\n",
    "codes": "k,y\n" + "".join(f"{k},{i}\n" for i, k in enumerate(["01", "02"] * 6 + ["A1", "B2"] * 6)),
    "the level NA": repeated("NA", "part", "full"),
    "truth as words": repeated("TRUE", "true", "maybe"),
    "equal numbers": repeated("1.50", "1.5", "2"),
    "clock": repeated("09:00", "09:00:00", "10:00"),
    "datetimes": repeated("2024-01-01", "2024-01-01 10:00", "2024-01-02T00:00:00"),
    "points": repeated("1", ".", "3", "4"),
    "markers": repeated("1", "NA", "3", "N/A", "null", "None", "NaN", "8"),
    "wholly empty": "a,c,y\n" + "".join(f"{i if i % 3 else ''},,{i * i}\n" for i in range(12)),
    "ids and gaps": "a,id,y\n" + "".join(f"{i if i % 3 else ''},n{i},{i * i}\n" for i in range(60)),
    "words among numbers": repeated("1", "2", "3", "4", "?"),
    "failed": repeated("1", "#DIV/0!"),
    "no label": "a,y\n1,1\n2,\n3,NA\n4,3\n5,.\n6,2\n",
    "yes and no": "a,y\n" + "".join(f"{i},{('yes', 'no', 'NA')[i % 3]}\n" for i in range(12)),
    "three classes": "a,y\n" + "".join(f"{i},{'rgb'[i % 3]}\n" for i in range(30)),
    "huge": repeated("9223372036854775807123", "1", "5"),
    "infinite": repeated("inf", "1", "2"),
    **{
        f"notation {cell}": repeated("1", "2", cell, "4", "5")
        for cell in ("\u22125", "-$5", "(5)", "1D+05", "<0.1", "1_000", "1 kg", "5%", "\u20ac7", "1 200", "10km")
    },
    "only units": repeated("1 kg", "2 kg"),
}


def outcome(reader, folder, text, **options):
    try:
        table = reader(folder, text, **options)
    except ValueError as problem:
        said = str(problem)
        assert "\n" not in said
        # The name of the file and the place of the cell are those of each reader.
        said = re.sub(r"^.*? must have numbers", "must have numbers", said)
        said = re.sub(
            r", and infinite|X must be finite, got infinite values in|features have infinite values:", "infinite:", said
        )
        return re.sub(r"( below the header)|( in \d+ cells, first)|( in row \d+)", "", said)
    return table


def test_a_header_of_any_length_is_read_whole():
    """Longer than what is looked at of any other file."""
    names = [f"{i}{'x' * 300}" for i in range(1000)]
    rows = [",".join(str((i * k + k * k) % 11) for i in range(len(names))) for k in range(4)]
    file = Held("t.csv", "\n".join(["", ",".join(names), *rows, ""]).encode())
    assert file.columns() == tuple(names)
    assert file.read(names[-1]).y.tolist() == [(999 * k + k * k) % 11 for k in range(4)]


@pytest.mark.parametrize("drop_missing", [False, True])
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", TABLES)
def test_every_reader_reads_the_same(tmp_path, name, reader, drop_missing):
    options = {"drop_missing": drop_missing}
    expected, found = outcome(from_csv, tmp_path, TABLES[name], **options), outcome(reader, tmp_path, TABLES[name], **options)
    if isinstance(expected, str) or isinstance(found, str):
        assert found == expected
        return
    assert found.features == expected.features
    np.testing.assert_array_equal(found.X, expected.X)
    np.testing.assert_array_equal(found.y, expected.y)


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("truth among numbers", r"column 'f', got 'TRUE' in row 1 below the header: .* 1 and 0 for truth words"),
        ("one truth word", r"column 'a', got 'FALSE' in 4 cells, first in row 2"),
        ("truth in the target", r"column 'y', got 'TRUE' in row 2 below the header, 'FALSE' in row 4:"),
        ("clock", r"a \(Time\)"),
        ("datetimes", r"a \(Date\)"),
        ("wholly empty", r"^features have missing values: c \(all 12\), a \(4\)"),
        ("ids and gaps", r"id \(60 values, text such as 'n0', 'n1', 'n2'\).*missing values: a \(20\)"),
        ("failed", r"got '#DIV/0!'"),
        ("only units", r"got '1 kg' in 4 cells, first in row 1 below the header, '2 kg'"),
        ("notation \u22125", "column 'a', got '\u22125'"),
        ("notation 1 kg", "column 'a', got '1 kg'"),
    ],
)
def test_refusals_name_the_cells(tmp_path, name, match):
    with pytest.raises(ValueError, match=match):
        from_csv(tmp_path, TABLES[name])


def test_what_is_read(tmp_path):
    assert from_csv(tmp_path, TABLES["truth"]).X[:3, 0].tolist() == [1, 0, 1]
    assert from_csv(tmp_path, TABLES["codes"]).features == ("k=01", "k=02", "k=A1", "k=B2")
    table = from_csv(tmp_path, TABLES["the level NA"])
    assert table.features[:3] == ("a=NA", "a=full", "a=part")
    assert any("'NA' is a category" in note for note in table.notes)
    assert from_csv(tmp_path, TABLES["yes and no"]).y[:3].tolist()[:2] == [1, 0]
    assert np.isnan(from_csv(tmp_path, TABLES["yes and no"]).y[2])
    assert from_csv(tmp_path, TABLES["equal numbers"]).X[:3, 0].tolist() == [1.5, 1.5, 2]


SEMICOLON = "a;b;y\n1;1,5;1\n2;2;2\n3;-4,25;3\n4;0;5\n"


@pytest.mark.parametrize("limit", [None, 0])
def test_semicolons_and_decimal_commas(tmp_path, limit):
    source = open_table(write(tmp_path, SEMICOLON), "y", max_bytes=limit)
    table = source if limit is None else Rows(source)
    assert table.X.tolist() == [[1, 1.5], [2, 2], [3, -4.25], [4, 0]]
    for text, match in (
        (
            SEMICOLON.replace("1;1,5;1", "1.5;1,5;1"),
            r"commas in b \('1,5'\) and points in a \('1.5'\): say decimal=',' or decimal='.'",
        ),
        ("a;y\n1,234;1\n2,345;3\n5,100;2\n", r"may be decimal signs or separate thousands in a"),
        (SEMICOLON.replace("-4,25", "1.234,56"), r"column 'b', got '1.234,56' in row 3"),
    ):
        with pytest.raises(ValueError, match=match):
            open_table(write(tmp_path, text, "u.csv"), "y", max_bytes=limit)
    table = open_table(write(tmp_path, "a;y\n1,234;1\n2,345;3\n5,100;2\n"), "y", decimal=",")
    assert table.X.ravel().tolist() == [1.234, 2.345, 5.1]
    assert open_table(write(tmp_path, "a:y\n1:1\n2:3\n5:2\n"), "y", separator=":").X.ravel().tolist() == [1, 2, 5]


@pytest.mark.parametrize("limit", [None, 0])
@pytest.mark.parametrize(
    "text",
    [
        b"a,name,y\n1,M\xfcller,1\n2,x,3\n5,y,2\n",
        b"a,name,name,y\n1,p,q,1\n2,x,x,3\n5,y,y,2\n",
        b"a,name,y\n1,99999999999999999999999999999,1\n2,x,3\n5,true,2\n",
    ],
)
def test_dropped_columns_are_never_looked_at(tmp_path, text, limit):
    path = write(tmp_path, text)
    source = open_table(path, "y", drop=["name"], max_bytes=limit)
    assert (source if limit is None else Rows(source)).X.ravel().tolist() == [1, 2, 5]
    with pytest.raises(ValueError) as caught:
        open_table(path, "y", max_bytes=limit)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ('p,y\n5" pipe,1\n2,2\n3,4\n', r"quotation mark .* in row 1 below its header \(line 2\)"),
        ('p,y\n"5 pipe,1\n2,2\n3,4\n', r"quotation mark .* in row 1 below its header"),
        ('p,y\n1,1\n5" a,2\n6" b,4\n2,7\n', r"quotation mark .* in row 2 below its header"),
    ],
)
def test_stray_quotes(tmp_path, text, match):
    for limit in (None, 0):
        with pytest.raises(ValueError, match=match):
            open_table(write(tmp_path, text), "y", max_bytes=limit)


def test_spreadsheets_keep_all_digits_and_types(tmp_path):
    pytest.importorskip("fastexcel")
    head = ["a", "kind", "flag", "long", "y"]
    cells = [
        [1, "u", True, 0.1 + 0.2, 1],
        [2.5, "v", False, 1e-300, 2],
        [3, "u", True, 1 / 3, 3.25],
        ["7", "v", True, 1e300, 5],
    ]
    path = tmp_path / "t.xlsx"
    path.write_bytes(spreadsheet([head, *cells, [None] * 5]))
    table = open_table(path, "y")
    assert table.features == ("a", "kind=v", "flag", "long")
    assert table.X[:, 3].tolist() == [0.1 + 0.2, 1e-300, 1 / 3, 1e300]
    assert table.X[:, [0, 2]].tolist() == [[1, 1], [2.5, 0], [3, 1], [7, 1]]
    for rows, match in (
        ([["a", "b", "y"], [1, True, 1], [2, 1, 2], [3, 0, 4]], r"column 'b', got 'true' in row 1 below the header"),
        ([["a", "a", "y"], [1, 5, 1], [2, 1, 2], [3, 0, 4]], "columns of the same name: a"),
        ([["a", "y"], *([i, i * i] for i in range(150)), ["junk", 3]], r"column 'a', got 'junk' in row 151 below"),
        ([], "t.xlsx is empty"),
    ):
        path.write_bytes(spreadsheet(rows))
        with pytest.raises(ValueError, match=match):
            open_table(path, "y")
    path.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ValueError, match=r"t\.xlsx cannot be read as a spreadsheet"):
        open_table(path, "y")


def test_spreadsheets_without_their_reader_name_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    (tmp_path / "t.xlsx").write_bytes(spreadsheet([["a", "y"], [1, 2], [2, 3], [3, 1]]))
    with pytest.raises(ValueError, match=r"needs the package fastexcel: pip install 'freshmix\[excel\]'"):
        open_table(tmp_path / "t.xlsx", "y")


def test_line_ends_headers_and_unnamed_columns(tmp_path):
    assert open_table(write(tmp_path, "a,y\r1,1\r2,3\r5,2\r"), "y").X.ravel().tolist() == [1, 2, 5]
    assert open_table(write(tmp_path, "a,y\r\n1,1\r\n2,3\r\n5,2\r\n"), "y").X.ravel().tolist() == [1, 2, 5]
    assert open_table(write(tmp_path, '"a ""b""",y\n1,1\n2,3\n5,2\n'), "y").features == ('a "b"',)
    table = open_table(write(tmp_path, '"","a","y"\n"1",4,1\n"2",3,3\n"3",5,2\n'), "y")
    assert table.features == ("a",)
    assert "unnamed first column left out: it numbers the rows" in table.notes
    with pytest.raises(ValueError, match="unnamed first column"):
        open_table(write(tmp_path, "".join(f"{x}\n" for x in [",a,y", *(f"Mazda {i},{i},{i * i}" for i in range(30))])), "y")


def test_masked_arrays_are_missing():
    X = np.ma.masked_equal(np.arange(12.0).reshape(4, 3) ** 2, 4)
    with pytest.raises(ValueError, match=r"missing values in column 2 \(1\)"):
        to_arrays(X, [1, 2, 3, 5])
    y = to_arrays(X.data, np.ma.masked_equal([1, 2, 3, 5], 3), unlabelled=True)[1]
    assert np.isnan(y).tolist() == [False, False, True, False]


def test_masked_chunks_are_missing():
    da = pytest.importorskip("dask.array")
    from freshmix.tables import DaskBlocks

    X = np.ma.masked_equal(np.arange(40.0).reshape(20, 2) ** 2, 4)
    with pytest.raises(ValueError, match=r"missing values: column 0 \(1\)"):
        moments(DaskBlocks(da.from_array(X, chunks=5, asarray=False), da.from_array(np.arange(20.0), chunks=5)))


def test_series_are_aligned_by_index():
    X = pd.DataFrame({"a": [1, 2, 5]}, index=["p", "q", "r"])
    y = pd.Series([3.0, 1.0, 2.0], index=["r", "p", "q"])
    assert to_arrays(X, y)[1].tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="must have the same index"):
        to_arrays(X, y.rename({"r": "s"}))
    with pytest.raises(ValueError, match="must have the same index"):
        to_arrays(X, y.rename({"r": "q"}))


def test_sparse_lazy_and_mixed_lists():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match=r"X must be dense, got a sparse csr_.*toarray"):
        to_arrays(sparse.csr_array(np.eye(3)), [1, 2, 3])
    X = {"a": [1, 2, 5], "b": np.array([2, 4, 3])}
    assert to_arrays(X, [1, 2, 4])[0].tolist() == to_arrays(pl.DataFrame(X).lazy(), [1, 2, 4])[0].tolist()
    with pytest.raises(TypeError, match="numbers or truth values, got both in column 1"):
        to_arrays([[1, True], [2, 3], [4, 5]], [1, 2, 4])
    assert open_table([{"a": 1, "y": 2}, {"a": 2, "y": 1}, {"a": 4, "y": 5}], "y").X.ravel().tolist() == [1, 2, 4]


def test_most_of_the_table_left_out_is_told(tmp_path):
    rows = "".join(f"{i},{i if i % 20 == 0 else ''},{i * i % 17}\n" for i in range(200))
    path = write(tmp_path, "a,b,y\n" + rows)
    table = open_table(path, "y", drop_missing=True)
    assert table.gaps == {"b": 190}
    said = "Most of the table is left out: 190 of 200 rows have missing features, 190 of them in b alone"
    assert table.stated[0].startswith(said)
    assert prepare(open_table(path, "y", drop_missing=True, max_bytes=0)).gaps == table.stated


GAPS = "a,b,kind,flag,y\n" + "".join(
    f"{i % 7},{'' if i % 5 == 0 else i * i % 11},{('u', 'v', 'w', '')[i % 4]},{('true', 'false', 'NA')[i % 3]},"
    f"{'' if i % 6 == 1 else i * i % 13}\n"
    for i in range(60)
)


@pytest.mark.parametrize("how", ["mean", "median"])
@pytest.mark.parametrize("reader", [from_csv, *READERS])
def test_gaps_are_filled_as_scikit_learn_does(tmp_path, reader, how):
    """Fitted on labelled rows alone; the text is made into numbers here by pandas."""
    if reader is from_blocks and how == "median":
        with pytest.raises(ValueError, match="impute must be mean for a table that is read in blocks"):
            reader(tmp_path, GAPS, impute=how)
        return
    frame = pd.read_csv(io.StringIO(GAPS))
    words = pd.get_dummies(frame["kind"], dtype=float).where(frame["kind"].notna())
    X = np.column_stack([frame[["a", "b"]], words, frame["flag"].astype(float)])
    real = frame["y"].notna().to_numpy()
    expected = SimpleImputer(strategy=how).fit(X[real]).transform(X)
    table = reader(tmp_path, GAPS, impute=how)
    assert table.features == ("a", "b", "kind=u", "kind=v", "kind=w", "flag")
    np.testing.assert_allclose(table.X, expected, rtol=1e-14)
    said = f"Filled in by the {how} of the labelled rows: 47 missing cells of 60 rows, in flag (20), kind (15), b (12)"
    assert table.stated[0].startswith(said)


@pytest.mark.parametrize("reader", [from_csv, *READERS])
def test_rows_with_an_empty_target_are_left_out_where_that_is_asked_for(tmp_path, reader):
    """Not by leaving out rows with missing features: that is another choice."""
    both = reader(tmp_path, GAPS, drop_missing=True)
    assert np.isnan(both.y).any()
    table = reader(tmp_path, GAPS, drop_missing=True, drop_unlabelled=True)
    real = ~np.isnan(both.y)
    np.testing.assert_array_equal(table.X, both.X[real])
    np.testing.assert_array_equal(table.y, both.y[real])
    only = "a,b,y\n1,,\n2,3,1\n4,5,2\n3,1,5\n,,\n"
    assert reader(tmp_path, only, drop_unlabelled=True).X.tolist() == [[2, 3], [4, 5], [3, 1]]


@pytest.mark.slow
def test_a_loop_of_new_rows_for_an_empty_target_is_said_first_and_counted():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((80, 2)), rng.standard_normal(80)
    X[:4, 1], y[70:] = np.nan, np.nan
    said = fm.recommend(X, y, impute="mean", generations=2).assumption
    assert said.startswith("Assumed loop: 80 new rows in each generation, 87.5% of them with a real label")
    assert "The target is empty in 10 of the table's 80 rows" in said
    assert "Filled in by the mean of the labelled rows: 4 missing cells of 80 rows, in column 1 (4)" in said
    assert "The target is empty in 10" in fm.plan(X, y, cost_per_label=1, impute="median").assumption
    real = ~np.isnan(y)
    expected = SimpleImputer().fit_transform(X[real])
    found = fm.estimate(X[real], y[real], impute="mean")
    assert found.noise_variance == pytest.approx(fm.estimate(expected, y[real]).noise_variance, rel=1e-9)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"impute": "mode"}, "impute must be mean or median, got 'mode'"),
        ({"impute": "mean", "drop_missing": True}, "not both"),
        ({"impute": "mean"}, "columns are empty on all labelled rows: b"),
        ({"drop_missing": True}, r"leaves 1 of 6: b \(5\)"),
    ],
)
@pytest.mark.parametrize("limit", [None, 0])
def test_gaps_that_cannot_be_filled(tmp_path, options, match, limit):
    path = write(tmp_path, "a,b,y\n1,,1\n2,,3\n5,,2\n4,7,\n3,,6\n8,,5\n")
    with pytest.raises(ValueError, match=match):
        prepare(open_table(path, "y", max_bytes=limit, **options))


@pytest.mark.parametrize("seed", [*range(20), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(20, 500))])
def test_mutated_files_are_read_as_pandas_does_or_refused(tmp_path, seed):
    check(tmp_path / "t.csv", seed)


def test_a_line_that_does_not_fit_is_named_where_the_sums_agree(tmp_path):
    for text, match in (
        ("a,y\n1,2\n2,34,5\n3,1\n\n", r"got 3 in row 2 below it \(line 3\)"),
        ("a,y\r\n1,2\r\n2,3\r4,5\r\n3,1\r\n", r"line ends of one kind, got another \(CR\) within line 3"),
    ):
        for limit in (None, 0):
            with pytest.raises(ValueError, match=match):
                open_table(write(tmp_path, text), "y", max_bytes=limit)


def test_values_that_may_stand_for_nothing_are_told():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 3)), rng.standard_normal(200)
    X[:40, 1] = 1e6
    y[:120] = -999
    said = table_warnings(X, y, "abc", "linear")
    assert any(each.startswith("60% of the target is -999, far from the others") for each in said)
    assert any(each.startswith("20% of b is 1e+06, far from the others") for each in said)
    counts = np.floor(3 * np.abs(X[:, [0]]))
    assert not any("far from the others" in each for each in table_warnings(counts, X[:, 2], None, "linear"))


def test_masked_times_are_missing():
    time = np.ma.masked_equal(np.arange(12) // 4, 1)
    with pytest.raises(ValueError, match="gaps, got 4 missing values"):
        checked_times(time, 12)


MASKED = np.ma.masked_equal(np.r_[7.0, np.arange(1, 12.0)], 7.0)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (
            lambda X, y: fm.recommend(X, y, sample_weight=MASKED),
            "sample_weight must hold finite numbers of at least 0, got nan",
        ),
        (lambda X, y: fm.recommend(X, y, time=MASKED), "time must not have gaps, got 2 missing"),
        (lambda X, y: fm.estimate(np.ma.masked_array(X, X > 0), y), "missing values in column"),
        (lambda X, y: fm.plan(np.ma.masked_array(X, X > 0), y, cost_per_label=1), "missing values in column"),
        (lambda X, y: open_table({"a": MASKED, "y": y}, "y"), r"missing values: a \(2\)"),
        (
            lambda X, y: open_table({"a": y, "w": MASKED, "y": y}, "y", sample_weight="w"),
            "column 'w' must not have gaps, got 2",
        ),
        (lambda X, y: open_table({"a": y, "t": MASKED, "y": y}, "y", time="t"), "column 't' must not have gaps, got 2"),
        (lambda X, y: prepare(Blocks([(np.ma.masked_array(X, X > 0), y)], 2)), "missing values: column"),
        (lambda X, y: fm.recommend(X, pd.Series(y[:9])), "X and y must have as many rows, got 12 and 9"),
        (lambda X, y: fm.recommend(pd.DataFrame(X), pd.Series(y[:9])), "X and y must have as many rows, got 12 and 9"),
        (lambda X, y: fm.recommend(pl.DataFrame(X), pl.Series(y[:9])), "X and y must have as many rows, got 12 and 9"),
        (lambda X, y: fm.recommend(pd.DataFrame(X), y, sample_weight=pd.Series(y[:9])), "as many rows, got 12 and 9"),
        (lambda X, y: open_table({"a": y[:5], "y": y}, "y"), r"columns must have the same length, got a \(5\), y \(12\)"),
    ],
)
def test_masked_cells_and_other_lengths_are_refused_by_name(call, match):
    X = np.random.default_rng(0).standard_normal((12, 2))
    with pytest.raises(ValueError, match=match):
        call(X, np.arange(12.0) ** 2)


def test_masked_labels_are_missing_in_blocks_as_in_memory():
    X = np.random.default_rng(0).standard_normal((12, 2))
    assert prepare(Blocks([(X, MASKED)], 2)).stream.labelled == prepare(X, MASKED).stream.labelled == 10
    assert np.isnan(open_table({"a": X[:, 0], "y": MASKED}, "y").y).sum() == 2


@pytest.mark.parametrize("kind", [pl.String, pl.Categorical, pl.Enum(["NA", "u", "v"])])
def test_na_among_words_is_a_category_whatever_the_type(tmp_path, kind):
    """One rule: text that says NA is a word among words, and missing beside numbers; an empty cell is missing everywhere."""
    words = pl.Series("a", ["NA", "u", None, "v"] * 6).cast(kind)
    numbers = pl.Series("b", ["NA", "1", "2", "3"] * 6)
    frame = pl.DataFrame([words, numbers, pl.Series("y", range(24))])
    frame.write_parquet(tmp_path / "t.parquet")
    frame[:10].write_parquet(tmp_path / "p0.parquet")
    frame[10:].write_parquet(tmp_path / "p1.parquet")
    parts = [tmp_path / "p0.parquet", tmp_path / "p1.parquet"]
    sources = [frame, pd.DataFrame(frame.to_dict(as_series=False)), tmp_path / "t.parquet", parts]
    for source in sources:
        table = open_table(source, "y", impute="mean")
        assert table.features == ("a=NA", "a=u", "a=v", "b")
        assert table.gaps == {"a": 6, "b": 6}
        assert any("'NA' is a category" in note for note in table.notes)
    assert Rows(open_table(parts, "y", impute="mean", max_bytes=0)).features == ("a=NA", "a=u", "a=v", "b")
    notes = prepare(open_table(parts, "y", impute="mean", max_bytes=0)).notes
    assert {*table.notes} <= {*notes}
