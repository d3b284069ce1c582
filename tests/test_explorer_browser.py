"""The explorer as a person uses it: a real server, Debian's chromium, a mouse and a keyboard."""

import contextlib
import gzip
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import numpy as np
import pytest

import freshmix as fm
from freshmix.explorer import answers, controls
from freshmix.explorer.fields import Choice, Numeric
from freshmix.explorer.state import FIELDS, MODELS, PICTURES, State
from freshmix.words import explorer as words
from freshmix.words import uploading as table_words

pytestmark = pytest.mark.browser
EXAMPLES = Path(__file__).parents[1] / "examples"
# Milliseconds that a machine that is busy with other tests may take.
PATIENCE = 120_000


@contextlib.contextmanager
def served(*options):
    """``freshmix explore`` as a command; its address."""
    command = [sys.executable, "-m", "freshmix", "explore", "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/\S*", line)
        assert address, line + process.stderr.read()
        yield address[0]
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors


@pytest.fixture(scope="module")
def address():
    with served() as at:
        yield at.split("?")[0]


@pytest.fixture(scope="module")
def chromium():
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("the page is tested in chromium, which is not there: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium, address):
    """Opens the page at a query: nothing may go elsewhere, fail, or be told to the console."""
    contexts, faults = [], []

    def watch(page):
        def asked(request):
            if urlsplit(request.url).scheme in ("data", "blob"):
                return
            if urlsplit(request.url).netloc != urlsplit(address).netloc:
                faults.append(f"asked {request.url}")

        page.on("request", asked)
        page.on("console", lambda said: said.type in ("error", "warning") and faults.append(f"console: {said.text}"))
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on("response", lambda response: response.status >= 400 and faults.append(f"{response.status} of {response.url}"))

    def open_(query="", width=1400, height=1000, scheme="light"):
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        watch(page)
        page.goto(f"{address}?{query}" if query else address)
        settle(page)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert faults == []


def shown(page):
    """The state that the address has."""
    return State.from_query(urlsplit(page.url).query)


def settle(page, state=None):
    """Wait until everything on the screen is that of the state in the address, or of the one that is meant."""
    page.wait_for_selector("#verdict .word")
    for _ in range(600):
        now = shown(page)
        if (state is None or now == state) and page.inner_text("#code").startswith(answers.lines(now).strip()):
            break
        page.wait_for_timeout(100)
    else:
        pytest.fail(f"{shown(page)} is not {state}, or its lines are not\n{page.inner_text('#code')}")
    page.wait_for_function("() => !document.querySelector('[data-dash-is-loading=true]')")


def typed(page, name, value):
    page.fill(f"#{name}", str(value))
    page.press(f"#{name}", "Enter")
    page.press(f"#{name}", "Tab")


# For each setting a state in which it counts, and another value.
CHANGES = {
    "eigenvalues": ({"model": "random-effects"}, (1.0, 4.0)),
    "shares": ({"model": "random-effects"}, (0.5, 0.5)),
    "strength": ({"model": "spiked"}, 5.0),
    "alignment": ({"model": "spiked"}, 0.25),
    "ratio": ({"model": "two-level"}, 3.0),
    "share": ({"model": "two-level"}, 0.5),
    "correlation": ({"model": "autoregressive", "features": 40}, 0.5),
    "features": ({"model": "autoregressive"}, 50),
    "decay": ({"model": "power-law", "features": 40}, 2.0),
    "source": ({"model": "power-law", "features": 40}, 0.5),
    "signal_to_noise": ({}, 4.0),
    "persistence": ({"covariates": "fresh"}, 0.9),
    "label_renewal": ({"penalty": 0.1}, 0.25),
    "labelled": ({"covariates": "fresh"}, 0.5),
    "first_rows": ({"covariates": "fresh"}, 2.0),
    "aspect": ({}, 0.5),
    "penalty": ({}, 0.1),
    "real_weight": ({}, 0.75),
    "synthetic_noise_ratio": ({}, 0.5),
    "row_weight": ({"covariates": "fresh", "labelled": 0.5, "aspect": 0.5}, 0.5),
    "anchor": ({"penalty": 0.1}, 0.5),
    "forgetting": ({"covariates": "fresh", "kept_generations": None}, 0.5),
    "generations": ({}, 10),
}


def test_every_setting_has_a_control_that_is_tried():
    menus = {"model", "covariates", "kept_generations", "picture", "table"}
    assert set(CHANGES) | menus == set(FIELDS)


@pytest.mark.parametrize("name", CHANGES)
def test_every_control_changes_what_it_should(opened, name):
    changes, value = CHANGES[name]
    state = State(**changes)
    page = opened(state.to_query())
    text = FIELDS[name].write(value)
    typed(page, name, text)
    changed = state.replace(**{name: value})
    settle(page, changed)
    # What is said is the front door's, of the changed state.
    limit = fm.limit(changed.population(), changed.loop())
    assert limit.reason in page.inner_text("#verdict")
    if not controls.has_slider(name):
        return
    # Its slider has gone along, and moves it by the keyboard.
    thumb = page.locator(f"#{name}-slider [role=slider]")
    before = float(thumb.get_attribute("aria-valuenow"))
    thumb.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"() => new URLSearchParams(location.search).get('{name}') !== '{text}'")
    settle(page)
    assert float(thumb.get_attribute("aria-valuenow")) < before
    assert getattr(shown(page), name) < value


