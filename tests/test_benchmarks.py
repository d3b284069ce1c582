"""What the pages say of other ways and of costs was written by the scripts that measure it."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = {
    "comparison.md": ("compare.py", ("loops", "table", "kernel", "one_round", "stream", "spectra")),
    "costs.md": ("costs/page.py", ("growth", "beside")),
}


@pytest.mark.parametrize(
    ("page", "script", "part"), [(page, script, part) for page, (script, parts) in PARTS.items() for part in parts]
)
def test_each_part_of_a_page_holds_a_table_of_its_script(page, script, part):
    text = (ROOT / "docs" / page).read_text()
    written = re.search(rf"<!-- {part}: written by benchmarks/{script} -->\n\n(.*?)\n\n<!-- {part}: end -->", text, re.DOTALL)
    lines = written[1].splitlines()
    assert len(lines) > 2
    assert len({line.count("|") for line in lines}) == 1
    assert "nan" not in written[1]


def test_stored_ratios_are_those_of_the_page():
    stored = json.loads((ROOT / "benchmarks" / "costs" / "ratios.json").read_text())
    assert all(0 < ratio < 1e6 for ratio in stored.values())
    page = (ROOT / "docs" / "costs.md").read_text()
    for name in stored:
        job = name.split(" / ")[0] if " / " in name else name.rsplit(", ", 1)[0]
        assert f"| {job} |" in page
