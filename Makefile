# `make` alone lists the targets. Every target sets up what it needs by itself.
SETUP := sh scripts/setup.sh
NODE := $(SETUP) node --disable-warning=ExperimentalWarning
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run demo dev test lint fix bench backup restore ingest train eval index docs guarantees clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

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

backup: ## make a backup of the box now
	@exec ./luna backup $(ARGS)

restore: ## bring a backup into an empty LUNA_HOME: make restore FROM=/mnt/backups
	@test -n "$(FROM)" || { echo 'From where? make restore FROM=/mnt/backups' >&2; exit 2; }
	@exec ./luna restore "$(FROM)" $(ARGS)

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
