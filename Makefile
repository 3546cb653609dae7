# Two commands: `make run` starts the whole service, `make test` checks it. Both set themselves up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LAB := .venv-lab
WEBAPP := services/gateway/app

.PHONY: run test test-lab lab setup setup-test check-aarch64 lint install uninstall audit sbom clean

run: setup
	@exec $(BIN)/python app.py run

# Two at a time, a file's tests together: they share what it sets up.
test: setup-test lint test-lab
	$(BIN)/python -m pytest -n 2 --dist loadfile

# The lab has requirements of its own (PyTorch), which the product never needs.
lab: $(LAB)/.installed

test-lab: lab
	$(LAB)/bin/python -m pytest --noconftest tests/models

# Needs the package index; a test holds what it last found to the pins.
check-aarch64: setup
	$(BIN)/python .ci/aarch64.py

lint: setup-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict app.py services flows models voices

setup: $(VENV)/.installed $(WEBAPP)/node_modules/.built

setup-test: $(VENV)/.installed-test $(WEBAPP)/node_modules/.built
	@command -v chromium >/dev/null || .ci/install-chromium
	@command -v systemd-analyze >/dev/null || .ci/install-systemd

$(VENV)/.installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Jicho needs Python 3.11 or newer (PYTHON=python3.12 make run chooses one)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed tests/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@

# Where neither Node nor npm's registry can be had, all else runs, and /app/ says that it was not built.
$(WEBAPP)/node_modules/.built: $(wildcard $(WEBAPP)/*.json $(WEBAPP)/*.ts $(WEBAPP)/*.html) $(shell find $(WEBAPP)/src $(WEBAPP)/public -type f 2>/dev/null) | $(VENV)/.installed
	@$(BIN)/python app.py webapp build && touch $@ || echo "Going on without the web app."

$(LAB)/.installed: models/lab/requirements.txt
	$(PYTHON) -m venv $(LAB)
	@# The build without CUDA, a tenth of the size, is on an index of its own; asked for the rest too, it costs minutes.
	$(LAB)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --extra-index-url https://download.pytorch.org/whl/cpu $$(grep ^torch== models/lab/requirements.txt)
	$(LAB)/bin/python -m pip install --quiet --disable-pip-version-check -r models/lab/requirements.txt
	@touch $@

install: $(WEBAPP)/node_modules/.built
	services/deploy/install

uninstall:
	services/deploy/uninstall

# Known faults in what is pinned. Advisories come from PyPI and npm: without them this fails rather than say that all is well.
audit: setup-test $(VENV)-audit/.installed
	$(VENV)-audit/bin/pip-audit --strict --no-deps --disable-pip --requirement requirements.txt --progress-spinner off
	cd $(WEBAPP) && PATH="$(abspath $(BIN)):$$PATH" npm audit --audit-level=low

$(VENV)-audit/.installed: services/deploy/audit-requirements.txt
	$(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

sbom: setup
	@$(BIN)/python app.py sbom jicho.cdx.json && echo jicho.cdx.json

clean:
	rm -rf $(VENV) $(LAB) $(WEBAPP)/dist $(WEBAPP)/node_modules .mypy_cache .ruff_cache .hypothesis
