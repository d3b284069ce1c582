"""Sweeps: the description, seeds, the store, longer grids."""

import errno
import json
import os
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

import freshmix as fm
from freshmix.processes import Here, WorkerDied
from freshmix.sweeps import lock, making
from freshmix.sweeps import progress as shown
from freshmix.sweeps import run as running
from freshmix.sweeps import store as storing
from freshmix.sweeps.complete import complete
from freshmix.sweeps.grid import SweepError, seed_of
from freshmix.sweeps.lock import Lock
from freshmix.sweeps.merge import merge
from freshmix.sweeps.queue import Queue
from freshmix.sweeps.run import Run
from freshmix.sweeps.spec import read_spec
from freshmix.sweeps.status import forecast, status
from freshmix.sweeps.store import Store
from freshmix.sweeps.task import Outcome
from freshmix.sweeps.verify import verify
from freshmix.words import sweep as words

SPEC = {
    "generations": 3,
    "replicates": 4,
    "rows": 40,
    "populations": {"iso": {"model": "isotropic"}, "ar": {"model": "autoregressive", "correlation": 0.5}},
    "loops": {"frozen": {}, "partly": {"labelled": 0.5}},
    "grid": {"aspect": [0.5, 2.0], "real_weight": [0.2, 0.5, 1.0], "penalty": [0.1, 1.0]},
}


def swept(root, **changed):
    return fm.sweep({**SPEC, **changed}, root, workers=0, progress=False).load()


def test_numbers_are_those_of_simulate(tmp_path):
    found = swept(tmp_path / "store")
    with xr.open_zarr(tmp_path / "store") as stored:
        assert stored.risk.dims == ("population", "loop", "aspect", "replicate", "real_weight", "penalty", "generation")
        xr.testing.assert_identical(stored.load(), found)
    assert found.done.all()
    seed = seed_of(0, {"population": "ar", "loop": "partly", "aspect": 2.0})
    expected = fm.simulate(
        fm.Population.autoregressive(0.5, 80),
        fm.Loop.partially_labelled(aspect=2.0, labelled=0.5),
        3,
        rows=40,
        replicates=4,
        seed=seed,
        real_weight=[0.2, 0.5, 1.0],
        penalty=[0.1, 1.0],
    )
    np.testing.assert_array_equal(found.risk.sel(population="ar", loop="partly", aspect=2.0), expected.risk)


def test_what_a_loop_remembers_is_an_axis(tmp_path):
    loop = {"aspect": 0.5, "penalty": 0.2, "real_weight": 1.0, "covariates": "fresh", "forgetting": 0.5}
    grid = {"kept_generations": [0, 2], "persistence": [0.9, 1.0], "anchor": [0.0, 0.5], "judged": ["now", "next"]}
    spec = {"generations": 3, "rows": 40, "loop": loop, "grid": grid}
    found = fm.sweep(spec, tmp_path / "store", workers=0, progress=False).load()
    at = {"kept_generations": 2, "persistence": 0.9, "anchor": 0.5, "judged": "next"}
    expected = fm.simulate(
        fm.Population.isotropic().replace(persistence=0.9),
        fm.Loop(**loop, kept_generations=2, anchor=0.5),
        3,
        rows=40,
        seed=seed_of(0, at),
        judged="next",
    )
    np.testing.assert_array_equal(found.risk.sel(at), expected.risk)


