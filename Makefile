# Everything a person or CI does with the repository. `make up` and `make test` are the two to know.
SHELL := /bin/bash
BIN := node_modules/.bin
.DEFAULT_GOAL := help

# Of a test run a terminal sees what fails while it runs, a file a line per test file; REPORTER=tap shows every assertion.
REPORT := node build/test/report/main.js
# JOBS=n runs so many test files at a time. Without, it is one more than there are processors: many tests mostly wait.
run_tests = @set -o pipefail; node build/test/run/main.js --row '$(ROW)' --row '$(WAITING)' $(if $(JOBS),--jobs $(JOBS)) $(1) | \
	if [ "$(REPORTER)" = tap ]; then cat; elif [ -t 1 ]; then $(REPORT) --terse; else $(REPORT); fi

# Of tests that have moved, what was built before is still there: the sources say which there are.
UNIT := find test/unit test/conformance -name '*.test.ts'
E2E := ls test/e2e/*.test.ts
# These start clusters whose node ports are this machine's, where two would have the same: one after the other, beside the rest.
ROW := test/e2e/(processes|proxy-processes|transcript|package|docs|torture-cluster)[.]test
# These wait most of their time, so that one of them beside the rest is hardly noticed.
WAITING := test/(e2e/(dual-stack|hook)-recordings|conformance/(kernel|storage-harm|storage-etcd-outages))[.]test

.PHONY: help install build up test test-one watch lint format unit e2e joined run-lint run-unit run-e2e run-all bench bench-peers kernel fuzz torture mutate fields commands clients bundles conformance clean

help: ## list what there is to make
	@sed -nE 's/^([a-z0-9-]+):[^#]*## (.*)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | while IFS=$$'\t' read -r name about; \
	do printf '  make %-12s %s\n' "$$name" "$$about"; done

install: node_modules/.package-lock.json ## install what package-lock.json names
node_modules/.package-lock.json: package.json package-lock.json
	@echo 'installing what package-lock.json names …' >&2
	@npm ci --no-fund --no-audit --loglevel=error
	@touch $@

# Compiles, writes the generated documents, and joins each command's modules: each where something has changed since.
build: install ## compile, generate, bundle what has changed
	@src/cmd/build/run.sh

up: build ## build and run a whole cluster; Ctrl-C stops it. ARGS='--nodes 1' passes flags on
	@exec node build/dist/kubette.js up $(ARGS)

# Of long lists of like cases a share is tried, each day another (test/support/share.ts); THOROUGH=1 tries all, as CI does.
test: joined ## everything that has to pass
	@$(MAKE) --no-print-directory run-lint
	@$(MAKE) --no-print-directory run-all

test-one: ## one test file, not built before: make test-one T=test/unit/machinery/steps.test.ts
	@set -o pipefail; node --import tsx $(T) | node --import tsx test/report/main.ts

watch: ## the same, again whenever it or what it imports is saved
	@$(BIN)/tsx watch --clear-screen=false $(T) | node --import tsx test/report/main.ts

lint: install ## oxlint, which asks for types, and oxfmt
	@$(MAKE) --no-print-directory run-lint

run-lint:
	@$(BIN)/oxlint --type-aware --deny-warnings src test
	@$(BIN)/oxfmt --check src test

format: install ## put everything in form
	@$(BIN)/oxfmt src test

unit: joined ## unit and conformance tests
	@$(MAKE) --no-print-directory run-unit

e2e: joined ## tests that start clusters, and the recordings of the real thing
	@$(MAKE) --no-print-directory run-e2e

# Joins the modules of each test, as the build does with each command's.
joined: build
	@node build/test/run/join.js $$($(UNIT); $(E2E))

run-unit:
	$(call run_tests,$$($(UNIT)))

run-e2e:
	$(call run_tests,$$($(E2E)))

run-all:
	$(call run_tests,$$($(UNIT); $(E2E)))

# ONLY=fanout,create runs some rows; one that does not exist lists them. SCALE=0.1 is a quick look. ARGS='--json FILE' keeps the
# figures; ARGS='--against URL --token T --ca FILE' (or --insecure; --pid N where it is on this machine) asks any API server.
bench: build ## what it costs: start, memory, writes, lists, watches, and what is inside
	node build/test/bench/main.js $(ARGS)

# KUBE_BIN=folder has a kube-apiserver and an etcd.
bench-peers: build ## the same rows of Kubette and of kube-apiserver with etcd, in turns, and how many times better
	node build/test/bench/main.js --peers $(ARGS)

# CLUSTERS=n tries so many random clusters per mode and IP family (40), SEED=n one.
kernel: build ## ask this machine's Linux kernel, which needs root: rules as it lists them, packets as it sends them
	node build/test/conformance/kernel.test.js
	node build/test/conformance/kernel-nft.test.js
	CLUSTERS=$${CLUSTERS:-40} node build/test/conformance/kernel-clusters.test.js
	node build/test/conformance/kernel-host-rules.test.js

# SEED=n repeats a run, SHAPES=all tries every shape, ONLY=part names rows, SETS=mutated only sends wrong requests.
fuzz: build ## hostile texts for every field that takes one
	node build/test/fuzz/main.js

# SEED=n repeats a run's choices, ROUNDS=n kills the API server so often (200), MINUTES=n disturbs the others so long (10),
# ONLY=part names some. Filling a disk needs root.
torture: build ## kill and stop processes under load, fill the disk, turn the clock: nothing is lost or told twice
	node build/test/torture/main.js

# All 7,000, or EACH=n of every function, or MUTANTS=n by chance (SEED=n); ONLY=part names files, STAGES=1-2 leaves out the
# slow tests, SURVIVORS=1 asks again about those of the last run. What whole folders gave goes into test/scores/mutants.json.
mutate: build ## break every rule, match and effect of the data plane and see that tests fail
	node build/test/mutate/main.js

fields: build ## write docs/fields.md, the table of what reads which field
	node build/test/fields/main.js

commands: build ## write docs/commands.md and the schema of up --config, from the commands themselves
	node build/test/commands/main.js

# CLIENTS='go rust' runs only those.
clients: build ## client libraries of five languages, two operator frameworks, Helm, and controller-runtime's own suites
	@node build/test/clients/main.js $(CLIENTS)

# Their modules come with Go. UPSTREAM_BIN=folder compares with the kube-apiserver in it; ONLY=part names some.
bundles: build ## definitions that well-known operators ship, and their samples
	@node build/test/bundles/main.js

# Built with Go on first use; about an hour. CONFORMANCE='--focus ServiceAccounts' runs a part, --all runs what is known
# to need more than there is, --write records the score in test/upstream/score.json.
conformance: build ## Kubernetes' own conformance suite
	@node build/test/upstream/main.js $(CONFORMANCE)

clean: ## remove what was built
	rm -rf build .tap
