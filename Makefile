# make run    set up, then the main job on a generated sample (about 5 minutes on 2 cores)
# make test   set up, then the tests
# make check  set up, then lint, format and types
# make lock   write requirements.lock anew from pyproject.toml
#
# Needs Python 3.11 to 3.13. PYTHON=/path/to/python chooses one; pip's own settings apply.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
RUNS ?= runs/sample
MARKS ?= not long
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& command -v $$p && break; done)

.PHONY: help run test check lock clean

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

run: $(VENV)/installed
	$(BIN)/longspan run --directory $(RUNS)

# Two workers with one thread each: small matrices gain nothing from more. A file stays on one of
# them, so that its local cloud or model is made once; files of short tests come last. Hundreds of
# processes start, so bytecode is kept.
test: $(VENV)/installed-dev
	OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist loadfile \
		--no-loadscope-reorder -m "$(MARKS)"

check: $(VENV)/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 to 3.13 found; name one: make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON)"
	$(PYTHON) -m venv $(VENV)

# The lock is a constraint: what is asked for gets its exact version, and nothing else comes.
$(VENV)/installed: pyproject.toml requirements.lock | $(BIN)/python
	@echo "Installing longspan; torch is a large download, so this can take some minutes"
	$(BIN)/python -m pip install -c requirements.lock -e '.[cloud]'
	@touch $@

$(VENV)/installed-dev: pyproject.toml requirements.lock | $(BIN)/python
	@echo "Installing longspan and its tools; torch is a large download, so this can take some minutes"
	$(BIN)/python -m pip install -c requirements.lock -e '.[dev]'
	@# mypy cannot see through an editable install's folder mapping, but follows links.
	mkdir -p $(VENV)/typing/longspan
	for folder in training inference pipelines infra; do \
		ln -sfn ../../../$$folder $(VENV)/typing/longspan/$$folder; done
	@touch $@ $(VENV)/installed

lock: | $(BIN)/python
	$(BIN)/python -m pip install uv==0.13.9
	$(BIN)/uv pip compile --universal --python-version 3.11 --all-extras $(UPGRADE) \
		--custom-compile-command 'make lock    (or make lock UPGRADE=--upgrade for newer versions)' \
		--output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build dist *.egg-info runs
