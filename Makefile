# Every habit of this project: one word each. Needs Python 3.11 or newer and make; the rest is installed.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: demo test check format bench soak universes machine fuzz bigfile picture lock clean

demo: $(VENV)/.demo  ## the whole main job on this machine; ARGS=--once runs it headless
	@$(BIN)/commonground demo $(ARGS)

test: $(VENV)/.dev  ## install what the tests need, and run them
	@scripts/system-packages tests
	@scripts/test $(ARGS)

check: $(VENV)/.dev  ## types, lint, format, catalogue
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/commonground models check

format: $(VENV)/.dev
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format .

bench: $(VENV)/.peers  ## the budgets of the design, each beside its peer
	@scripts/system-packages bench
	@$(BIN)/python -m benchmarks $(ARGS)

soak: $(VENV)/.dev  ## an hour of agent and hub at 10,000 signals a second; ARGS="--minutes N"
	@$(BIN)/python -m benchmarks.soak $(ARGS)

universes: $(VENV)/.dev  ## the scoring core's targets over simulated universes: minutes
	@$(BIN)/python -m benchmarks.universes $(ARGS)

machine: $(VENV)/.dev  ## a million operations on sender, receiver, network and disk: minutes
	@$(BIN)/python -m tests.long machine $(ARGS)

fuzz: $(VENV)/.dev  ## a million cases for the decoders of what comes from outside
	@$(BIN)/python -m tests.long fuzz $(ARGS)

bigfile: $(VENV)/.dev  ## a log of 10 GiB with rubbish in it, replayed in bounded memory; ARGS="--gib G"
	@$(BIN)/python -m benchmarks.bigfile $(ARGS)

picture: $(VENV)/.dev  ## the README's picture, from a fresh demo
	@$(BIN)/python scripts/picture.py

lock: $(VENV)/.dev  ## write the lock files anew: versions and hashes, no addresses
	@scripts/lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@scripts/system-packages venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "error: Python 3.11 or newer is needed; try: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: requirements/demo.txt pyproject.toml | $(VENV)/bin/python
	@scripts/install $(BIN)/python requirements/demo.txt
	@touch $@

$(VENV)/.peers: requirements/peers.txt $(VENV)/.dev
	@scripts/install $(BIN)/python requirements/peers.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	@scripts/install $(BIN)/python requirements/dev.txt
	@touch $@ $(VENV)/.demo
