# `make` alone lists the targets. Needs make, Python 3.11 or newer with venv, and pip.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
OPERATOR ?= operator
WORKERS ?= auto
FUZZ_SECONDS ?= 3600

BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
CATALOGUES := $(wildcard locale/*/LC_MESSAGES/django.po)
STATIC_FILES := $(shell find static -type f 2>/dev/null)
MEMORY_DATABASE := sqlite://:memory:
PYTEST := pytest -n $(WORKERS) --maxprocesses 4

# A failed recipe leaves no half-made file that looks finished.
.DELETE_ON_ERROR:
.PHONY: help setup migrate run test test-postgres test-browser axe-all test-next check fix \
	demo docs screenshots messages soak fuzz benchmark lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' \
		$(firstword $(MAKEFILE_LIST))

setup: .venv/base.stamp .env $(CATALOGUES:.po=.mo) staticfiles/made.stamp migrate ## Make .venv, .env with fresh secrets, translations, static files, tables

run: setup ## Serve the console with example data and one worker (HOST=, PORT=)
	@$(MANAGE) load_example --if-empty
	@$(MANAGE) create_operator "$(OPERATOR)" --administrator --if-missing
	@exec $(BIN)/python tools/serve.py "$(HOST)" "$(PORT)"

test: .venv/dev.stamp $(CATALOGUES:.po=.mo) ## Run the tests on SQLite; no browser, no PostgreSQL
	DATABASE_URL=$(MEMORY_DATABASE) $(BIN)/$(PYTEST) -m "not browser and not postgres"

test-postgres: .venv/dev.stamp $(CATALOGUES:.po=.mo) ## Run the tests on the PostgreSQL of DATABASE_URL
	@$(BIN)/python tools/require_postgresql.py
	$(BIN)/$(PYTEST) -m "not browser"

test-browser: .venv/dev.stamp $(CATALOGUES:.po=.mo) ## Run the journeys in Chromium (CHROMIUM=path)
	@$(BIN)/python tools/require_chromium.py
	DATABASE_URL=$(MEMORY_DATABASE) DJANGO_ALLOW_ASYNC_UNSAFE=1 $(BIN)/$(PYTEST) -m browser tests/browser

axe-all: .venv/dev.stamp $(CATALOGUES:.po=.mo) ## Look at the public pages and the console in all languages, widths, schemes
	@$(BIN)/python tools/require_chromium.py
	AXE_ALL=1 DATABASE_URL=$(MEMORY_DATABASE) DJANGO_ALLOW_ASYNC_UNSAFE=1 \
		$(BIN)/pytest -m browser tests/browser/test_every_public_page.py \
		tests/browser/test_every_console_page.py

test-next: .venv-next/dev.stamp $(CATALOGUES:.po=.mo) ## Run the tests on Python 3.12+ and the next Django
	.venv-next/bin/python -c "import django; assert django.VERSION[:2] == (6, 1), django.VERSION"
	DATABASE_URL=$(MEMORY_DATABASE) .venv-next/bin/$(PYTEST) -m "not browser and not postgres"

check: .venv/dev.stamp $(CATALOGUES:.po=.mo) ## Check format, lint, types, migrations, settings, drawings, translations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@# Fresh secrets, an https address and a database in memory: what an installation has.
	$(BIN)/python tools/with_secrets.py $(MANAGE) makemigrations --check --dry-run
	PUBLIC_BASE_URL=https://campaign.example.com \
		$(BIN)/python tools/with_secrets.py $(MANAGE) check --deploy --fail-level WARNING
	$(BIN)/python docs/draw.py --check
	DATABASE_URL=$(MEMORY_DATABASE) $(BIN)/pytest -q tests/test_conventions.py tests/test_translations.py

fix: .venv/dev.stamp ## Mend format and lint where a tool can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

demo: setup ## Load the example data into an empty database
	$(MANAGE) load_example

docs: .venv/dev.stamp ## Draw docs/reference from the code
	$(BIN)/python docs/draw.py

screenshots: .venv/dev.stamp $(CATALOGUES:.po=.mo) ## Take every page from the example data into docs/screenshots (CHROMIUM=path)
	@$(BIN)/python tools/require_chromium.py screenshots
	$(BIN)/python -m tools.screenshots

messages: .venv/dev.stamp ## Gather the strings to translate into locale/*/django.po
	$(BIN)/python tools/gather_translations.py

soak: .venv/dev.stamp $(CATALOGUES:.po=.mo) ## Send under kills and stops on a PostgreSQL of its own, and check the promises
	$(BIN)/python -m tests.soak --messages 100000 --kills 200 --stops 20000
	$(BIN)/python -m tests.soak --messages 20000 --kills 30 --stops 3000 --strict
	$(BIN)/python -m tests.soak --messages 20000 --kills 30 --stops 3000 --crashes 5

fuzz: .venv/dev.stamp ## Read mails made by chance (FUZZ_SECONDS=3600)
	$(BIN)/python -m tests.fuzz.reports --seconds $(FUZZ_SECONDS)

benchmark: .venv/dev.stamp ## Say how to measure (README, Performance)
	@echo "Run one of these; each says what it needs with --help:"
	@for file in benchmarks/*.py; do echo "  $(BIN)/python $$file"; done

lock: ## Write the requirements again from pyproject.toml (needs uv)
	@sh tools/lock.sh

clean: ## Remove what the targets made; keeps .env, the database and var/
	rm -rf .venv .venv-next staticfiles .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf test-results .coverage
	find locale -name '*.mo' -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

migrate: .venv/base.stamp .env
	@$(MANAGE) migrate --verbosity 0

.venv/base.stamp: requirements/base.txt
	@$(PYTHON) tools/check_python.py
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/base.txt
	@touch $@

.venv/dev.stamp: requirements/dev.txt .venv/base.stamp
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

.venv-next/dev.stamp: requirements/dev.txt
	@python=$$(sh tools/find_next_python.sh) && $$python -m venv .venv-next
	.venv-next/bin/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

.env: | .venv/base.stamp
	@$(BIN)/python tools/write_env.py

%.mo: %.po .venv/base.stamp
	@$(BIN)/python -c "import sys, polib; polib.pofile(sys.argv[1]).save_as_mofile(sys.argv[2])" $< $@

staticfiles/made.stamp: $(STATIC_FILES) .venv/base.stamp | .env
	@$(MANAGE) collectstatic --noinput --verbosity 0
	@touch $@
