"""What is released: one version everywhere, and archives that install and work with the base dependencies alone."""

import datetime
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import freshmix

ROOT = Path(__file__).parents[1]
VERSION = freshmix.__version__
# Semantic versioning 2.0.0, without what Python's packages write in another way.
SEMANTIC = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


def run(*command, **options):
    """What a command printed; it must not fail."""
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# One version.


def test_the_version_is_semantic():
    assert SEMANTIC.fullmatch(VERSION)


def test_the_changelog_has_a_section_for_each_release():
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased"
    released = [re.fullmatch(r"(\S+) \((\d{4}-\d\d-\d\d)\)", heading).groups() for heading in headings[1:]]
    numbers = [tuple(map(int, SEMANTIC.fullmatch(version).groups())) for version, _ in released]
    days = [datetime.date.fromisoformat(day) for _, day in released]
    assert released[0][0] == VERSION
    assert numbers == sorted(set(numbers), reverse=True)
    assert days == sorted(days, reverse=True)


def test_the_citation_is_of_the_newest_release():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(cited)
    heading = f"## {cited['version']} ({cited['date-released']})"
    assert heading in (ROOT / "CHANGELOG.md").read_text().splitlines()
    assert cited["version"] == VERSION
    assert cited["license"] == "BSD-3-Clause"


def test_nothing_heavy_is_loaded_with_the_front_door():
    code = "import sys; before = set(sys.modules); import freshmix; print(*set(sys.modules) - before)"
    loaded = {name.partition(".")[0] for name in run(sys.executable, "-c", code).split()}
    assert loaded - sys.stdlib_module_names == {"freshmix", "lazy_loader"}


# Archives.


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """The archives of sources and the wheel, built from a copy of what is kept here."""
    folder = tmp_path_factory.mktemp("release")
    copy = folder / "copy"
    ignored = shutil.ignore_patterns("__pycache__", ".*", "_build", "auto_examples", "dist", "build", "out")
    shutil.copytree(ROOT, copy, ignore=ignored)
    run(sys.executable, "-m", "hatchling", "build", "-d", folder / "dist", cwd=copy)
    return folder / "dist" / f"freshmix-{VERSION}.tar.gz", folder / "dist" / f"freshmix-{VERSION}-py3-none-any.whl"


@pytest.fixture(scope="module")
def unpacked(archives, tmp_path_factory):
    """The folder that the archive of sources holds."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(archives[0]) as archive:
        archive.extractall(folder, filter="data")
    return folder / f"freshmix-{VERSION}"


def needed(name, extras=frozenset()):
    """Names of a package and of all packages that it needs here."""
    wanted, known = [(name, extras)], {}
    while wanted:
        name, extras = wanted.pop()
        name = re.sub(r"[-_.]+", "-", name).lower()
        if name in known and extras <= known[name]:
            continue
        known[name] = known.get(name, frozenset()) | extras
        for line in importlib.metadata.requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                wanted.append((requirement.name, frozenset(requirement.extras)))
    return set(known)


@pytest.fixture(scope="module")
def installed(archives, tmp_path_factory):
    """The Python of an environment with the wheel and its base dependencies alone: those of this environment, by links."""
    folder = tmp_path_factory.mktemp("bare")
    base = folder / "base"
    base.mkdir()
    for name in sorted(needed("freshmix") - {"freshmix"}):
        for file in importlib.metadata.files(name):
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (base / top).exists():
                (base / top).symlink_to(Path(importlib.metadata.distribution(name).locate_file(top)))
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    site = Path(run(python, "-c", "import site; print(site.getsitepackages()[0])").strip())
    (site / "base.pth").write_text(f"{base}\n")
    # This environment's pip, which writes into the other one and asks nobody.
    run(
        *(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps"),
        *("--disable-pip-version-check", archives[1]),
    )
    return python


def bare(python, *arguments, **options):
    """A run of the environment's Python away from this folder, without what this one adds to the path."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [str(python), *map(str, arguments)], capture_output=True, text=True, check=False, env=environment, **options
    )


@pytest.mark.slow
def test_archives_name_no_place(archives, unpacked):
    texts = [path.read_bytes() for path in unpacked.rglob("*") if path.is_file()]
    with zipfile.ZipFile(archives[1]) as wheel:
        texts += [wheel.read(name) for name in wheel.namelist()]
    places = [str(ROOT).encode(), f"{Path.home()}/".encode()]
    assert [place for place in places if any(place in text for text in texts)] == []


