"""Each file of a store x each damage x each command: mended bit for bit, told of, or one line and exit code 2."""

import json
import os
import shutil
import time

import numpy as np
import pytest
import xarray as xr

import freshmix as fm
from freshmix.cli import main
from freshmix.sweeps import lock, making
from freshmix.sweeps.complete import complete
from freshmix.sweeps.grid import SweepError
from freshmix.sweeps.layout import chunk_shape
from freshmix.sweeps.merge import merge
from freshmix.sweeps.spec import read_spec
from freshmix.sweeps.status import forecast, status
from freshmix.sweeps.store import Store
from freshmix.sweeps.verify import verify

TEXT = """
seed = {seed}
generations = 2
replicates = 4
rows = 20
[loop]
real_weight = 0.6
[grid]
aspect = [0.5, 2.0]
penalty = [0.1, 1.0]
"""
TASKS = 8
DAMAGES = ("missing", "empty", "cut", "garbage", "type", "folder", "other")
COMMANDS = ("sweep", "status", "dry-run", "verify", "merge", "read")
ARRAY = "risk/zarr.json done/zarr.json aspect/zarr.json"
# sweep: mended (also where only marks, metadata or a note of the last run were lost) | refused.
# status, dry-run: how many tasks are finished, by the marks | refused. verify: sound | fault (exit code 1) | refused.
# merge, of the damaged store as a shard: whole | lost (told, exit code 1) | refused (and nothing is left behind).
# read, by xarray alone: right | gaps (NaN or not done) | raises | other (what is there, of another store).
TABLE = """
zarr.json             missing empty cut garbage type folder        mended   8        8        fault    whole    raises
zarr.json             other                                        mended   8        8        fault    whole    other
.zarr.json            missing empty cut garbage type folder other  mended   8        8        fault    whole    right
zarr.json+.zarr.json  missing empty cut garbage type folder        refused  refused  refused  refused  refused  raises
zarr.json+.zarr.json  other                                        refused  0        refused  fault    refused  other
risk/zarr.json        missing empty cut garbage type folder        mended   8        8        fault    whole    right
done/zarr.json        missing empty cut garbage type folder        mended   8        8        fault    whole    right
aspect/zarr.json      missing empty cut garbage type folder        mended   8        8        fault    whole    right
risk/zarr.json        other                                        mended   8        8        sound    whole    right
risk/c/0/0/0/0        missing folder                               mended   8        8        fault    lost     gaps
risk/c/0/0/0/0        empty cut garbage                            mended   8        8        fault    lost     raises
risk/c/0/0/0/0        other neighbour                              mended   8        8        fault    lost     other
done/c/0/0/0          missing folder                               mended   8        8        fault    whole    gaps
done/c/0/0/0          empty cut garbage                            mended   8        8        fault    whole    raises
done/c/0/0/0          other                                        mended   8        8        fault    whole    right
aspect/c/0            missing folder                               mended   8        8        fault    whole    gaps
aspect/c/0            empty cut garbage                            mended   8        8        fault    whole    raises
aspect/c/0            other                                        mended   8        8        sound    whole    right
risk/c                missing empty                                mended   8        8        fault    lost     gaps
done/c                missing empty                                mended   8        8        fault    whole    gaps
risk                  missing empty                                mended   8        8        fault    lost     gaps
done                  missing empty                                mended   8        8        fault    whole    gaps
aspect                missing empty                                mended   8        8        fault    whole    gaps
.progress             missing empty cut garbage type folder other  mended   8        8        sound    whole    right
.lock                 missing empty cut garbage type               mended   8        8        sound    whole    right
.lock                 folder other                                 refused  8        8        sound    whole    right
.making               empty garbage folder other                   mended   8        8        sound    whole    right
.made                 empty garbage folder other                   mended   8        8        sound    whole    right
"""
COMMANDS = ("sweep", "status", "dry-run", "verify", "merge", "read")
CELLS = [
    (name, damage, command, outcome)
    for line in TABLE.split("\n")[1:-1]
    for name, *damages in [line.split()[: -len(COMMANDS)]]
    for damage in damages
    for command, outcome in zip(COMMANDS, line.split()[-len(COMMANDS) :], strict=True)
]
# Wrong types where a file holds JSON.
TYPES = {
    ".lock": {"pid": [1], "host": 3, "since": "long ago", "token": None},
    ".progress": [{"run": 3}],
    "zarr.json": {"attributes": [], "consolidated_metadata": 7},
}


