"""Tables and pictures of the page on one core, beside a call for each of their points: python benchmarks/explorer_tables.py"""

import json
import os
import time
from dataclasses import replace

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import freshmix as fm
from freshmix import theory
from freshmix.explorer.pictures import drawn, sent
from freshmix.optima.box import Box
from freshmix.risks.fresh import _kinds, varied
from freshmix.risks.frozen import FrozenSetting
from freshmix.risks.frozen_schedules import FrozenSchedules
from freshmix.risks.generation import drifted
from freshmix.risks.generation import generations as made_generations

POPULATIONS = {
    "isotropic": fm.Population.isotropic(signal=2.0),
    "spiked": fm.Population.spiked(10.0, 0.7, features=500),
    "AR(1), 500 features": fm.Population.autoregressive(0.5, 500),
    "power law, 500 features": fm.Population.power_law(1.2, 500, source=0.5),
    "60 bands": fm.Population.random_effects(np.geomspace(1e-3, 20.0, 60), np.full(60, 1 / 60), signal=2.0),
}
LOOPS = {
    "same rows": fm.Loop(aspect=0.8, penalty=0.3, real_weight=0.6),
    "new rows": fm.Loop(aspect=0.8, penalty=0.3, real_weight=0.6, covariates="fresh"),
    "half labelled": fm.Loop.partially_labelled(aspect=0.8, labelled=0.5, penalty=0.3),
    "half labelled, no penalty": fm.Loop.partially_labelled(aspect=1.5, labelled=0.5),
}
SAMPLE = 60


