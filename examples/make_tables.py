"""Write the example tables: python examples/make_tables.py

`homes.csv` is made up here; the other two are data sets that scikit-learn carries.
"""

from pathlib import Path

import numpy as np
import polars as pl
from sklearn.datasets import load_diabetes, load_digits

HERE = Path(__file__).resolve().parent
# homes.csv: months, homes in each of them, and how likely one is to be valued.
MONTHS, HOMES, VALUED = 24, 200, 0.3
# Thousands for one step of each feature, in the first month.
PRICES = {
    "area": 2.4,  # square metres
    "rooms": 9.0,
    "bathrooms": 14.0,
    "floor": 2.5,
    "age": -0.7,  # years
    "garden": 22.0,
    "parking": 16.0,
    "energy_use": -0.25,  # kWh per square metre and year
    "renovated": 18.0,
    "km_to_centre": -7.0,
    "km_to_station": -11.0,
    "street_noise": -1.6,  # decibels
}


def main() -> None:
    homes(np.random.default_rng(2024)).write_csv(HERE / "homes.csv")
    diabetes = load_diabetes(scaled=False)
    frame = pl.DataFrame(diabetes.data, schema=list(diabetes.feature_names))
    frame.with_columns(progression=pl.Series(diabetes.target)).write_csv(HERE / "diabetes.csv")
    digits = load_digits()
    pixels = {f"pixel_{i // 8}_{i % 8}": digits.data[:, i].astype("uint8") for i in range(64)}
    pl.DataFrame(pixels | {"digit": digits.target.astype("uint8")}).write_parquet(HERE / "digits.parquet")


def homes(rng: np.random.Generator) -> pl.DataFrame:
    """A made table: homes on offer in each month, of which some are valued; prices drift from month to month."""
    rows = MONTHS * HOMES
    month = np.repeat(np.arange(MONTHS), HOMES)
    size, far, age = rng.standard_normal(rows), rng.gamma(2.0, 2.5, rows), rng.gamma(2.0, 18.0, rows)
    area = np.exp(4.35 + 0.3 * size + 0.02 * (far - 5.0))
    renovated = rng.random(rows) < np.clip(age / 120, 0.02, 0.6)
    garden = rng.random(rows) < 1 / (1 + np.exp(2.2 - 0.25 * far))
    made = {
        "area": area.round(0),
        "rooms": np.clip((area / 26 + rng.normal(0.0, 0.6, rows)).round(), 1, 9),
        "bathrooms": np.clip((area / 80 + rng.normal(0.3, 0.4, rows)).round(), 1, 4),
        "floor": np.where(garden, 0, rng.poisson(np.clip(4.0 - 0.3 * far, 0.5, None))),
        "age": age.round(0),
        "garden": garden,
        "parking": rng.random(rows) < np.clip(0.2 + 0.06 * far, 0, 0.9),
        "energy_use": np.clip(70 + 1.6 * age - 60 * renovated + rng.normal(0.0, 25.0, rows), 20, None).round(0),
        "renovated": renovated,
        "km_to_centre": far.round(1),
        "km_to_station": (0.25 + 0.12 * far * rng.gamma(2.0, 0.5, rows)).round(2),
        "street_noise": (62 - 1.1 * far + rng.normal(0.0, 4.0, rows)).round(0),
    }
    X = np.column_stack([made[name] for name in PRICES]).astype(np.float64)
    X -= X.mean(axis=0)
    spread = X.std(axis=0)
    start = np.array(list(PRICES.values()))
    # Every price moves alike: by 2 thousand a month for a spread of its feature.
    prices = start + np.cumsum(rng.normal(0.0, 2.0, (MONTHS, start.size)) / spread, axis=0)
    level = 310 + np.cumsum(rng.normal(1.0, 3.0, MONTHS))
    value = level[month] + np.einsum("ij,ij->i", X, prices[month]) + rng.normal(0.0, 38.0, rows)
    valued = rng.random(rows) < VALUED
    frame = pl.DataFrame({"month": [f"{2024 + t // 12}-{t % 12 + 1:02d}" for t in month.tolist()]} | made)
    frame = frame.with_columns(pl.col(name).cast(pl.Int64) for name in PRICES if not name.startswith("km_"))
    return frame.with_columns(value=pl.Series(value.round(1))).with_columns(value=pl.when(pl.Series(valued)).then("value"))


if __name__ == "__main__":
    main()
