"""Files and frames into X and y, and every way in which they can be wrong."""

import os
import resource
from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freshmix.tables import read_table, to_arrays

GOOD = "a,b,y\n1,2.5,1\n2,3.5,2\n3,1.5,4\n4,0.5,3\n"


def write(folder, text, name="t.csv"):
    path = folder / name
    path.write_text(text)
    return path


def test_numeric_csv(tmp_path):
    table = read_table(write(tmp_path, GOOD), "y")
    assert table.X.tolist() == [[1, 2.5], [2, 3.5], [3, 1.5], [4, 0.5]]
    assert table.X.dtype == np.float64
    assert table.y.tolist() == [1, 2, 4, 3]
    assert table.features == ("a", "b")
    assert table.notes == ()


def test_tab_separated_and_dropped_columns(tmp_path):
    path = write(tmp_path, GOOD.replace(",", "\t"), "t.tsv")
    table = read_table(path, "y", drop=["b"])
    assert table.features == ("a",)
    assert table.notes == ("columns left out: b",)


def test_one_hot(tmp_path):
    rows = "".join(f"{i},{'xyz'[i % 3]},{('no', 'yes')[i % 2]},{i * i}\n" for i in range(12))
    table = read_table(write(tmp_path, "n,kind,flag,y\n" + rows), "y")
    assert table.features == ("n", "kind=x", "kind=y", "kind=z", "flag=yes")
    assert table.X[:3, 1:4].tolist() == np.eye(3).tolist()
    assert table.X[:, 4].tolist() == [i % 2 for i in range(12)]
    assert len(table.notes) == 2


def test_booleans_and_integers_in_parquet(tmp_path):
    frame = pl.DataFrame({"flag": [True, False, True], "small": pl.Series([1, 2, 9], dtype=pl.UInt8), "y": [1, 2, 4]})
    frame.write_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet", "y")
    assert table.X.tolist() == [[1, 1], [0, 2], [1, 9]]


def test_late_decimals_are_found(tmp_path):
    rows = "".join(f"{i},{i % 7}\n" for i in range(20_000)) + "1.5,2\n"
    assert read_table(write(tmp_path, "a,y\n" + rows), "y").X[-1, 0] == 1.5


def test_missing_features(tmp_path):
    path = write(tmp_path, "a,b,y\n1,2,1\n,3,2\n3,,4\n4,0.5,3\n5,1,3\n6,2,1\n")
    with pytest.raises(ValueError, match=r"missing values: a \(1\), b \(1\)"):
        read_table(path, "y")
    table = read_table(path, "y", drop_missing=True)
    assert table.X[:, 0].tolist() == [1, 4, 5, 6]
    assert table.notes == ("2 of 6 rows with missing features left out",)


