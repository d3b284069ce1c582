"""``freshmix sweep``: simulations over a grid of parameters, kept in a folder, resumed where they stopped."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freshmix.extras import extra
from freshmix.words import sweep as words

from .command import stopped_softly, told
from .output import say

if TYPE_CHECKING:
    from freshmix.sweeps.complete import Summary
    from freshmix.sweeps.grid import Sweep

Spec = Annotated[
    Path | None, typer.Argument(metavar="SPEC.toml", help="File that says what to run; --status and --verify need none.")
]
Store = Annotated[
    Path,
    typer.Option(
        metavar="DIR",
        help=("Folder of the results, such as --store runs.zarr: made, or continued where it stopped; xarray opens it."),
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        metavar="K", help="Worker processes, such as --workers 4; by default one for each core, 0 for none beside this one."
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="tcp://...", help="Run on the Dask cluster with this scheduler, such as --scheduler tcp://10.0.0.1:8786."
    ),
]
Shard = Annotated[
    str | None,
    typer.Option(metavar="I/N", help="Only one part, in a folder of its own (DIR.2-of-8), such as --shard 2/8 in a job array."),
]
Merge = Annotated[bool, typer.Option("--merge", help="Take the results of all parts beside DIR into DIR.")]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Say how many tasks there are, how long they take (from one of them) and how large the results are."
    ),
]
Verify = Annotated[bool, typer.Option("--verify", help="Check everything in DIR; the exit code is 1 if something is wrong.")]
Status = Annotated[bool, typer.Option("--status", help="Say how far DIR and its parts are.")]

EXAMPLES = (
    "freshmix sweep spec.toml --store runs.zarr --dry-run",
    "freshmix sweep spec.toml --store runs.zarr",
    "freshmix sweep --store runs.zarr --status",
)


def sweep(
    spec: Spec = None,
    store: Store = ...,  # type: ignore[assignment]
    workers: Workers = None,
    scheduler: Scheduler = None,
    shard: Shard = None,
    merge: Merge = False,
    dry_run: DryRun = False,
    verify: Verify = False,
    status: Status = False,
) -> None:
    """Runs over a grid of parameters, continued where they stopped."""
    chosen = [
        n for n, given in (("--merge", merge), ("--dry-run", dry_run), ("--verify", verify), ("--status", status)) if given
    ]
    if len(chosen) > 1:
        raise ValueError(f"one of --merge, --dry-run, --verify and --status at a time, got {' and '.join(chosen)}")
    if spec is None and not (verify or status):
        raise ValueError("SPEC.toml is needed: the file that describes the sweep")
    if scheduler is not None and (workers is not None or chosen):
        raise ValueError(f"--scheduler does not go with {(chosen or ['--workers'])[0]}")
    if shard is not None and chosen:
        raise ValueError(f"--shard does not go with {chosen[0]}")
    if workers is not None and chosen and not dry_run:
        raise ValueError(f"--workers does not go with {chosen[0]}")
    with told():
        if status:
            _status(store)
        elif verify:
            _verify(store)
        else:
            from freshmix.sweeps.spec import read_spec

            assert spec is not None
            plan = read_spec(spec)
            if dry_run:
                _dry_run(plan, store, workers)
            elif merge:
                _merge(plan, store)
            else:
                _run(plan, store, workers, scheduler, _part(shard))


def _part(shard: str | None) -> tuple[int, int] | None:
    if shard is None:
        return None
    part, slash, parts = shard.partition("/")
    if not (slash and part.isdecimal() and parts.isdecimal()):
        raise ValueError(f"--shard must be I/N, two whole numbers, got {shard!r}")
    return int(part), int(parts)


def _run(plan: "Sweep", store: Path, workers: int | None, scheduler: str | None, shard: tuple[int, int] | None) -> None:
    from freshmix.sweeps.complete import complete

    with stopped_softly(), contextlib.ExitStack() as stack:
        executor = None
        if scheduler is not None:
            client = stack.enter_context(_client(scheduler))
            executor, workers = client.get_executor(), max(1, sum(client.nthreads().values()))
        summary = complete(plan, store, workers=workers, executor=executor, shard=shard)
    _summary(summary)


def _client(scheduler: str) -> Any:
    return extra("cluster", "distributed", "--scheduler").Client(scheduler, timeout=30)


def _summary(summary: "Summary") -> None:
    for line in words.asides(summary.healed, summary.versions, summary.failed):
        say(f"freshmix: {line}", error=True)
    finished = summary.before + summary.committed
    say(words.finished(finished, summary.tasks, summary.committed, summary.seconds, summary.store))
    if summary.failed:
        say(f"freshmix: error: {words.again(len(summary.failed))}", error=True)
        raise typer.Exit(1)


def _dry_run(plan: "Sweep", store: Path, workers: int | None) -> None:
    from freshmix.sweeps.complete import processors
    from freshmix.sweeps.status import forecast

    count = processors() if workers is None else max(1, workers)
    found = forecast(plan, store, count)
    sizes = {name: len(values) for name, values in plan.coordinates.items()}
    said = words.forecast(found.tasks, found.finished, sizes, found.task_seconds, found.seconds, count, found.size)
    say("\n".join(said))


def _merge(plan: "Sweep", store: Path) -> None:
    from freshmix.sweeps.merge import merge, shards_of
    from freshmix.sweeps.status import status

    lost = merge(plan, store).lost
    found = status(store)[0]
    say(words.merged(found.finished, found.tasks, len(shards_of(store)), store))
    if lost:
        for line in lost:
            say(f"freshmix: {line}", error=True)
        say(f"freshmix: error: {words.lost(len(lost))}", error=True)
        raise typer.Exit(1)


def _status(store: Path) -> None:
    from freshmix.sweeps.status import status

    for each in status(store):
        run, failed = each.last.get("run"), each.last.get("failed", {})
        say("\n".join(words.status(each.store, each.finished, each.tasks, each.size, each.owner, run, failed)))


def _verify(store: Path) -> None:
    from freshmix.sweeps.status import status
    from freshmix.sweeps.verify import verify

    faults = verify(store)
    for line in faults:
        say(line)
    if faults:
        say(f"freshmix: error: {words.damaged(store, len(faults))}", error=True)
        raise typer.Exit(1)
    found = status(store)[0]
    say(words.sound(store, found.finished, found.tasks))