def choose(page, name, label):
    page.click(f"#{name}")
    page.locator(f"[role=option]:has-text('{label}')").locator("visible=true").first.click()


def test_menus_and_tabs(opened):
    page = opened("covariates=fresh&aspect=0.5&penalty=0.1")
    state = shown(page)
    for model in ("spiked", "autoregressive", "isotropic"):
        choose(page, "model", words.MODELS[model])
        state = state.replace(model=model)
        settle(page, state)
        visible = {name for name in controls.OF_MODELS if page.locator(f"#{name}-row").is_visible()}
        assert visible == set(MODELS[model])
    choose(page, "kept_generations", words.ALL)
    state = state.replace(kept_generations=None)
    settle(page, state)
    assert page.locator("#real_weight").is_disabled()
    assert words.KEEPS_ROWS in page.inner_text("#real_weight-why")
    choose(page, "kept_generations", words.NONE)
    state = state.replace(kept_generations=0)
    settle(page, state)
    assert page.locator("#real_weight").is_enabled()
    for picture in PICTURES[::-1]:
        page.click(f"[role=tab]:has-text('{words.PICTURES[picture]}')")
        settle(page, state := state.replace(picture=picture))
        page.wait_for_selector("#chosen-graph .main-svg")
    page.click(f"label:has-text('{words.COVARIATES['frozen']}')")
    settle(page, state := state.replace(covariates="frozen"))
    assert page.locator("#labelled").is_disabled()


def test_the_address_restores_the_state_and_the_back_button_works(opened):
    queries = (
        "model=spiked&strength=5&alignment=0.3&penalty=0.25&real_weight=0.75&picture=spectrum&generations=7",
        "covariates=fresh&labelled=0.4&row_weight=0.5&aspect=0.5&first_rows=2",
    )
    for query in queries:
        page = opened(query)
        state = State.from_query(query)
        settle(page, state)
        for name, kind in FIELDS.items():
            if isinstance(kind, Numeric) and page.locator(f"#{name}").is_visible():
                value = page.input_value(f"#{name}")
                assert (float(value) if value else None) == getattr(state, name), name
            elif isinstance(kind, Choice) and name == "model":
                assert page.input_value("#model") == words.MODELS[state.model]
    first = shown(page)
    typed(page, "penalty", 0.5)
    settle(page, first.replace(penalty=0.5))
    typed(page, "real_weight", 0.25)
    settle(page, second := first.replace(penalty=0.5, real_weight=0.25))
    page.go_back()
    settle(page, first.replace(penalty=0.5))
    assert page.input_value("#real_weight") == "0.5"
    page.go_back()
    settle(page, first)
    page.go_forward()
    page.go_forward()
    settle(page, second)
    # What an address has that cannot be used is told of, and the rest stands.
    page = opened("aspect=0.5&penalty=-1&colour=red")
    assert shown(page) == State(aspect=0.5)
    assert "There is no setting called colour." in page.inner_text("#notices")
    assert "penalty must be a number" in page.inner_text("#notices")


