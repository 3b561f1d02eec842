# Everything a developer runs. Needs nothing beforehand but make and a Python of the versions below with pip and venv.
# `make test ARGS="-k mailbox"` passes arguments on; `make PYTHON=python3.12 …` picks the interpreter of .venv.

PYTHON ?= python3
ARGS ?=
# Tests that start workers and break them, with bounds in seconds.
CHAOS := tests/chaos tests/acceptance/test_cli_chaos.py
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
# The lock files hold versions and hashes and no address, so a package index is the machine's own affair.
COMPILE = $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" --extra build $(if $(UPGRADE),--upgrade)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check check-format check-lint check-types check-imports bench chaos evaluate tokens trial-llm docs load format lock clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/runtime ## start everything on this machine and watch conversations being answered
	@$(BIN)/fte demo $(ARGS)

# What breaks things is held to seconds, so it runs alone; all the rest goes over two processes, file by file. What ARGS
# chooses runs in one, which starts sooner. Tests start the product a hundred times, and each time it would be compiled
# anew where the environment forbids to keep that.
test: $(VENV)/dev ## run the tests
ifeq ($(ARGS),)
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest $(CHAOS)
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 $(CHAOS:%=--ignore %)
else
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest $(ARGS)
endif

check: $(VENV)/dev ## check format, lint, types and imports: all four, whichever fails
	@$(MAKE) --no-print-directory --keep-going check-format check-lint check-types check-imports

check-format: $(VENV)/dev
	@echo "== format"; $(BIN)/ruff format --check --quiet --output-format concise .

check-lint: $(VENV)/dev
	@echo "== lint"; $(BIN)/ruff check --quiet --output-format concise .

check-types: $(VENV)/dev
	@echo "== types"; $(BIN)/mypy --no-error-summary

check-imports: $(VENV)/dev
	@echo "== imports"; out=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$out"; exit 1; }

bench: $(VENV)/runtime ## measure what the promises cost
	@$(BIN)/python -m ops.lab.bench $(ARGS)

chaos: $(VENV)/runtime ## break everything on purpose and audit every message (under half an hour)
	@$(BIN)/fte chaos $(ARGS)

# Labelled sets that lie beside ours, in a folder of this name or in those given: make evaluate SETS="one two".
SETS ?= $(wildcard evaluation ../evaluation ../*/evaluation)

evaluate: $(VENV)/dev ## measure guardrails, triage and dialogues on labelled sets
	@$(BIN)/python -m ops.lab.evaluate $(SETS) $(ARGS)

tokens: $(VENV)/runtime ## measure a turn's input tokens by part, over the dialogues of the labelled sets
	@$(BIN)/python -m ops.lab.tokens $(SETS) $(ARGS)

# Builds a server of its own in build/trial-llm (minutes), and asks a model on the processor (ten minutes and more).
trial-llm: $(VENV)/runtime ## try a small real model: install it, send it 60 messages, check what left
	@$(BIN)/python -m ops.lab.trial_llm $(ARGS)

docs: $(VENV)/dev ## build the documentation as a site, into build/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet && echo "build/site/index.html"

load: $(VENV)/runtime ## put load on a running stack and report what came back
	@$(BIN)/fte load $(ARGS)

format: $(VENV)/dev ## put the code into its format and apply the safe fixes
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format --quiet .

lock: $(VENV)/dev ## remake the lock files from pyproject.toml (UPGRADE=1: newest versions)
	@$(COMPILE) pyproject.toml --output-file requirements.lock
	@$(COMPILE) --extra dev --constraints requirements.lock pyproject.toml --output-file requirements-dev.lock

clean: ## remove the virtual environment, the caches and what was built
	@rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "fte needs Python 3.11 to 3.14, and there is no $(PYTHON) here"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' || { \
		echo "fte needs Python 3.11 to 3.14; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
			"Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments: it lacks venv or ensurepip." \
			"On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)

$(VENV)/runtime: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV) (about a minute the first time) ..."
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

# A superset of the runtime's, with the same versions: whoever has it needs no second install for `make demo`.
$(VENV)/dev: requirements-dev.lock requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV) with the development tools (about a minute the first time) ..."
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $(VENV)/runtime $@
