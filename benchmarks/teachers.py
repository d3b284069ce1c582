"""A teacher's labels used in several ways, on real rows: python benchmarks/teachers.py [--repeats 16] [--only NAME ...]

Each repeat splits a table at random: a third for a teacher to learn from (a random forest, or one that is made biased on
purpose, or one that knows nothing), a quarter that judges, and of the rest a few rows with a real label and the others with the
teacher's alone. Mean squared errors on the real labels that judge, over that of ridge on the few real labels (penalty by
leave-one-out), with the standard error of the mean ratio over repeats:

    freshmix         what ``fm.recommend(..., predictions=...).teaching`` advises
    least squares    on the few real labels
    ppi++            ppi_py's power-tuned least squares (``ppi_ols_pointestimate``)
    all alike        ridge on all rows, the teacher's labels taken for real ones
    self-training    ridge on its own labels of the other rows and the real ones, no teacher (ridge by leave-one-out, twice)
    teacher          its own predictions, less what they are off by on average

Then coefficients: how wide ppi_py's 90% intervals are over those of least squares on the real labels alone, and how often each
holds the least squares coefficient of all rows; freshmix has none. And classes: accuracy of logistic regression on the few
labels, of SelfTrainingClassifier around it, of what freshmix advises on labels 0 and 1, cut at a half, and of the teacher. Half
an hour with the default.
"""

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections.abc import Callable
from pathlib import Path

import numpy as np
import ppi_py
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from freshmix.arguments import Floats
from freshmix.prepared import prepare
from freshmix.recommendation.teaching import Lesson
from freshmix.tables import open_table

EXAMPLES = Path(__file__).parents[1] / "examples"
METHODS = ("freshmix", "least squares", "ppi++", "all alike", "self-training", "teacher")
TEACHERS = ("forest", "biased", "useless")
Split = tuple[Floats, Floats, Floats]
PENALTIES = np.geomspace(1e-3, 1e5, 41)


def tables() -> dict[str, tuple[Floats, Floats, int]]:
    """Name -> standardised features, labels, and how many real labels there are."""
    made = {}
    for name, target, drop, labels in (("diabetes", "progression", (), 60), ("homes", "value", ("month",), 100)):
        table = open_table(EXAMPLES / f"{name}.csv", target, drop=drop, drop_unlabelled=True)
        made[name] = table.X, table.y, labels
    X, y = load_breast_cancer(return_X_y=True)
    made["breast cancer"] = X, y.astype(float), 60
    return {name: ((X - X.mean(axis=0)) / X.std(axis=0), y, labels) for name, (X, y, labels) in made.items()}


def teacher_of(kind: str, X: Floats, y: Floats, rng: np.random.Generator) -> Callable[[Floats], Floats]:
    """A model that never sees the other rows."""
    wrong = rng.standard_normal(X.shape[1]) * y.std() / np.sqrt(X.shape[1])
    if kind == "useless":
        return lambda rows: y.mean() + rows @ wrong + y.std() * rng.standard_normal(len(rows))
    forest = RandomForestRegressor(100, min_samples_leaf=3, random_state=int(rng.integers(2**31))).fit(X, y)
    if kind == "forest":
        return lambda rows: np.asarray(forest.predict(rows))
    # Half a standard deviation too high, shrunk, and leaning on features that it should not.
    level = 0.3 * y.mean() + 0.5 * y.std()
    return lambda rows: np.asarray(level + 0.7 * forest.predict(rows) + 0.5 * rows @ wrong)


def with_one(X: Floats) -> Floats:
    return np.column_stack([np.ones(len(X)), X])


def ridge(X: Floats, y: Floats) -> RidgeCV:
    return RidgeCV(PENALTIES).fit(X, y)


def advised(X: Floats, y: Floats, said: Floats, seed: int) -> Callable[[Floats], Floats]:
    """The fit of ``fm.recommend(X, y, predictions=said).teaching``, by its own lines."""
    share = float(np.isfinite(y).mean())
    here = {"X": X, "y": y, "teacher": said}
    exec(Lesson(prepare(X, y, predictions=said), y.size, share, True, seed).answer.code(), here)
    return here["model"].predict  # type: ignore[attr-defined, no-any-return]


