# Everything a person or CI does with the repository. `make up` and `make test` are the two to know.
SHELL := /bin/bash
BIN := node_modules/.bin

# `make test REPORTER=tap` prints every assertion.
REPORTER ?= terse

.PHONY: install build up test lint format unit e2e tap bench fuzz fields clients conformance clean

install: node_modules/.package-lock.json
node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-fund --no-audit --loglevel=error
	@touch $@

# Compiles, writes the generated documents, and joins each command's modules: a process starts in half the time.
build: install
	@npm run -s build

up: build
	@exec node build/dist/kubette.js up $(ARGS)

lint: install
	$(BIN)/eslint src test
	$(BIN)/prettier --check --log-level warn src test

format: install
	$(BIN)/prettier --write --log-level warn src test

# The storage suite limits the size of files to fill a disk, which the runner's own hooks do not survive.
unit: build tap
	ls build/test/unit/*.test.js build/test/conformance/*.test.js | grep -v conformance/storage.test | xargs $(BIN)/tap -R$(REPORTER)
	set -o pipefail; node build/test/conformance/storage.test.js | grep -E '^ *not ok|^# '

# One at a time: these start clusters, which want the machine and its node ports for themselves.
e2e: build tap
	$(BIN)/tap -R$(REPORTER) -j1 build/test/e2e/*.test.js

test: lint unit e2e

# Joins tap with its plugins; the first run after an install would do it and fail.
tap: node_modules/.tap-built
node_modules/.tap-built: package-lock.json .taprc | install
	@$(BIN)/tap build >/dev/null
	@touch $@

bench: build
	node build/test/bench/main.js

# Hostile texts for every field that takes one. SEED=n repeats a run, SHAPES=all tries every shape, ONLY=part names rows.
fuzz: build
	node build/test/fuzz/main.js

# The table of what reads which field, made anew.
fields: build
	node build/test/fields/main.js

# Client libraries of five languages, two operator frameworks and Helm; CLIENTS='go rust' runs only those.
clients: build
	@node build/test/clients/main.js $(CLIENTS)

# Kubernetes' own conformance suite, built with Go on first use; about an hour. CONFORMANCE='--focus ServiceAccounts' runs a part,
# --all runs what is known to need more than there is, --write records the score in test/upstream/score.json.
conformance: build
	@node build/test/upstream/main.js $(CONFORMANCE)

clean:
	rm -rf build .tap
