"""Sweeps killed, interrupted, starved of disk and damaged, in real processes, against an uninterrupted one, bit for bit."""

import os
import pickle
import random
import select
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import freshmix as fm
from freshmix.processes import Processes, WorkerDied, worker
from freshmix.sweeps import run as running
from freshmix.sweeps.complete import complete
from freshmix.sweeps.merge import merge
from freshmix.sweeps.spec import read_spec
from freshmix.sweeps.status import status
from freshmix.sweeps.verify import verify

pytestmark = pytest.mark.slow

TEXT = """
generations = 6
replicates = 60
rows = 70

[loops.frozen]
[loops.fresh]
covariates = "fresh"

[grid]
aspect = [0.5, 1.5, 2.0, 3.0]
real_weight = [0.3, 0.6, 1.0]
penalty = [0.1, 1.0]
"""
LONGER = TEXT.replace("0.3, 0.6", "0.3, 0.45, 0.6").replace("0.5, 1.5", "0.5, 1.2, 1.5").replace("= 60", "= 70")
RUN = "import sys; from freshmix.cli import main; sys.exit(main(sys.argv[1:]))"
# Commits so often that a fast machine, too, has many in a short sweep.
OFTEN = "from freshmix.sweeps import run; run.COMMIT = 0.05\n"
# Dies at its N-th file with a word in its path: half of it written beside its place, or before it is moved into place.
DIES = """
import os, pathlib, secrets, sys
from freshmix.cli import main
from freshmix.sweeps import making

word, _, left = sys.argv[1].partition(":")
left = int(left)
put, replace = making._put, pathlib.Path.replace

def counted(path):
    global left
    left -= word in str(path)
    return left == 0

def deadly_put(path, content):
    if counted(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / f".freshmix-{secrets.token_hex(8)}").write_bytes(content[: len(content) // 2])
        os.kill(os.getpid(), 9)
    put(path, content)

def deadly_replace(path, target):
    if counted(target):
        os.kill(os.getpid(), 9)
    return replace(path, target)

making._put, pathlib.Path.replace = deadly_put, deadly_replace
sys.exit(main(sys.argv[2:]))
"""
LITTLE_DISK = OFTEN + "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (%d, %d))\n" + RUN


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("sweep")


@pytest.fixture(scope="module")
def spec(folder) -> Path:
    path = folder / "spec.toml"
    path.write_text(TEXT)
    return path


@pytest.fixture(scope="module")
def expected(folder, spec) -> xr.Dataset:
    found = fm.sweep(spec, folder / "uninterrupted", workers=0, progress=False).load()
    return found.assign_attrs(tasks=480)


