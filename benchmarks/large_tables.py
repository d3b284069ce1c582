"""What reading a table in blocks costs beside reading it and one matrix product: python benchmarks/large_tables.py [--rows N]

One core. A Parquet file of 4-byte floats is drawn into a temporary folder (1.6 GB by default) and removed afterwards. Timed in
turns in one process, best of a few repetitions: polars handing out the whole file in batches; X'X of as many rows in 8-byte
floats, block after block of the same rows in memory; and the one pass with its decomposition. Peak memory is that of a fresh
process each, at a quarter of the rows and at all of them. Then a CSV of numbers, a tenth of the rows and a quarter of the
columns, and the same with words and truth values, which takes two passes: in blocks, beside polars reading it.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

from freshmix.estimation.factorise import factorise_products
from freshmix.prepared.moments import moments, products_of
from freshmix.tables import FileBlocks, read_table
from freshmix.tables.blocks import block_rows

PART = 50_000


def draw(path, rows, features):
    """A file that is never in memory as a whole."""
    names = [f"x{i}" for i in range(features)]

    def parts(with_columns, predicate, n_rows, batch_size):
        rng = np.random.default_rng(0)
        beta = (rng.standard_normal(features) / np.sqrt(features)).astype(np.float32)
        for start in range(0, rows, PART):
            X = rng.standard_normal((min(PART, rows - start), features), dtype=np.float32)
            y = X @ beta + rng.standard_normal(len(X), dtype=np.float32)
            part = pl.DataFrame({**dict(zip(names, X.T, strict=True)), "y": y})
            yield part if with_columns is None else part.select(with_columns)

    schema = dict.fromkeys([*names, "y"], pl.Float32)
    register_io_source(parts, schema=schema).sink_parquet(path, compression="uncompressed", row_group_size=100_000)


def read(path, features):
    for frame in pl.scan_parquet(path).collect_batches(chunk_size=block_rows(features)):
        for column in frame.get_columns():
            column.to_numpy().max()


def product(rows, features):
    size = block_rows(features)
    block = np.asfortranarray(np.random.default_rng(0).standard_normal((size, features + 1)))
    total = np.zeros((features + 1, features + 1))
    for start in range(0, rows, size):
        part = block[: min(size, rows - start)]
        total += part.T @ part
    return total


def whole(path):
    return factorise_products(products_of(moments(FileBlocks([path], "y"))))


def draw_csv(path, rows, features, mixed):
    """Numbers of six digits, and where it is mixed a column of five words and one of truth values."""
    rng = np.random.default_rng(1)
    frame = pl.DataFrame({f"x{i}": rng.standard_normal(rows).round(5) for i in range(features)})
    if mixed:
        frame = frame.with_columns(
            kind=pl.Series(np.array(["north", "south", "east", "west", "far"])[rng.integers(0, 5, rows)]),
            flag=pl.Series(rng.random(rows) < 0.5),
        )
    frame.with_columns(y=pl.Series(rng.standard_normal(rows).round(5))).write_csv(path)


def read_csv(path):
    for frame in pl.scan_csv(path).collect_batches(chunk_size=65536):
        for column in frame.get_columns():
            column.to_numpy().max()


def mixed_csv(folder, rows, features, repeats):
    plain, mixed = Path(folder, "plain.csv"), Path(folder, "mixed.csv")
    draw_csv(plain, rows, features, False)
    draw_csv(mixed, rows, features, True)
    print(f"CSV, {rows} rows x {features} numbers ({mixed.stat().st_size / 1e9:.2f} GB), one category and one truth column")
    jobs = {
        "numbers alone, read by polars": (read_csv, plain),
        "numbers alone, one pass in blocks": (whole, plain),
        "mixed, read by polars": (read_csv, mixed),
        "mixed, two passes in blocks": (whole, mixed),
        "mixed, read into memory": (read_table, mixed, "y"),
    }
    for name, job in jobs.items():
        print(f"{name:34s} {min(timed(*job) for _ in range(repeats)):7.2f} s")


def timed(job, *arguments):
    start = time.perf_counter()
    job(*arguments)
    return time.perf_counter() - start


def peak(path):
    """Megabytes of a process that does nothing else."""
    command = [sys.executable, __file__, "--only", str(path)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--features", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--only", type=Path, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only is not None:
        whole(options.only)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    n, p = options.rows, options.features
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path, quarter = Path(folder, "table.parquet"), Path(folder, "quarter.parquet")
        draw(path, n, p)
        draw(quarter, n // 4, p)
        jobs = {"read": (read, path, p), "product": (product, n, p), "one pass": (whole, path)}
        seconds = {name: float("inf") for name in jobs}
        for _ in range(options.repeats):
            for name, job in jobs.items():
                seconds[name] = min(seconds[name], timed(*job))
        print(f"{n} rows x {p} columns, {path.stat().st_size / 1e9:.2f} GB on disk, one core")
        for name, value in seconds.items():
            print(f"{name:10s} {value:7.2f} s")
        print(f"ratio of the pass to read + product: {seconds['one pass'] / (seconds['read'] + seconds['product']):.2f}")
        print(f"peak memory at {n // 4} rows: {peak(quarter):.0f} MB, at {n} rows: {peak(path):.0f} MB")
        path.unlink()
        quarter.unlink()
        mixed_csv(folder, n // 10, p // 4, options.repeats)


if __name__ == "__main__":
    main()
