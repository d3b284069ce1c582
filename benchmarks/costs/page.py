"""Ratios and slopes of a run: python benchmarks/costs/page.py RUN.json [--store] [--page FILE] [--picture FILE]

Printed beside the stored ones (``ratios.json``); ``--store`` puts them in their place. ``--page`` writes the tables between the
marks of a page, ``--picture`` draws them.
"""

import argparse
import json
from pathlib import Path

import numpy as np

STORED = Path(__file__).with_name("ratios.json")
MARKS = "<!-- {}: written by benchmarks/costs/page.py -->", "<!-- {}: end -->"
# Beyond this a ratio is pointed at: other processors differ by as much as two.
FAR = 1.5


def ladders(runs):
    """(job, axis) -> {size: times as long as the unit}; job -> (what it stands beside, times as long as that)."""
    growing, beside = {}, {}
    for run in runs:
        told, seconds = run["extra_info"], run["stats"]["min"]
        if "axis" in told:
            growing.setdefault((told["job"], told["axis"]), {})[told["size"]] = seconds / told["unit"]
        else:
            beside[told["job"]] = (told["beside"], seconds / told["other"])
    return growing, beside


def slope(sizes):
    """The exponent between the two largest sizes; what falls by chance counts as level."""
    (a, x), (b, y) = sorted(sizes.items())[-2:]
    return max(float(np.log(y / x) / np.log(b / a)), 0.0)


def shown(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.2g}"


def growth(growing):
    lines = ["| job | axis | sizes | times as long as the unit | exponent at the end |", "|---|---|---|---|---|"]
    for (job, axis), sizes in growing.items():
        ends = ", ".join(f"{size:,}" for size in sizes)
        lines.append(f"| {job} | {axis} | {ends} | {', '.join(map(shown, sizes.values()))} | {slope(sizes):.1f} |")
    return "\n".join(lines)


def neighbours(beside):
    lines = ["| job | beside | times as long |", "|---|---|---|"]
    times = {job: f"{ratio:.2g}" if ratio > 0.1 else f"1/{1 / ratio:,.0f}" for job, (_, ratio) in beside.items()}
    lines += [f"| {job} | {other} | {times[job]} |" for job, (other, _) in beside.items()]
    return "\n".join(lines)


def written(page, part, text):
    begin, end = (mark.format(part) for mark in MARKS)
    if begin not in page or end not in page:
        raise SystemExit(f"the page must hold {begin!r} and {end!r}")
    return f"{page[: page.index(begin)]}{begin}\n\n{text}\n\n{page[page.index(end) :]}"


def drawn(growing, path):
    """One panel an axis, costs in units on double logarithmic axes, lines named beside the legend's markers."""
    from freshmix.plots import style

    axes_of = list(dict.fromkeys(axis for _, axis in growing if axis != "months"))
    jobs = list(dict.fromkeys(job for job, axis in growing if axis in axes_of))
    figure = style.figure_of(10.5, 8.6)
    panels = figure.subplots(2, 2, sharey=True).ravel()
    palette = [*style.COLOURS, style.GREY, style.INK]
    colours = {job: palette[i % len(palette)] for i, job in enumerate(jobs)}
    for panel, axis in zip(panels, axes_of, strict=True):
        for (job, at), sizes in growing.items():
            if at != axis:
                continue
            marker = style.MARKERS[jobs.index(job) % len(style.MARKERS)]
            panel.loglog(list(sizes), list(sizes.values()), color=colours[job], marker=marker, markersize=5, linewidth=1.4)
            panel.annotate(
                f"{slope(sizes):.1f}",
                (max(sizes), sizes[max(sizes)]),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
                color=style.INK,
            )
        style.frame(panel, f"By {axis}", axis, "times eigh of 500 x 500", size=11, pad=8)
    handles = [
        panels[0].plot([], [], color=colours[job], marker=style.MARKERS[i % len(style.MARKERS)], label=job)[0]
        for i, job in enumerate(jobs)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=9, frameon=False, labelcolor=style.INK)
    figure.savefig(path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--store", action="store_true")
    parser.add_argument("--page", type=Path)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    growing, beside = ladders(json.loads(options.run.read_text())["benchmarks"])
    now = {f"{job}, {axis} {size}": ratio for (job, axis), sizes in growing.items() for size, ratio in sizes.items()}
    now |= {f"{job} / {other}": ratio for job, (other, ratio) in beside.items()}
    before = json.loads(STORED.read_text()) if STORED.exists() else {}
    print(f"{'ratio':>9s} {'stored':>9s} {'now/then':>9s}")
    for name, ratio in now.items():
        then = before.get(name)
        change = "" if then is None else f"{ratio / then:9.2f}{' !' if ratio / then > FAR else ''}"
        print(f"{ratio:9.3g} {'' if then is None else f'{then:.3g}':>9s} {change:11s} {name}")
    if options.store:
        STORED.write_text(json.dumps({name: float(f"{ratio:.3g}") for name, ratio in now.items()}, indent=1) + "\n")
    if options.picture:
        drawn(growing, options.picture)
    if options.page:
        page = options.page.read_text()
        for part, text in (("growth", growth(growing)), ("beside", neighbours(beside))):
            page = written(page, part, text)
        options.page.write_text(page)


if __name__ == "__main__":
    main()
