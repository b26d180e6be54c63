# The targets that `make help` lists are the lines below with a ##.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# The program is static; only the race detector wants C.
export CGO_ENABLED := 0

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
BIN     := bin/horizon-realtime
LDFLAGS := -s -w -X main.version=$(VERSION)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# One goroutine that compiles WebAssembly for minutes, which the race detector makes a quarter of an hour.
UNRACED := /router/fuel$$|/cmd/horizon-realtime$$|/cmd/horizon-realtime/plugintool$$|/cmd/coverage$$

STOCK   := plugins/50-stock.wasm
PAGE    := cmd/horizon-realtime/demo/dist/page.js
JS      := horizon/node_modules/.package-lock.json
ASC     := sdk/assemblyscript/node_modules/.package-lock.json
GOFILES := $(shell find cmd router sdk plugins -name '*.go' -not -name '*_test.go')

.PHONY: help build plugins run test test-rabbits test-js test-go e2e e2e-horizon bench siege siege-strangers check mutants clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: $(BIN) ## build bin/horizon-realtime, with the stock plugins and the demo's page inside

plugins: $(STOCK) ## build the stock plugins into plugins/50-stock.wasm

run: build ## show it: a simulated cloud and a live page on http://localhost:8080/project/instances
	$(BIN) demo

test: test-js test-go ## all tests but the end-to-end ones, with the race detector and a private RabbitMQ

e2e: build $(JS) $(ASC) ## from oslo.messaging through RabbitMQ to the official client and a real Chromium; plugins in every language
	@.ci/need rabbitmq-server:rabbitmq-server chromium:chromium python3-oslo.messaging:/usr/lib/python3/dist-packages/oslo_messaging \
		clang:clang lld:wasm-ld rustc:/usr/bin/rustc libstd-rust-dev-wasm32:/usr/lib/rustlib/wasm32-unknown-unknown
	$(GO) test -tags e2e -count=1 -timeout 20m ./cmd/horizon-realtime/e2e ./router/server

e2e-horizon: build $(JS) ## Debian's OpenStack on this machine, its Horizon in a real Chromium (10 min, 3 GB; installs packages)
	horizon/e2e/run

test-rabbits: ## the tests of router/rabbit against RabbitMQ 4.0 and 4.3 (root, debootstrap, 1 GB); `make test` has the installed one
	@.ci/need debootstrap:debootstrap
	router/rabbit/rabbittest/rabbits

bench: build ## measure beside peers in the same run; writes bench/results.json and a table
	@.ci/need rabbitmq-server:rabbitmq-server clang:clang lld:wasm-ld
	cd bench && $(GO) run . -out results.json

siege: ## drop every plugin of testplugins/ into a running router under load; prints a table (10 min)
	@.ci/need rabbitmq-server:rabbitmq-server wabt:wat2wasm
	$(GO) run ./cmd/siege -reloads 1000

siege-strangers: plugins ## attack a running router as tenants, users and strangers, while 200 users log in; prints a table (3 min)
	$(GO) run ./cmd/siege -strangers -rabbit=false

check: $(PAGE) ## formatting, vet, static analysis, import directions, tidy go.mod
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -d $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	GOOS=wasip1 GOARCH=wasm $(GO) vet ./sdk/... ./plugins/...
	.ci/imports
	$(GO) mod tidy -diff
	$(GO) run $(STATICCHECK) ./...
	cd bench && $(GO) vet ./... && $(GO) mod tidy -diff && $(GO) run $(STATICCHECK) ./...

mutants: $(PAGE) plugins ## break the code in many places, one at a time, and see that a test fails each time
	@.ci/need rabbitmq-server:rabbitmq-server wabt:wat2wasm binaryen:wasm-opt
	$(GO) run ./cmd/mutants

clean: ## remove what the other targets made
	rm -rf bin plugins/*.wasm cmd/horizon-realtime/demo/dist/*.* horizon/node_modules sdk/assemblyscript/node_modules .cache

test-js: $(JS)
	cd horizon && npm test --silent

test-go: $(PAGE) plugins
	@.ci/need rabbitmq-server:rabbitmq-server wabt:wat2wasm binaryen:wasm-opt curl:curl gcc:gcc libc6-dev:/usr/include/stdlib.h \
		python3-oslo.utils:/usr/lib/python3/dist-packages/oslo_utils
	CGO_ENABLED=1 $(GO) test -race -timeout 15m $$($(GO) list ./... | grep -vE '$(UNRACED)')
	$(GO) test -timeout 10m ./router/fuel ./cmd/horizon-realtime ./cmd/horizon-realtime/plugintool ./cmd/coverage

$(BIN): $(GOFILES) $(STOCK) $(PAGE) go.mod go.sum
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/horizon-realtime

# The program carries the file as it is here, so it is built first. What an older
# version of this file left behind would be loaded as well.
$(STOCK): $(filter sdk/% plugins/% router/plugin/label/%,$(GOFILES)) plugins/VERSION
	rm -f $(patsubst plugins/%/testdata,plugins/50-%.wasm,$(wildcard plugins/*/testdata))
	GOOS=wasip1 GOARCH=wasm $(GO) build -buildmode=c-shared -trimpath -buildvcs=false -ldflags='-s -w' -o $@.part ./plugins/stock
	$(GO) run ./cmd/label $@.part stock $(shell cat plugins/VERSION)
	mv $@.part $@

$(JS) $(ASC): %/node_modules/.package-lock.json: %/package.json %/package-lock.json
	cd $* && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(PAGE): $(JS) $(wildcard horizon/js/*.js cmd/horizon-realtime/demo/page/*)
	cd horizon && npm run --silent build