@pytest.mark.parametrize("drop_missing", [False, True])
def test_an_empty_target_is_no_real_label(tmp_path, drop_missing):
    path = write(tmp_path, "a,y\n1,1\n2,\n,\n4,3\n")
    with pytest.raises(ValueError, match=r"empty in 1 of 3 rows.*no real label"):
        read_table(path, "y", drop_missing=drop_missing)
    pl.DataFrame({"a": [1, 2, 3], "y": [1.0, float("nan"), 2.0]}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(ValueError, match="empty in 1 of 3 rows"):
        read_table(tmp_path / "t.parquet", "y", drop_missing=drop_missing)


@pytest.mark.parametrize("marker", ["NA", "N/A", "NaN", "nan", "null", "None", "", " NA "])
def test_missing_markers_among_numbers(tmp_path, marker):
    """Those of features are missing, those of the target mean no real label; in a column of words they are words."""
    rows = [f"{i},{i * i}.5,{'ab'[i % 2]},{i}" for i in range(12)]
    rows[4] = rows[4].replace("16.5", marker)
    rows[7] = rows[7][: rows[7].rindex(",") + 1] + marker
    path = write(tmp_path, "a,b,word,y\n" + "\n".join(rows) + "\n")
    with pytest.raises(ValueError, match=r"missing values: b \(1\)"):
        read_table(path, "y")
    table = read_table(path, "y", drop_missing=True)
    assert table.X[:, 1].tolist() == [i * i + 0.5 for i in range(12) if i != 4]
    assert np.flatnonzero(np.isnan(table.y)).tolist() == [6]
    words = write(tmp_path, "kind,y\n" + "".join(f"{('None', 'part')[i % 2]},{i}\n" for i in range(12)), "w.csv")
    assert read_table(words, "y").features == ("kind=part",)


def test_truth_values_with_gaps(tmp_path):
    path = write(tmp_path, "a,y\nTrue,1\nNA,2\nfalse,3\ntrue,5\n")
    assert read_table(path, "y", drop_missing=True).X.ravel().tolist() == [1, 0, 1]


def test_empty_lines_are_no_rows(tmp_path):
    table = read_table(write(tmp_path, "a,y\n1,1\n\n2,2\n4,3\n\n"), "y")
    assert table.X.ravel().tolist() == [1, 2, 4]
    assert table.notes == ("2 empty rows left out",)


@pytest.mark.parametrize("cell", ["5%", "$5", '"1,200"', '"2,5"', "1 200.5", "7 €"])
def test_numbers_with_signs_are_named(tmp_path, cell):
    """Also where they are few enough to be taken for categories."""
    path = write(tmp_path, "a,y\n" + "".join(f"{cell},{i}\n" for i in range(20)))
    with pytest.raises(ValueError, match=r"numbers in column 'a', got .* in row 1 below the header: write plain"):
        read_table(path, "y")


def test_dropped_columns_may_hold_anything(tmp_path):
    path = write(tmp_path, "a,b,y\n1,5%,1\n2,7,2\n4,8,3\n5,9,3\n")
    assert read_table(path, "y", drop=["b"]).features == ("a",)


def test_constant_columns_are_named(tmp_path):
    table = read_table(write(tmp_path, "a,c,y\n1,5,1\n2,5,2\n3,5,3\n"), "y")
    assert table.features == ("a",)
    assert table.notes == ("constant columns left out: c",)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "is empty"),
        ("a,y\n", "at least 3 rows, got 0"),
        ("a,y\n1,2\n", "at least 3 rows, got 1"),
        ("a,Y\n1,2\n2,3\n3,4\n", "no column 'y' among its 2; nearest: 'Y'"),
        ("price,size\n1,2\n2,3\n3,4\n", "no column 'y' among its 2; it has price, size"),
        ("y\n1\n2\n3\n", "column beside the target"),
        ("a,y\n1,2\n2,2\n3,2\n", "target 'y' must vary"),
        ("a,y\n1,u\n2,v\n3,w\n", "target 'y' must be numeric, got text such as 'u'"),
        ("a,y\n1,1\n2,n/a\n3,3\n", "target is empty in 1 of 3 rows"),
        ("a,y\n1,1\n2,-\n3,3\n4,5\n", "numbers in column 'y', got '-' in row 2 below the header"),
        ("a,y\n" + "".join(f"{i},{'rgb'[i % 3]}\n" for i in range(30)), "3 classes: classification by regression is for two"),
        ("a,b,y\n1,2,3\n2,3,4\n3,4\n4,5,6\n", r"must have 3 fields in each row, .* got 2 in row 3 below it \(line 4\)"),
        ('a,b,y\n1,2,3\n"2",3,4\n3,4,5,6\n4,5,6\n', r"must have 3 fields in each row, .* got 4 in row 3 below it \(line 4\)"),
        ("a,y\n1,1\n2,inf\n3,3\n", "must be finite"),
        ("a,y\n1,1\ninf,2\n3,3\n", r"infinite values in a \(1\)"),
        ("a,y\n5,1\n5,2\n5,3\n", "only constant columns"),
        ("a,a,y\n1,1,1\n2,2,2\n3,4,3\n", "same name: a$"),
        ("id,y\n" + "".join(f"p{i},{i}\n" for i in range(40)), r"id \(40 values"),
        (
            "day,name,y\n" + "".join(f"2020-01-{i:02},n{i},{i}\n" for i in range(1, 29)),
            r"day \(Date\), name \(28 values",
        ),
        ("a,y\n" + "".join(f"{i},{i}\n" for i in range(30)) + '"12,5",3\n', r"column 'a', got '12,5' in row 31"),
    ],
)
def test_bad_files(tmp_path, text, match):
    with pytest.raises(ValueError, match=match) as caught:
        read_table(write(tmp_path, text), "y")
    assert "\n" not in str(caught.value)


def test_more_bad_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "absent.csv", "y")
    with pytest.raises(ValueError, match="folder"):
        read_table(tmp_path, "y")
    with pytest.raises(ValueError, match="must end in"):
        read_table(write(tmp_path, GOOD, "t.doc"), "y")
    with pytest.raises(ValueError, match="as Parquet"):
        read_table(write(tmp_path, GOOD, "t.parquet"), "y")
    with pytest.raises(ValueError, match="NUL"):
        read_table(write(tmp_path, "a\0\0,b"), "y")
    utf16 = tmp_path / "wide.csv"
    utf16.write_text(GOOD, encoding="utf-16")
    with pytest.raises(ValueError, match="it is UTF-16: save it as UTF-8"):
        read_table(utf16, "y")
    with pytest.raises(ValueError, match="no column 'c'"):
        read_table(write(tmp_path, GOOD), "y", drop=["c"])
    with pytest.raises(ValueError, match="must not name the target"):
        read_table(write(tmp_path, GOOD), "y", drop=["y"])