@pytest.mark.slow
def test_the_wheel_is_that_of_the_sources(archives, unpacked, tmp_path):
    """Who builds the archive of sources gets the same files; the wheel has the types, and no tests."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path, cwd=unpacked)
    with zipfile.ZipFile(archives[1]) as one, zipfile.ZipFile(tmp_path / archives[1].name) as other:
        assert {name: one.read(name) for name in one.namelist()} == {name: other.read(name) for name in other.namelist()}
        assert {name.partition("/")[0] for name in one.namelist()} == {"freshmix", f"freshmix-{VERSION}.dist-info"}
        shipped = {name for name in one.namelist() if name.startswith("freshmix/")}
        metadata = one.read(f"freshmix-{VERSION}.dist-info/METADATA").decode()
    kept = [path for path in (ROOT / "src").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert shipped == {str(path.relative_to(ROOT / "src")) for path in kept}
    assert {"freshmix/py.typed", "freshmix/__init__.pyi"} <= shipped
    assert f"\nVersion: {VERSION}\n" in metadata


@pytest.mark.slow
def test_sources_hold_what_the_tests_need(unpacked):
    for name in (
        "Makefile",
        "requirements.lock",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CITATION.cff",
        "tests/reference/cases.json",
    ):
        assert (unpacked / name).is_file()
    environment = {**os.environ, "PYTHONPATH": str(unpacked / "src")}
    command = (
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/test_house.py",
        "tests/test_loop.py",
        "tests/test_examples.py",
    )
    told = run(sys.executable, *command, cwd=unpacked, env=environment)
    assert re.search(r"^\d+ passed", told, re.MULTILINE)
    where = run(sys.executable, "-c", "import freshmix; print(freshmix.__file__)", cwd=unpacked, env=environment)
    assert where.startswith(str(unpacked))


@pytest.mark.slow
def test_the_wheel_works_with_its_base_dependencies(installed, tmp_path):
    code = "import freshmix; print(freshmix.__version__, freshmix.__file__)"
    version, place = bare(installed, "-c", code, cwd=tmp_path).stdout.split()
    assert version == VERSION
    assert place.startswith(str(installed.parents[1]))
    for module in ("fastexcel", "distributed", "torch", "dash", "pytest"):
        assert bare(installed, "-c", f"import {module}", cwd=tmp_path).returncode == 1
    homes = (ROOT / "examples" / "homes.csv", "--target", "value", "--time", "month", "--report", "homes.html")
    diabetes = (ROOT / "examples" / "diabetes.csv", "--target", "progression", "--report", "diabetes.html")
    for arguments, says in ((homes, "Best: Anchor"), (diabetes, "Best: Average all real labels")):
        done = bare(installed, "-m", "freshmix", "recommend", *arguments, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(says)
        assert "<svg" in (tmp_path / arguments[-1]).read_text()
    program = installed.parent / "freshmix"
    assert run(program, "--version") == f"freshmix {VERSION}\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("extra", "arguments"),
    [
        ("excel", ["recommend", "t.xlsx", "--target", "y"]),
        ("cluster", ["sweep", "spec.toml", "--store", "store", "--scheduler", "tcp://127.0.0.1:1"]),
        ("torch", ["simulate", "--aspect", "0.5", "--rows", "20", "--device", "cuda"]),
        ("explorer", ["explore"]),
    ],
)
def test_what_needs_an_extra_names_it(installed, tmp_path, extra, arguments):
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as book:
        book.writestr("xl/workbook.xml", "")
    (tmp_path / "spec.toml").write_text("generations = 1\nreplicates = 1\nrows = 20\n[loop]\naspect = 0.5\nreal_weight = 0.6\n")
    done = bare(installed, "-m", "freshmix", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"pip install 'freshmix[{extra}]'" in done.stderr


@pytest.mark.slow
def test_types_reach_those_who_use_the_wheel(installed, tmp_path):
    """mypy, as strict as it can be, on code that uses what was installed: it sees types, and mistakes."""
    good = tmp_path / "good.py"
    good.write_text(
        "import freshmix as fm\n\n"
        "population = fm.Population.isotropic(signal=2.0)\n"
        "best = fm.optimal_weight(population, fm.Loop(aspect=2.0))\n"
        "weight: float = best.real_weight\n"
        "reveal_type(fm.recommend)\n"
    )
    bad = tmp_path / "bad.py"
    bad.write_text("import freshmix as fm\n\nfm.Loop(aspect='two')\nfm.no_such_name\n")
    command = (sys.executable, "-m", "mypy", "--strict", "--python-executable", installed, "--cache-dir", tmp_path / "cache")
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "MYPYPATH")}
    told = run(*command, good, cwd=tmp_path, env=environment)
    assert re.search(r'Revealed type is "def \(X: .*\) -> freshmix\.recommendation', told)
    assert "Success: no issues found" in told
    done = subprocess.run(
        [str(each) for each in (*command, bad)], capture_output=True, text=True, cwd=tmp_path, env=environment
    )
    assert done.returncode == 1
    assert 'has incompatible type "str"' in done.stdout
    assert 'no attribute "no_such_name"' in done.stdout