def test_longer_grids_keep_what_is_there(tmp_path):
    short = swept(tmp_path / "store")
    grid = {"penalty": [1.0, 0.1, 10.0], "aspect": [1.5, 0.5, 2.0], "real_weight": [0.2, 0.35, 0.5, 1.0]}
    populations = {"spiked": {"model": "spiked", "strength": 3.0, "alignment": 0.5}, **SPEC["populations"]}
    longer = swept(tmp_path / "store", grid=grid, replicates=6, populations=populations)
    assert longer.done.all()
    assert not longer.risk.isnull().any()
    common = longer.risk.sel({name: short[name] for name in short.dims}).transpose(*short.risk.dims)
    np.testing.assert_array_equal(common, short.risk)
    whole = swept(tmp_path / "whole", grid=grid, replicates=6, populations=populations)
    # What was added to the inner grid is computed apart, so only rounding may differ.
    np.testing.assert_allclose(longer.risk, whole.risk, rtol=1e-12)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"generations": 4}, "generations: 3 -> 4"),
        ({"replicates": 3}, "replicates: 4 -> 3, fewer"),
        ({"seed": 5}, "seed: 0 -> 5"),
        ({"rows": 41}, "options.rows: 40 -> 41"),
        ({"grid": {**SPEC["grid"], "aspect": [0.5]}}, "grid.aspect: without 2.0"),
        ({"grid": {**SPEC["grid"], "noise_variance": [0.5]}}, "grid.noise_variance: new"),
        ({"grid": {"aspect": [0.5, 2.0], "real_weight": [0.2, 0.5, 1.0]}}, "grid.penalty: left out"),
        ({"loops": {"frozen": {"labels": "frozen"}, "partly": {"labelled": 0.5}}}, "loops.frozen.labels: not given -> frozen"),
    ],
)
def test_another_sweep_is_refused_with_what_differs(tmp_path, changed, says):
    swept(tmp_path / "store")
    with pytest.raises(ValueError, match="another sweep") as error:
        swept(tmp_path / "store", **changed)
    assert says in str(error.value).splitlines()


def test_same_bits_on_threads_and_in_one_process(tmp_path):
    with ThreadPoolExecutor(3) as threads:
        found = fm.sweep(SPEC, tmp_path / "threads", executor=threads, workers=3, progress=False).load()
    xr.testing.assert_identical(found, swept(tmp_path / "here"))


def test_shards_add_up(tmp_path):
    whole, store = swept(tmp_path / "whole"), tmp_path / "store"
    with pytest.raises(FileNotFoundError, match="no shards"):
        merge(read_spec(SPEC), store)
    for i in (1, 2, 3):
        summary = complete(SPEC, store, workers=0, shard=(i, 3), progress=False)
        assert summary.committed == summary.tasks
        assert summary.store.name == f"store.{i}-of-3"
    merge(read_spec(SPEC), store)
    xr.testing.assert_identical(xr.open_zarr(store).load(), whole)
    assert merge(read_spec(SPEC), store) == (0, [])
    assert [each.finished for each in status(store)] == [32, 11, 11, 10]
    with pytest.raises(SweepError, match="of another sweep"):
        merge(read_spec({**SPEC, "replicates": 5}), store)
    with pytest.raises(ValueError, match="shard"):
        complete(SPEC, store, shard=(4, 3))


def test_lengthened_shards_add_up(tmp_path):
    store, longer = tmp_path / "store", {**SPEC, "grid": {**SPEC["grid"], "real_weight": [0.2, 0.35, 0.5, 1.0]}}
    for spec in (SPEC, longer):
        for i in (1, 2):
            complete(spec, store, workers=0, shard=(i, 2), progress=False)
    merge(read_spec(longer), store)
    swept(tmp_path / "whole")
    xr.testing.assert_identical(xr.open_zarr(store).load(), swept(tmp_path / "whole", grid=longer["grid"]))


def test_a_damaged_coordinate_is_healed_while_a_store_is_made_longer(tmp_path):
    swept(tmp_path / "store")
    (chunk,) = (path for path in (tmp_path / "store" / "penalty" / "c").rglob("*") if path.is_file())
    chunk.write_bytes(b"x" + chunk.read_bytes()[1:])
    longer = swept(tmp_path / "store", replicates=5)
    xr.testing.assert_identical(longer, swept(tmp_path / "whole", replicates=5))


def test_means_are_over_finished_replicates(tmp_path):
    found = swept(tmp_path / "store").isel(population=0, loop=0, aspect=0)
    found.risk[1:3, 0] = np.nan
    found.risk[:3, 1] = np.nan
    means = fm.mean_and_error(found)
    two = found.risk.values[[0, 3], 0]
    np.testing.assert_allclose(means["mean"][0], two.mean(axis=0))
    np.testing.assert_allclose(means["standard_error"][0], two.std(axis=0, ddof=1) / np.sqrt(2))
    assert means["standard_error"][1].isnull().all()
    assert means["standard_error"][2].notnull().all()