@pytest.mark.parametrize("query", ["aspect=0.5&penalty=0.1", "model=spiked&aspect=2&penalty=0.3&signal_to_noise=4"])
def test_the_optimum_on_the_screen_is_that_of_the_library(opened, query):
    page = opened(query)
    state = shown(page)
    best = fm.optimal_weight(state.population(), state.loop())
    page.wait_for_function("() => document.querySelector('#best').innerText")
    assert page.inner_text("#best-weight") == words.best_weight(best.real_weight, best.risk, best.attained)
    joint = fm.optimal_loop(state.population(), state.loop())
    said = words.best(joint.real_weight, joint.loop.penalty, joint.risk, joint.attained)
    page.wait_for_function("said => document.querySelector('#best').innerText === said", arg=said)
    page.click("#use")
    page.wait_for_function("() => !/penalty=0.[13]&|penalty=0.[13]$/.test(location.search)")
    settle(page)
    used = shown(page)
    assert used.real_weight == pytest.approx(joint.real_weight, rel=2e-3)
    assert used.penalty == pytest.approx(joint.loop.penalty, rel=2e-3)


def drop(page, path):
    part = page.locator(f"details:has(> summary:has-text('{table_words.TITLE}'))")
    if part.get_attribute("open") is None:
        part.locator("> summary").click()
    page.set_input_files("#file input[type=file]", path)


def test_a_table_is_recommended_for_and_the_page_set_to_it(opened):
    page = opened("model=table")
    page.wait_for_function("() => document.querySelector('#model-why').textContent.startsWith('No table yet')")
    drop(page, EXAMPLES / "diabetes.csv")
    page.wait_for_selector("#recommend", state="visible")
    assert page.input_value("#file-target") == "progression"
    page.click("#recommend")
    page.wait_for_selector("#recommendation h2")
    expected = fm.recommend(EXAMPLES / "diabetes.csv", "progression")
    said = page.inner_text("#recommendation")
    assert "Recommendation for diabetes.csv" in said
    for block in expected.answer():
        cells = [cell for row in getattr(block, "rows", ()) for cell in row]
        for text in [*getattr(block, "texts", ()), *cells]:
            assert text in said
    page.wait_for_function("() => location.search.includes('table=')")
    settle(page)
    state = shown(page)
    assert page.inner_text("#model-why") == ""
    assert state.population().noise_variance == pytest.approx(expected.noise_variance, rel=1e-4)
    np.testing.assert_allclose(state.population().eigenvalues, expected.population.eigenvalues, rtol=1e-4)
    # Anybody's browser restores it from the address alone.
    again = opened(urlsplit(page.url).query)
    assert shown(again) == state
    page.click("#forget")
    page.wait_for_selector("#recommendation", state="hidden")
    assert not page.locator("#recommend").is_visible()


def rubbish(folder):
    """Files that are no tables, and what is said of them."""
    wide = ",".join(f"c{i}" for i in range(10**5))
    files = {
        "empty.csv": (b"", "empty|No file"),
        "rows.csv": (b"a,b,y\n", "at least 3 rows"),
        "noise.parquet": (np.random.default_rng(0).bytes(20_000), "cannot be read as Parquet"),
        "noise.csv": (np.random.default_rng(0).bytes(20_000), "noise.csv"),
        "program.exe": (b"MZ" + bytes(1000), "must end in one of"),
        "bomb.csv.gz": (
            gzip.compress(b"a,b,y\n" + b"1,2,3\n" * 10**8, compresslevel=1),
            "too large .more than 50 MB, unpacked",
        ),
        "wide.csv": (f"{wide}\n{'1,' * 99_999}1\n".encode(), "100,000 columns: this page takes tables of at most 2,000"),
        "large.csv": (b"a,b,y\n" + b"1,2,3\n" * 2_000_000, r"large.csv has 12.1 MB: this page takes tables of at most 10 MB"),
        "gaps.csv": (b"a,b,y\n" + b"1,,3\n2,1,4\n3,5,2\n" * 9, "missing values"),
    }
    for name, (content, says) in files.items():
        (folder / name).write_bytes(content)
        yield folder / name, says


def test_files_that_are_no_tables_are_answered_and_the_server_lives(opened, address, tmp_path):
    page = opened()
    for path, says in rubbish(tmp_path):
        drop(page, path)
        page.wait_for_function(
            "() => document.querySelector('#file-said').innerText || document.querySelector('#file-menus').checkVisibility()"
        )
        if page.locator("#recommend").is_visible():
            page.click("#recommend")
        page.wait_for_selector("#file-said .notice")
        said = page.inner_text("#file-said")
        assert re.search(says, said), (path.name, said)
        assert "\n" not in said.strip()
        assert "Traceback" not in page.content()
        with urlopen(address, timeout=60) as answer:
            assert answer.status == 200
        # The next one is looked at without what is left of this one.
        if page.locator("#forget").is_visible():
            page.click("#forget")
            page.wait_for_selector("#recommend", state="hidden")
        page.evaluate("() => window.dash_clientside.set_props('file-said', {children: []})")