@pytest.mark.parametrize("head", [b"a,y\n1,2\n", b""])
def test_five_gigabytes_are_refused_before_they_are_read(tmp_path, head):
    path = tmp_path / "huge.csv"
    path.write_bytes(head)
    os.truncate(path, 5 * 1024**3)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=r"too large \(5.4 GB|NUL"):
        read_table(path, "y")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_a_wide_parquet_file_is_refused_by_its_metadata(tmp_path):
    pl.DataFrame({"a": np.zeros(200_000), "y": np.arange(200_000)}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(ValueError, match="too large"):
        read_table(tmp_path / "t.parquet", "y", max_bytes=1_000_000)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_round_trip(tmp_path_factory, data):
    n, p = data.draw(st.integers(3, 8)), data.draw(st.integers(1, 4))
    finite = st.floats(allow_nan=False, allow_infinity=False)
    columns = {f"c{j}": data.draw(st.lists(finite, min_size=n, max_size=n, unique=True)) for j in range(p)}
    frame = pl.DataFrame(columns | {"y": [float(i) for i in range(n)]})
    folder = tmp_path_factory.mktemp("trip")
    frame.write_csv(folder / "t.csv", float_scientific=True, float_precision=17)
    frame.write_parquet(folder / "t.parquet")
    for name in ("t.csv", "t.parquet"):
        assert np.array_equal(read_table(folder / name, "y").X, frame.drop("y").to_numpy())


@pytest.mark.parametrize(
    "make", [np.asarray, lambda x: x.tolist(), pd.DataFrame, lambda x: pl.DataFrame(x.tolist(), orient="row")]
)
def test_arrays_lists_and_frames(make):
    values = np.arange(12.0).reshape(4, 3) ** 2
    X, y, _ = to_arrays(make(values), [1, 2, 3, 5])
    assert np.array_equal(X, values)
    assert y.tolist() == [1, 2, 3, 5]


def test_series_names_and_missing_values_of_pandas():
    frame = pd.DataFrame({"a": pd.array([1, 2, None, 4], dtype="Int64"), "b": [True, False, True, True]})
    with pytest.raises(ValueError, match=r"missing values in a \(1\)"):
        to_arrays(frame, pd.Series([1, 2, 3, 4]))
    X, y, names = to_arrays(frame.fillna(3), pl.Series([1, 2, 3, 4]))
    assert names == ("a", "b")
    assert X[2].tolist() == [3, 1]
    assert y.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("X", "y", "error", "match"),
    [
        (np.ones(3), [1, 2, 3], ValueError, "X must be two-dimensional"),
        (np.ones((3, 0)), [1, 2, 3], ValueError, "at least one column"),
        (np.ones((3, 2)), [1, 2], ValueError, "as many rows, got 3 and 2"),
        (np.ones((1, 2)), [1], ValueError, "at least 3 rows, got 1"),
        (np.ones((3, 2)), np.ones((3, 2)), ValueError, "y must be one-dimensional"),
        ([[1, 2], [3]], [1, 2], ValueError, "different lengths"),
        ([["a"], ["b"], ["c"]], [1, 2, 3], TypeError, "X must hold real numbers"),
        (np.ones((3, 1)) * 1j, [1, 2, 3], TypeError, "complex"),
        (np.array([[{}], [1], [2]], dtype=object), [1, 2, 3], TypeError, "objects"),
        ([[1.0], [np.nan], [2.0]], [1, 2, 3], ValueError, r"missing values in column 0 \(1\)"),
        ([[1.0], [np.inf], [2.0]], [1, 2, 3], ValueError, "infinite"),
        ([[1.0], [3.0], [2.0]], [1, np.nan, 3], ValueError, "must have a real label in every row"),
        ([[1.0], [3.0], [2.0]], [1, np.inf, 3], ValueError, "y must be finite"),
        ([[1.0], [3.0], [2.0]], [2, 2, 2], ValueError, "y must vary"),
        ([[1.0], [3.0], [2.0]], ["1", "2", "3"], TypeError, "y must hold real numbers, got text such as '1'"),
        ([[1.0], [3.0], [2.0]], np.array([None, "yes", "no"]), TypeError, "got text such as 'yes': .* for two classes 0 and 1"),
        (
            pd.DataFrame({"when": [date(2020, 1, 1)] * 3}),
            [1, 2, 3],
            TypeError,
            "X must have numeric columns, got others: when",
        ),
        (pd.DataFrame({"a": [1, 2, 3]}), pd.Series(["a", "b", "c"]), TypeError, "y must be numeric"),
    ],
)
def test_bad_arrays(X, y, error, match):
    with pytest.raises(error, match=match) as caught:
        to_arrays(X, y)
    assert "\n" not in str(caught.value)