def child(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def told(err: str) -> list[str]:
    """What is said on stderr beside how far it is."""
    return [line for line in err.splitlines() if " tasks, " not in line]


def wait_for_results(store: Path) -> None:
    deadline = time.monotonic() + 120
    while not finished(store):
        assert time.monotonic() < deadline, "no task was finished in two minutes"
        time.sleep(0.1)


def check(store: Path, expected: xr.Dataset) -> None:
    assert verify(store) == []
    with xr.open_zarr(store) as found:
        assert found.done.all()
        np.testing.assert_array_equal(found.risk.values.view(np.uint64), expected.risk.values.view(np.uint64))


def finished(store: Path) -> int:
    return status(store)[0].finished if (store / "zarr.json").exists() else 0


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_coordinator_killed_at_random_moments(tmp_path, spec, expected, workers):
    moments, kills, number = random.Random(workers), 0, 0
    while kills < 10:
        number += 1
        store, before = tmp_path / f"store{number}", 0
        while before < expected.attrs["tasks"] and kills < 10:
            # Committing most of the time: more of the moments are in the midst of a write.
            running_child = child(OFTEN + RUN, "sweep", spec, "--store", store, "--workers", workers)
            # From its first commit on, at any moment of several rounds of work.
            deadline = time.monotonic() + 120
            while finished(store) == before and running_child.poll() is None:
                assert time.monotonic() < deadline, "no task was finished in two minutes"
                time.sleep(0.02)
            time.sleep(moments.uniform(0.0, 0.3))
            kills += running_child.poll() is None
            running_child.kill()
            running_child.communicate(timeout=120)
            # What was committed stays, and nothing that is on disk is wrong.
            assert finished(store) >= before
            before = finished(store)
            assert verify(store) == []
        fm.sweep(spec, store, workers=workers, progress=False)
        check(store, expected)


def test_coordinator_killed_between_results_and_marks(tmp_path, spec, expected):
    store, moments, deaths = tmp_path / "store0", random.Random(3), 0
    for round_number in range(10):
        if finished(store) == expected.attrs["tasks"]:
            check(store, expected)
            store = tmp_path / f"store{round_number}"
        # The first file of marks is their metadata, at the making.
        n = moments.randint(1, 3) + (not store.exists())
        dying = child(OFTEN + DIES, f"/done/:{n}", "sweep", spec, "--store", store, "--workers", 0)
        dying.communicate(timeout=120)
        deaths += dying.returncode == -9
        if finished(store):
            assert verify(store) == []
    assert deaths >= 8
    fm.sweep(spec, store, workers=0, progress=False)
    check(store, expected)


@pytest.mark.parametrize("n", [1, 3, 6, 9, 12, 15, 18, 21, 23, 25])
def test_coordinator_killed_while_a_store_is_made(tmp_path, n):
    """And while it is made longer."""
    specs = [tmp_path / "spec.toml", tmp_path / "longer.toml"]
    specs[0].write_text(TEXT.replace("= 60", "= 2"))
    specs[1].write_text(LONGER.replace("replicates = 70", "replicates = 3"))
    store, deaths = tmp_path / "store", 0
    for path in specs:
        dying = child(DIES, f":{n}", "sweep", path, "--store", store, "--workers", 0)
        dying.communicate(timeout=120)
        deaths += dying.returncode == -9
        found = fm.sweep(path, store, workers=0, progress=False).load()
        assert verify(store) == []
        if path == specs[0]:
            check(store, fm.sweep(path, tmp_path / "whole", workers=0, progress=False))
            first = found
    assert deaths == 2
    assert found.done.all()
    np.testing.assert_array_equal(found.risk.sel({name: first[name] for name in first.dims}), first.risk)


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_killed_at_random_moments(tmp_path, spec, expected, workers):
    moments, killed, over = random.Random(workers), [], threading.Event()

    def killer(processes: Processes) -> None:
        while len(killed) < 10 and not over.wait(moments.uniform(0.2, 1.5)):
            pids = [lane.process.pid for lane in processes._lanes if lane.process is not None]
            if pids:
                killed.append(moments.choice(pids))
                os.kill(killed[-1], signal.SIGKILL)

    tries = 0
    # A fast machine is through before ten kills: then once more, on a new store.
    while len(killed) < 10:
        tries += 1
        with Processes(workers) as processes:
            over.clear()
            thread = threading.Thread(target=killer, args=(processes,))
            thread.start()
            summary = complete(spec, tmp_path / f"store{tries}", executor=processes, workers=workers, progress=False)
            over.set()
            thread.join()
        assert summary.failed == {}
        check(tmp_path / f"store{tries}", expected)


def deadly_run(jobs, budget):
    """In place of ``task.run``: one task of all kills its worker."""
    from freshmix.sweeps.task import run

    if any(job.replicate == 7 and '"aspect": 1.5' in job.point and "fresh" in job.point for job in jobs):
        os.kill(os.getpid(), signal.SIGKILL)
    return run(jobs, budget)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_task_that_kills_its_worker_fails_alone(tmp_path, spec, expected, workers, monkeypatch):
    store = tmp_path / "store"
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules[complete.__module__], "Run", partial(running.Run, work=deadly_run))
        summary = complete(spec, store, workers=workers, progress=False)
    (name,) = summary.failed
    assert name == "loop=fresh, aspect=1.5, replicate=7"
    assert "SIGKILL" in summary.failed[name]
    assert summary.committed == summary.tasks - 1
    assert status(store)[0].last["failed"] == summary.failed
    fm.sweep(spec, store, workers=0, progress=False)
    check(store, expected)