def errors(split: tuple[Split, Split, Split], labels: int, kind: str, rng: np.random.Generator, seed: int) -> list[float]:
    """Mean squared errors of the methods over that of ridge on real labels; then width and cover of ppi_py's intervals."""
    (X1, y1, _), (X, y, _), (X2, y2, _) = split
    teacher = teacher_of(kind, X1, y1, rng)
    said, said_of_judges = teacher(X), teacher(X2)
    real = np.arange(y.size) < labels
    shown = np.where(real, y, np.nan)
    alone = ridge(X[real], y[real])
    offset = float(np.mean((said - y)[real]))
    data = with_one(X[real]), y[real], said[real], with_one(X[~real]), said[~real]
    powered = ppi_py.ppi_ols_pointestimate(*data)
    guesses = [
        advised(X, shown, said, seed)(X2),
        with_one(X2) @ np.linalg.lstsq(data[0], data[1], rcond=None)[0],
        with_one(X2) @ powered,
        ridge(X, np.where(real, y, said)).predict(X2),
        ridge(X, np.where(real, y, alone.predict(X))).predict(X2),
        said_of_judges - offset,
    ]
    scale = float(np.mean((alone.predict(X2) - y2) ** 2))
    ratios = [float(np.mean((guess - y2) ** 2)) / scale for guess in guesses]
    every_X, every_y = np.vstack([each for each, _, _ in split]), np.concatenate([each for _, each, _ in split])
    truth = np.linalg.lstsq(with_one(every_X), every_y, rcond=None)[0][1:]
    low, high = (each[1:] for each in ppi_py.ppi_ols_ci(*data))
    least, most = (each[1:] for each in ppi_py.classical_ols_ci(data[0], data[1]))
    width = float(np.median((high - low) / (most - least)))
    held = [float(np.mean((a <= truth) & (truth <= b))) for a, b in ((low, high), (least, most))]
    return [*ratios, width, *held]


def split_of(X: Floats, y: Floats, rng: np.random.Generator) -> tuple[Split, Split, Split]:
    """A third to teach, then five twelfths to fit and a quarter to judge."""
    parts = np.split(rng.permutation(y.size), [y.size // 3, y.size * 3 // 4])
    first, second, third = ((X[part], y[part], y[part]) for part in parts)
    return first, second, third


def accuracies(labels: int, rng: np.random.Generator, seed: int) -> list[float]:
    """Breast cancer: the few labels alone, self-training, what freshmix advises with a forest as teacher, and that teacher."""
    X, y = load_breast_cancer(return_X_y=True)
    (X1, y1, _), (X, y, _), (X2, y2, _) = split_of((X - X.mean(axis=0)) / X.std(axis=0), y.astype(float), rng)
    forest = RandomForestClassifier(100, min_samples_leaf=3, random_state=seed).fit(X1, y1)
    real = np.arange(y.size) < labels
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
    alone = model.fit(X[real], y[real]).predict(X2)
    trained = SelfTrainingClassifier(model, threshold=0.9).fit(X, np.where(real, y, -1)).predict(X2)
    guess = advised(X, np.where(real, y, np.nan), forest.predict_proba(X)[:, 1], seed)(X2)
    every = (alone, trained, guess > 0.5, forest.predict(X2))
    return [float(np.mean(each == y2)) for each in every]


def told(values: Floats) -> str:
    return f"{values.mean():.3f} +- {values.std(ddof=1) / np.sqrt(values.size):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=16)
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    names = (*METHODS, "interval width", "holds", "least squares holds")
    print(f"{'table':13s}  {'teacher':7s}  {'labels':>6s}  " + "  ".join(f"{name:>15s}" for name in names), flush=True)
    for place, (table, (X, y, labels)) in enumerate(tables().items()):
        for kind in TEACHERS:
            if options.only and not {table, kind} & set(options.only):
                continue
            found = []
            for seed in range(options.repeats):
                rng = np.random.default_rng([seed, place])
                found.append(errors(split_of(X, y, rng), labels, kind, rng, seed))
            cells = "  ".join(f"{told(column):>15s}" for column in np.array(found).T)
            print(f"{table:13s}  {kind:7s}  {labels:6d}  {cells}", flush=True)
    if options.only and "classes" not in options.only:
        return
    print("accuracy, breast cancer: few labels alone, SelfTrainingClassifier, freshmix with a teacher, the teacher alone")
    for labels in (15, 30, 60):
        found = [accuracies(labels, np.random.default_rng([seed, labels]), seed) for seed in range(options.repeats)]
        print(f"{labels:3d} labels  " + "  ".join(told(column) for column in np.array(found).T), flush=True)


if __name__ == "__main__":
    main()
