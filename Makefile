# Everything a person or CI does with the repository. `make up` and `make test` are the two to know.
SHELL := /bin/bash
BIN := node_modules/.bin

.PHONY: install build up test lint format check unit e2e bench clients clean

install: node_modules/.package-lock.json
node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-fund --no-audit --loglevel=error
	@touch $@

build: install
	@$(BIN)/tsc -p .
	@node build/src/resources/build/main.js

up: build
	@exec node build/src/cmd/kubette.js up $(ARGS)

lint: install
	$(BIN)/eslint src test
	$(BIN)/prettier --check --log-level warn src test

format: install
	$(BIN)/prettier --write --log-level warn src test

unit: build
	$(BIN)/tap -Rtap build/test/unit build/test/conformance

e2e: build
	$(BIN)/tap -Rtap -j1 build/test/e2e

test: build lint
	@$(BIN)/tap build >/dev/null
	$(BIN)/tap -Rterse

bench: build
	node build/test/bench/main.js

# Client libraries of five languages; CLIENTS='go rust' runs only those.
clients: build
	@node build/test/clients/main.js $(CLIENTS)

clean:
	rm -rf build .tap
