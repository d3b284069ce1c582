"""Small files with something wrong in them: read as pandas reads them, or refused in one line, in memory and in blocks.

``python -m tests.mutations --files 10000`` reads that many and prints the seeds of those that fail, each with what is wrong.
"""

import argparse
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from freshmix.prepared import prepare
from freshmix.tables import open_table
from freshmix.tables.gaps import Fill
from freshmix.tables.marks import MISSING

# What people and programs write into cells, and what a slip of a finger leaves.
_CELLS = (
    "NA",
    "",
    " ",
    "TRUE",
    "false",
    "1,5",
    "1.234,56",
    "-",
    "?",
    ".",
    "inf",
    "NaN",
    "1e5",
    "1E400",
    "0x1A",
    "5%",
    "(3)",
    "1_000",
)
_CELLS += (
    "2024-01-05",
    "12:30",
    "x",
    "yes",
    '"',
    '""',
    '"a',
    'a"b',
    "'7'",
    "\u22125",
    "1 kg",
    "9" * 30,
    "-0",
    "+7",
    "1.",
    ".5",
    "00",
    "é",
)


def drawn(rng):
    """A sound table of one of a few kinds, as bytes."""
    rows, sign = int(rng.integers(8, 40)), str(rng.choice([",", ",", ";", "\t"]))
    decimal = "," if sign == ";" and rng.random() < 0.5 else "."
    columns = {
        "n": [str(i) for i in range(rows)],
        "a": [f"{value:.3f}".replace(".", decimal) for value in rng.normal(size=rows)],
        "kind": ["xyz"[i % 3] for i in range(rows)],
        "flag": [("true", "false")[i % 2] for i in range(rows)],
        "b": ["" if rng.random() < 0.1 else str(i * i % 7) for i in range(rows)],
    }
    names = [*rng.permutation(list(columns))[: int(rng.integers(1, 6))].tolist(), "y"]
    columns["y"] = ["" if rng.random() < 0.1 else f"{value:.2f}".replace(".", decimal) for value in rng.normal(size=rows)]
    end = str(rng.choice(["\n", "\n", "\r\n"]))
    lines = [sign.join(names), *(sign.join(row) for row in zip(*(columns[name] for name in names), strict=True))]
    return (end.join(lines) + end * int(rng.integers(0, 3))).encode()


def mutated(rng, data):
    """Bytes flipped, inserted or lost, cells swapped or overwritten, lines cut, doubled, joined or lost."""
    lines = data.split(b"\n")
    row, place = int(rng.integers(len(lines) - 1)), int(rng.integers(len(data)))
    sign = max((b",", b";", b"\t"), key=lines[0].count)
    cells = lines[row].split(sign)
    match int(rng.integers(10)):
        case 0:
            return data[:place] + bytes([int(rng.integers(256))]) + data[place + 1 :]
        case 1:
            return data[:place] + bytes([int(rng.integers(32, 127))]) + data[place:]
        case 2:
            return data[:place] + data[place + int(rng.integers(1, 4)) :]
        case 3:
            rng.shuffle(cells)
            lines[row] = sign.join(cells)
        case 4 | 5:
            cells[int(rng.integers(len(cells)))] = str(rng.choice(_CELLS)).encode()
            lines[row] = sign.join(cells)
        case 6:
            lines[row] = lines[row][: int(rng.integers(len(lines[row]) + 1))]
        case 7:
            lines.insert(row, lines[int(rng.integers(len(lines)))])
        case 8:
            lines[row : row + 2] = [b"".join(lines[row : row + 2])]
        case 9:
            del lines[row]
    return b"\n".join(lines)


def file_of(seed):
    """The file of a seed: a table with one thing wrong, or two."""
    rng = np.random.default_rng(seed)
    data = drawn(rng)
    for _ in range(int(rng.choice([1, 1, 1, 2]))):
        data = mutated(rng, data) or b"y\n"
    return data


def outcome(path, limit):
    """Features, X and y of a file, or the line that refuses it; anything else is raised."""
    try:
        table = open_table(path, "y", impute="mean", max_bytes=limit)
        if limit is None:
            return table.features, table.X, table.y
        prepare(table)
        fill = Fill.of(table)
        rows = table.fold(
            lambda columns, y: np.column_stack([*fill.into(columns), y]), lambda one, two: np.concatenate([one, two])
        )
        vary = [i for i in range(table.features) if np.ptp(rows[:, i]) > 0]
        return tuple(table.names[i] for i in vary), rows[:, vary], rows[:, -1]
    except ValueError as problem:
        said = str(problem)
        assert said, "nothing is said"
        assert "\n" not in said, f"more than one line is said: {said!r}"
        return said


def check(path, seed):
    """Read the file of a seed in memory and in blocks, and compare with each other and with pandas; AssertionError."""
    data = file_of(seed)
    path.write_bytes(data)
    found, blocks = outcome(path, None), outcome(path, 0)
    assert isinstance(found, str) == isinstance(blocks, str), f"memory: {found}; blocks: {blocks}"
    if isinstance(found, str):
        return False
    features, X, y = found
    assert blocks[0] == features, f"features {features} and {blocks[0]}"
    # Means of gaps differ by rounding.
    np.testing.assert_allclose(blocks[1], X, rtol=1e-14, atol=1e-14 * np.abs(X).max())
    np.testing.assert_array_equal(blocks[2], y)
    frame = as_pandas(data, path)
    if frame is not None and len(frame) == len(y):
        for name, ours in [("y", y), *zip(features, X.T, strict=True)]:
            if name in frame and pd.api.types.is_numeric_dtype(frame[name]):
                theirs = frame[name].to_numpy(dtype=float)
                known = ~np.isnan(theirs)
                np.testing.assert_allclose(ours[known], theirs[known], rtol=1e-15, err_msg=name)
                if name == "y":
                    np.testing.assert_array_equal(np.isnan(ours), ~known, err_msg="missing labels")
    return True


def as_pandas(data, path):
    """The frame that pandas makes of it, if it does; rows without anything left out."""
    start = data.lstrip(b"\xef\xbb\xbf\r\n")
    first = start.replace(b"\r", b"\n").split(b"\n", 1)[0].decode(errors="replace")
    sign = max((",", ";", "\t", "|"), key=lambda each: (each == "," and each in first, first.count(each)))
    decimal = "," if sign != "," and b"," in data else "."
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            frame = pd.read_csv(
                path,
                sep=sign,
                decimal=decimal,
                index_col=False,
                skipinitialspace=True,
                na_values=list(MISSING),
                encoding="utf-8-sig",
            )
        except (ValueError, pd.errors.ParserError):
            return None
    return frame.dropna(how="all")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="seed of the first file")
    options = parser.parse_args()
    read, failed = 0, []
    warnings.simplefilter("error")
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.first, options.first + options.files):
            try:
                read += check(Path(folder, "t.csv"), seed)
            except Exception as problem:
                failed.append(seed)
                print(f"seed {seed}: {type(problem).__name__}: {' '.join(str(problem).split())[:300]}", flush=True)
    refused = options.files - read - len(failed)
    print(f"{options.files} files from seed {options.first}: {read} read, {refused} refused in one line")
    print(f"{len(failed)} failed" + (f", of seeds {failed}" if failed else ""))
    return bool(failed)


if __name__ == "__main__":
    raise SystemExit(main())