def test_a_table_is_text_and_nothing_else(opened, tmp_path):
    rows = "".join(f"{['=1+1', '<b>x</b>', '+y', '-z'][i % 4]},{i % 5},{(i * i) % 7 + i % 3}\n" for i in range(60))
    path = tmp_path / "=cmd() <img src=x onerror=alert(1)>.csv"
    path.write_text(f"=cmd('x'),<script>alert(1)</script>,y\n{rows}")
    page = opened()
    page.on("dialog", lambda dialog: pytest.fail("a script of the table ran"))
    drop(page, path)
    page.wait_for_selector("#recommend", state="visible")
    page.click("#recommend")
    page.wait_for_selector("#recommendation h2")
    said = page.inner_text("#recommendation")
    assert "column =cmd('x') one-hot encoded (4 values)" in said
    assert "=cmd() <img src=x onerror=alert(1)>.csv" in said
    assert page.locator("#recommendation img, #recommendation script, #recommendation b").count() == 0
    settle(page)
    # What is written for a spreadsheet holds no formula.
    for place in ("risk_by_generation", "risk_by_weight", "chosen"):
        with page.expect_download() as download:
            page.click(f"#{place}-csv")
        for cell in re.split(r"[,\r\n]", Path(download.value.path()).read_text()):
            assert not cell.startswith(("=", "+", "@", "\t")), cell
            assert not cell.startswith("-") or isinstance(float(cell), float), cell


def points_of(page):
    return page.evaluate(
        "() => { const d = document.querySelector('#risk_by_generation-graph .js-plotly-plot').data;"
        " const p = d.find(t => t.error_y && t.error_y.array);"
        " const list = v => Array.from(v._inputArray || v); return p ? [list(p.y), list(p.error_y.array)] : null }"
    )


def test_simulated_points_come_and_are_those_of_the_library(opened):
    page = opened("aspect=0.5&penalty=0.1&generations=6")
    state = shown(page)
    typed(page, "run-rows", 60)
    typed(page, "run-replicates", 30)
    page.click("#run-start")
    page.wait_for_function("() => /^30 of 30/.test(document.querySelector('#run-said').innerText)")
    mean, bars = points_of(page)
    runs = fm.simulate(state.population(), state.loop(), 6, rows=60, replicates=30, seed=0)
    expected = fm.mean_and_error(runs)
    np.testing.assert_allclose(mean, expected["mean"], rtol=1e-6)
    np.testing.assert_allclose(bars, 2 * expected["standard_error"], rtol=1e-6)
    # They stay where only the colours change, and go with the loop that they are of.
    page.click("#scheme-toggle")
    page.wait_for_function("() => document.documentElement.dataset.mantineColorScheme === 'dark'")
    page.wait_for_timeout(1500)
    settle(page)
    page.wait_for_timeout(1500)
    assert points_of(page) is not None
    # The lines have them, those of the picture of another tab too.
    page.click(f"[role=tab]:has-text('{words.PICTURES['spectrum']}')")
    settle(page, state := state.replace(picture="spectrum"))
    line = "simulated = fm.mean_and_error(fm.simulate(population, loop, 6, rows=60, replicates=30, seed=0))"
    page.wait_for_function("line => document.querySelector('#code').innerText.includes(line)", arg=line)
    assert "theory.spectrum" in page.inner_text("#code")
    assert points_of(page) is not None
    typed(page, "penalty", 0.2)
    settle(page, state.replace(penalty=0.2))
    page.wait_for_function("() => !document.querySelector('#run-said').innerText")
    assert points_of(page) is None


def test_a_simulation_can_be_stopped_and_too_much_is_refused(opened):
    page = opened("covariates=fresh&generations=60&penalty=0.1")
    typed(page, "run-rows", 200)
    typed(page, "run-replicates", 200)
    page.click("#run-start")
    page.wait_for_function("() => /of 200 runs/.test(document.querySelector('#run-said').innerText)")
    page.click("#run-stop")
    page.wait_for_timeout(3000)
    first = page.inner_text("#run-said")
    page.wait_for_timeout(3000)
    assert page.inner_text("#run-said") == first
    assert not first.startswith("200 of")
    typed(page, "run-rows", 4000)
    page.click("#run-start")
    page.wait_for_function("() => /too large for this page/.test(document.querySelector('#run-said').innerText)")
    assert page.locator("#run-stop").is_disabled()


