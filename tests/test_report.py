"""A report is one whole, self-contained file that says what the recommendation says, or no file at all."""

import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import freshmix as fm
from freshmix import report
from freshmix.replays.check import DOES_NOT_FIT, Check
from freshmix.words.figures import figures, percent
from freshmix.words.recommendation import recipe, rivals, the_mix

from .test_plots import CASES, recommendation

_PLAIN = {"real_weight": 1.0, "row_weight": 0.0, "anchor": 0.0, "kept_generations": 0, "forgetting": 1.0}


def way(alpha: float, error: float, above: tuple[float, float], **settings: object) -> dict[str, object]:
    """A way to remember, 1.3 being the best one's error."""
    interval, difference = (error - 0.2, error + 0.2), {"difference": error - 1.3, "difference_interval": above}
    figures = {"risk": error - 1.1, "prediction_error": error, "prediction_error_interval": interval, **difference}
    known = {"penalty": alpha / 200, "alpha": alpha, "stored": "nothing", "allowed": True, "backtest": None}
    return {**known, **_PLAIN, **figures, **settings}


WAYS = {
    "real_only": way(20.0, 1.5, (0.1, 0.3)),
    "anchored_mixed": way(800.0, 1.4, (0.05, 0.2), stored="model", anchor=0.9, real_weight=0.75),
    "keep_all": way(3.0, 1.3, (0.0, 0.0), stored="moments", kept_generations=None),
}
VOID = {"meta", "link", "br", "hr", "img", "input"}
NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


