# `make` lists the commands. Each of them works as the first one on a fresh clone: it makes .venv when needed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
INSTALLED := $(VENV)/installed-here

# An environment knows the folder that it was made in. In a folder that was moved or copied it is made again.
MOVED := $(shell test -e $(INSTALLED) && test "$$(cat $(INSTALLED))" != "$$(pwd -P)" && rm -f $(INSTALLED))

# nbgrader, which is not for Windows, looks for its commands on PATH.
ifneq ($(OS),Windows_NT)
export PATH := $(CURDIR)/$(BIN):$(PATH)
endif
# Containers often forbid bytecode, and then every start compiles everything anew.
unexport PYTHONDONTWRITEBYTECODE
MAKEFLAGS += --no-print-directory

IN_SECONDS := 'not end_to_end and not browser and not binder and not processes and not thorough'

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help lab test portable quick near coverage loop lint format-check code types layers release-check pytest fix \
    exercises record lock demo site bench dist publish clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

# ---------------------------------------------------------------- use

lab: $(INSTALLED) ## open the course in JupyterLab; MLSD_BROWSER=0 prints the address only, ARGS=... goes to `mlsd lab`
	@$(BIN)/mlsd lab $(ARGS)

demo: $(INSTALLED) ## grade a synthetic class once, in a temporary folder, and print its marks
	@$(BIN)/mlsd demo $(ARGS)

site: $(INSTALLED) ## build the course as a static site that runs in the browser alone, in site/
	@$(BIN)/python -m tools.site $(ARGS)

bench: $(INSTALLED) ## measure the project beside its peers
	@if test -d benchmarks; then $(BIN)/python -m benchmarks $(ARGS); else echo "no benchmarks/ yet: nothing to measure"; fi

loop: $(INSTALLED) ## time make fix, near, quick and test in a copy: what a change takes; ARGS="fix near" for some
	@$(BIN)/python -m benchmarks.loop $(ARGS)

# ---------------------------------------------------------------- check

# Every check runs, also after one has failed; the tests come last, and their summary is the last line.
test: $(INSTALLED) ## check everything: what CI runs
	@$(MAKE) --keep-going format-check code types layers release-check pytest

portable: $(INSTALLED) ## what runs on macOS and Windows too: the installation, formulas, designs and commands
	$(BIN)/pytest -n auto --dist loadfile tests/formulas tests/design tests/test_cli.py tests/test_package.py $(ARGS)

quick: lint ## lint, and the tests that start no browser, kernel, server, sandbox or installation, and try fewer examples
	@MLSD_QUICK=1 $(MAKE) pytest ARGS="-m $(IN_SECONDS) $(ARGS)"

near: lint ## lint, and the tests nearest to what has changed since the last commit; BASE=main for all of a branch
	@MLSD_QUICK=1 $(BIN)/python -m tools.near $(BASE)

lint: $(INSTALLED) ## the quick checks: format, code, types, layers
	@$(MAKE) --keep-going format-check code types layers

format-check: $(INSTALLED)
	$(BIN)/ruff format --check --quiet .

code: $(INSTALLED)
	$(BIN)/ruff check --quiet .

types: $(INSTALLED)
	$(BIN)/mypy

layers: $(INSTALLED)
	$(BIN)/lint-imports

release-check: $(INSTALLED)
	$(BIN)/mlsd release --check

pytest: $(INSTALLED) ## the tests alone, on all cores; ARGS="-k words" picks some, ARGS="-n 0 -x" stops at the first
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

coverage: $(INSTALLED) ## which lines of the package the tests of make quick run; shown, and no bar to clear
	@MLSD_QUICK=1 $(BIN)/coverage run -m pytest -n 0 --quiet -m $(IN_SECONDS) $(ARGS)
	@$(BIN)/coverage report

# ---------------------------------------------------------------- change

fix: $(INSTALLED) ## format, sync twins, run what changed, make release/ and all else generated; LESSONS=05_capacity for one
	@$(BIN)/python -m tools.notebooks sync
	@$(BIN)/python -m tools.counts
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/python -m tools.notebooks sync
	@$(BIN)/python -m tools.notebooks execute $(LESSONS)
	@$(BIN)/mlsd release $(LESSONS)
	@$(BIN)/python -m tools.schema
	@$(BIN)/python -m tools.reference
	@$(BIN)/python -m tools.course_map

exercises: $(INSTALLED) ## as make fix, for a change to assignments alone: no lesson runs; LESSONS=05_capacity for one
	@$(BIN)/python -m tools.notebooks sync
	@$(BIN)/python -m tools.counts
	@$(BIN)/python -m tools.notebooks sync
	@$(BIN)/mlsd release $(LESSONS)
	@$(BIN)/python -m tools.course_map

record: $(INSTALLED) ## run lessons and store what they measure on this machine; LESSONS=05_capacity for one
	@$(BIN)/python -m tools.notebooks record $(LESSONS)

# Hashes and no addresses: docs/decisions/0001-lock.md. With extras, since pip asks for a pin and a hash of `x[extra]` too.
lock: $(INSTALLED) ## update every pinned version, or one: make lock PACKAGE=numpy
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
	    --no-strip-extras --no-emit-index-url --no-header --quiet --output-file requirements.lock \
	    $(if $(PACKAGE),--upgrade-package $(PACKAGE),--upgrade)
	$(BIN)/uv pip compile tools/site.in --constraint requirements.lock --universal --python-version 3.11 \
	    --generate-hashes --no-strip-extras --no-emit-index-url --no-header --quiet --output-file tools/site.lock \
	    $(if $(PACKAGE),--upgrade-package $(PACKAGE),--upgrade)
	$(BIN)/python -m tools.binder

# ---------------------------------------------------------------- release

DIST := dist

dist: $(INSTALLED) ## build the wheel and the source archive into dist/; TAG=v1.2.3 checks first that it is that version
	@test -z "$$TAG" || $(BIN)/python -m tools.changes "$$TAG" >/dev/null
	@rm -rf $(DIST)
	$(BIN)/python -m hatchling build -d $(DIST)

publish: dist ## put dist/ on GitHub as the release of a tag: make publish TAG=v1.2.3, with GitHub's own `gh`
	@test -n "$$TAG" || { echo "Which one? make publish TAG=v1.2.3"; exit 1; }
	$(BIN)/python -m tools.changes "$$TAG" | gh release create "$$TAG" $(DIST)/* --verify-tag --notes-file -

clean: ## remove what was built; a learner's workspace/ stays
	rm -rf $(VENV) $(VENV)-site build dist site artefacts .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# ---------------------------------------------------------------- install

# The stamp is removed first and written last, so that an interrupted installation starts anew.
$(INSTALLED): requirements.lock pyproject.toml
	@test -e $@ || command -v $(PYTHON) >/dev/null || \
	    { echo "There is no '$(PYTHON)' here. Install Python 3.11, 3.12 or 3.13, or name yours: make lab PYTHON=python3.12"; exit 1; }
	@test -e $@ || { $(PYTHON) tools/python_check.py && \
	    echo "Making an environment of its own for the course: $(VENV)/" && $(PYTHON) -m venv --clear $(VENV); }
	@rm -f $@
	@$(BIN)/python tools/install.py
	@pwd -P > $@