def dies_in_the_middle_of_its_result():
    def half(stream, message):
        message = pickle.dumps(message)
        os.write(stream.fileno(), message[: len(message) // 2])
        os.kill(os.getpid(), signal.SIGKILL)

    worker.send = half
    return "x" * 3000


def test_half_a_result_is_a_death_too():
    with Processes(1) as processes:
        future = processes.submit(dies_in_the_middle_of_its_result)
        with pytest.raises(WorkerDied, match="killed by SIGKILL"):
            future.result(timeout=60)
        assert processes.submit(divmod, 7, 2).result(timeout=60) == (3, 1)


@pytest.mark.parametrize(
    ("ends", "how"), [(signal.SIGKILL, "killed by SIGKILL"), (0, "exit code 0"), (3, "exit code 3")], ids=str
)
def test_only_the_call_that_ran_dies(ends, how):
    """Those that wait go to the next process, as do later ones, also where nothing waited."""
    with Processes(1) as processes:
        pid = processes.submit(os.getpid).result(timeout=60)
        dead = processes.submit(os.kill, pid, ends) if isinstance(ends, signal.Signals) else processes.submit(os._exit, ends)
        waiting = [processes.submit(divmod, 7, k) for k in (2, 3)]
        with pytest.raises(WorkerDied, match=how):
            dead.result(timeout=60)
        assert [each.result(timeout=60) for each in waiting] == [(3, 1), (2, 1)]
        pid = processes.submit(os.getpid).result(timeout=60)
        os.kill(pid, signal.SIGKILL)
        while processes._lanes[0].process is not None:
            time.sleep(0.01)
        assert processes.submit(divmod, 7, 2).result(timeout=60) == (3, 1)


def test_calls_and_results_that_cannot_be_sent_fail_alone():
    with Processes(1) as processes:
        assert "pickle" in str(processes.submit(divmod, threading.Lock()).exception(timeout=60))
        # What a script defines comes along.
        assert processes.submit(lambda: 5).result(timeout=60) == 5
        assert "cannot be sent" in str(processes.submit(threading.Lock).exception(timeout=60))
        assert isinstance(processes.submit(divmod, 7, 0).exception(timeout=60), ZeroDivisionError)
        assert processes.submit(print, "no result").result(timeout=60) is None
        assert processes.submit(divmod, 7, 2).result(timeout=60) == (3, 1)


def test_calls_wait_where_they_can_be_cancelled():
    """Two go to each process; the others go to whichever is free first."""
    with Processes(2) as processes:
        calls = [processes.submit(time.sleep, 1.0 if k == 0 else 0.01) for k in range(30)]
        waiting = [processes.submit(divmod, 7, 2) for _ in range(5)]
        assert all(each.cancel() for each in waiting[1:])
        assert waiting[0].result(timeout=60) == (3, 1)
        # All but what went to the first process before it slept.
        assert sum(not each.done() for each in calls) <= 2
    ended = Processes(1)
    calls = [ended.submit(time.sleep, 60) for _ in range(5)]
    ended.shutdown()
    assert all(each.cancelled() or isinstance(each.exception(timeout=60), WorkerDied) for each in calls)
    with pytest.raises(RuntimeError, match="shut down"):
        ended.submit(divmod, 7, 2)


def test_nothing_is_left_of_a_simulation_however_it_ends():
    """Neither in shared memory nor of its processes, which later calls use again."""
    code = """
import os, signal, subprocess, sys
import freshmix as fm
from freshmix.processes import shared
given = fm.Population.isotropic(), fm.Loop(aspect=0.5, real_weight=0.5), 2
for _ in range(2):
    found = fm.simulate(*given, rows=40, replicates=8, workers=2)
    print([lane.process.pid for lane in shared(2, "").__dict__["_lanes"]], flush=True)
assert found.risk.equals(fm.simulate(*given, rows=40, replicates=8).risk)
os.kill(os.getpid(), signal.SIGKILL)
"""
    before = set(os.listdir("/dev/shm"))
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    first, second = ran.stdout.splitlines()
    assert first == second
    assert set(os.listdir("/dev/shm")) - before == set()
    deadline = time.monotonic() + 10
    pids = first.strip("[]").split(", ")
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_scripts_need_no_guard(tmp_path, spec):
    """Workers import nothing of the script that starts them."""
    script = tmp_path / "script.py"
    script.write_text(
        f"import freshmix as fm\nprint(fm.sweep({str(spec)!r}, {str(tmp_path / 'store')!r}, workers=2).done.all().item())"
    )
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert ran.stdout == "True\n", ran.stderr


def test_through_a_dask_cluster(tmp_path, spec, expected):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=2, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        victim = next(iter(cluster.workers.values())).pid
        killer = threading.Timer(1.0, os.kill, (victim, signal.SIGKILL))
        killer.start()
        fm.sweep(spec, tmp_path / "one", executor=client.get_executor(), workers=4, progress=False)
        killer.join()
        check(tmp_path / "one", expected)
        through = child(RUN, "sweep", spec, "--store", tmp_path / "two", "--scheduler", cluster.scheduler_address)
        out, err = through.communicate(timeout=120)
        assert through.returncode == 0, err
        assert "480 of 480 tasks finished" in out
        check(tmp_path / "two", expected)


def test_two_shards_merged(tmp_path, spec, expected):
    store = tmp_path / "store"
    parts = [child(RUN, "sweep", spec, "--store", store, "--workers", 1, "--shard", f"{i}/2") for i in (1, 2)]
    time.sleep(4.0)
    parts[1].kill()
    parts[1].communicate(timeout=120)
    assert told(parts[0].communicate(timeout=120)[1]) == []
    merge(read_spec(spec), store)
    assert verify(store) == []
    again = child(RUN, "sweep", spec, "--store", store, "--workers", 1, "--shard", "2/2")
    assert told(again.communicate(timeout=120)[1]) == []
    merged = child(RUN, "sweep", spec, "--store", store, "--merge")
    assert "480 of 480 tasks finished" in merged.communicate(timeout=120)[0]
    check(store, expected)


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
def test_disk_full(tmp_path, spec, expected):
    store, size = tmp_path / "store", 60_000
    starved = child(LITTLE_DISK % (size, size), "sweep", spec, "--store", store, "--workers", 0)
    _, err = starved.communicate(timeout=120)
    assert starved.returncode == 2
    assert len(told(err)) == 1
    assert "File too large" in err
    assert 0 < finished(store) < 480
    assert verify(store) == []
    assert not list(store.glob("**/.freshmix-*"))
    fm.sweep(spec, store, workers=0, progress=False)
    check(store, expected)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interruption_commits_what_is_finished(tmp_path, spec, expected, workers, sent):
    store = tmp_path / "store"
    stopped = child(RUN, "sweep", spec, "--store", store, "--workers", workers)
    wait_for_results(store)
    # A terminal interrupts the whole group of processes.
    os.killpg(stopped.pid, sent) if sent == signal.SIGINT else stopped.send_signal(sent)
    _, err = stopped.communicate(timeout=30)
    assert stopped.returncode in (130, 0)
    assert told(err) in (["freshmix: interrupted"], [])
    assert verify(store) == []
    fm.sweep(spec, store, workers=0, progress=False)
    check(store, expected)


def test_a_closed_terminal_interrupts(tmp_path, spec, expected):
    store = tmp_path / "store"
    pid, terminal = os.forkpty()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", RUN, "sweep", str(spec), "--store", str(store), "--workers", "2"])
    deadline = time.monotonic() + 120
    while not finished(store):
        assert time.monotonic() < deadline, "no task was finished in two minutes"
        # The bar must not wait for a reader.
        if select.select([terminal], [], [], 0.1)[0]:
            os.read(terminal, 4096)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) in (130, 120, 0)
    assert status(store)[0].owner is None
    assert verify(store) == []
    fm.sweep(spec, store, workers=0, progress=False)
    check(store, expected)


@pytest.mark.parametrize("handles", [9, 12, 20])
def test_few_file_handles(tmp_path, spec, expected, handles):
    few = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({handles}, {handles}))\n{RUN}"
    for arguments in (("sweep", spec, "--store", tmp_path / "store"), ("simulate", "--workers", 2, "--aspect", 0.5)):
        ran = child(few, *arguments)
        _, err = ran.communicate(timeout=120)
        assert ran.returncode in (0, 2), err
        assert len(told(err)) == (ran.returncode == 2)
        assert all(line.startswith("freshmix: error: ") for line in told(err))
    fm.sweep(spec, tmp_path / "store", workers=0, progress=False)
    check(tmp_path / "store", expected)


