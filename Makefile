# Two commands on a fresh machine: `make demo` and `make test`. Both set up .venv first if need be.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
UV_VERSION := 0.13.9

.PHONY: setup demo parity arm test docs browser ios test-ios android test-android web test-web lint lock clean

setup: $(READY)

# Redone only when the lock or the project description changes. uv comes by pip; it makes the set-up a minute instead of ten.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "lariqa needs Python 3.11, 3.12 or 3.13; $(PYTHON) is " + sys.version.split()[0] + ". Say make PYTHON=/path/to/python3.11")'
	@echo "Setting up $(VENV) (about 6 GB on Linux, where PyPI's torch brings its GPU libraries) ..."
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	@$(VENV)/bin/uv pip install --python $(VENV)/bin/python -r requirements.lock
	@$(VENV)/bin/uv pip install --quiet --python $(VENV)/bin/python --no-deps --no-build-isolation -e .
	@touch $@

parity: $(READY)
	@$(VENV)/bin/python -m export.parity_matrix

# An emulated ARM processor with both runtimes, for `python -m benchmarks.arm.arm_arithmetic EXPORT` (a minute, 250 MB).
arm: $(READY)
	@$(VENV)/bin/python -m benchmarks.arm.arm_root

demo: $(READY)
	@$(VENV)/bin/lariqa demo -o demo-output

# Two processes with one thread each: the converters use one core whatever they are given.
test: $(READY) lint
	@OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

# What the tests of the report's page and of the browser app need; without it they are skipped. Installs on Debian as root, else says what to do.
browser:
	@if command -v chromedriver >/dev/null && command -v chromium >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
	    echo "no Chromium with chromedriver here; install both to test the report in a browser"; exit 0; fi; \
	apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 install -y \
	    --no-install-recommends chromium chromium-driver fonts-dejavu-core >/dev/null

# The iOS app: copy an export into it; test all of it that needs no Mac.
ios: $(READY)
	$(if $(MODEL_DIR),,$(error say make ios MODEL_DIR=FOLDER, with a folder that lariqa export wrote))
	@$(VENV)/bin/lariqa bundle ios "$(MODEL_DIR)"

test-ios: $(READY)
	@ios_demo/toolchain/test.sh $(VENV)/bin/python

# The Android app: `make android MODEL_DIR=exported` puts an export into it, test-android compiles and tests it by Maven.
android: $(READY)
	@test -n "$(MODEL_DIR)" || { echo "say which export: make android MODEL_DIR=exported" >&2; exit 2; }
	@$(VENV)/bin/lariqa bundle android "$(MODEL_DIR)"

test-android: $(READY)
	@bash android_demo/test.sh $(VENV)/bin/python

# The browser app: `make web MODEL_DIR=exported` checks an export and makes web_demo/site, static files for any server.
web: $(READY)
	@test -n "$(MODEL_DIR)" || { echo "say which export: make web MODEL_DIR=exported" >&2; exit 2; }
	@web_demo/install.sh
	@$(VENV)/bin/lariqa bundle web "$(MODEL_DIR)"
	@node web_demo/build.mjs

test-web: $(READY)
	@bash web_demo/test.sh $(VENV)/bin/python

# The documentation as a site, build/site/index.html: warnings are errors, links are checked, no network.
docs: $(READY)
	@$(VENV)/bin/python -m sphinx -b html -c docs -d build/doctrees -W --keep-going -q . build/site
	@echo "build/site/index.html"

lint: $(READY)
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check --quiet .

# Resolve pyproject.toml's ranges anew; the lock holds exact versions and no addresses.
lock:
	@$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --extra dev --no-emit-index-url --no-header \
	    --no-annotate pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .adbd .arm .swift build web_demo/node_modules web_demo/site web_demo/build *.egg-info .pytest_cache .ruff_cache .hypothesis
