"""What the explorer says of a table that is handed to it."""

import math
import re

TITLE = "Your table"
DROP = "Drop a table here, or choose a file"
TARGET = "Column of real labels"
TARGET_MEANING = "What the model predicts. An empty cell is a row without a real label."
TIME = "Column of times"
TIME_MEANING = "Where there is one: each month, or other step, is one retraining."
NO_TIME = "none"
LEFT_OUT = "Columns to leave out"
LEFT_OUT_MEANING = "Such as row numbers, and what is not known when a prediction is made."
GAPS = "Empty cells of features"
GAPS_MEANING = "What becomes of rows with an empty cell in a feature."
HOW = {"refuse": "are refused", "drop": "leave out the row", "mean": "fill by the mean", "median": "fill by the median"}
MAY_KEEP = "May be kept"
MAY_KEEP_MEANING = "What may be kept from one retraining to the next."
KEPT = {"rows": "labelled rows", "moments": "sums (X'X and X'y)", "model": "the last model", "nothing": "nothing"}
RECOMMEND = "Recommend"
WORKING = "Reading the table, estimating, replaying the loop on its rows ..."
SET = "The page is set to the population of this table, and to the recommended loop."
FORGET = "Forget the table"
UNREADABLE = "The file cannot be read: it is damaged, or not what its name says."
TOO_MUCH = "The table needs more memory than this page gives to one table: take a sample of its rows, or leave columns out."
BUSY = "Other tables are being worked on: try again in a minute."
NOTHING = "No file has come: drop one, or choose one."
NOT_SENT = "The file came incomplete: drop it again."
IN_PYTHON = "The same in Python"
NO_TARGET = "Choose the column of real labels."


def limits(size: int, unpacked: int, columns: int, cells: int) -> str:
    """How large a table may be, and what becomes of it."""
    return (
        f"CSV, Parquet, Arrow or Excel; CSV may be packed by gzip. At most {_megabytes(size)} ({_megabytes(unpacked)} "
        f"unpacked), {columns:,} columns and {cells:,} cells. It is read in memory, never written to disk, and forgotten with "
        "the answer."
    )


def came(name: str, columns: int) -> str:
    """A table that can be read."""
    return f"{name}: {columns:,} columns."


def for_table(name: str) -> str:
    """Above the recommendation."""
    return f"Recommendation for {name}"


def too_large(name: str, size: float | None, most: int) -> str:
    """A file beyond the limit; without a size, ``{size}`` in its place."""
    given = "{size} MB" if size is None else _megabytes(size)
    return f"{name} has {given}: this page takes tables of at most {_megabytes(most)}. {_ELSEWHERE}"


def too_many_columns(name: str, columns: int, most: int) -> str:
    """A table that is too wide."""
    return f"{name} has {columns:,} columns: this page takes tables of at most {most:,}. {_ELSEWHERE}"


def too_many_cells(name: str, rows: int, columns: int, most: int) -> str:
    """A table whose recommendation takes too long for a page."""
    return (
        f"{name} has {rows:,} rows of {columns:,} features, {rows * columns:,} cells: this page works on at most {most:,}, so "
        f"that it has an answer for everybody. {_ELSEWHERE}"
    )


_ELSEWHERE = "Take a sample of its rows, or use freshmix recommend on the command line, which has no such limit."


def too_long(seconds: int) -> str:
    """A table that takes too long."""
    return (
        f"The table takes more than {seconds} seconds of the processor, which is what this page gives to one: take a sample of "
        "its rows, or use freshmix recommend on the command line."
    )


def beyond(name: str, value: str, end: str) -> str:
    """A setting that the page has no room for."""
    return f"{name} is {value} for this table; the page shows {end}."


# Parameters of Python, and what they are called on the page.
_ON_PAGE = (
    (r" ?\(drop=\['COLUMN'\]\)", f" (“{LEFT_OUT}”)"),
    (r" ?\(impute='mean'\)", f" (“{GAPS}”: {HOW['mean']})"),
    (r" ?\(drop_missing=True\)", f" (“{GAPS}”: {HOW['drop']})"),
    (r": say decimal=',' or decimal='.'", ": save the table with points"),
    (r"^time must", "the column of times must"),
    (r"^y must", "the column of real labels must"),
)


def refusal(message: str) -> str:
    """A refusal of the library as the page says it: one sentence that names the page's own menus."""
    text = " ".join(message.split())
    for pattern, said in _ON_PAGE:
        text = re.sub(pattern, said, text)
    text = text[:1].upper() + text[1:] if not re.match(r"\S+\.\w+ ", text) else text
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _megabytes(size: float) -> str:
    return f"{math.ceil(size / 1e5) / 10:,g} MB"