def test_a_second_process_is_refused(tmp_path, spec):
    store = tmp_path / "store"
    first = child(RUN, "sweep", spec, "--store", store, "--workers", 0)
    wait_for_results(store)
    with pytest.raises(OSError, match=f"in use by process {first.pid} on"):
        fm.sweep(spec, store, workers=0)
    first.kill()
    first.communicate(timeout=120)


def test_workers_end_with_a_killed_coordinator(tmp_path, spec):
    store = tmp_path / "store"
    killed = child(RUN, "sweep", spec, "--store", store, "--workers", 2)
    wait_for_results(store)
    workers = [
        int(pid)
        for pid in subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(killed.pid)], capture_output=True, text=True
        ).stdout.split()
    ]
    killed.kill()
    killed.communicate(timeout=120)
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert workers
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


@pytest.fixture
def store(tmp_path, spec) -> Path:
    fm.sweep(spec, tmp_path / "store", workers=0, progress=False)
    return tmp_path / "store"


@pytest.mark.parametrize(
    "place", ["risk/c", "done/c", "aspect/c", "loop/c", "zarr.json", "risk/zarr.json", "done/zarr.json", "penalty/zarr.json"]
)
def test_a_flipped_byte_is_found_and_healed(store, spec, expected, place):
    path = store / place
    path = path if path.is_file() else next(each for each in path.rglob("*") if each.is_file())
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert any(line.startswith(place.removesuffix("/c")) for line in verify(store))
    fm.sweep(spec, store, workers=0, progress=False)
    check(store, expected)


def test_a_lost_chunk_is_found_and_healed(store, spec, expected):
    next(path for path in (store / "risk" / "c").rglob("*") if path.is_file()).unlink()
    assert any("missing" in line for line in verify(store))
    fm.sweep(spec, store, workers=0, progress=False)
    check(store, expected)
