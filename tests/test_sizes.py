"""What is larger than any machine is refused before anything of it is made, and the message says the most."""

import pytest

import freshmix as fm
from freshmix.cli import main
from freshmix.sampling import Autoregressive
from freshmix.sweeps.spec import read_spec

ISOTROPIC = fm.Population.isotropic()
HALF = fm.Loop(aspect=0.5, real_weight=0.5)
SPEC = {"generations": 2, "rows": 10, "loop": {"aspect": 0.5, "real_weight": 0.5}}
RANGE = {"start": 0.1, "stop": 0.5, "count": 10_000}


@pytest.mark.parametrize(
    ("population", "loop", "generations", "options", "said"),
    [
        (
            ISOTROPIC,
            HALF,
            2,
            {"rows": 10, "replicates": 10**15},
            r"10{15} replicates need .* GB of memory, .*: ask for at most \d",
        ),
        (ISOTROPIC, HALF, 10**9, {"rows": 10}, "generations must be at most 100000; .* got 1000000000"),
        (ISOTROPIC, HALF, 2, {"rows": 10**14}, "features .aspect x rows. need .*: ask for fewer rows"),
        (ISOTROPIC, HALF, 2, {"rows": 1e300}, "features .aspect x rows. need .*: ask for fewer rows"),
        (ISOTROPIC, HALF.replace(aspect=1e300), 2, {"rows": 1e300}, "inf features"),
        (
            ISOTROPIC,
            fm.Loop(aspect=1e-12, real_weight=0.5),
            2,
            {"rows": 1e15, "engine": "spectral"},
            "rows of 1000 features need",
        ),
        (
            Autoregressive(features=10**12, correlation=0.5),
            fm.Loop(real_weight=0.5),
            2,
            {"rows": 10**5},
            "rows of 10{12} features need",
        ),
        (ISOTROPIC, HALF, 2, {"rows": 10, "workers": 10**9}, "workers must be at most 1024"),
    ],
)
def test_simulations(population, loop, generations, options, said):
    with pytest.raises(ValueError, match=said):
        fm.simulate(population, loop, generations, **options)


def test_many_rows_of_few_features_are_no_more_than_few_numbers():
    found = fm.simulate(ISOTROPIC, fm.Loop(aspect=1e-9, real_weight=0.5), 2, rows=10**12)
    assert found.attrs["engine"] == "exact-law"
    assert 0 < found.risk.values.max() < 1e-8


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"generations": 10**9}, "generations must be at most 100000; .* got 1000000000"),
        ({"replicates": 2 * 10**9}, "^replicates: tasks must be at most 10,000,000, got 2,000,000,000"),
        ({"rows": 10**14}, "^rows: .* features .aspect x rows. need"),
        ({"grid": {"penalty": {**RANGE, "count": 10**10}}}, "^grid.penalty: .* 10000, got 10000000000"),
        ({"grid": {"penalty": list(range(10_001))}}, "^grid.penalty: must hold at most 10000 values, got 10001"),
        ({"replicates": 10**5, "grid": {"synthetic_noise_ratio": RANGE}}, "^grid: tasks must be at most"),
        ({"replicates": 10**6, "grid": {"penalty": RANGE}}, "^grid: results of one generation must be at most"),
        (
            {"generations": 2000, "grid": {"penalty": RANGE}},
            "^grid: results of one task must be at most 10,000,000, got 20,010,000",
        ),
    ],
)
def test_sweeps(changed, said):
    with pytest.raises(ValueError, match=said) as raised:
        read_spec({**SPEC, **changed})
    assert len(str(raised.value).splitlines()) == 1


def test_workers_of_a_sweep(tmp_path):
    with pytest.raises(ValueError, match="workers must be at most 1024 processes, got 1000000"):
        fm.sweep(SPEC, tmp_path / "store", workers=10**6)
    assert not (tmp_path / "store").exists()


def test_one_line_on_the_command_line(capsys):
    assert main(["simulate", "--aspect", "0.5", "--replicates", "1000000000000000", "--real-weight", "0.5"]) == 2
    assert capsys.readouterr().err.startswith("freshmix: error: 1000000000000000 replicates need")
