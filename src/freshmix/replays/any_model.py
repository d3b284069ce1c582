"""``fm.replay``: the loop with any scikit-learn regressor or classifier, on real rows that are judged by others, never seen."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arguments import Floats, choice, flag, number, process_count, vector, whole
from ..processes import Here, shared
from ..threads import one_blas_thread
from .learners import AnyModel
from .repeats import Plan, Repeats, mixing_of

if TYPE_CHECKING:
    import xarray as xr

WORKFLOWS = ("replace", "accumulate", "accumulate-subsample")
ANCHORINGS = ("offset", "warm_start", "init")
MIXINGS = ("auto", "labels", "rows", "draws")
# Fewest rows that judge, and that are left.
_FEWEST = 2


def replay(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    real_weight: float | Sequence[float] = (0.0, 0.25, 0.5, 0.618, 0.75, 1.0),
    generations: int = 10,
    labelled: float = 1.0,
    covariates: str = "fresh",
    rows_per_generation: int | None = None,
    row_weight: float = 1.0,
    synthetic_labels: str = "predictions",
    threshold: float = 0.0,
    mixing: str = "auto",
    workflow: str = "replace",
    kept_generations: int | None = 0,
    forgetting: float = 1.0,
    anchor: float = 0.0,
    anchoring: str = "offset",
    test_share: float = 0.25,
    repeats: int = 20,
    first_repeat: int = 0,
    seed: int = 0,
    workers: int = 1,
    executor: Executor | None = None,
    store: str | Path | None = None,
    progress: bool = False,
) -> "xr.Dataset":
    """Run the loop with any estimator on the rows of a table, and judge every generation on rows held out.

    Parameters
    ----------
    estimator : regressor or classifier
        scikit-learn's or alike, a pipeline too; it is cloned, never fitted itself.
    X : (n, p) array or data frame
        Rows, handed to the estimator as they are.
    y : (n,) array
        Labels: numbers for a regressor, classes for a classifier. NaN (or None) where a row has none: it can only get a
        synthetic one.
    real_weight : float or sequence of float
        w in [0, 1]; several are run on the same draws.
    generations : int
        T >= 1, after generation 0, which is fitted on real labels alone.
    labelled : float
        Share of a generation's rows whose real label is known, in [0, 1]; of those that have one.
    covariates : "fresh" or "frozen"
        Whether each generation has rows of its own or all have those of generation 0.
    rows_per_generation : int, optional
        By default what gives every generation rows of its own; where the table does not hold so many, rows come again in later
        generations.
    row_weight : float
        What rows without a real label count in the fit, others counting 1; 0 leaves them out.
    synthetic_labels : "predictions", "sampled" or "probabilities"
        What the generation before says (of classes the likeliest); or a draw: from ``predict_proba``, or with residuals of a
        cross-validated fit of generation 0 added; or, for classifiers that take weights, soft labels: a row for each class,
        counting its probability.
    threshold : float
        Classifiers: unlabelled rows whose largest probability is below are left out, as in scikit-learn's
        ``SelfTrainingClassifier``.
    mixing : "auto", "labels", "rows" or "draws"
        How a row with both labels is used: as their mean w * real + (1 - w) * synthetic; twice, counting w and 1 - w; or with
        one of them, the real one with probability w. ``auto``: labels for regressors, rows for classifiers and trees, draws
        where the estimator takes no ``sample_weight``.
    workflow : "replace", "accumulate" or "accumulate-subsample"
        Whether a generation is fitted on its own rows, on those of all generations so far, with the labels that they had then,
        or on as many of these as it has rows.
    kept_generations, forgetting
        Of how many earlier generations (None: all) the rows with real labels stay in the fit, counting forgetting^age.
    anchor : float
        In [0, 1], for regressors: a generation is fitted to what ``anchor`` times the predictions of the one before leave, and
        added to them. For ridge that is a penalty towards the last model, for others an offset.
    anchoring : "offset", "warm_start" or "init"
        How a fit starts from the last model: by ``anchor``; or, whole and without a share, by the estimator's own
        ``warm_start`` (networks, linear models; of ensembles as many trees come on top) or with the last model as ``init``
        (gradient boosting). A fit of other classes than the last one's starts anew.
    test_share : float
        Share of the labelled rows that judge.
    repeats : int
        Independent splits and draws.
    first_repeat : int
        Number of the first of them, to go on where an earlier call ended.
    seed : int
        The same numbers for any number of workers.
    workers : int
        Processes.
    executor : Executor, optional
        Runs the repeats in place of ``workers``.
    store : str or Path, optional
        Folder of the results, as ``sweep`` has one: made where there is none, and continued where it stopped, also by a call
        with more repeats or other weights. What is finished is committed each half second, by this process alone.
    progress : bool
        Whether to show a bar on stderr.

    Returns
    -------
    xarray.Dataset
        ``squared_error`` for regressors; ``accuracy`` and, with ``predict_proba``, ``log_loss`` for classifiers; dimensions
        (repeat, real_weight, generation). Attributes say what was done (``mixing``, ``anchoring``, rows).

    Raises
    ------
    TypeError, ValueError
        If the data or a parameter cannot be used; the message names it. If the store is that of another model, table or
        setting: it says what differs. If a repeat fails, with a store; what was finished stays.
    OSError
        If the store cannot be written to, or another process holds it.

    Warns
    -----
    UserWarning
        If libraries are not those that the store was begun with.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((400, 3))
    >>> y = X[:, 0] + rng.standard_normal(400)
    >>> found = replay(DecisionTreeRegressor(max_depth=3), X, y, real_weight=[0.0, 1.0], generations=3, repeats=2)
    >>> dict(found.sizes), found.attrs["mixing"]
    ({'repeat': 2, 'real_weight': 2, 'generation': 4}, 'rows')
    """
    from sklearn.base import is_classifier, is_regressor

    if not hasattr(estimator, "fit") or not (is_classifier(estimator) or is_regressor(estimator)):
        raise TypeError(f"estimator must be a regressor or a classifier as scikit-learn's are, got {type(estimator).__name__}")
    labels, classes = _labels(y, is_classifier(estimator))
    if not hasattr(X, "shape") or len(X.shape) != 2:
        X = np.asarray(X)
    if len(X.shape) != 2 or len(X) != labels.size:
        raise ValueError(f"X must hold a row for each of the {labels.size} labels, got shape {X.shape}")
    weights = vector("real_weight", np.atleast_1d(np.asarray(real_weight)).tolist(), low=0.0)
    if weights.max() > 1:
        raise ValueError(f"real_weight must be numbers between 0 and 1, got {float(weights.max())!r}")
    plan = Plan(
        generations=whole("generations", generations, low=1),
        labelled=number("labelled", labelled, low=0.0, high=1.0),
        fresh=choice("covariates", covariates, ("fresh", "frozen")) == "fresh",
        rows=None if rows_per_generation is None else whole("rows_per_generation", rows_per_generation, low=_FEWEST),
        row_weight=number("row_weight", row_weight, low=0.0),
        sampled=choice("synthetic_labels", synthetic_labels, ("predictions", "sampled", "probabilities")) == "sampled",
        soft=synthetic_labels == "probabilities",
        threshold=number("threshold", threshold, low=0.0, high=1.0),
        mixing=mixing_of(estimator, choice("mixing", mixing, MIXINGS)),
        workflow=choice("workflow", workflow, WORKFLOWS),
        kept=None if kept_generations is None else whole("kept_generations", kept_generations, low=0),
        forgetting=number("forgetting", forgetting, above=0.0, high=1.0),
        anchor=number("anchor", anchor, low=0.0, high=1.0),
        anchoring=_anchoring(anchoring, anchor),
        test_share=number("test_share", test_share, above=0.0, high=0.9),
        seed=whole("seed", seed, low=0),
    )
    runs = Repeats(AnyModel(estimator, len(classes)), X, labels, tuple(weights.tolist()), plan)
    runs.check()
    count, workers = whole("repeats", repeats, low=1), process_count(workers, low=1)
    chosen = executor or (Here() if workers == 1 else shared(workers, "freshmix.replays.any_model"))
    numbers = range(first := whole("first_repeat", first_repeat, low=0), first + count)
    with one_blas_thread():
        values = _values(runs, numbers, chosen, flag("progress", progress), store)
    return _dataset(values, numbers, weights, runs)


def _anchoring(anchoring: str, anchor: float) -> str:
    """How fits start from the last model; ``none`` where they do not."""
    choice("anchoring", anchoring, ANCHORINGS)
    if anchoring == "offset":
        return "offset" if anchor > 0 else "none"
    if anchor > 0:
        raise ValueError(f"anchor must be left out with anchoring={anchoring!r}, which has no share, got {anchor!r}")
    return anchoring


def _labels(y: Any, classifier: bool) -> tuple[Floats, list[Any]]:
    """(n,) numbers, NaN where there is no label; of classes their place among those found."""
    found = np.asarray(y)
    if found.ndim != 1:
        raise ValueError(f"y must be one label for each row, got shape {found.shape}")
    if not classifier:
        try:
            labels = found.astype(np.float64)
        except (TypeError, ValueError):
            raise TypeError(f"y must hold numbers for a regressor, got {found.dtype}") from None
        if np.isinf(labels).any():
            raise ValueError("y must hold finite numbers, got inf")
        return labels, []
    missing = np.array([each is None or each != each for each in found.tolist()])
    classes, place = np.unique(found[~missing], return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"y must hold at least two classes for a classifier, got {classes.tolist()}")
    # Fewer than four rows of a class teach it nothing, and are most often numbers.
    if 4 * len(classes) > max(place.size, 80):
        raise ValueError(
            f"y must hold classes for a classifier, got {len(classes)} different values in {place.size} labelled rows: "
            "numbers are for a regressor"
        )
    labels = np.full(found.size, np.nan)
    labels[~missing] = place
    return labels, classes.tolist()


def _values(runs: Repeats, numbers: range, executor: Executor, progress: bool, store: str | Path | None) -> Floats:
    """(repeats, weights, T + 1, measures)."""
    if store is None:
        return np.array(list(_results(runs, numbers, executor, progress)))
    # What reads and writes stores takes a while to load.
    from .stored import settings_of, stored

    return stored(runs, numbers, Path(store), executor, progress, settings_of(runs.model.estimator))


def _results(runs: Repeats, numbers: range, executor: Executor, progress: bool) -> Iterator[Floats]:
    """What each repeat gives, in their order."""
    # Loaded where it is shown.
    from ..simulation.progress import bar

    futures = None if isinstance(executor, Here) else [executor.submit(runs, repeat) for repeat in numbers]
    with bar("repeats", len(numbers), transient=True) if progress else nullcontext() as tell:
        for done, repeat in enumerate(numbers):
            yield runs(repeat) if futures is None else futures[done].result()
            if tell is not None:
                tell(done + 1, 0)


def _dataset(values: Floats, numbers: range, weights: Floats, runs: Repeats) -> "xr.Dataset":
    """(repeats, weights, T + 1, measures) as a dataset."""
    import xarray as xr

    dims = ("repeat", "real_weight", "generation")
    plan = runs.plan
    return xr.Dataset(
        {name: (dims, values[..., k]) for k, name in enumerate(runs.measures)},
        coords={"repeat": np.array(numbers), "real_weight": weights, "generation": np.arange(values.shape[2])},
        attrs={
            "estimator": repr(runs.model.estimator),
            "mixing": plan.mixing,
            "anchoring": plan.anchoring,
            "workflow": plan.workflow,
            "synthetic_labels": "probabilities" if plan.soft else "sampled" if plan.sampled else "predictions",
            "threshold": plan.threshold,
            "covariates": "fresh" if plan.fresh else "frozen",
            "rows_per_generation": runs.size,
            "test_rows": runs.tested,
            "rows_come_again": int(runs.rows_come_again),
            "seed": plan.seed,
        },
    )
