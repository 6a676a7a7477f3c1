# Two commands: `make check` proves this repository's own migrations, `make test` proves the project.
# `make coverage` runs the same tests in full depth, and measures what they reach.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

# A .venv of another Python than PYTHON is made anew.
BUILD := -c 'import sys; print(sys.version)'
ifneq ($(shell $(PYTHON) $(BUILD)),$(shell $(BIN)/python $(BUILD) 2>/dev/null))
.PHONY: $(INSTALLED)
CLEAR := --clear
endif

# The tests start several hundred Pythons: each would compile the package anew where no bytecode is kept.
export PYTHONDONTWRITEBYTECODE :=
# Processes that may write to their own folder alone cannot keep what they compile.
COMPILE = $(BIN)/python -m compileall -q pytest_bbmigrate
TESTS := pytest -n auto --dist worksteal

.PHONY: check test coverage lint wheel matrix matrix-quick runners bench cases torture clean

check: $(INSTALLED)
	$(COMPILE)
	$(BIN)/pytest --bb-check-migrations

test: $(INSTALLED) lint
	$(COMPILE)
	$(BIN)/$(TESTS) -m 'not torture'

coverage: $(INSTALLED)
	$(COMPILE)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m $(TESTS) --started --hypothesis-profile=full
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lint: $(INSTALLED)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

wheel: $(INSTALLED)
	$(BIN)/python -m tests.wheel

matrix: $(INSTALLED)
	$(BIN)/python -m tests.matrix $(ROWS)

matrix-quick: $(INSTALLED)
	$(BIN)/python -m tests.matrix --quick

runners: $(INSTALLED)
	$(BIN)/python -m tests.runners

bench: $(INSTALLED)
	$(COMPILE)
	$(BIN)/python -m benchmarks $(BENCH)

cases: $(INSTALLED)
	$(BIN)/python -m tests.cases

torture: $(INSTALLED)
	$(BIN)/python -m tests.torture
	$(BIN)/python -m tests.torture_apply
	$(BIN)/python -m tests.torture_others
	$(BIN)/python -m tests.torture_power
	$(BIN)/python -m tests.torture_size

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(CLEAR) .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv .bench .matrix .runners .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache
