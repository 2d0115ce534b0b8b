# Confab. `make` lists what can be done; continuous integration runs `make check` and nothing else.

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS   += --no-print-directory

GOTEST := go test -p 2 -timeout 20m
BIN    := .tools/bin
ARCH   := arm64
LIMITS := $(wildcard $(or $(PEERS_ROOT),$(or $(TMPDIR),/tmp)/confab-peers)/bin/limits)

.PHONY: help build cost release lambda serve test unit faults fuzz autobahn check fmt format-check generate generate-check lint \
	web cover bench growth deep tools lint-tools clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build ./confab, one static binary
	CGO_ENABLED=0 go build -trimpath -o confab ./cmd/confab

release: ## build the archives of all systems into dist, twice, and compare
	@internal/release/twice.sh dist

lambda: ## build the function of deploy/template.yaml (ARCH=arm64 or amd64) into deploy/build
	@go run ./internal/release -lambda $(ARCH) -out deploy/build

serve: ## build and run the server on this machine
	@$(MAKE) build
	./confab serve

test: tools unit faults fuzz ## run all tests: unit, end-to-end, faults, a little fuzzing

unit: ## run unit and end-to-end tests with the race detector
	CGO_ENABLED=1 $(GOTEST) -race -shuffle=on ./...
	$(GOTEST) -tags portable ./gateway
	cd examples && CGO_ENABLED=1 $(GOTEST) -race -shuffle=on ./...

faults: ## run the fault tests, without the race detector
	@internal/tools/faults.sh -timeout 10m

fuzz: ## fuzz each target for a few seconds
	@internal/tools/fuzz.sh 5s

autobahn: ## run the Autobahn suite against the gateway (needs a Python 2.7)
	@internal/tools/autobahn.sh

check: format-check generate-check lint test release ## run everything that must hold before a commit

fmt: lint-tools ## format the code
	@git ls-files -co --exclude-standard '*.go' | xargs $(BIN)/gofumpt -w

format-check: lint-tools
	@unformatted=$$(git ls-files -co --exclude-standard '*.go' | xargs $(BIN)/gofumpt -l); \
	if [[ -n $$unformatted ]]; then echo "not formatted, run \`make fmt\`:"; echo "$$unformatted"; exit 1; fi

web: tools ## build the page into web/dist, which is committed
	@internal/tools/web.sh

generate: tools ## write the generated files
	go generate ./...

generate-check: tools
	@internal/tools/generate.sh

lint: lint-tools ## run the linters, and look for known vulnerabilities
	$(BIN)/golangci-lint run
	cd examples && ../$(BIN)/golangci-lint run
	@internal/tools/vulncheck.sh

cover: tools ## measure which code the tests reach
	$(GOTEST) -coverpkg=./... -coverprofile=.tools/cover.out ./...
	go tool cover -func=.tools/cover.out | tail -1
	@echo "details: go tool cover -html=.tools/cover.out"

bench: ## run the benchmarks
	go test -p 1 -run '^$$' -bench . -benchmem ./...

growth: build ## measure the cost of a delivery from 10 to 10,000 connections and draw it (minutes)
	go build -o .tools/growth ./internal/bench
	ulimit -n 20000 && taskset -c 1 .tools/growth -plot docs/growth.svg $(addprefix -reference ,$(LIMITS))

deep: tools ## run the long versions of all tests (an hour or more)
	CONFAB_DEEP=1 CGO_ENABLED=1 go test -p 2 -timeout 3h -race -shuffle=on ./...
	CONFAB_DEEP=1 internal/tools/faults.sh -timeout 3h
	internal/tools/fuzz.sh 2m

cost: tools ## measure what the chat costs on AWS and write docs/cost.md
	go test -count 1 -timeout 10m -run '^TestCost$$' ./deploy -update

tools: ## install what the tests need into .tools
	@internal/tools/install.sh test

lint-tools:
	@internal/tools/install.sh lint

clean: ## remove what was built; .tools stays
	rm -rf confab dist deploy/build
	go clean -testcache
