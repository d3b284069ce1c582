"""Optional packages: what needs one says which extra brings it, and nothing else imports one."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

import freshmix as fm
from freshmix.cli import main
from freshmix.extras import extra

from .test_cli import failure
from .test_readers import spreadsheet

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "freshmix"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Packages whose module has another name.
MODULES = {"scikit-learn": "sklearn"}
# Packages that come with one of them, whose documentation has them imported by these names.
PARTS = {"pydantic": "pydantic_core", "jinja2": "markupsafe", "sklearn": "joblib"}
# A table may come as Dask's arrays, which whoever has such a table brings along.
BROUGHT = {"dask"}


def modules(requirements):
    """Names of modules that the requirements bring."""
    names = [re.match(r"[\w-]+", requirement)[0] for requirement in requirements]
    return {MODULES.get(name, name.replace("-", "_")) for name in names}


BASE = modules(PROJECT["dependencies"])


def outside(path):
    """(line, module) of each import of what is neither Python's nor freshmix's own."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module]
        else:
            continue
        for name in names:
            package = name.partition(".")[0]
            if package not in sys.stdlib_module_names | {"freshmix"}:
                yield node.lineno, package


def calls(path):
    """The arguments of each call of ``extra`` that is written out in a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "extra":
            yield [argument.value for argument in node.args[:2]]


FILES = [path for path in sorted(SOURCE.rglob("*.py")) if path.name != "extras.py"]


def test_only_base_dependencies_are_imported():
    """The page is left out: it is loaded when its packages are there."""
    others = [(path.name, *found) for path in FILES if "explorer" not in path.parts for found in outside(path)]
    assert [each for each in others if each[2] not in BASE | BROUGHT | {PARTS[name] for name in BASE & set(PARTS)}] == []


def test_each_base_dependency_is_used():
    used = {package for path in FILES for _, package in outside(path)}
    assert used >= BASE


def test_what_is_asked_for_is_what_the_extra_brings():
    found = [each for path in FILES for each in calls(path)]
    assert {name for name, _ in found} >= {"excel", "cluster", "torch"}
    for name, module in found:
        assert module.partition(".")[0] in modules(PROJECT["optional-dependencies"][name])


@pytest.fixture
def needing(tmp_path):
    """A command that needs each extra: module, arguments."""
    (tmp_path / "t.xlsx").write_bytes(spreadsheet([["a", "y"], [1, 2], [2, 3], [3, 1]]))
    (tmp_path / "spec.toml").write_text("generations = 1\nreplicates = 1\nrows = 20\n[loop]\naspect = 0.5\nreal_weight = 0.6\n")
    return {
        "excel": ("fastexcel", ["recommend", tmp_path / "t.xlsx", "--target", "y"]),
        "cluster": (
            "distributed",
            ["sweep", tmp_path / "spec.toml", "--store", tmp_path / "store", "--scheduler", "tcp://127.0.0.1:1"],
        ),
        "torch": ("torch", ["simulate", "--aspect", "0.5", "--rows", "20", "--device", "cuda"]),
    }


@pytest.mark.parametrize("name", ["excel", "cluster", "torch"])
def test_a_command_without_its_extra_is_refused_in_a_line(name, needing, monkeypatch, capsys):
    module, arguments = needing[name]
    monkeypatch.setitem(sys.modules, module, None)
    said = failure(capsys, *arguments)
    assert f"needs the package {module}: pip install 'freshmix[{name}]'" in said


def test_python_says_the_same(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    loop = fm.Loop(aspect=0.5, real_weight=0.6)
    with pytest.raises(ValueError, match=r"^device 'cuda' needs the package torch: pip install 'freshmix\[torch\]'$"):
        fm.simulate(fm.Population.isotropic(), loop, 1, rows=20, device="cuda")


def test_a_package_that_lacks_one_of_its_own_says_so(tmp_path, monkeypatch):
    """What is broken is not what is missing: pip would say that all is installed."""
    (tmp_path / "half_there.py").write_text("import its_own_need\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="its_own_need"):
        extra("excel", "half_there", "t.xlsx")


def test_no_store_is_left_where_the_cluster_cannot_be_reached(needing, monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main([str(each) for each in needing["cluster"][1]]) == 2
    capsys.readouterr()
    assert not (tmp_path / "store").exists()
