# Everything a person or a machine does with milepost from a clone starts here.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.milepost-setup
UV_VERSION := 0.13.9
# Most of a test is waiting for a server: three at a time, each with a stack of its own.
PYTEST_ARGS ?= -n 3 --dist loadfile

.PHONY: help setup demo test lint bench soak lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## the virtual environment with every dependency, pinned by hash

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "milepost needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true)." >&2; \
	  echo "Name another one: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot make virtual environments: install its venv module" \
	    "(on Debian: apt-get install python3-venv)." >&2; exit 2; }
	@echo "Setting up $(VENV) from requirements.lock (a minute the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --no-deps --no-build-isolation --no-index -e .
	@touch $@

demo: setup ## a bank's stream to settled files, on this machine, in a minute
	@$(BIN)/milepost demo --once

test: setup ## style, types, layers and the whole suite on a real Kafka and PostgreSQL
	@failed=""; \
	for step in lint-style lint-types lint-layers pytest; do \
	  $(MAKE) --no-print-directory $$step || failed="$$failed $$step"; \
	done; \
	if [ -n "$$failed" ]; then echo "make test: failed:$$failed" >&2; exit 1; fi

lint: setup lint-style lint-types lint-layers ## style, types and layers only

bench: setup ## transactions a second, CPU by process, latency, beside a bare COPY
	@$(BIN)/milepost bench

soak: setup ## the laws on new random contracts for an hour (SOAK_SECONDS, SOAK_SEED)
	@$(BIN)/python -m tests.soak

lock: ## resolve the newest allowed dependencies into requirements.lock
	@$(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet uv==$(UV_VERSION)
	@build/lock/bin/uv pip compile pyproject.toml --quiet --upgrade --universal \
	  --extra local --extra containers --extra test --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links -o requirements.lock
	@grep -c '==' requirements.lock | sed 's/$$/ packages locked in requirements.lock/'

clean: ## remove what make made (the cache of Kafka's jars stays)
	@rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find services schemas tests deploy -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

.PHONY: lint-style lint-types lint-layers pytest
lint-style:
	@$(BIN)/ruff check services tests && $(BIN)/ruff format --check --quiet services tests
lint-types:
	@$(BIN)/mypy
lint-layers:
	@$(BIN)/lint-imports
pytest:
	@$(BIN)/python -m pytest $(PYTEST_ARGS)