FOCUSABLE = (
    "summary, button:not([disabled]), input:not([disabled]):not([type=hidden]):not([type=file]), a[href], "
    "[tabindex='0'], [role=slider]:not([data-disabled])"
)


def test_every_control_is_reached_by_the_keyboard(opened):
    page = opened("covariates=fresh&labelled=0.5&aspect=0.5", height=1600)
    page.locator(f"summary:has-text('{table_words.TITLE}')").click()
    page.wait_for_timeout(1000)
    wanted = page.evaluate(
        f"""() => {{
          const all = Array.from(document.querySelectorAll({FOCUSABLE!r}));
          const seen = all.filter(e => e.checkVisibility() && e.tabIndex >= 0 && !e.closest('[aria-hidden=true]'));
          seen.forEach((e, i) => e.dataset.wanted = i);
          return seen.length;
        }}"""
    )
    assert wanted > 50
    page.evaluate("() => document.activeElement.blur()")
    reached = set()
    for _ in range(wanted + 40):
        page.keyboard.press("Tab")
        at = page.evaluate("() => document.activeElement.dataset.wanted")
        if at is not None:
            reached.add(int(at))
    missing = [
        page.evaluate("i => document.querySelector(`[data-wanted='${i}']`).outerHTML.slice(0, 200)", i)
        for i in range(wanted)
        if i not in reached
    ]
    # Of a group of tabs or radio buttons the arrow keys reach the rest.
    assert [text for text in missing if 'role="tab"' not in text and 'type="radio"' not in text] == []
    # Menus open and choose by keys alone.
    page.focus("#model")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.search.includes('model=')")


@pytest.mark.parametrize("width", [375, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(opened, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    page = opened("covariates=fresh&labelled=0.5&aspect=0.5&penalty=0.1", scheme=scheme, width=width)
    drop(page, EXAMPLES / "diabetes.csv")
    page.wait_for_selector("#recommend", state="visible")
    page.click("#recommend")
    page.wait_for_selector("#recommendation h2")
    settle(page)
    page.wait_for_timeout(1000)
    found = Axe().run(page).response["violations"]
    serious = [
        (each["id"], each["help"], [node["html"][:200] + str(node["any"][:1])[:300] for node in each["nodes"][:4]])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
    assert serious == []


@pytest.mark.parametrize("width", [375, 768, 1920])
def test_nothing_is_cut_off_at_any_width(opened, width):
    for query in ("", "covariates=fresh&labelled=0.4&aspect=0.5&penalty=0.1&picture=phase"):
        page = opened(query, width=width)
        page.wait_for_function("() => document.querySelector('#best').innerText")
        page.wait_for_selector("#chosen-graph .main-svg")
        page.wait_for_timeout(1500)
        assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
        # Labels of pictures stay inside their picture, names of settings in their line.
        cut = page.evaluate(
            """() => {
              const out = [];
              for (const graph of document.querySelectorAll('.js-plotly-plot')) {
                const box = graph.getBoundingClientRect();
                for (const text of graph.querySelectorAll('text')) {
                  const b = text.getBoundingClientRect();
                  if (!b.width || !text.textContent.trim()) continue;
                  if (b.left < box.left - 1 || b.right > box.right + 1 || b.top < box.top - 1 || b.bottom > box.bottom + 1)
                    out.push(text.textContent);
                }
              }
              for (const e of document.querySelectorAll('.term, .mantine-Button-label, h1, h2, p')) {
                const b = e.getBoundingClientRect();
                const hidden = e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflow === 'hidden';
                if (b.width && (b.right > window.innerWidth + 1 || hidden)) out.push(e.textContent);
              }
              return out;
            }"""
        )
        assert cut == [], (width, query)


def test_a_table_on_the_command_line_is_what_the_page_starts_with(chromium):
    with served(str(EXAMPLES / "diabetes.csv"), "--target", "progression") as at:
        assert "model=table" in at
        state = State.from_query(urlsplit(at).query)
        expected = fm.recommend(EXAMPLES / "diabetes.csv", "progression")
        assert state.population().noise_variance == pytest.approx(expected.noise_variance, rel=1e-4)
