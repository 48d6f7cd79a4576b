# `make` by itself lists what there is. Nothing has to be installed first but Python 3.11 to 3.13.

VENV := .venv
PY := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup run demo test lint format bench fuzz faults wheel lock audit clean FORCE

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "Options for the program behind a target go into ARGS: make test ARGS='-k raster'"

setup: $(INSTALLED) ## Make .venv, install the pinned dependencies and what Qt lacks on this system
	@tools/system_libraries.sh $(PY)

$(INSTALLED): pyproject.toml requirements.lock
	@tools/virtual_environment.sh $(VENV)
	@echo "Installing QtDigits and its dependencies into $(VENV) (a few minutes the first time)"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(PY) -m compileall -q qtdigits # the first start is then as quick as any other
	@touch $@

# A stamp beside an interpreter that does not start (Python was upgraded or removed) counts for nothing.
ifeq ($(shell $(PY) -c '' 2>/dev/null && echo starts),)
$(INSTALLED): FORCE
endif

run: setup ## Open the window (without a display: run the demo)
	@if [ "$$(uname -s)" = Linux ] && [ -z "$$DISPLAY$$WAYLAND_DISPLAY" ]; then \
		echo "There is no display, so this runs the demo; its pictures go to build/demo/."; \
		$(PY) -m qtdigits demo --out build/demo $(ARGS); \
	else \
		tools/system_libraries.sh $(PY) --window && $(PY) -m qtdigits $(ARGS); \
	fi

demo: setup ## Real strokes through the real window, off-screen; pictures in build/demo/
	@$(PY) -m qtdigits demo --out build/demo $(ARGS)

# The tests run even when the static checks fail, so that one call tells everything; two files at a time, as half of the time is
# spent waiting for processes. ARGS='-n 0' runs them in one process, which a debugger wants.
test: setup ## All checks: lint, types, floors, then the tests
	@checked=0; $(MAKE) --no-print-directory lint || checked=$$?; \
	$(PY) -m pytest -n 2 --dist loadfile $(ARGS) || exit $$?; \
	[ $$checked -eq 0 ] || echo "The static checks failed; see what they said before the tests." >&2; \
	exit $$checked

lint: setup ## Static checks: ruff, ruff format, mypy, import contracts
	@failed=; \
	$(PY) -m ruff check . || failed=1; \
	$(PY) -m ruff format --check . || failed=1; \
	$(PY) -m mypy || failed=1; \
	$(VENV)/bin/lint-imports --no-logo || failed=1; \
	[ -z "$$failed" ]

format: setup ## Put imports and layout in order
	@$(PY) -m ruff check --fix-only --quiet .
	@$(PY) -m ruff format .

bench: setup ## Measure (ARGS names what)
	@$(PY) -m benchmarks $(ARGS)

fuzz: setup ## Give every reader files that were changed at random (ARGS: how many, --seed N)
	@$(PY) -m tests.fuzz $(ARGS)

faults: setup ## Kill the program a thousand times, and break its disk and clock (ARGS: how many, --seed N)
	@$(PY) -m tests.bad_days $(ARGS)

wheel: setup ## Build the wheel into dist/: the same bytes each time
	@$(PY) -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .

lock: setup ## Write requirements.lock anew: the versions of constraints.txt, with the SHA-256 of every file
	@$(PY) -m venv build/lock && build/lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	@build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --native-tls \
		--custom-compile-command 'make lock' --constraint constraints.txt --extra dev --output-file requirements.lock pyproject.toml

audit: setup ## Ask PyPI's advisories about the locked versions, and see that the list of licences is up to date
	@$(PY) tools/licences.py --check
	@$(PY) -m venv build/audit && build/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	@build/audit/bin/pip-audit --disable-pip --require-hashes --requirement requirements.lock


clean: ## Remove what was built and cached (.venv stays)
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