def test_shards_that_disagree_are_refused(tmp_path):
    store = tmp_path / "store"
    for i in (1, 2):
        complete(SPEC, store, workers=0, shard=(i, 2), progress=False)
    merge(read_spec(SPEC), store)
    with Store(tmp_path / "store.1-of-2", read_spec(SPEC)) as opened:
        opened.commit({0: np.zeros((3, 2, 4))})
    with pytest.raises(SweepError, match="different results"):
        merge(read_spec(SPEC), store)


def test_failed_tasks_are_told_and_tried_again(tmp_path, monkeypatch):
    real = running.run

    def faulty(jobs, budget):
        job = jobs[0]
        if job.replicate == 2 and '"aspect": 2.0' in job.point:
            return [Outcome(None, "ValueError: no luck", 0.0)]
        return real(jobs, budget)[:1]

    with monkeypatch.context() as patch:
        patch.setattr(sys.modules[complete.__module__], "Run", partial(Run, work=faulty))
        with pytest.warns(
            UserWarning, match="4 tasks failed, first population=iso, loop=frozen, aspect=2.0, replicate=2: ValueError"
        ):
            found = swept(tmp_path / "store")
    assert int((~found.done).sum()) == 4 * 6
    assert found.risk.isnull().any()
    assert status(tmp_path / "store")[0].finished == 28
    assert len(status(tmp_path / "store")[0].last["failed"]) == 4
    xr.testing.assert_identical(swept(tmp_path / "store"), swept(tmp_path / "whole"))


def test_other_libraries_are_told(tmp_path, monkeypatch):
    swept(tmp_path / "store")
    later = {**making.versions(read_spec(SPEC)), "numpy": "9.9"}
    for room in (making, storing):
        monkeypatch.setattr(room, "versions", lambda _: later)
    swept(tmp_path / "store")
    with pytest.warns(UserWarning, match=r"numpy .* -> 9\.9"):
        swept(tmp_path / "store", replicates=5)


def test_nothing_committed_is_lost_where_the_disk_is_full(tmp_path, monkeypatch):
    put, left = making._put, 40

    def full(path, content):
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        put(path, content)

    monkeypatch.setattr(running, "COMMIT", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(making, "_put", full)
        with pytest.raises(OSError, match=r"No space left on device; the [0-9]+ tasks that this run committed"):
            swept(tmp_path / "store")
    assert 0 < status(tmp_path / "store")[0].finished < 32
    assert verify(tmp_path / "store") == []
    xr.testing.assert_identical(swept(tmp_path / "store"), swept(tmp_path / "whole"))


def test_an_interruption_commits_what_is_finished(tmp_path):
    real, calls = running.run, 0

    def interrupted(jobs, budget):
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt
        return real(jobs[:2], budget)

    plan = read_spec(SPEC)
    with Store(tmp_path / "store", plan) as store, pytest.raises(KeyboardInterrupt):
        Run(store, Here(), 1, lambda committed, failed: None, interrupted).complete(map(int, store.missing()))
    assert status(tmp_path / "store")[0].finished in range(3, 7)


def test_the_queue_blames_what_was_alone():
    queue = Queue(range(5), 1)
    for _ in range(40):
        queue.timed(0.001)
    first = queue.take()
    assert first == [0, 1]
    assert queue.failed(first, WorkerDied("killed by SIGKILL")) == ""
    for _ in range(2):
        assert queue.take() == [0]
        assert queue.failed([0], WorkerDied("killed by SIGKILL")) == ""
        assert queue.take() == [1]
        assert queue.failed([1], WorkerDied("exit code 3")) == ""
    assert queue.failed(queue.take(), WorkerDied("killed by SIGKILL")) == "its worker died 3 times in a row: killed by SIGKILL"
    assert queue.failed(queue.take(), ValueError("no  luck")) == "ValueError: no luck"
    assert queue.take() == [2]
    queue.put_back([2])
    assert [queue.take() for _ in range(3)] == [[2], [3], [4]]
    assert not queue


@pytest.mark.parametrize("place", ["risk/c", "done/c", "loop/c", "penalty/zarr.json", "zarr.json"])
def test_damage_is_found_and_healed(tmp_path, place):
    whole, root = swept(tmp_path / "store"), tmp_path / "store"
    path = root / place
    path = path if path.is_file() else next(each for each in path.rglob("*") if each.is_file())
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    (said,) = verify(root)
    assert said.startswith(place.removesuffix("/c"))
    assert complete(SPEC, root, workers=0, progress=False).healed
    assert verify(root) == []
    xr.testing.assert_identical(xr.open_zarr(root).load(), whole)


def test_other_folders_are_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="other files"):
        swept(tmp_path)
    with pytest.raises(NotADirectoryError, match="must be a folder"):
        swept(tmp_path / "notes.txt")
    with pytest.raises(ValueError, match="no store"):
        verify(tmp_path / "nothing")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def owned(root, **content):
    root.mkdir(exist_ok=True)
    owner = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time() - 90, "token": "x"}
    (root / lock.NAME).write_text(json.dumps({**owner, **content}))


