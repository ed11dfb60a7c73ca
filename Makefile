# Everything needs only Python 3.11, pip and make; the environment is made here on first use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHIMS := shims/control_plane shims/scheduler shims/agent shims/edge
READY := $(VENV)/.ready
STATE ?= .state
BREAK ?= none
MINI := PYTHONPATH=examples $(BIN)/python -m miniplatform

# Tests and the demo start many processes; without its bytecode each of them would compile the library anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help env demo up down test test-fast bench bench-scraping check build format lock clean

help:  ## Show what can be made.
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: $(READY)  ## Make the environment in .venv from the lock file.

$(READY): requirements.lock pyproject.toml $(SHIMS:%=%/pyproject.toml)
	@test -x $(BIN)/python || $(PYTHON) -m venv --without-pip $(VENV)
	@echo "installing the locked dependencies into $(VENV) (once; a minute or two) ..."
	@$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		--editable . $(SHIMS:%=--editable %)
	@touch $@

demo: $(READY)  ## Deploy an app, serve it, break and repair it (BREAK=crash|agent-down|oom|no-route|lag|bad-config), show why.
	@$(MINI) demo --break $(BREAK)

up: $(READY)  ## Start the miniplatform and leave it running (STATE=.state).
	@$(MINI) up --state $(STATE)

down: $(READY)  ## Stop what 'make up' started.
	@$(MINI) down --state $(STATE)

test: $(READY)  ## Run every test; those whose real server is missing skip and say so.
	@$(BIN)/python -m pytest -rs

test-fast: $(READY)  ## Run the suite that takes under a minute.
	@$(BIN)/python -m pytest -m "not slow" --numprocesses auto

bench: $(READY)  ## Measure our cost against well-known peers (ROWS=P1,P7 OUT=FILE).
	@PYTHONPATH=tests $(BIN)/python -m bench $(if $(ROWS),--rows $(ROWS)) $(if $(OUT),--out $(OUT))

bench-scraping: $(READY)  ## Measure what a platform at its worst costs a real Prometheus (NODES=10,100 BEGUN=1; minutes).
	@$(BIN)/python -m tests.bench.scraping $(if $(NODES),--nodes $(NODES)) $(if $(BEGUN),--begun)

check: $(READY)  ## Lint, types, layers, the requirement ledger, the series budget, generated files.
	@$(BIN)/ruff format --check --quiet . || { echo "run 'make format'"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --config pyproject.toml
	@$(BIN)/obslib lint
	@$(BIN)/obslib requirements --wrong
	@$(BIN)/obslib budget --check
	@$(BIN)/obslib build --check
	@$(BIN)/obslib lint --rules specs/generated --dashboards specs/generated

build: $(READY)  ## Render rules, dashboards and tables from the catalog into specs/.
	@$(BIN)/obslib build

format: $(READY)  ## Format the code and mend what can be mended.
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

lock:  ## Lock the dependencies again (needs uv).
	@uv pip compile --quiet --all-extras --generate-hashes --universal --python-version 3.11 --no-annotate \
		--custom-compile-command "make lock" pyproject.toml --output-file requirements.lock

clean:  ## Remove the environment and caches.
	@rm -rf $(VENV) .ruff_cache .mypy_cache .import_linter_cache .hypothesis .obslib_cache
