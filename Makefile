# Everything a newcomer needs; each target sets up what it uses. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PY := .venv/bin/python
BIN := .venv/bin
PORTAL := src/moonwire/api/portal_assets/index.html
PORTAL_SOURCES := $(shell find portal -name node_modules -prune -o -type f -not -name schema.ts -print)

.PHONY: help setup system demo test run check bench format clean portal portal-client

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

.venv/.ready: pyproject.toml uv.lock tools/setup.sh
	@bash tools/setup.sh
	@touch $@

setup: .venv/.ready  ## the virtual environment (.venv/bin/moonwire) and the portal
	@$(MAKE) --no-print-directory portal || echo "note: the portal was not built; everything else works without it." >&2

$(PORTAL): $(PORTAL_SOURCES) tools/portal.sh | .venv/.ready
	@echo "building the portal"
	@bash tools/portal.sh

portal: $(PORTAL)  ## build the portal into the package

portal-client: .venv/.ready  ## write the OpenAPI document that the portal's client is generated from
	@$(PY) tools/portal_api.py

system: .venv/.ready  ## optional system programs (espeak-ng, sipp, chromium, postgresql); says what is missing when not root
	@bash tools/system.sh

demo: .venv/.ready  ## a real SIP call against the sandbox vendors, with transcript, barge-in and latency table
	@bash tools/system.sh espeak-ng
	@PATH="$(CURDIR)/.tools/bin:$$PATH" $(BIN)/moonwire models fetch --quietly
	@$(BIN)/moonwire demo

run: setup  ## start the server (sandbox vendors when no key is configured)
	@bash tools/system.sh espeak-ng
	@PATH="$(CURDIR)/.tools/bin:$$PATH" $(BIN)/moonwire models fetch --quietly
	@$(BIN)/moonwire serve

test: setup  ## run all tests
	@bash tools/system.sh espeak-ng sipp chromium postgresql
	@PATH="$(CURDIR)/.tools/bin:$$PATH" $(BIN)/moonwire models fetch --quietly
	@$(BIN)/pytest -n 2 --dist loadfile

check: .venv/.ready  ## format, lint, types, import directions, size budgets
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports
	@$(PY) tools/shape.py
	@$(PY) tools/portal_api.py --check
	@$(PY) tools/configuration_docs.py --check
	@$(PY) tools/agent_matrix.py --check

format: .venv/.ready  ## rewrite the code in the house format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: .venv/.ready  ## the benchmark of bench/README.md, into bench/results/
	@$(PY) -m bench

clean:  ## remove what the targets made
	rm -rf .venv portal/node_modules src/moonwire/api/portal_assets var demo-output .pytest_cache .ruff_cache .hypothesis
