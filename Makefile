# make run    the demo: configuration in ./demo, serves until Ctrl-C
# make test   every test; on Debian as root the live tests' programs are installed first
# make lint   ruff, mypy --strict, the import order
# make bench  beside a Postfix on this machine (Debian, root, gcc); takes about ten minutes
# make lock   pin what pyproject.toml newly wants; UPGRADE=--upgrade pins the newest of everything
# make clean  everything that was made, except ./demo

PYTHON ?= python3
VENV   ?= .venv
JOBS   ?= 2
BIN     = $(VENV)/bin
PIP     = $(BIN)/python -m pip --disable-pip-version-check --quiet
BUILD   = bench/build

.PHONY: run test lint bench lock clean live-packages bench-packages

run: $(VENV)/installed
	@sh tools/demo.sh $(BIN) demo

test: $(VENV)/installed-dev live-packages
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup $(ARGS)

lint: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python tests/layers.py src/gatepost

bench: $(VENV)/installed bench-packages $(BUILD)/load $(BUILD)/sink $(BUILD)/pop3load $(BUILD)/flood
	$(BIN)/python bench/relay.py $(ARGS)
	$(BIN)/python bench/memory.py
	$(BIN)/python bench/pop3.py
	$(BIN)/python bench/login.py
	$(BIN)/python bench/guard.py
	$(BIN)/python bench/flood.py

$(BUILD)/load: bench/load.c bench/common.h
	@mkdir -p $(BUILD)
	$(CC) -O2 -Wall -Wextra -Wshadow -std=gnu11 -o $@ $< -lssl -lcrypto

$(BUILD)/pop3load: bench/pop3load.c bench/common.h
	@mkdir -p $(BUILD)
	$(CC) -O2 -Wall -Wextra -Wshadow -std=gnu11 -o $@ $< -lssl -lcrypto

$(BUILD)/flood: bench/flood.c bench/common.h
	@mkdir -p $(BUILD)
	$(CC) -O2 -Wall -Wextra -Wshadow -std=gnu11 -o $@ $<

$(BUILD)/sink: bench/sink.c bench/common.h
	@mkdir -p $(BUILD)
	$(CC) -O2 -Wall -Wextra -Wshadow -std=gnu11 -o $@ $<

# The programs the live tests talk to. Never fails: what is missing is skipped with its reason.
live-packages: $(VENV)/installed-dev
	@sh tools/debian-packages.sh tests/live/packages.txt $(VENV)/live-packages.reason
	@if command -v krb5-config > /dev/null && ! $(BIN)/python -c 'import gssapi' 2> /dev/null; then \
		$(PIP) install --require-hashes -r requirements-kerberos.lock || true; fi

bench-packages: $(VENV)/installed
	@sh tools/debian-packages.sh bench/packages.txt $(VENV)/bench-packages.reason
	@if [ -s $(VENV)/bench-packages.reason ]; then echo "make bench: $$(cat $(VENV)/bench-packages.reason)"; exit 1; fi

$(BIN)/python:
	@sh tools/venv.sh $(PYTHON) $(VENV)

$(VENV)/installed: $(BIN)/python requirements.lock pyproject.toml
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.lock
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

lock:
	@sh tools/lock.sh $(PYTHON) $(UPGRADE)

clean:
	rm -rf $(VENV) $(BUILD) bench/out dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests bench -name __pycache__ -type d -exec rm -rf {} +
