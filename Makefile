# `make repro` and `make test` need Python 3.11 and nothing else; the rest builds on their environment.
PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready
export PATH := $(CURDIR)/$(BIN):$(PATH)
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := 1
export GX_ANALYTICS_ENABLED := false
export TF_CPP_MIN_LOG_LEVEL := 3
UI_PORT ?= 5000
PARALLEL = --numprocesses 2 --dist loadfile --no-loadscope-reorder
# MLflow opens on its page for language models; this address opens the table of trained runs.
UI_URL = http://127.0.0.1:$(UI_PORT)/\#/experiments?workflowType=machine_learning

.DEFAULT_GOAL := help
.PHONY: help repro test unit check validate ui bench lock clean

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "  make %-9s %s\n", $$1, $$2}'

repro: $(READY) ## the whole comparison: environment, then `dvc repro`
	dvc repro
	@echo
	@echo "The report:     $(CURDIR)/reports/report.html"
	@echo "Every run:      make ui   (then open $(UI_URL))"

test: $(READY) ## unit tests and a smoke run of the whole pipeline on a tiny phantom
	pytest $(PARALLEL)

unit: $(READY) ## unit tests alone, without the slow ones that start processes and train
	pytest $(PARALLEL) -m "not smoke and not slow"

check: $(READY) ## lint, format and types
	ruff check .
	ruff format --check .
	mypy

validate: $(READY) ## the data checks alone: makes the tables where they are absent, then checks them anew
	dvc repro split
	dvc repro --force --single-item validate

ui: $(READY) ## the MLflow UI on every run
	@echo "Open $(UI_URL)"
	mlflow ui --backend-store-uri sqlite:///mlruns/mlflow.db --host 127.0.0.1 --port $(UI_PORT)

bench: $(READY) ## what the README's figures came from
	@for file in benchmarks/*.py; do echo "== $$file"; python $$file || exit 1; done

lock: ## pin every dependency anew, with hashes and no addresses (needs uv)
	uv pip compile pyproject.toml --extra dev --python-version 3.11 --generate-hashes \
	    --no-header --no-annotate --no-emit-index-url --no-emit-find-links --upgrade -o requirements.lock

clean: ## remove the environment; data, runs and reports stay
	rm -rf .venv

$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) is not on the PATH; install Python 3.11 or say 'make PYTHON=...'"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
