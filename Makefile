# make run    set up, then run the pipeline on a generated sample (about 5 minutes on 2 cores)
# make test   set up, then run the tests; TESTS=tests/training selects some
# make check  set up, then check lint, format and types
# make lock   write the locks from pyproject.toml; UPGRADE=--upgrade takes newer versions
#
# Needs Python 3.11 to 3.13. PYTHON=/path/to/python selects one; pip's own settings apply.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
RUNS ?= runs/sample
MARKS ?= not long and not qemu
# Use one index (UV_DEFAULT_INDEX names a mirror), so that other builds of torch are not locked.
COMPILE = env -u UV_INDEX -u UV_EXTRA_INDEX_URL -u UV_FIND_LINKS -u UV_CONSTRAINT -u UV_OVERRIDE \
	-u UV_TORCH_BACKEND $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --custom-compile-command 'make lock'
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& command -v $$p && break; done)

.PHONY: help run test check lock clean

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

run: $(VENV)/installed
	$(BIN)/longspan run --directory $(RUNS)

# Two workers have one thread each, because small matrices gain nothing from more threads. A file
# runs on one worker, so that its local cloud or model is made once. Files with short tests run
# last. Bytecode is cached, because the tests start hundreds of processes.
test: $(VENV)/installed
	OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python tests/guarded.py -n 2 --dist loadfile \
		--no-loadscope-reorder -m "$(MARKS)" $(TESTS)

check: $(VENV)/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 to 3.13 found; name one: make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON)"
	$(PYTHON) -m venv $(VENV)

# Install exact versions, checked by hash. The links give the folders their import names before the
# installation. mypy needs them afterwards, because it does not follow the folder mapping of an
# editable install.
$(VENV)/installed: pyproject.toml requirements.lock $(wildcard inference/compression/kernels/*) | $(BIN)/python
	mkdir -p $(VENV)/typing/longspan
	for folder in training inference pipelines infra; do \
		ln -sfn ../../../$$folder $(VENV)/typing/longspan/$$folder; done
	PYTHONPATH=$(VENV)/typing $(BIN)/python -m longspan.infra.install
	@touch $@

# Two locks with the same versions: the packages of all extras, and those of the image.
lock: $(VENV)/installed
	$(COMPILE) --all-extras $(UPGRADE) --output-file requirements.lock pyproject.toml
	$(COMPILE) -c requirements.lock --output-file infra/image/requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build dist *.egg-info runs
