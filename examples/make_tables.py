"""Write the example tables from the data sets that scikit-learn carries: python examples/make_tables.py"""

from pathlib import Path

import polars as pl
from sklearn.datasets import load_diabetes, load_digits

HERE = Path(__file__).resolve().parent


def main() -> None:
    diabetes = load_diabetes(scaled=False)
    frame = pl.DataFrame(diabetes.data, schema=list(diabetes.feature_names))
    frame.with_columns(progression=pl.Series(diabetes.target)).write_csv(HERE / "diabetes.csv")
    digits = load_digits()
    pixels = {f"pixel_{i // 8}_{i % 8}": digits.data[:, i].astype("uint8") for i in range(64)}
    pl.DataFrame(pixels | {"digit": digits.target.astype("uint8")}).write_parquet(HERE / "digits.parquet")


if __name__ == "__main__":
    main()
