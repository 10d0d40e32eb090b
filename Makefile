# One place for every command; the README and CI call the same ones.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TOOLS := $(VENV)/tools
ARGS ?=
# Tests run side by side, one process more than there are processors, since each waits now and then, and four at most;
# for one process: make test WORKERS=0
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')

.PHONY: help setup setup-test run test check audit sbom bench soak format manifest docs pictures lock clean

help: ## what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.run-ready ## make .venv with what running needs (quick when nothing changed)

setup-test: $(VENV)/.test-ready

run: setup ## start Steward; without Slack tokens, with a Slack workspace in your browser
	@$(BIN)/steward run $(ARGS)

test: setup-test ## every test: SQLite, PostgreSQL and a browser
	@$(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 4 --dist worksteal $(ARGS)

check: setup-test ## lint, format, types, import layers, known vulnerabilities
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/test_layers.py
	@$(MAKE) --no-print-directory audit

audit: $(VENV)/bin/pip ## known vulnerabilities in anything that is pinned, where their list can be reached
	@$(MAKE) --silent $(TOOLS)/.ready || true
	@$(BIN)/python -m tests.supply_chain

sbom: $(TOOLS)/.ready ## write sbom.json, the bill of materials (CycloneDX) of what running needs
	@$(TOOLS)/bin/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application \
	  --output-reproducible --no-validate --output-file sbom.json requirements.lock

bench: setup-test ## how fast it is beside a bare Bolt app, and the clock; ARGS=--quick: whether it runs; ARGS='--only tick'
	@$(BIN)/python -m benchmarks $(ARGS)

soak: setup-test ## kill, freeze and fail it hundreds of times on both databases, and count what came of it
	@$(BIN)/python -m tests.crash.soak $(ARGS)

format: setup-test ## put the code in the one format
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .

manifest: setup ## write manifest.json from the code
	@$(BIN)/steward manifest > manifest.json

pictures: setup-test ## take the pictures of README and docs in browser tests
	@PICTURES=docs/pictures $(BIN)/python -m pytest -q tests/browser -k "(first_five and 1280) or test_summary or fortnight or test_installing"

docs: setup ## write the tables of README.md and .env.example from the code
	@$(BIN)/python -m bot.documents .

lock: setup-test ## pin every package again, with hashes
	@$(BIN)/uv pip compile pyproject.toml --group build $(LOCK_OPTIONS) -o requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --group build --group test -c requirements.lock $(LOCK_OPTIONS) -o requirements-test.lock
	@$(BIN)/uv pip compile --group pyproject.toml:tools $(LOCK_OPTIONS) -o requirements-tools.lock

LOCK_OPTIONS := --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

clean: ## remove what setup made
	@rm -rf $(VENV) *.egg-info build .mypy_cache .ruff_cache .pytest_cache

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Steward needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12 run"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "This Python cannot make a virtual environment. On Debian or Ubuntu: apt install python3-venv. Then try again."; exit 1; }
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)

$(VENV)/.run-ready: requirements.lock pyproject.toml $(VENV)/bin/pip
	@echo "Installing what Steward needs (once, about a minute) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --no-index -e .
	@touch $@

$(VENV)/.test-ready: requirements-test.lock $(VENV)/.run-ready
	@echo "Installing what the tests need (once) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	@touch $@

# In an environment of their own: they share nothing with Steward, and their packages cannot get into its way.
$(TOOLS)/.ready: requirements-tools.lock $(VENV)/bin/pip
	@echo "Installing what looks after the packages (once) ..."
	@$(PYTHON) -m venv --clear $(TOOLS)
	@$(TOOLS)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-tools.lock
	@touch $@
