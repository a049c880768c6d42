# What one does with a checkout; `make` alone lists it. Works with GNU make 3.81 (macOS) and later.

PYTHON ?=
VENV ?= .venv
ARGS ?=

PY = $(VENV)/bin/python
INSTALL = $(PY) -m pip install --quiet --disable-pip-version-check --no-input

.PHONY: help demo test test-local test-real test-all lint format bench-hooks bench-watcher bench-desk bench-local wordpress-plugin pictures messages package clean
.DEFAULT_GOAL := help

help:
	@echo "make demo              everything in one terminal: publish an article, see its picture arrive (PORT=8460)"
	@echo "make demo ONCE=1       the same journey unattended, each step with its time"
	@echo "make test              the tests that need nothing installed by root (ARGS='-k words')"
	@echo "make test-local        those of the local pipelines, with tiny models on the processor (installs PyTorch)"
	@echo "make test-all          all: also with real servers and a browser (PHP, PostgreSQL, Redis, Chromium, Node.js)"
	@echo "make lint              ruff, mypy, import-linter"
	@echo "make format            put the code in order"
	@echo "make bench-hooks       deliveries a second, beside a Node.js receiver"
	@echo "make bench-watcher     240 renders in flight at once, beside one blocked worker each"
	@echo "make bench-desk        the desk over sixty thousand illustrations, on SQLite and PostgreSQL"
	@echo "make bench-local       the local pipelines on this machine's graphics card, or processor"
	@echo "make wordpress-plugin  dist/frontispiece-wordpress.zip, to upload in WordPress"
	@echo "make pictures          the README's pictures, from a running demo in Chromium"
	@echo "make messages          the desk's catalogues, after words were added or translated (NEW=fr begins one)"
	@echo "make package           sdist and wheel in dist/"
	@echo "make clean             remove what these made, $(VENV) too"
	@echo "Each makes its own environment in $(VENV) with the newest Python >= 3.11 on the PATH, or PYTHON=/path/to/python."

demo: $(VENV)/.demo
	@$(VENV)/bin/frontispiece demo $(if $(filter-out 0,$(ONCE)),--once) $(if $(PORT),--port $(PORT))

# Four at once on any machine: they wait more than they work.
test: $(VENV)/.test
	@$(PY) -m pytest -n 4 --dist loadfile $(ARGS)

test-local: $(VENV)/.local
	@$(PY) -m pytest -m "local and not real and not live" $(ARGS)

# The last part of test-all: without the others' tests, so that nothing runs twice.
test-real: $(VENV)/.test
	@$(PY) -m pytest -m "real and not live" $(ARGS)

test-all:
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory test-local
	@$(MAKE) --no-print-directory test-real

lint: $(VENV)/.dev
	@echo "ruff check";           $(PY) -m ruff check .
	@echo "ruff format --check";  $(PY) -m ruff format --check .
	@echo "mypy --strict";        $(PY) -m mypy
	@echo "lint-imports";         $(VENV)/bin/lint-imports

format: $(VENV)/.dev
	@$(PY) -m ruff check --fix-only --quiet .
	@$(PY) -m ruff format .

bench-hooks: $(VENV)/.test
	@$(PY) bench/hooks.py $(ARGS)

bench-watcher: $(VENV)/.test
	@PYTHONPATH=tests $(PY) bench/watcher.py $(ARGS)

bench-desk: $(VENV)/.test
	@PYTHONPATH=tests $(PY) bench/full_desk.py $(ARGS)

bench-local: $(VENV)/.local
	@PYTHONPATH=tests $(PY) bench/local_flux.py $(ARGS)

wordpress-plugin: $(VENV)/bin/python
	@$(PY) scripts/zip_folder.py plugins/wordpress/plugin/frontispiece dist/frontispiece-wordpress.zip

# The pictures of the README, from a running demo in Chromium; look at them before they are committed.
pictures: $(VENV)/.test
	@PYTHONPATH=tests $(PY) scripts/pictures.py

# What the desk says in other languages: docs/translating.md.
messages: $(VENV)/.test
	@$(PY) scripts/messages.py $(NEW)

package: $(VENV)/.dev
	@$(PY) -m build --outdir dist .

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# A stamp is as old as the last install; pyproject.toml is newer when what is needed may have changed.

$(VENV)/bin/python:
	@sh scripts/environment.sh "$(VENV)" $(PYTHON)

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	@echo "Installing Frontispiece into $(VENV) (under a minute the first time) ..."
	@$(INSTALL) --upgrade "pip>=25.1"
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/.test: pyproject.toml $(VENV)/.demo
	@echo "Installing what the tests need into $(VENV) ..."
	@$(INSTALL) --group test
	@touch $@

$(VENV)/.local: pyproject.toml $(VENV)/.test
	@echo "Installing PyTorch and diffusers into $(VENV) (large) ..."
	@$(INSTALL) "torch==2.13.0"
	@$(INSTALL) --editable ".[local]"
	@touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.test
	@echo "Installing the linters into $(VENV) ..."
	@$(INSTALL) --group dev
	@touch $@
