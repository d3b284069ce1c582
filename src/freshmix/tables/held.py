"""A file that is held in memory alone: no path is looked for, and nothing is written anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from .gaps import Gaps
from .loading import Table, table_of
from .names import listed
from .parts import MOST_BYTES, Part, held_part
from .typed import Roles


@dataclass(frozen=True)
class Held:
    """The bytes of a file, and the name that it had, which tells what kind of file it is.

    Parameters
    ----------
    name : str
        Such as ``homes.csv``; it is not opened.
    content : bytes
        The file.
    max_bytes : int
        The most that it may be once unpacked, in bytes: of text itself or its cells as numbers, of Parquet as numbers.

    Examples
    --------
    >>> file = Held("t.csv", b"size,kind,price\\n1,a,2.5\\n2,b,3\\n4,a,5\\n3,b,4\\n5,a,7\\n")
    >>> file.columns()
    ('size', 'kind', 'price')
    >>> file.read("price").features
    ('size', 'kind=b')
    """

    name: str
    content: bytes = field(repr=False)
    max_bytes: int = MOST_BYTES

    def columns(self, separator: str | None = None) -> tuple[str, ...]:
        """Names of its columns, as ``read`` knows them. Raises ValueError as ``read`` does."""
        return self._part(separator).names

    def read(
        self,
        target: str,
        *,
        time: str | None = None,
        sample_weight: str | None = None,
        predictions: str | None = None,
        drop_missing: bool = False,
        impute: str | None = None,
        drop_unlabelled: bool = False,
        drop: str | Sequence[str] = (),
        separator: str | None = None,
        decimal: str | None = None,
    ) -> Table:
        """The table, as ``read_table`` reads a file; parameters are the same.

        Raises
        ------
        ValueError
            If it cannot be used, or is larger than ``max_bytes``; one line that names the columns.
        """
        gaps = Gaps(drop_missing, impute, drop_unlabelled)
        roles = Roles(target, time, sample_weight, predictions, listed(drop))
        return table_of([self._part(separator)], roles, gaps, decimal)

    def _part(self, separator: str | None) -> Part:
        return held_part(self.name, self.content, separator, self.max_bytes)