class Page(HTMLParser):
    """Text, ids and references of a page; fails on a tag that does not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.take(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.take(attrs)

    def take(self, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "xlink:href", "src"):
                self.references.append(value or "")
            self.references += re.findall(r"url\((.*?)\)", value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag in ("td", "th"):
            self.text += " "

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


@pytest.fixture
def page(tmp_path: Path) -> str:
    report.write_report(recommendation(), tmp_path / "report.html")
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def test_page_needs_no_network(page: str) -> None:
    assert set(re.findall(r"https?://[^\s\"'<>]*", page)) == NAMESPACES
    assert all(reference.startswith("#") for reference in Page(page).references)
    assert "@import" not in page
    assert "<script" not in page


def test_ids_are_unique_and_references_resolve(page: str) -> None:
    found = Page(page)
    assert len(found.ids) == len(set(found.ids)) > 50
    assert {reference[1:] for reference in found.references} <= set(found.ids)


def test_pictures_are_valid_svg_without_a_date(page: str) -> None:
    pictures = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(pictures) == 4
    for picture in pictures:
        assert ElementTree.fromstring(picture).tag.endswith("svg")
        assert "metadata" not in picture
        assert "currentColor" in picture


def test_page_says_what_was_found(page: str) -> None:
    text = " ".join(Page(page).text.split())
    for words in (
        "improves: synthetic labels average the noise of past real labels.",
        "Best: Fit each generation on 0.43 x real label + 0.57 x synthetic label, with Ridge(alpha=24).",
        "alpha 24, 0.12 per row",
        "it fits: replayed with 150 of the table's rows in each generation, the loop has excess risk 0.35 after 12 retrainings",
        "(0.20 to 0.40) in the long run",
        "real labels only 1.6 (+12%)",
        "synthetic labels only grows without bound",
        "(0.5 per row of a generation)",
        "noise variance 1.10 (0.90 to 1.30)",
        "Assumed loop: the same 200 rows",
        "only 40 rows",
        "features standardised",
        "recommendation = fm.recommend(X, y)",
    ):
        assert words in text
    assert text.index("Best:") < text.index("improves") < text.index("How sure")


def test_ways_to_remember_are_told_with_what_to_type_in(tmp_path: Path) -> None:
    under = {"nothing": "real_only", "model": "anchored_mixed", "moments": "keep_all", "rows": "keep_all"}
    compared = {"best": "keep_all", "best_under": under, "rivals": WAYS, "persistence": None}
    made = recommendation(compare=lambda: compared)
    report.write_report(made, tmp_path / "report.html")
    page = " ".join(Page((tmp_path / "report.html").read_text(encoding="utf-8")).text.split())
    # On a telephone a cell stands beside the name of its column.
    assert 'data-name="worse by"' in (tmp_path / "report.html").read_text(encoding="utf-8")
    for text in (page, " ".join(str(made).split())):
        for words in (
            "Best: Average all real labels that a row has had, Ridge(alpha=3). "
            "Mean squared prediction error 1.30 (90% interval 1.1 to 1.5), its root 1.14, after 12 retrainings. "
            "Features are scaled to variance 1.",
            "If old labels cannot be kept: Anchor to the last model and mix in its labels: label = 0.75 x real + 0.25 x "
            "predicted; fit Ridge(alpha=800) to the labels less 0.9 x its predictions, and add that back. Error 1.40, "
            "7.7% (3.8 to 15.4) worse.",
            "The newest labels alone: Ridge(alpha=20). Error 1.50, 15.4% (7.7 to 23.1) worse.",
            "Mixing labels alone: Fit each generation on 0.43 x real label + 0.57 x synthetic label, with Ridge(alpha=24).",
            "1.40 7.7% (3.8 to 15.4)",
            "improves: of mixing labels alone (not the best way above): synthetic labels average",
            "past.append(y) y = np.mean(past, axis=0) model = Ridge(alpha=0.015 * len(y)).fit(X, y)",
        ):
            assert words in text
        assert text.count("Best") == 1


def test_what_may_not_be_kept_is_told_as_better() -> None:
    better = WAYS["keep_all"] | {"allowed": False, "difference": -0.2, "difference_interval": (-0.3, -0.1)}
    ways = {"real_only": WAYS["real_only"] | {"difference": 0.0, "difference_interval": (0.0, 0.0)}, "keep_all": better}
    under = {"nothing": "real_only", "model": "real_only", "moments": "keep_all", "rows": "keep_all"}
    compared = {"best": "real_only", "best_under": under, "rivals": ways, "persistence": None}
    made = recommendation(compare=lambda: compared)
    said = " ".join(str(made).split())
    assert "If more may be kept: Average all real labels" in said
    assert "Error 1.30, 13.3% (6.7 to 20.0) better." in said
    assert "outweighs theory" not in said


@pytest.mark.slow
def test_lines_of_a_call_in_python_run_and_reproduce_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((80, 4)), rng.standard_normal(80)
    time = np.repeat(np.arange(8), 10)
    groups = [fm.Group(0.5, 1.0, 0.4), fm.Group(0.5, 0.7, 0.0)]
    loop = fm.Loop(covariates="fresh", groups=groups, synthetic_noise_ratio=0.0)
    for options in (
        {},
        {"kernel": "rbf", "penalty": 0.3, "seed": 2, "loop": fm.Loop(labels="frozen", real_weight=0.2)},
        {"time": time, "loop": loop, "generations": float("inf"), "standardize": False},
    ):
        made = fm.recommend(X, y, **options)
        report.write_report(made, tmp_path / "report.html")
        code = Page((tmp_path / "report.html").read_text()).text.split("To reproduce")[1].split("Written by")[0]
        names = {"X": X, "y": y, "time": time}
        exec(code, names)
        again = names["recommendation"]
        assert again.risk == made.risk
        assert again.baselines == made.baselines
        assert again.intervals == made.intervals


def test_a_failed_check_is_told_first(tmp_path: Path) -> None:
    check = Check(np.ones(3), np.array([1.0, 2.0, 3.0]), np.full(3, 0.1), 1.0, 150, "rows", 2.5, (0.7, 0.2, 1.5))
    made = recommendation(verdict=DOES_NOT_FIT, reason=check.reason(), check=check, advice="keep_all_labels")
    report.write_report(made, tmp_path / "report.html")
    text = " ".join(Page((tmp_path / "report.html").read_text(encoding="utf-8")).text.split())
    assert "theory does not fit: here is what the replay says: on the table's own rows the recommended loop" in text
    assert (
        "has excess risk 3 after 2 retrainings, real labels only 2.5, and the best mix there 1.5 (real weight 0.7, lambda 0.2)"
        in text
    )
    assert "On theory alone, which is not to be relied on here: fit each generation on" in text
    assert "largest gap is 20.0 standard errors, after 2" in text
    assert text.index("theory does not fit") < text.index("On theory alone")


def test_schedules_are_written_out(tmp_path: Path) -> None:
    weights = tuple(np.linspace(0.9, 0.3, 20))
    baselines = {"real_only": 0.5, "keep_all_labels": 0.4, "today": None, "synthetic_only": 9.0, "constant_weight": 0.44}
    made = recommendation(schedule=weights, risk=0.33, baselines=baselines, generations=20)
    report.write_report(made, tmp_path / "report.html")
    text = " ".join(Page((tmp_path / "report.html").read_text(encoding="utf-8")).text.split())
    assert "w_1, w_2, ... = 0.9, 0.868, 0.837," in text
    assert "..., 0.332, 0.3" in text
    assert "gain over the best constant weight 25% of its excess risk" in text
    assert "best constant weight 1.54" in text


def test_title_and_command_and_everything_else_is_escaped(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    made = recommendation(warnings=("<script>alert(1)</script>",), notes=("a & b",), assumption="x < y")
    report.write_report(made, target, title="<i>t</i>", command="print('<b>')")
    text = target.read_text(encoding="utf-8")
    for raw in ("<script>", "<i>", "<b>", "x < y", "a & b"):
        assert raw not in text
    assert "&lt;script&gt;alert(1)" in text


@pytest.mark.parametrize("suffix", report.SUFFIXES)
@pytest.mark.parametrize("case", CASES)
def test_same_bytes_every_time_and_nothing_beside(tmp_path: Path, suffix: str, case: str) -> None:
    first, second = tmp_path / f"first{suffix}", tmp_path / f"second{suffix.upper()}"
    report.write_report(CASES[case], first)
    report.write_report(CASES[case], str(second))
    assert first.read_bytes() == second.read_bytes()
    assert set(tmp_path.iterdir()) == {first, second}
    start = {".html": b"<!DOCTYPE html>", ".png": b"\x89PNG", ".pdf": b"%PDF"}[suffix]
    assert first.read_bytes().startswith(start)


def test_page_for_kernels_has_no_aspect(tmp_path: Path) -> None:
    report.write_report(recommendation(population=None, aspect=None), tmp_path / "report.html")
    text = Page((tmp_path / "report.html").read_text(encoding="utf-8")).text
    assert "KernelRidge(alpha=24)" in text
    assert "per row of a generation" not in text


@pytest.mark.parametrize("name", ["report.txt", "report", "report.svg", ".html"])
def test_other_suffixes_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"path must end in \.html, \.png or \.pdf, got"):
        report.write_report(recommendation(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_folders_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError, match="path must lie in a folder that exists"):
        report.write_report(recommendation(), tmp_path / "missing" / "report.html")
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(IsADirectoryError, match="path must be a file"):
        report.write_report(recommendation(), tmp_path / "folder.html")
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(PermissionError, match="path must lie in a folder that can be written to"):
        report.write_report(recommendation(), tmp_path / "report.html")
    assert [each.name for each in tmp_path.iterdir()] == ["folder.html"]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_failure_leaves_the_old_report_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    target = tmp_path / "report.html"
    target.write_text("old")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(type(error)):
        report.write_report(recommendation(), target)
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]
    assert target.read_text() == "old"


def test_failure_while_drawing_leaves_nothing(tmp_path: Path) -> None:
    broken = recommendation(weight_grid=np.zeros(3))
    with pytest.raises(ValueError):
        report.write_report(broken, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_rivals_compare_prediction_errors() -> None:
    made = recommendation(prediction_error=1.5, noise_variance=1.0, baselines={"real_only": 0.8, "today": None})
    (rival,) = rivals(made)
    assert (rival.name, rival.risk, rival.prediction_error) == ("real labels only", 0.8, 1.8)
    assert rival.change == pytest.approx(20.0)


def test_numbers_of_the_mix_are_said_once_and_what_the_draws_disagree_on() -> None:
    once = the_mix(recommendation(generations=None, long_run_risk=0.33))
    assert once.count("in the long run") == 1
    both = the_mix(recommendation(generations=12, long_run_risk=0.31))
    assert "after 12 retrainings, 0.31 in the long run" in both
    assert "other values that fit" not in both
    split = recommendation(verdict_probabilities={"improves": 0.82, "degrades": 0.177, "collapses": 0.003})
    assert "for other values that fit the table: improves 82%, degrades 18%" in the_mix(split)
    same = recommendation(verdict="holds", verdict_probabilities={"degrades": 0.82, "improves": 0.18})
    assert "other values that fit" not in the_mix(same)
    sure = recommendation(verdict_probabilities={"improves": 0.995, "degrades": 0.005})
    assert "other values that fit" not in the_mix(sure)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"real_weight": 1.0}, "on the real labels alone"),
        ({"real_weight": 0.0}, "on the synthetic labels alone"),
        ({"penalty": 0.0, "alpha": 0.0}, "with minimum-norm least squares."),
        ({"labelled": 0.3, "row_weight": 0.5}, "other rows on the synthetic label at sample_weight (row weight) 0.5"),
        ({"labelled": 0.3, "row_weight": 0.0}, "the labelled rows alone"),
    ],
)
def test_recipe_at_the_edges(changes: dict[str, float], words: str) -> None:
    assert words in recipe(recommendation(**changes))


@pytest.mark.parametrize(
    ("value", "text"), [(0.123456, "0.1235"), (123456.0, "1.235e+05"), (float("inf"), "unbounded"), (float("nan"), "-")]
)
def test_figures(value: float, text: str) -> None:
    assert figures(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0%"), (-1e-12, "0%"), (3.14159, "+3.142%"), (-5.0, "-5%"), (float("nan"), "-")]
)
def test_percent(value: float, text: str) -> None:
    assert percent(value) == text
