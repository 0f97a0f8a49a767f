# The commands people type. Each sets up what it needs; a second run is quick.
SHELL := /bin/bash
PY := .venv/bin/python

# Four tests at once are hard on two cores, and real processes are late then: what failed is tried once more with nothing
# beside it, and named. More than three such, or one that fails again, and the whole run has failed.
ALONE = { echo; echo "Once more, with nothing beside it, what failed:"; echo; \
  .venv/bin/coverage run -m pytest -m "not soak" -v --maxfail 3 --last-failed --last-failed-no-failures none; }

.PHONY: run test check bench soak lock screenshots clean

run:
	@provisioning/setup.sh run
	@exec .venv/bin/machinaka-provision town run --var var

test:
	@provisioning/setup.sh test
	@rm -f .coverage .coverage.* .pytest_cache/v/cache/lastfailed
	@.venv/bin/coverage run -m pytest -m "not soak" -n 4 --dist loadfile || $(ALONE)
	@.venv/bin/coverage combine -q && .venv/bin/coverage report --fail-under $$(.venv/bin/python -m tests.covered)

check:
	@provisioning/setup.sh test
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache

bench:
	@provisioning/setup.sh bench
	@$(PY) -m benchmarks

soak:
	@provisioning/setup.sh test
	@.venv/bin/pytest -m soak

screenshots:
	@provisioning/setup.sh test
	@.venv/bin/python -m tests.screenshots screenshots

# New versions: edit pyproject.toml or requirements/*.in, then this.
lock:
	@provisioning/setup.sh lock

clean:
	rm -rf .venv .setup node_modules hub/static/vendor
