# make run    set up, then the main job on a generated sample (about 5 minutes on 2 cores)
# make test   set up, then the tests; TESTS=tests/training chooses some
# make check  set up, then lint, format and types
# make lock   write the locks anew from pyproject.toml; UPGRADE=--upgrade takes newer versions
#
# Needs Python 3.11 to 3.13. PYTHON=/path/to/python chooses one; pip's own settings apply.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
RUNS ?= runs/sample
MARKS ?= not long and not qemu
# From one index (UV_DEFAULT_INDEX names a mirror): builds of torch that lie elsewhere stay out.
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

# Two workers with one thread each: small matrices gain nothing from more. A file stays on one of
# them, so that its local cloud or model is made once; files of short tests come last. Hundreds of
# processes start, so bytecode is kept.
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

# Exact versions, by hash. The links give the folders their import names before they are installed,
# and mypy later: it cannot see through an editable install's folder mapping.
$(VENV)/installed: pyproject.toml requirements.lock $(wildcard inference/compression/kernels/*) | $(BIN)/python
	mkdir -p $(VENV)/typing/longspan
	for folder in training inference pipelines infra; do \
		ln -sfn ../../../$$folder $(VENV)/typing/longspan/$$folder; done
	PYTHONPATH=$(VENV)/typing $(BIN)/python -m longspan.infra.install
	@touch $@

# Two: all that any extra may need, and, of the same versions, what the image needs.
lock: $(VENV)/installed
	$(COMPILE) --all-extras $(UPGRADE) --output-file requirements.lock pyproject.toml
	$(COMPILE) -c requirements.lock --output-file infra/image/requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build dist *.egg-info runs
