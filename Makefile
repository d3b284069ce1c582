# freshmix: `make demo` first, then `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-deps
# One BLAS thread: two on small matrices are slower than one.
export OPENBLAS_NUM_THREADS ?= 1
export MPLBACKEND := Agg

.PHONY: help demo test test-all soak docs bench compare dist lock clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /\t/' | expand -t 12

# Installed from hashes alone, then the package itself without looking anything up.
$(VENV)/installed: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-build-isolation --editable .
	touch $@

$(VENV)/docs-installed: requirements-docs.lock $(VENV)/installed
	$(PIP) --require-hashes -r requirements-docs.lock
	touch $@

# Beside Debian's chromium (apt-get install chromium), which is not among Python's packages.
$(VENV)/browser-installed: requirements-browser.lock $(VENV)/installed
	$(PIP) --require-hashes -r requirements-browser.lock
	touch $@

# What freshmix is compared with.
$(VENV)/compare-installed: requirements-compare.lock $(VENV)/installed
	$(PIP) --require-hashes -r requirements-compare.lock
	touch $@

# What the demo runs; the pictures of the documentation are those of the same commands.
MONTHS := examples/homes.csv --target value --time month
HOMES := freshmix recommend $(MONTHS)
DIABETES := freshmix recommend examples/diabetes.csv --target progression

demo: $(VENV)/installed ## set everything up and run the main job: on a table of monthly rows, then the paper's setting
	@mkdir -p out
	$(BIN)/$(HOMES) --report out/homes.html
	@echo
	$(BIN)/$(DIABETES) --report out/diabetes.html
	@echo
	@echo "Open out/homes.html and out/diabetes.html. Next: make test, or freshmix recommend YOUR_TABLE --target COLUMN"

test: $(VENV)/installed ## lint, types, tests and doctests (minutes)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n auto --dist worksteal

test-all: test $(VENV)/docs-installed $(VENV)/browser-installed ## and the page in a browser, slow Monte Carlo, and the documentation
	$(BIN)/python -m pytest -q -n auto --dist worksteal -m slow --ignore tests/test_sweep_survives.py
	# One page at a time: two slow each other down.
	$(BIN)/python -m pytest -q -m browser tests
	# Alone: these kill processes at moments that matter.
	$(BIN)/python -m pytest -q -m slow tests/test_sweep_survives.py
	$(MAKE) docs
	$(BIN)/python docs/check_accessible.py docs/_build/html

docs: $(VENV)/docs-installed ## run the examples of README and docs again, and build the documentation in docs/_build/html
	$(BIN)/$(HOMES) --report docs/_static/homes.png > /dev/null
	$(BIN)/$(DIABETES) --report docs/_static/diabetes.png > /dev/null
	$(BIN)/freshmix plan $(MONTHS) --cost-per-label 2 --report docs/_static/plan.png > /dev/null
	$(BIN)/python docs/shown_output.py README.md docs/plan.md
	$(BIN)/python -m sphinx -q -E -W --keep-going -j auto -b html docs docs/_build/html
	$(BIN)/python docs/check_offline.py docs/_build/html
	$(BIN)/python docs/check_site.py docs/_build/html

soak: $(VENV)/installed ## long load runs
	$(BIN)/python -m tests.mutations --files 10000
	$(BIN)/python -m tests.fuzz --minutes 30
	$(BIN)/python benchmarks/recommendation.py --draws 8
	$(BIN)/python benchmarks/explorer_load.py --minutes 10

bench: $(VENV)/browser-installed ## speed and its growth, beside stored ratios, and accuracy figures
	@mkdir -p out
	$(BIN)/python -m pytest benchmarks/costs -q --benchmark-timer=time.process_time --benchmark-json=out/costs.json
	$(BIN)/python benchmarks/costs/page.py out/costs.json
	$(BIN)/python benchmarks/schedules.py
	$(BIN)/python benchmarks/large_tables.py
	$(BIN)/python benchmarks/simulation.py
	$(BIN)/python benchmarks/sweep.py
	$(BIN)/python benchmarks/recommendation.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/memory_streams.py
	$(BIN)/python benchmarks/explorer.py

compare: $(VENV)/compare-installed ## freshmix beside other ways to do the same work: writes the tables of docs/comparison.md
	$(BIN)/python benchmarks/compare.py --markdown docs/comparison.md

dist: $(VENV)/installed ## build what is released, in dist
	rm -rf dist
	$(BIN)/python -m hatchling build -d dist

# Needs uv; no host is written into the locks. scikit-rmt forbids today's scipy without need: its laws of spectra run on it.
COMPILE := uv pip compile --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
	--python-version 3.11 pyproject.toml
lock: ## compile the lock files again
	$(COMPILE) --extra dev -o requirements.lock
	$(COMPILE) --extra docs -c requirements.lock -o requirements-docs.lock
	$(COMPILE) --extra browser -c requirements.lock -o requirements-browser.lock
	printf 'numpy>=2.0\nscipy>=1.15\nmatplotlib>=3.9\nscikit-learn>=1.6\n' > build-overrides.txt
	$(COMPILE) --extra compare -c requirements.lock --override build-overrides.txt -o requirements-compare.lock
	rm build-overrides.txt

clean: ## remove what was built
	rm -rf $(VENV) out docs/_build docs/api docs/auto_examples build dist .pytest_cache .mypy_cache .ruff_cache