def make_stores(folder):
    """A finished sweep of two chunks, and one of other numbers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, "chunk_shape", lambda shape, lead, size, limit=0: (1, *chunk_shape(shape, lead, size)[1:]))
        for name, seed in (("store", 0), ("other", 1)):
            (folder / f"{name}.toml").write_text(TEXT.format(seed=seed))
            complete(folder / f"{name}.toml", folder / name, workers=0, progress=False)
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return make_stores(tmp_path_factory.mktemp("stores"))


def other(whole, name):
    """The same file of another store; one that is held by another host, or told by another program."""
    if name == ".lock":
        return json.dumps({"pid": 7, "host": "elsewhere", "since": time.time(), "token": "x"}).encode()
    return b'{"run": {}, "failed": ["a"]}' if name == ".progress" else (whole / "other" / name).read_bytes()


def damage(whole, root, name, how):
    path = root / name
    before = path.read_bytes() if path.is_file() else json.dumps([0] * 99).encode()
    (shutil.rmtree if path.is_dir() else os.unlink)(path) if path.exists() else None
    if how == "missing":
        return
    if how == "folder" or (name in ("risk", "done", "aspect", "risk/c", "done/c") and how == "empty"):
        path.mkdir()
        (path / "note").write_text("mine") if how == "folder" else None
    elif name.startswith(".ma") and how == "other":
        shutil.copytree(whole / "other", path)
    else:
        content = {
            "empty": lambda: b"",
            "cut": lambda: before[: len(before) // 2],
            "garbage": lambda: bytes(255 - each for each in before),
            "type": lambda: json.dumps(TYPES.get(name.split("/")[-1], TYPES["zarr.json"])).encode(),
            "neighbour": lambda: (root / name.replace("/0", "/1", 1)).read_bytes(),
            "other": lambda: other(whole, name),
        }
        path.write_bytes(content[how]())


@pytest.mark.parametrize(
    ("names", "how", "command", "outcome"),
    [
        pytest.param(*cell, id="-".join(cell), marks=() if place % 13 == 0 else pytest.mark.slow)
        for place, cell in enumerate(CELLS)
    ],
)
def test_a_damaged_file(tmp_path, whole, capsys, names, how, command, outcome):
    root = tmp_path / ("store.1-of-1" if command == "merge" else "store")
    shutil.copytree(whole / "store", root)
    for name in names.split("+"):
        damage(whole, root, name, how)
    assert OUTCOMES[command](whole, root, names, capsys) == outcome


def run(capsys, *arguments):
    """Exit code and output; errors are lines of their own, one but for what differs between two sweeps."""
    code = main(["sweep", *map(str, arguments)])
    out, err = capsys.readouterr()
    lines = err.splitlines()
    if code == 2:
        assert out == ""
        assert len(lines) == 1 or "they differ in" in lines[0]
        assert all(line.startswith("freshmix: error: ") for line in lines)
    return code, out


def swept(whole, root, names, capsys):
    before = sorted(path.name for path in root.iterdir())
    code, _ = run(capsys, whole / "store.toml", "--store", root, "--workers", 0)
    if code == 2:
        assert sorted({*(path.name for path in root.iterdir()), ".lock"}) == sorted({*before, ".lock"})
        return "refused"
    assert code == 0
    assert verify(root) == []
    assert read(whole, root, names, capsys) == "right"
    assert not any((root / name).exists() for name in (making.MADE, making.MAKING))
    return "mended"


def told(*arguments):
    def outcome(whole, root, names, capsys):
        code, out = run(capsys, *[whole / each if each.endswith(".toml") else each for each in arguments], "--store", root)
        assert code in (0, 2)
        return "refused" if code else next(f"{n}" for n in range(9) if f"{n} of {TASKS}" in out or f", {n} of them" in out)

    return outcome


def verified(whole, root, names, capsys):
    code, out = run(capsys, "--store", root, "--verify")
    if code == 0:
        assert out.endswith(f"nothing wrong, {TASKS} of {TASKS} tasks finished\n")
    elif code == 1:
        # What is named first is what is damaged.
        assert "+" in names or out.startswith(names.split("/")[0])
    return ("sound", "fault", "refused")[code]


def merged(whole, root, names, capsys):
    store = root.with_name("store")
    code, out = run(capsys, whole / "store.toml", "--store", store, "--merge")
    if code == 2:
        assert not store.exists()
        return "refused"
    finished = next(n for n in range(TASKS + 1) if f"{n} of {TASKS} tasks" in out)
    assert (finished == TASKS) == (code == 0)
    assert verify(store) == []
    assert read(whole, store, names, capsys) == ("right" if code == 0 else "gaps")
    return ("whole", "lost")[code]


def read(whole, root, names, capsys):
    expected = xr.open_zarr(whole / "store").load()
    try:
        found = xr.open_zarr(root).load()
    except Exception:
        return "raises"
    if found.attrs["sweep"] != expected.attrs["sweep"]:
        return "other"
    if not found.done.all() or any(np.isnan(found[name]).any() for name in ("risk", "aspect")):
        return "gaps"
    return "right" if found.drop_attrs().identical(expected.drop_attrs()) else "other"


OUTCOMES = {
    "sweep": swept,
    "status": told("--status"),
    "dry-run": told("store.toml", "--dry-run"),
    "verify": verified,
    "merge": merged,
    "read": read,
}


def half(whole, root):
    """A store with one task of eight."""
    plan = read_spec(whole / "store.toml")
    with Store(root, plan) as opened:
        opened.commit({0: xr.open_zarr(whole / "store").risk.values[0, 0]})
    return plan


def test_what_is_not_finished_is_said_where_nothing_is_wrong(tmp_path, whole, capsys):
    root = tmp_path / "store"
    half(whole, root)
    assert run(capsys, "--store", root, "--verify") == (0, f"{root}: nothing wrong, 1 of 8 tasks finished\n")
    shutil.rmtree(root / "done" / "c")
    assert run(capsys, "--store", root, "--verify") == (1, "done chunk 0/0/0: missing\n")
    assert status(root)[0].finished == 1


def test_a_chunk_without_marks_that_cannot_be_read_goes(tmp_path, whole):
    """What a process wrote just before it died."""
    root = tmp_path / "store"
    plan = half(whole, root)
    (chunk,) = (path for path in (root / "risk" / "c").rglob("*") if path.is_file())
    chunk.write_bytes(b"")
    with Store(root, plan) as opened:
        assert len(opened.healed) == 1
        assert not chunk.exists()
    chunk.write_bytes(b"x" * 99)
    assert verify(root) == ["risk chunk 0/0/0/0: of another store"]
    Store(root, plan).close()
    assert verify(root) == []


def test_stores_without_stamps_are_taken_as_they_are(tmp_path, whole):
    root = tmp_path / "store"
    with pytest.MonkeyPatch.context() as patch:
        real = making._attributes
        patch.setattr(making, "_attributes", lambda *given: {k: v for k, v in real(*given).items() if k != "stamped"})
        complete(whole / "store.toml", root, workers=0, progress=False)
    assert verify(root) == []
    assert read(whole, root, "", None) == "right"
    (root / "risk" / "c").rename(tmp_path / "c")
    assert len(verify(root)) == 1


def test_shards_that_disagree_leave_nothing_behind(tmp_path, whole, capsys):
    plan = read_spec(whole / "store.toml")
    for i in (1, 2):
        complete(plan, tmp_path / f"store.{i}-of-2", workers=0, progress=False)
    with Store(tmp_path / "store.2-of-2", plan) as opened:
        opened.commit({7: np.zeros((2, 3))})
    assert run(capsys, whole / "store.toml", "--store", tmp_path / "store", "--merge")[0] == 2
    assert not (tmp_path / "store").exists()
    # A store that is there is left as it was.
    half(whole, tmp_path / "store")
    with pytest.raises(SweepError, match="different results for the same task"):
        merge(plan, tmp_path / "store")
    assert status(tmp_path / "store")[0].finished == 1
    assert verify(tmp_path / "store") == []


def test_a_range_that_gives_a_listed_value_up_to_rounding(tmp_path):
    spec = {"generations": 1, "rows": 20, "replicates": 2, "loop": {"aspect": 0.5, "real_weight": 0.5}}
    noise, wider = {"noise_variance": [0.1, 0.3]}, {"noise_variance": {"start": 0.1, "stop": 0.5, "count": 5}}
    first = fm.sweep({**spec, "grid": noise}, tmp_path / "store", workers=0).load()
    assert 0.3 not in read_spec({**spec, "grid": wider}).outer["noise_variance"]
    assert forecast(read_spec({**spec, "grid": wider}), tmp_path / "store", 1).finished == 4
    later = fm.sweep({**spec, "grid": wider}, tmp_path / "store", workers=0).load()
    assert later.noise_variance.values[[0, 2]].tolist() == [0.1, 0.3]
    np.testing.assert_array_equal(later.risk.sel(noise_variance=[0.1, 0.3]), first.risk)
    with pytest.raises(SweepError, match=r"without 0\.2, 0\.3, 0\.4"):
        fm.sweep({**spec, "grid": {"noise_variance": [0.1, 0.3000001]}}, tmp_path / "store", workers=0)


def test_a_lock_of_another_host_that_is_dated_in_the_future(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "_BEAT", 0.02)
    path, content = tmp_path / lock.NAME, other(None, ".lock")

    def dated(seconds):
        path.write_bytes(content)
        os.utime(path, (time.time() + seconds,) * 2)

    # A clock somewhat ahead.
    dated(60)
    with pytest.raises(BlockingIOError, match=r"on elsewhere for .*, its clock (59|60) s ahead of the one here: "):
        lock.Lock(tmp_path)
    assert "elsewhere" in lock.owner_of(tmp_path)
    # One far ahead: its next heartbeat tells, or that there is none.
    dated(10**7)
    assert lock.owner_of(tmp_path) is None
    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", lambda seconds: dated(2 * 10**7))
        with pytest.raises(BlockingIOError, match=r"its clock \d+ s ahead"):
            lock.Lock(tmp_path)
    dated(10**7)
    lock.Lock(tmp_path).release()


def test_folders_that_are_no_stores(tmp_path, whole, capsys):
    root = tmp_path / "store"
    root.mkdir()
    (root / "notes.txt").write_text("mine")
    shutil.copytree(whole / "other", root / making.MAKING)
    for arguments in ((whole / "store.toml",), ("--status",), ("--verify",)):
        assert run(capsys, *arguments, "--store", root)[0] == 2
    assert run(capsys, whole / "store.toml", "--dry-run", "--store", root)[0] == 0
    assert sorted(path.name for path in root.iterdir()) == [making.MAKING, "notes.txt"]


def test_chunks_written_at_the_same_time_make_their_folder_once(tmp_path):
    """Threads that find no folder, and one after the other make it."""
    from concurrent.futures import ThreadPoolExecutor

    from freshmix.sweeps.making import _put

    with ThreadPoolExecutor(8) as threads:
        for t in range(60):
            written = [tmp_path / f"{t}" / "done" / "c" / f"{k}" for k in range(8)]
            list(threads.map(_put, written, [b"chunk"] * 8))
            assert all(path.read_bytes() == b"chunk" for path in written)
