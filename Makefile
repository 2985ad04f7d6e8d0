# Works from a clean clone with GNU make 3.81 or newer; `make help` lists the targets.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help report trials predict test lab lint fuzz bench constraints
.DELETE_ON_ERROR:

PROFILE ?= synthetic
DATA_ROOT ?=
ANNOTATIONS ?=
ONLY ?=
PHOTO ?=
TRIAL ?=
OUT ?=
CELL_TIMEOUT ?= 600
NOTEBOOKS := notebooks

# The first interpreter that runs and is 3.11 to 3.13; name another with PYTHON=...
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	if $$p -c "$(SUITABLE)" >/dev/null 2>&1; then echo $$p; exit; fi; done; echo python3)

VENV := .venv
RUN := $(VENV)/bin/python
# The stamp holds the folder it was made in: an environment that was copied elsewhere is installed anew.
STAMP := $(VENV)/.installed
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
endif

export NO_ALBUMENTATIONS_UPDATE := 1
unexport MPLBACKEND  # a backend from outside would leave the notebooks without figures

help:  ## list the targets
	@echo 'make report [PROFILE=synthetic|ccp|modanet] [DATA_ROOT=folder] [OUT=build/report/PROFILE]'
	@grep -E '^[a-z]+:.*##' Makefile | sed -e 's/:.*## /	/' -e 's/^/  make /' | expand -t 20

# Memory in pages of 2 MiB, kept for the next step, which `make bench ONLY=step` measures. Only glibc reads it.
report trials: export GLIBC_TUNABLES ?= glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=100000000000

report: $(STAMP)  ## execute the notebooks on a data set and write the report, as notebooks and as pages
	@$(RUN) -m modanet_utils report --profile '$(PROFILE)' \
		$(if $(DATA_ROOT),--data-root '$(DATA_ROOT)') $(if $(OUT),--out '$(OUT)')

trials: $(STAMP)  ## train, one after another, what the report's comparison of trials still lacks
	@$(RUN) -m modanet_utils trials --profile '$(PROFILE)' \
		$(if $(DATA_ROOT),--data-root '$(DATA_ROOT)') $(if $(OUT),--out '$(OUT)')

predict: $(STAMP)  ## segment your own photo, or a folder of photos (PHOTO=..., OUT=predictions, TRIAL=run to use)
	@$(RUN) -m modanet_utils predict '$(PHOTO)' $(if $(TRIAL),--run '$(TRIAL)') $(if $(OUT),--out '$(OUT)')

# One pytest run over both, so that neither stops the other and all skips stand together in the last lines. Of its two
# processes one executes the notebooks (tests/scheduling.py); with more than one thread each they would wait for another.
test: $(STAMP)  ## check lint, format and types, run the unit tests, execute the notebooks with nbval and compare
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2 --nbval-lax --nbval-current-env \
		--nbval-cell-timeout=$(CELL_TIMEOUT) --continue-on-collection-errors tests modanet_utils $(NOTEBOOKS)

lab: $(STAMP)  ## open JupyterLab on the notebooks
	$(RUN) -m jupyterlab $(NOTEBOOKS)

lint: $(STAMP)  ## only check lint, format and types, in seconds
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

fuzz: $(STAMP)  ## try made-up files on readers, converters, runs, profiles and results, longer than the tests do
	HF_HUB_OFFLINE=1 $(RUN) -m pytest --reliability --hypothesis-profile=long -m fuzz tests

bench: $(STAMP)  ## measure speed and memory beside what people use (needs DATA_ROOT and ANNOTATIONS)
	@$(RUN) -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@$(RUN) -m tests.bench $(if $(DATA_ROOT),--data '$(DATA_ROOT)') \
		$(if $(ANNOTATIONS),--annotations '$(ANNOTATIONS)') $(if $(ONLY),--only '$(ONLY)')

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c "$(SUITABLE)" 2>/dev/null || { \
		echo "Python 3.11, 3.12 or 3.13 is needed, and '$(PYTHON)' is not one: name it, as in 'make PYTHON=/path/to/python3.11'." >&2; \
		exit 2; }
	@$(RUN) -c "$(SUITABLE)" 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	$(RUN) -m pip install --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@echo '$(CURDIR)' > $@

constraints:  ## choose new releases of all dependencies and pin them in constraints.txt (Linux, Python 3.11)
	@set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	$(PYTHON) -m venv "$$folder/venv"; \
	"$$folder/venv/bin/python" -m pip install --disable-pip-version-check -e '.[dev,bench]'; \
	{ echo '# Every package, pinned. Made by `make constraints` on x86-64 Linux with Python 3.11; do not edit.'; \
	echo '# A pin binds only what is installed, so other systems ignore what they do not need.'; \
	"$$folder/venv/bin/python" -m pip freeze --exclude-editable | grep -v ' @ '; } > "$$folder/constraints.txt"; \
	cp "$$folder/constraints.txt" constraints.txt
