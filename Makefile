# `make` alone lists the targets. Every target sets up what it needs by itself.
SETUP := sh scripts/setup.sh
NODE := $(SETUP) node --disable-warning=ExperimentalWarning
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run demo dev test lint fix bench backup restore ingest train eval index docs guarantees clean \
	up down reset logs status upgrade passphrase test-appliance dashboards test-chart release-check nightly traceability
APPLIANCE := compose/appliance.sh

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

run: ## start the box and print its address
	@exec ./luna run $(ARGS)

demo: ## start the box with the demo site
	@LUNA_DEMO=1 exec ./luna run $(ARGS)

dev: ## start the box and restart it when a source file changes
	@exec $(SETUP) node --disable-warning=ExperimentalWarning --watch gateway/main.ts run $(ARGS)

test: ## run every check and test, installing what they need
	@exec $(NODE) scripts/test.ts $(ARGS)

lint: ## check types, style and the tidy rules
	@exec $(NODE) scripts/test.ts --only types,style,tidy

fix: ## let biome repair format and style
	@exec $(SETUP) node_modules/.bin/biome check --write

bench: ## run a benchmark: make bench ARGS="ingest --seconds 10" (alone: list them)
	@exec sh scripts/bench.sh $(ARGS)

backup: ## make a backup now: of the box, or of the appliance where `make up` was used
	@if [ -f compose/.env ]; then exec $(APPLIANCE) backup; else exec ./luna backup $(ARGS); fi

restore: ## bring a backup back: FROM=/mnt/backups into an empty LUNA_HOME, ID=... into the appliance
	@if [ -f compose/.env ] && [ -z "$(FROM)" ]; then exec $(APPLIANCE) restore $(ID); fi; \
	test -n "$(FROM)" || { echo 'From where? make restore FROM=/mnt/backups' >&2; exit 2; }; \
	exec ./luna restore "$(FROM)" $(ARGS)

up: ## start the appliance in containers (SMALL=1, PROFILES=observability,automation)
	@exec $(APPLIANCE) up

down: ## stop the appliance; its data stays
	@exec $(APPLIANCE) down

reset: ## remove the appliance with all its data (asks)
	@exec $(APPLIANCE) reset

logs: ## what the appliance says (FOLLOW=1, ARGS=luna)
	@exec $(APPLIANCE) logs $(ARGS)

status: ## what runs, and what the box says of itself
	@exec $(APPLIANCE) status

upgrade: ## backup, new image (TO=...), migrations, smoke test; goes back by itself when it fails
	@exec $(APPLIANCE) upgrade

passphrase: ## print what opens the keys in the backups of the appliance: keep it elsewhere
	@exec $(APPLIANCE) passphrase

test-appliance: ## run the appliance for real where a container engine answers
	@exec $(NODE) scripts/test-appliance.ts $(ARGS)

test-chart: ## render the Helm chart and check it against the schemas of Kubernetes
	@exec sh scripts/test-chart.sh

release-check: ## SBOM, licences, release notes, and what npm audit finds
	@exec $(NODE) scripts/release.ts

nightly: ## evaluations and benches that take long, figures in .cache/nightly
	@mkdir -p .cache/nightly; for name in forecast retrieval bandit-site ingest crash; do \
	  sh scripts/bench.sh $$name | tail -1 > .cache/nightly/$$name.json || exit 1; done

traceability: ## write docs/traceability.md: which test proves which requirement
	@exec $(NODE) scripts/traceability.ts

dashboards: ## generate the Grafana dashboards and n8n flows from their descriptions
	@$(NODE) scripts/dashboards.ts && $(NODE) scripts/n8n-flows.ts

ingest: ## import readings: make ingest FILE=readings.csv
	@test -n "$(FILE)" || { echo 'Which file? make ingest FILE=readings.csv' >&2; exit 2; }
	@exec ./luna import "$(FILE)" $(ARGS)

train: ## train the forecast models (ARGS="...")
	@exec ./luna train $(ARGS)

eval: ## evaluate forecasts, answers and advice (ARGS="...")
	@exec ./luna eval $(ARGS)

index: ## rebuild the document index (ARGS="...")
	@exec ./luna index $(ARGS)

docs: ## generate the reference pages in docs/reference
	@exec $(NODE) scripts/docs.ts

guarantees: ## write docs/guarantees.md from the last test run and the recorded benches
	@exec $(NODE) scripts/guarantees.ts

clean: ## remove what was installed and cached (the data of your box stays)
	rm -rf node_modules .node .cache coverage