def test_a_held_store_is_refused(tmp_path):
    with Store(tmp_path / "store", read_spec(SPEC)):
        words = f"in use by process {os.getpid()} on {socket.gethostname()} for 0.0 min, last heard of"
        with pytest.raises(BlockingIOError, match=words):
            swept(tmp_path / "store")
        assert str(os.getpid()) in status(tmp_path / "store")[0].owner
    assert status(tmp_path / "store")[0].owner is None
    swept(tmp_path / "store")


def test_stale_locks_are_recognised(tmp_path, monkeypatch):
    # A process that died on this host holds no lock of the kernel.
    owned(tmp_path, pid=2**22 + 1)
    Lock(tmp_path).release()
    owned(tmp_path, host="elsewhere")
    with pytest.raises(BlockingIOError, match=r"on elsewhere for 1\.5 min.*silent for 120 s"):
        Lock(tmp_path)
    os.utime(tmp_path / lock.NAME, (time.time() - 200,) * 2)
    Lock(tmp_path).release()
    # On systems without such locks the process itself is looked for.
    monkeypatch.setattr(lock, "_lock_file", lambda file: None)
    owned(tmp_path)
    with pytest.raises(BlockingIOError, match=r"for 1\.5 min"):
        Lock(tmp_path)
    owned(tmp_path, pid=2**22 + 1)
    held = Lock(tmp_path)
    owned(tmp_path, host="elsewhere")
    with pytest.raises(BlockingIOError, match="taken over"):
        held.check()
    held.release()


def test_forecast(tmp_path):
    plan = read_spec(SPEC)
    found = forecast(plan, tmp_path / "store", 2)
    assert (found.tasks, found.finished) == (32, 0)
    assert found.size == 32 * 6 * 4 * 8 + 32 * 6
    np.testing.assert_allclose(found.seconds, found.task_seconds * 16)
    swept(tmp_path / "store")
    assert forecast(read_spec({**SPEC, "replicates": 5}), tmp_path / "store", 2).finished == 32
    with pytest.raises(SweepError, match="another sweep"):
        forecast(read_spec({**SPEC, "seed": 1}), tmp_path / "store", 2)


def test_progress_without_a_terminal_is_a_line_soon_and_each_minute(capsys, monkeypatch):
    now = 0.0
    monkeypatch.setattr(shown, "time", SimpleNamespace(monotonic=lambda: now))
    with shown.progress(1000, 100, None) as report:
        for now in range(0, 150, 10):
            report(now, {})
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"freshmix: {words.progress(1000, 100, t, float(t), 0)}" for t in (10, 70, 130)]
    assert lines[1] == "freshmix: 170 of 1,000 tasks, 1/s, 13.8 min left"


def test_progress_as_a_bar(capsys):
    with shown.progress(1000, 100, True) as report:
        report(500, {0: "why"})
    told = capsys.readouterr().err
    assert "600/1000" in told
    assert "1 failed" in told
