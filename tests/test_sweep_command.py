"""freshmix sweep."""

import numpy as np
import pytest
import xarray as xr

import freshmix as fm
from freshmix.cli import main

from .test_cli import failure, invoke

TEXT = """
title = "Two aspects"
generations = 3
replicates = 3
rows = 30
[loop]
real_weight = 0.6
[grid]
aspect = [0.5, 2.0]
penalty = [0.1, 1.0]
"""


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "spec.toml"
    path.write_text(TEXT)
    return path


def test_run_status_verify_and_run_again(tmp_path, spec):
    store = tmp_path / "store.zarr"
    told = invoke("sweep", spec, "--store", store, "--dry-run", width=200)
    assert "6 tasks, 0 of them finished (aspect 2, replicate 3, penalty 2, generation 4)" in told
    assert not store.exists()
    assert "6 of 6 tasks finished, 6 of them now" in invoke("sweep", spec, "--store", store, "--workers", 0)
    assert "6 of 6 tasks finished, 0 of them now" in invoke("sweep", spec, "--store", store, "--workers", 0)
    assert "6 of 6 tasks finished (100.0%)" in invoke("sweep", "--store", store, "--status", width=200)
    assert "nothing wrong" in invoke("sweep", "--store", store, "--verify", width=200)
    expected = fm.sweep(spec, tmp_path / "other", workers=0).load()
    with xr.open_zarr(store) as found:
        np.testing.assert_array_equal(found.risk, expected.risk)
        assert found.attrs["spec"] == TEXT
        assert found.attrs["title"] == "Two aspects"


def test_shards(tmp_path, spec):
    store = tmp_path / "store"
    for i in (1, 2):
        invoke("sweep", spec, "--store", store, "--workers", 0, "--shard", f"{i}/2")
    assert "6 of 6 tasks finished after merging 2 shards" in invoke("sweep", spec, "--store", store, "--merge", width=300)


def test_faults_of_a_file_are_a_line_each(tmp_path, spec, capsys):
    spec.write_text(TEXT.replace("rows = 30", "row = 30").replace("[0.5, 2.0]", "[0.5, -2.0]"))
    assert main(["sweep", str(spec), "--store", str(tmp_path / "store")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"freshmix: error: {spec}:5: row: is not a known key\n" in err
    assert all(line.startswith(f"freshmix: error: {spec}") for line in err.splitlines())
    assert not (tmp_path / "store").exists()


def test_another_sweep_is_a_line_for_each_difference(tmp_path, spec, capsys):
    invoke("sweep", spec, "--store", tmp_path / "store", "--workers", 0)
    spec.write_text(TEXT.replace("0.6", "0.7"))
    assert main(["sweep", str(spec), "--store", str(tmp_path / "store"), "--workers", "0"]) == 2
    assert "freshmix: error: loops.real_weight: 0.6 -> 0.7\n" in capsys.readouterr().err


def test_damage_is_exit_code_1(tmp_path, spec, capsys):
    store = tmp_path / "store"
    invoke("sweep", spec, "--store", store, "--workers", 0)
    path = next(path for path in (store / "risk" / "c").rglob("*") if path.is_file())
    path.write_bytes(path.read_bytes()[:-3])
    assert main(["sweep", "--store", str(store), "--verify"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("risk chunk 0/0/0/0: ")
    assert "1 faults" in err
    assert main(["sweep", str(spec), "--store", str(store), "--workers", "0"]) == 0
    assert "was damaged, computed again: risk chunk" in capsys.readouterr().err


def test_failed_tasks_are_exit_code_1(tmp_path, spec, capsys):
    # A penalty of 0 at as many features as rows is singular only for some engines; a spike too many is for all.
    spec.write_text(TEXT.replace("[loop]", '[population]\nmodel = "power-law"\ndecay = 1.0\nfeatures = 200\n[loop]'))
    assert main(["sweep", str(spec), "--store", str(tmp_path / "store"), "--workers", "0"]) in (1, 2)
    assert "features are too few" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "SPEC.toml is needed"),
        (("SPEC", "--shard", "1"), "--shard must be I/N"),
        (("SPEC", "--shard", "3/2"), "shard must lie between 1 and 2"),
        (("SPEC", "--status", "--verify"), "at a time"),
        (("SPEC", "--scheduler", "tcp://nowhere:1", "--workers", "2"), "does not go with --workers"),
        (("SPEC", "--shard", "1/2", "--dry-run"), "--shard does not go with --dry-run"),
        (("SPEC", "--workers", "2", "--merge"), "--workers does not go with --merge"),
        (("SPEC", "--workers", "-1"), "workers"),
        (("SPEC", "--merge"), "no shards"),
        (("--verify",), "no store"),
        (("--status",), "no store"),
    ],
)
def test_bad_input_is_one_line(tmp_path, spec, options, says, capsys):
    arguments = [spec if each == "SPEC" else each for each in options]
    assert says in failure(capsys, "sweep", "--store", tmp_path / "store", *arguments)
    assert not (tmp_path / "store").exists()


def test_missing_file(tmp_path, capsys):
    assert "No such file" in failure(capsys, "sweep", tmp_path / "none.toml", "--store", tmp_path / "store")
