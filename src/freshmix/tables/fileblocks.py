"""Files as blocks: streamed through polars, every column typed as a whole all the same."""

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from pathlib import Path

import numpy as np
import polars as pl

from ..arguments import Floats
from ..words.table import left_out
from .blocks import BLOCK_BYTES, BlockFunction, Blocks, Result, block_rows
from .kinds import Kind, as_text
from .loading import labels_in
from .marks import MISSING
from .names import INDEX
from .parts import ColumnarPart, Part, is_packed, parts_of
from .refusals import missing_values, too_many_gaps
from .textfile import NotRead, TextPart
from .times import steps_in_order
from .typed import Roles, Typed, blank_rows, columns_of, typed

_ROWS = 65536


class FileBlocks(Blocks):
    """One or several files with the same columns, streamed through polars in bounded memory.

    Where the first rows are numbers throughout, the files are read once, as numbers, and a cell that is none sends them
    back for the two passes of any other table: one for what the columns are, one for their numbers. An empty target means a
    row without a real label.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    target : str
        Column of real labels.
    drop : sequence of str
        Columns to leave out.
    drop_missing : bool
        Leave out rows with missing features instead of refusing them.
    time : str, optional
        Column of time steps, read for the rows per generation alone.
    separator, decimal, impute, drop_unlabelled
        As of ``read_table``; gaps can be filled by means alone.

    Raises
    ------
    ValueError
        If columns are missing, differ between files or cannot be used.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        target: str,
        drop: Sequence[str] = (),
        drop_missing: bool = False,
        time: str | None = None,
        separator: str | None = None,
        decimal: str | None = None,
        impute: str | None = None,
        drop_unlabelled: bool = False,
    ) -> None:
        self.drop_unlabelled = drop_unlabelled
        packed = [path.name for path in paths if is_packed(path)]
        if packed:
            raise ValueError(f"{packed[0]} is compressed and too large to be read at once: unpack it, or convert it to Parquet")
        self.files: list[Part] = parts_of(paths, separator)
        self.roles, self.decimal = Roles(target, time, drop=tuple(drop)), decimal
        self.columns = columns_of(self.files, self.roles)
        super().__init__((), 0, (), drop_missing, impute)
        self.typed: Typed | None = None
        self.unlabelled = 0
        kinds = self._at_sight()
        if kinds is None:
            self._type()
        else:
            self._use(kinds[:-1], kinds[-1])
        self.rows_per_generation = None if time is None else self._rows_per_step(time)

    def _use(self, features: Sequence[Kind], target: Kind) -> None:
        self.kinds, self.target = tuple(features), target
        self.names = tuple(name for kind in features for name in kind.columns)
        self.features = len(self.names)
        # The same list: who holds it sees what the columns turn out to be.
        self.origins[:] = [kind.name for kind in features for _ in kind.columns]

    def _at_sight(self) -> list[Kind] | None:
        """Kinds of all features and the target, where types or the first rows of files of text tell them."""
        names = [name for name in self.columns if name not in self.roles.aside]
        names.append(self.roles.target)
        if self.decimal == "," or any(name in INDEX for name in names):
            return None
        schemas = [part.lazy(names).collect_schema() for part in self.files if isinstance(part, ColumnarPart)]
        if len(schemas) < len(self.files):
            texts = [part for part in self.files if isinstance(part, TextPart)]
            numeric = len(texts) == len(self.files) and all(part.numeric(names) for part in texts)
            return [Kind(name, "numbers") for name in names] if numeric else None
        kinds = []
        for name in names:
            if all(schema[name].is_numeric() for schema in schemas):
                kinds.append(Kind(name, "numbers"))
            elif all(schema[name] == pl.Boolean for schema in schemas):
                kinds.append(Kind(name, "truth"))
            else:
                return None
        return kinds

    def _type(self) -> None:
        """The pass that tells what each column is."""
        self.typed = typed(self.files, self._frames, self.roles, self.columns, self.decimal)
        missing = missing_values(self.typed.counts, self.typed.rows)
        if missing is not None and not (self.drop_missing or self.impute or self.drop_unlabelled):
            raise ValueError(missing)
        if self.drop_missing and self.typed.rows in self.typed.counts.values():
            raise ValueError(too_many_gaps(self.typed.counts, 0, self.typed.rows))
        self._use(self.typed.features, self.typed.target)

    @property
    def notes(self) -> tuple[str, ...]:
        """As of a table in memory."""
        drop, lost = self.roles.drop, self.unlabelled
        words, classes = [kind for kind in self.kinds if kind.what == "words"], self.target.levels
        return (
            *([f"columns left out: {', '.join(drop)}"] if drop else []),
            *([left_out(lost, why="without a real label")] if lost else []),
            *([f"target {self.target.name}: {classes[0]!r} is 0, {classes[1]!r} is 1"] if classes else []),
            *(() if self.typed is None else self.typed.notes),
            *(f"column {kind.name} one-hot encoded ({len(kind.levels)} values)" for kind in words),
        )

    def _frames(self, names: Sequence[str]) -> Iterator[tuple[int, int, pl.DataFrame]]:
        size = block_rows(len(names))
        for place, part in enumerate(self.files):
            start = 0
            for frame in part.frames(names, size):
                yield place, start, frame
                start += frame.height

    @property
    def rows(self) -> int | None:
        """Parquet and Arrow files count their rows and keep columns apart; files of text do neither."""
        if not all(isinstance(part, ColumnarPart) for part in self.files):
            return None
        return sum(int(part.lazy(self.columns[:1]).select(pl.len()).collect().item()) for part in self.files)

    def fold(self, function: BlockFunction[Result], merge: Callable[[Result, Result], Result]) -> Result:
        """The results of all blocks, merged two at a time; once more from the start where a cell is not what it seemed."""
        if self.typed is None:
            try:
                # What it counted by then is forgotten.
                return super().fold(copy(function), merge)
            except NotRead:
                self._type()
        return super().fold(function, merge)

    def parts(self, function: BlockFunction[Result]) -> Iterator[Result]:
        """What the function makes of each block of each file, in order."""
        size, self.unlabelled = block_rows(self.features), 0
        numbers = [name for name in self.columns if name != self.roles.time] if self.typed is None else []
        for file in self.files:
            for frame in file.frames(self.columns, size, numbers):
                blank = blank_rows(frame)
                full = frame.filter(~blank) if blank.any() else frame
                columns = [array for kind in self.kinds for array in kind.arrays(full[kind.name])]
                y = labels_in(self.target, full[self.target.name])
                if self.drop_unlabelled and np.isnan(y).any():
                    real = ~np.isnan(y)
                    self.unlabelled += int((~real).sum())
                    columns, y = [column[real] for column in columns], y[real]
                for start in range(0, len(y), size):
                    yield function([column[start : start + size] for column in columns], y[start : start + size])

    def column_blocks(self) -> Iterator[Floats]:
        """The labels, then (n, k) arrays of columns over all files."""
        size = max(1, 4 * BLOCK_BYTES // (8 * max(self.rows or 0, 1)))
        labels = [
            labels_in(self.target, frame[self.target.name]) for part in self.files for frame in part.frames([self.target.name])
        ]
        y = np.concatenate(labels, dtype=np.float64)
        used = ~np.isnan(y) if self.drop_unlabelled else np.ones(y.size, dtype=np.bool_)
        self.unlabelled = int((~used).sum())
        yield y[used, None]
        for start in range(0, len(self.kinds), size):
            group = self.kinds[start : start + size]
            blocks = [
                np.column_stack([array for kind in group for array in kind.arrays(frame[kind.name])])
                for part in self.files
                for frame in part.frames([kind.name for kind in group])
            ]
            block = np.concatenate(blocks, dtype=np.float64)
            yield block if used.all() else block[used]

    def _rows_per_step(self, time: str) -> int:
        """Median number of rows with the same value of a column, from one pass over it."""
        counts: dict[str | None, int] = {}
        names = [time, self.target.name] if self.drop_unlabelled else [time]
        for part in self.files:
            for frame in part.frames(names, _ROWS):
                if self.drop_unlabelled:
                    frame = frame.filter(pl.Series(~np.isnan(labels_in(self.target, frame[self.target.name]))))
                for text, count in as_text(frame[time]).value_counts().iter_rows():
                    counts[text] = counts.get(text, 0) + count
        gaps = sum(count for text, count in counts.items() if text is None or text in MISSING)
        if gaps:
            gaps -= sum(int(blank_rows(frame).sum()) for _, _, frame in self._frames(self.columns))
        if gaps:
            raise ValueError(f"the time column {time!r} must not have gaps, got {gaps}")
        texts = [text for text in counts if text is not None and text not in MISSING]
        steps, _ = steps_in_order(np.array(texts, dtype=object))
        return max(3, int(np.median(np.bincount(steps, weights=[counts[text] for text in texts]))))
