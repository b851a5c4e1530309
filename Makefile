# Needs Python 3.11 or newer and make; uv is used where it is on the PATH. Every target sets .venv up by itself.
.DEFAULT_GOAL := help
.PHONY: help demo test check bench faults pictures keys lock clean
.DELETE_ON_ERROR:

BIN := .venv/bin
# Tests wait for processes of their own about half of the time, so there are more workers than cores.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) \* 3 / 2 + 1)
SOURCES := engine mlops_tui tests tools sample_projects

help:
	@echo "make demo    from two files of data to models that answer, in a home folder of its own"
	@echo "make test    every fast test"
	@echo "make check   format, lint, types, import rules"
	@echo "make faults  kill -9, full disks, frozen workers: the long tests"
	@echo "make bench   start, idle, API, predictions: figures"
	@echo "make pictures  docs/pictures again, of the real terminal on an engine of its own"
	@echo "make keys    docs/keys.md again, from the one table of commands"
	@echo "make lock    requirements.lock again, from pyproject.toml (needs uv)"
	@echo "make clean   remove .venv and caches"

.venv/.ready: requirements.lock pyproject.toml tools/set_up.sh
	@tools/set_up.sh

demo: .venv/.ready
	@$(BIN)/python tools/demo.py $(DEMO)

test: .venv/.ready
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(TESTS)

check: .venv/.ready
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/mypy tools/*.py
	$(BIN)/lint-imports --no-logo

faults: .venv/.ready
	$(BIN)/python -m pytest tests/faults
	$(BIN)/python -m pytest -m slow --timeout 900 tests

bench: .venv/.ready
	@$(BIN)/python -m tests.bench $(BENCH)

pictures: .venv/.ready
	@$(BIN)/python tools/pictures.py

keys: .venv/.ready
	@$(BIN)/python tools/keys.py

lock:
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --all-extras \
		pyproject.toml -o requirements.lock

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
