"""Command lines that cannot be read: one line that names the option, what was expected and what came, or an example."""

import pytest

from .test_cli import failure


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("recommend",), "TABLE is needed, as in: freshmix recommend homes.csv --target value --time month"),
        (("recommend", "t.csv"), "--target is needed, as in: freshmix recommend homes.csv --target value --time month"),
        (("plan", "t.csv", "--target", "y"), "--cost-per-label is needed, as in: freshmix plan "),
        (("replay", "t.csv", "--target", "y"), "--model is needed, as in: freshmix replay "),
        (("sweep", "spec.toml"), "--store is needed, as in: freshmix sweep "),
        (
            ("plan", "t.csv", "--target", "y", "--cost-per-label", "two"),
            "freshmix: error: --cost-per-label must be a number, got 'two'\n",
        ),
        (("theory", "--aspect", ""), "--aspect must be a number, got ''"),
        (("theory", "--aspect", "1,5"), "--aspect must be a number, got '1,5'"),
        (("simulate", "--aspect", "1", "--rows", "1.5"), "--rows must be a whole number, got '1.5'"),
        (("theory", "--generations", "ten"), "--generations must be a whole number, got 'ten'"),
        (("theory", "--month", "2"), "there is no option --month: freshmix theory --help lists what there is"),
        (("theory", "--penality", "2"), "there is no option --penality: did you mean --penalty?"),
        (("--versoin",), "there is no option --versoin: did you mean --version?"),
        (("recommend", "t.csv", "--target"), "--target needs a value"),
        (("recomend", "t.csv"), "Did you mean 'recommend'?"),
        (("theory", "isotropic", "spiked"), "spiked"),
    ],
)
def test_one_line_that_helps(arguments, says, capsys):
    assert says in failure(capsys, *arguments)
