# `make help` lists what there is. Everything is installed below this directory: .venv, .uv, .tools.

.DEFAULT_GOAL := help
SHELL := /bin/sh
.SUFFIXES:

export PYTHON
# Pyright otherwise asks npm's registry on each run whether there is a newer one.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

ARGS ?=
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

PYTEST := PYTHONPATH=tests $(BIN)/python -m pytest
# What a laptop lacks may be skipped there; on the CI machine a skip is a failure.
ifdef CI
PYTEST += -p plugins.no_skips
endif

# The stamp names the directory it was made for, so a virtual environment that was copied elsewhere is made anew.
STAMPED := $(shell cat $(STAMP) 2>/dev/null)
ifneq ($(STAMPED),$(CURDIR))
.PHONY: $(STAMP)
endif

$(STAMP): requirements.lock pyproject.toml
	@echo "==> Installing into $(VENV)"
	@if [ -n "$(STAMPED)" ] && [ "$(STAMPED)" != "$(CURDIR)" ]; then rm -rf $(VENV); fi
	@$(BIN)/python -c '' 2>/dev/null || { python=$$(scripts/python) && rm -rf $(VENV) && \
		scripts/uv venv --quiet --python "$$python" $(VENV); }
	@scripts/uv pip sync --python $(BIN)/python --require-hashes requirements.lock
	@scripts/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@echo "$(CURDIR)" > $@

.PHONY: help install up test ci soak lint types contracts bench docs vendor lock livekit versitygw openapi-check bench-smoke

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

install: $(STAMP) ## Install everything into .venv (fetches uv where there is none)

up: install ## Run Offhook (ARGS="…" goes to `offhook up`)
	@exec $(BIN)/offhook up $(ARGS)

test: lint types contracts ## What every change must pass: lint, types, contracts, tests (≤ 8 min on 2 cores)
	@echo "==> Tests"
	@$(PYTEST) -m "not ci and not soak" -n $(WORKERS) --dist loadfile $(ARGS)

ci: install livekit versitygw openapi-check docs bench-smoke ## What a laptop may lack: real LiveKit rooms, chaos (≤ 45 min)
	@echo "==> Tests that need more than a laptop may have"
	@OFFHOOK_CI=1 $(PYTEST) -m ci $(ARGS)

soak: install ## Hours of chaos, started by hand (ARGS="…" goes to pytest)
	@echo "==> Soak"
	@$(PYTEST) -m soak -s --timeout=0 $(ARGS)

lint: install ## Ruff: rules and format
	@echo "==> Lint"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: install ## Pyright
	@echo "==> Types"
	@$(BIN)/pyright

contracts: install ## Import contracts between packages
	@echo "==> Import contracts"
	@$(BIN)/lint-imports --no-cache --no-logo

bench: install ## Benchmarks against the goals of facts/performance.md
	@echo "==> Benchmarks"
	@$(BIN)/python -m benchmarks $(ARGS)

bench-smoke: install
	@echo "==> Benchmarks, one short run of each"
	@$(BIN)/python -m benchmarks --smoke

openapi-check: install
	@echo "==> OpenAPI: the committed document against the code"
	@$(BIN)/offhook openapi --check

docs: install ## Check the documents: links, anchors, tested examples
	@echo "==> Docs"
	@$(BIN)/python scripts/check_docs.py

vendor: ## Verify vendored front-end assets against vendor.lock
	@if [ -e vendor.lock ]; then $(BIN)/python scripts/vendor.py; else echo "vendor.lock: absent; nothing is vendored yet"; fi

lock: ## Compile requirements.lock from pyproject.toml (ARGS=--upgrade takes newer versions)
	@scripts/uv pip compile --universal --python-version 3.11 --all-extras --group dev --generate-hashes \
		--no-emit-index-url --no-header --quiet pyproject.toml --output-file requirements.lock $(ARGS)

livekit: ## Install livekit-server into .tools/bin
	@scripts/go-program livekit-server

versitygw: ## Install versitygw, an S3 server for tests, into .tools/bin
	@scripts/go-program versitygw