def milliseconds(job, repeats=3):
    """Of processor time: other programs on the machine do not count."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        job()
        times.append(1e3 * (time.process_time() - start))
    return min(times)


def point_by_point(population, loop, table):
    """Milliseconds of one call of ``fm.limit`` for each point of a table, from a sample of its points."""
    risk, rng = table.risk, np.random.default_rng(0)
    points = [
        {name: float(risk[name][rng.integers(risk.sizes[name])]) for name in risk.dims} for _ in range(min(SAMPLE, risk.size))
    ]
    loops = [varied(loop, **point) for point in points]
    return milliseconds(lambda: [fm.limit(population, each) for each in loops], 1) / len(loops) * risk.size


def by_comparisons(population, loop):
    """The best loop by the simplex search, whose points come one by one."""
    newton, Box.newton = Box.newton, lambda *_: None
    try:
        return milliseconds(lambda: fm.optimal_loop(population, loop), 1)
    finally:
        Box.newton = newton


def steps_put_together(population, loop, generations=20):
    """Generations of 9 loops: how many times longer they take by the formulas of a step than by its map."""
    weights, zeros = np.linspace(0.1, 0.9, 9), np.zeros(9)
    groups = [np.column_stack(pair) for pair in ((zeros + 0.5, zeros + 0.5), (zeros + 1.0, zeros + 0.5), (weights, zeros))]
    known = made_generations(population, loop.aspect, zeros + 0.3, *groups, 1.0, zeros, zeros + 0.9)

    def by_map():
        turn = replace(known)
        state = known.energy * zeros[:, None], known.energy + zeros[:, None]
        for _ in range(generations):
            state = turn.step(state)
        return state

    def by_formulas():
        turn = replace(known)
        state = known.energy * zeros[:, None], known.energy + zeros[:, None]
        for _ in range(generations):
            A, Q = drifted(state, turn.energy, turn.persistence)
            d, c = turn.shrinkage, 1 - turn.forgotten
            noise = turn._level(A, Q, turn.label_noise)[..., None] * turn.noise
            state = -d * turn.energy + c * A, d * d * turn.energy - 2 * d * c * A + c * c * Q + noise
        return state

    for one, other in zip(by_map(), by_formulas(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)
    return milliseconds(lambda: [by_formulas() for _ in range(20)]) / milliseconds(lambda: [by_map() for _ in range(20)])


def penalties_together(population, loop):
    """Risks of eight weights at eight penalties: how many times longer they take one penalty by one."""
    setting = FrozenSetting.of(population, (loop,))
    penalties = setting.scale * np.exp(0.45 * np.arange(-4, 4))
    each = [setting.with_loops(loop.replace(penalty=penalty)).schedules(12) for penalty in penalties]
    stacked, weights, anchors = FrozenSchedules.stacked(each), np.linspace(0.1, 1.0, 8), np.linspace(0.0, 0.9, 8)
    together = milliseconds(lambda: [stacked.constant(weights, anchors, 12) for _ in range(50)])
    return milliseconds(lambda: [one.constant(weights, anchors, 12) for _ in range(50) for one in each]) / together


def kinds_by_columns():
    """Loops of a surface that share their equations: how many times longer ``np.unique`` of rows takes to tell them apart."""
    rng = np.random.default_rng(0)
    aspects, parts = rng.choice(np.geomspace(0.1, 10.0, 5), 400), rng.choice([0.5, 1.0], 400)
    columns = [aspects, parts, np.zeros(400), np.ones(400), parts > 0.5]
    rows = milliseconds(lambda: [np.unique(np.column_stack(columns), axis=0, return_inverse=True) for _ in range(50)])
    return rows / milliseconds(lambda: [_kinds(columns) for _ in range(50)])


def report(population, loop):
    """A line for each table: its time, that of its figure, and how many times longer its points take one by one."""
    weights = [varied(loop, real_weight=float(w)) for w in np.linspace(0.0, 1.0, 101)]
    size = 81 if loop.covariates == "frozen" else 41
    makers = {
        "risk_by_generation": lambda: theory.by_generation(population, loop, 20),
        "risk_by_weight": lambda: theory.by_weight(population, loop),
        "risk_by_weight, T": lambda: theory.by_weight(population, loop, 20),
        "weight_penalty": lambda: theory.weight_penalty(population, loop, size),
        "phase": lambda: theory.phase_diagram(population, loop),
        "ways": lambda: theory.ways(population, fm.optimal_memory(population, loop)),
        "spectrum": lambda: theory.spectrum(population),
    }
    if loop.covariates == "frozen":
        del makers["phase"]
    for name, make in makers.items():
        table = make()
        spent, shown = milliseconds(make), (name.partition(",")[0], table, "light")
        picture = milliseconds(lambda of=shown: drawn(*of).to_json())
        text = milliseconds(lambda of=shown: json.dumps(sent(*of)))
        beside = ""
        if name == "risk_by_weight":
            beside = milliseconds(lambda: [fm.limit(population, each) for each in weights], 1)
        elif name == "risk_by_weight, T":
            beside = milliseconds(lambda: [(fm.limit(population, each), fm.risk(population, each, 20)) for each in weights], 1)
        elif name in ("weight_penalty", "phase"):
            beside = point_by_point(population, loop, table)
        ratio = f"   one by one {beside / spent:6.1f} x" if beside else ""
        print(f"  {name:20s} {spent:7.1f} ms   sent {text:5.1f} ms, by plotly {picture / text:4.1f} x{ratio}")
    if loop.covariates == "fresh":
        print(f"  generations, by the formulas of a step {steps_put_together(population, loop):6.1f} x")
    else:
        print(f"  penalties of ways, one by one {penalties_together(population, loop):6.1f} x")
    spent = milliseconds(lambda: fm.optimal_loop(population, loop))
    print(f"  {'optimal_loop':20s} {spent:7.1f} ms   by comparisons {by_comparisons(population, loop) / spent:6.1f} x")


def main():
    print(f"loops of a surface, by rows {kinds_by_columns():.1f} x")
    for name, population in POPULATIONS.items():
        for kind, loop in LOOPS.items():
            print(f"{name}; {kind}")
            report(population, loop)


if __name__ == "__main__":
    main()
