# `make repro` and `make test` need a Python and nothing else; the rest builds on their environment.
PYTHON ?= python3.13 python3.12 python3.11 python3
BIN := .venv/bin
READY := .venv/.ready
export PATH := $(CURDIR)/$(BIN):$(PATH)
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := 1
export GX_ANALYTICS_ENABLED := false
export TF_CPP_MIN_LOG_LEVEL := 3
export NO_MKDOCS_2_WARNING := 1
# Python compiles a library at its first import, since uv does not; kept from writing that down, each process would.
unexport PYTHONDONTWRITEBYTECODE
UI_PORT ?= 5000
PARALLEL = --numprocesses 2 --dist loadfile --no-loadscope-reorder
UI_URL = http://127.0.0.1:$(UI_PORT)/\#/experiments

.DEFAULT_GOAL := help
.PHONY: help repro test unit check validate ui bench results coverage mutants docs lock clean repository

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "  make %-9s %s\n", $$1, $$2}'

repro: repository $(READY) ## the whole comparison: environment, then `dvc repro`
	dvc repro
	@echo
	@echo "The report:     $(CURDIR)/reports/report.html"
	@echo "Every run:      make ui   (then open $(UI_URL))"

.PHONY: env
env: $(READY) ## the environment alone, in .venv

.PHONY: smoke diff
smoke: repository $(READY) ## the whole comparison on a tiny phantom, in minutes; params.yaml then asks for it
	dvc exp run --set-param data=tiny

diff: repository $(READY) ## what the metrics and parameters here differ in from those of a commit: make diff BASE=main
	bash .ci/diff '$(subst ','\'',$(BASE))' reports/difference.md

test: $(READY) ## unit tests and a smoke run of the whole pipeline on a tiny phantom
	pytest $(PARALLEL)

unit: $(READY) ## unit tests alone, without the slow ones that start processes and train
	pytest $(PARALLEL) -m "not smoke and not slow and not torture"

.PHONY: torture
torture: $(READY) ## kills, damage, full disks, jumping clocks and more; a table of what was lost (nothing), in a quarter of an hour
	pytest --numprocesses 2 --dist worksteal -m torture

check: $(READY) ## lint, format, types, and known vulnerabilities of the pinned packages
	ruff check .
	ruff format --check .
	mypy
	python .ci/audit

validate: repository $(READY) ## the data checks alone: makes the tables where they are absent, then checks them anew
	dvc repro split
	dvc repro --force --single-item validate

ui: $(READY) ## the MLflow UI on every run
	@echo "Open $(UI_URL) and choose 'Model training' at the top left; the browser remembers it."
	mlflow ui --backend-store-uri sqlite:///mlruns/mlflow.db --host 127.0.0.1 --port $(UI_PORT)

bench: $(READY) ## what the README's figures came from
	@for file in benchmarks/*.py; do echo "== $$file"; python $$file || exit 1; done

results: $(READY) ## make the report of each result set again, after a change of the report's code
	@for set in results/*/pack.json; do cxrbench report --from $${set%/*} --to $${set%/*}/report || exit 1; done

coverage: $(READY) ## which lines of src no test runs, in their processes too; takes half as long again as make test
	coverage erase
	coverage run -m pytest $(PARALLEL)
	coverage combine --quiet
	coverage report --skip-covered --show-missing --fail-under=92

mutants: $(READY) ## evaluation and splits changed a little in thousands of ways, each to be noticed by a test; takes hours
	mutmut run --max-children 2 $(MUTANTS)
	mutmut results

docs: $(READY) ## the documentation as a site in site/, readable without a server or a network
	mkdocs build --strict

lock: ## pin every dependency anew, with hashes and no addresses (needs uv, which .venv holds)
	uv pip compile pyproject.toml --extra dev --extra docs --universal --python-version 3.11 --fork-strategy fewest \
	    --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --upgrade -o requirements.lock

clean: ## remove the environment; data, runs and reports stay
	rm -rf .venv

repository: # DVC's own sentence names no way out
	@git rev-parse --git-dir >/dev/null 2>&1 || { echo "error: this folder is no git repository, and DVC records what" \
	    "it did in one: clone cxrbench with git, or say 'git init' here"; exit 1; }

# The environment. Its Python is the first of PYTHON that is complete, that runs (a pyenv command can be on the PATH
# without its Python) and that TensorFlow has builds for. uv is the one on the PATH, or else the lock's own.
SUITS := import bz2, ctypes, ensurepip, lzma, platform, sqlite3, ssl, sys; \
    (3, 11) <= sys.version_info[:2] <= (3, 13) and (sys.platform, platform.machine()) != ("darwin", "x86_64") \
    and print(sys.executable)
FOUND = $(firstword $(foreach name,$(PYTHON),$(shell $(name) -c '$(SUITS)' 2>/dev/null)))
UV = $(or $(shell uv --version >/dev/null 2>&1 && command -v uv),$(BIN)/uv)
PIP := $(BIN)/python -m pip --disable-pip-version-check install
LOCKED := --require-hashes --no-deps --requirement

$(READY): requirements.lock pyproject.toml | $(BIN)/python
	@test $(UV) != $(BIN)/uv || sed -n '/^uv==/,/[^\\]$$/p' requirements.lock | $(PIP) --quiet $(LOCKED) /dev/stdin || true
	@install() { $(UV) pip install --python $(BIN)/python $(LOCKED) requirements.lock; }; \
	install; code=$$?; \
	if [ $$code -ne 0 ] && [ $$code -le 128 ]; then \
	    echo "uv tries once more, with the certificates of this machine: a hospital's network often needs its own"; \
	    (export UV_SYSTEM_CERTS=true UV_NATIVE_TLS=true; install); code=$$?; fi; \
	if [ $$code -ne 0 ] && [ $$code -le 128 ]; then \
	    echo "uv could not install the packages (the reason is above); pip does it instead, which takes minutes."; \
	    $(PIP) $(LOCKED) requirements.lock; code=$$?; fi; \
	exit $$code
	@$(PIP) --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(BIN)/python:
	@test -n '$(FOUND)' || { echo "error: none of '$(PYTHON)' is a complete Python 3.11, 3.12 or 3.13 that runs here" \
	    "(Debian's also needs python3-venv, a Mac's must be for Apple silicon): install one, or say 'make PYTHON=...'"; exit 1; }
	$(FOUND) -m venv --clear .venv
