# make demo, make test, make lint: each sets itself up; all they need is Python 3.11 or later.
PYTHON ?= python3
VERSIONS ?= 3.3 2.11

# Pythons from 3.12 on warn of forks beside threads: the fork tests want one, where there is one.
NEW_PYTHON ?= $(shell for python in python3.13 python3.12 $(HOME)/.pyenv/versions/3.1[23]*/bin/python; \
	do $$python -c '' 2>/dev/null && { command -v $$python; break; }; done)

DEV := .venvs/dev
UV := $(DEV)/bin/uv
SOURCES := pyproject.toml README.md LICENSE $(shell find airflow_provider_pipeline_otel -name '*.py' -o -name py.typed)

export UV_PYTHON_DOWNLOADS := never
# Without byte code every task process would compile Airflow anew.
unexport PYTHONDONTWRITEBYTECODE

# The slower half of the tests.
HARD := $(addprefix tests/,database faults forks schedulers transactions)
NEWEST := $(firstword $(VERSIONS))

.PHONY: demo test hard apart unit lint format bench picture clean
.DELETE_ON_ERROR:

demo: .venvs/airflow-3.3/installed .venvs/dbt/ready  ## run the example DAGs on a real Airflow and draw their traces
	@.venvs/airflow-3.3/bin/python -m demo

picture: .venvs/airflow-3.3/installed .venvs/dbt/ready  ## draw docs/trace.svg from the demo's own output
	@.venvs/airflow-3.3/bin/python -m demo --svg docs/trace.svg

test: $(DEV)/installed .venvs/dbt/ready $(VERSIONS:%=.venvs/airflow-%/installed)  ## run the tests; the slower half is apart, below
	$(DEV)/bin/python -m pytest $(HARD:%=--ignore=%)

hard: $(DEV)/installed $(VERSIONS:%=.venvs/airflow-%/installed) $(if $(NEW_PYTHON),.venvs/new-python-3.3/installed)  ## faults in every place, forks by the thousand, schedulers killed, a million rows, and traces on the other Airflows
	$(DEV)/bin/python -m pytest $(HARD)
	$(foreach version,$(filter-out $(NEWEST),$(VERSIONS)),PIPELINE_OTEL_AIRFLOW=$(CURDIR)/.venvs/airflow-$(version) $(DEV)/bin/python -m pytest tests/airflow -k "not judge and not postgresql" &&) true

apart: $(DEV)/installed $(VERSIONS:%=.venvs/airflow-%/installed)  ## compare traces with the database once more: two schedulers, two workers of Celery, no common disk
	PIPELINE_OTEL_SCHEDULERS=2 PIPELINE_OTEL_CELERY_WORKERS=2 $(DEV)/bin/python -m pytest tests/airflow/test_truth.py

unit: $(DEV)/installed  ## run the unit tests
	$(DEV)/bin/python -m pytest tests/unit

lint: $(DEV)/installed .venvs/airflow-3.3/installed  ## check style, types and the direction of imports
	$(DEV)/bin/ruff check
	$(DEV)/bin/ruff format --check
	$(DEV)/bin/mypy --python-executable .venvs/airflow-3.3/bin/python
	$(DEV)/bin/lint-imports

format: $(DEV)/installed
	$(DEV)/bin/ruff check --fix
	$(DEV)/bin/ruff format

bench: $(DEV)/installed .venvs/airflow-3.3/installed  ## measure, and write docs/benchmarks.md
	$(DEV)/bin/python -m benchmarks

$(DEV)/ready: requirements/dev.txt
	@echo "Setting up $(DEV) …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed")'
	@$(PYTHON) -m venv --clear $(DEV)
	@$(DEV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	@touch $@

.venvs/airflow-%/ready: requirements/airflow-%.txt $(DEV)/ready
	@echo "Setting up Airflow $* …"
	@$(UV) venv --quiet --clear --python $(DEV)/bin/python .venvs/airflow-$*
	@$(UV) pip install --quiet --compile-bytecode --python .venvs/airflow-$*/bin/python -r requirements/airflow-$*.txt
	@touch $@

.venvs/new-python-%/ready: requirements/airflow-%.txt $(DEV)/ready
	@echo "Setting up Airflow $* on a newer Python …"
	@$(UV) venv --quiet --clear --python $(NEW_PYTHON) .venvs/new-python-$*
	@$(UV) pip install --quiet --compile-bytecode --python .venvs/new-python-$*/bin/python -r requirements/airflow-$*.txt
	@touch $@

.venvs/dbt/ready: requirements/dbt.txt $(DEV)/ready
	@echo "Setting up dbt …"
	@$(UV) venv --quiet --clear --python $(DEV)/bin/python .venvs/dbt
	@$(UV) pip install --quiet --compile-bytecode --python .venvs/dbt/bin/python -r requirements/dbt.txt
	@touch $@

dist/built: $(SOURCES) $(DEV)/ready
	@rm -rf dist
	@$(UV) build --quiet --wheel --no-build-isolation --python $(DEV)/bin/python
	@touch $@

.venvs/%/installed: dist/built .venvs/%/ready
	@$(UV) pip install --quiet --no-deps --reinstall --compile-bytecode --python .venvs/$*/bin/python dist/*.whl
	@touch $@

clean:
	rm -rf .venvs .nox .demo dist

.SECONDARY:
