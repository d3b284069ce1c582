"""What the explorer says of runs that it simulates."""

SIMULATE = "Simulate"
CANCEL = "Stop"
ROWS = "Rows"
ROWS_MEANING = "Rows of one fit in the simulated loop. Theory is that of many rows: few of them differ from it by about 1/rows."
REPLICATES = "Runs"
REPLICATES_MEANING = "Independent repetitions. Points are their means, bars two standard errors."
POINTS = "simulated"
OTHER_RUNS = "The runs that came back are not those of this page: simulate again."
STOPPED = "stopped"


def progress(done: int, asked: int, rows: int, features: int) -> str:
    """How far a run is."""
    return f"{done} of {asked} runs of {rows:,} rows and {features:,} features"


def lines(generations: int, rows: int, replicates: int, seed: int) -> str:
    """The Python lines of the points, after those of the page."""
    call = f"fm.simulate(population, loop, {generations}, rows={rows}, replicates={replicates}, seed={seed})"
    return f"simulated = fm.mean_and_error({call})\n"


def not_whole(name: str, low: int, high: int, given: object) -> str:
    """A number that will not do."""
    return f"{name} must be a whole number from {low} to {high}, got {str(given)[:40]}."


def too_much(rows: int, features: int, replicates: int, generations: int, seconds: float, most: float) -> str:
    """A simulation that takes too long for a page."""
    return (
        f"{replicates} runs of {rows:,} rows and {features:,} features over {generations} generations take about "
        f"{_time(seconds)}: this page simulates what takes up to {_time(most)}. Ask for fewer rows or runs, or use freshmix "
        "simulate on the command line."
    )


def one_too_large(rows: int, features: int, generations: int) -> str:
    """A single run that is too large for a page."""
    return (
        f"A single run of {rows:,} rows and {features:,} features over {generations} generations is too large for this page: "
        "ask for fewer rows, or use freshmix simulate on the command line."
    )


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:,.0f} minutes" if seconds < 5400 else f"{seconds / 3600:,.0f} hours"
