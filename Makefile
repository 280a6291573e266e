# Everything a newcomer needs; each target sets up what it uses. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PY := .venv/bin/python
BIN := .venv/bin

.PHONY: help setup system demo test run check bench format clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

.venv/.ready: pyproject.toml uv.lock tools/setup.sh
	@bash tools/setup.sh
	@touch $@

setup: .venv/.ready  ## the virtual environment: .venv/bin/moonwire

system: setup  ## optional system programs (espeak-ng, sipp, chromium); says what is missing when not root
	@bash tools/system.sh

demo: setup  ## a real SIP call against the sandbox vendors, with transcript, barge-in and latency table
	@bash tools/system.sh espeak-ng
	@$(BIN)/moonwire demo

run: setup  ## start the server (sandbox vendors when no key is configured)
	@bash tools/system.sh espeak-ng
	@$(BIN)/moonwire serve

test: setup  ## run all tests
	@bash tools/system.sh espeak-ng sipp
	@$(BIN)/pytest

check: setup  ## format, lint, types, import directions, size budgets
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports
	@$(PY) tools/shape.py

format: setup  ## rewrite the code in the house format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: setup  ## the benchmark of bench/README.md, into bench/results/
	@$(PY) -m bench

clean:  ## remove what the targets made
	rm -rf .venv var demo-output .pytest_cache .ruff_cache .hypothesis
