# make            what there is
# make check      what CI runs

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 10s
BENCH    ?= .
COUNT    ?= 1
PEERS    ?=
BENCH_SCHEDULE ?=
BENCH_LIVE ?=
PREFIX   ?= /usr/local
DESTDIR  ?=
PROGRAM  ?= bin/quire
TOOL     := go tool -modfile=tools/go.mod

# The race detector needs a C compiler; everything else builds without one.
CC_FOUND := $(shell command -v "$$(go env CC)" 2>/dev/null)
RACE     := $(if $(CC_FOUND),-race)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## the main job, offline, against a small web of made-up works
	bin/quire demo

.PHONY: build
build: ## bin/quire, one static binary
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X github.com/quire-dev/quire.Version=$(VERSION)' -o bin/quire ./cmd/quire

$(PROGRAM):
	$(MAKE) build

.PHONY: docs
docs: build ## docs/reference anew, from the program
	bin/quire generate reference docs/reference

# Where bash, zsh and fish look for what others have installed. What the last make
# build has made is installed, so that root needs no Go.
SHARE    = $(DESTDIR)$(PREFIX)/share
BASH_DIR = $(SHARE)/bash-completion/completions
ZSH_DIR  = $(SHARE)/zsh/site-functions
FISH_DIR = $(SHARE)/fish/vendor_completions.d

.PHONY: install
install: $(PROGRAM) ## bin/quire, man pages and completions, to DESTDIR and PREFIX (/usr/local)
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(BASH_DIR)' '$(ZSH_DIR)' '$(FISH_DIR)'
	install -m 755 '$(PROGRAM)' '$(DESTDIR)$(PREFIX)/bin/quire'
	umask 022; \
	SOURCE_DATE_EPOCH="$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2> /dev/null)}" '$(PROGRAM)' generate man '$(SHARE)/man'; \
	'$(PROGRAM)' completion bash > '$(BASH_DIR)/quire'; \
	'$(PROGRAM)' completion zsh > '$(ZSH_DIR)/_quire'; \
	'$(PROGRAM)' completion fish > '$(FISH_DIR)/quire.fish'

.PHONY: uninstall
uninstall: ## remove what make install has put there
	rm -f '$(DESTDIR)$(PREFIX)/bin/quire' '$(BASH_DIR)/quire' '$(ZSH_DIR)/_quire' '$(FISH_DIR)/quire.fish' \
		'$(SHARE)/man/man1/quire.1' '$(SHARE)'/man/man1/quire-*.1 '$(SHARE)/man/man5/quire.yaml.5' '$(SHARE)'/man/man7/quire-*.7

.PHONY: check
check: test lint ## all that CI runs

.PHONY: test
test: need-go servers ## vet and all tests, with the race detector
	@test -n "$(RACE)" || { echo 'no C compiler: the race detector needs one (install gcc)'; \
		test "$${CI:-}" != true || exit 1; echo 'testing without it'; }
	go vet ./...
	CGO_ENABLED=0 go build -o /dev/null ./...
	$(if $(RACE),CGO_ENABLED=1) go test $(RACE) -count=1 -timeout 10m $$(go list ./... | grep -v /internal/e2e)
	go test -count=1 -timeout 10m ./internal/e2e # by itself: it looks at times
	cd bench/peers && CGO_ENABLED=0 go vet ./... && CGO_ENABLED=0 go test -count=1 -timeout 3m ./...

# What some tests need. A missing one is no error here: its tests say that they are
# left out, or fail if QUIRE_TEST_REQUIRE names it.
.PHONY: servers
servers: need-go ## install PostgreSQL and strace for the tests, as root with apt-get, and build an S3 server
	@$(MAKE) --no-print-directory bin/versitygw || echo 'missing: versitygw; the tests of the S3 store are left out'
	@missing=; \
	command -v initdb > /dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' > /dev/null || missing=' postgresql'; \
	command -v strace > /dev/null || missing="$$missing strace"; \
	test -n "$$missing" || exit 0; \
	if test "$$(id -u)" = 0 && command -v apt-get > /dev/null; then \
		echo "installing$$missing"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qqy $$missing > /dev/null && exit 0; \
		echo 'apt-get did not install it'; \
	fi; \
	echo "missing:$$missing; the tests that need it are left out (installing it takes root and apt-get)"

# The S3 server of the tests: a module of its own, pinned there. The first build
# takes about two minutes of processor time, later ones the cache's.
bin/versitygw: tools/versitygw/go.mod tools/versitygw/go.sum
	@echo 'building versitygw, the S3 server of the tests'
	@cd tools/versitygw && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o ../../bin/versitygw github.com/versity/versitygw/cmd/versitygw
	@touch $@

.PHONY: lint
lint: need-go ## golangci-lint and go.mod in order; the first run builds the linter (1-2 min)
	$(TOOL) golangci-lint run ./...
	go mod tidy -diff

.PHONY: bench
bench: need-go ## benchmarks, summed up; BENCH=regexp, COUNT=n
	go test -run '^$$' -bench '$(BENCH)' -benchmem -count=$(COUNT) ./... > bench.txt
	$(TOOL) benchstat bench.txt

.PHONY: bench-fetch
bench-fetch: need-go ## one file of 1 GiB, beside curl: speed and memory
	go test -run '^$$' -bench '^BenchmarkFetch$$' -benchtime 1x ./internal/e2e

.PHONY: bench-peers
bench-peers: need-go ## Quire's queue beside other job queues; PEERS='-workloads drain -rounds 1' passes flags
	cd bench/peers && go run . $(PEERS)

.PHONY: bench-schedule
bench-schedule: build ## how near the scheduler comes to the least time; BENCH_SCHEDULE='-workloads A,B' passes flags
	go run ./bench/schedule $(BENCH_SCHEDULE)

.PHONY: bench-live
bench-live: need-go ## how well the end of a run is foretold; BENCH_LIVE='-seeds 4' passes flags
	go run ./bench/live -run $(BENCH_LIVE)

.PHONY: fuzz
fuzz: need-go ## every fuzz target for FUZZTIME each
	@go list ./... | while read -r package; do \
		go test -list '^Fuzz' "$$package" | { grep '^Fuzz' || true; } | while read -r target; do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x "$$package" < /dev/null; \
		done; \
	done

.PHONY: cover
cover: need-go ## test coverage per function, and in all
	go test -count=1 -coverpkg=./... -coverprofile=cover.out ./...
	go tool cover -func=cover.out

.PHONY: need-go
need-go:
	@command -v go > /dev/null || { echo 'go is missing: https://go.dev/dl/, 1.26.6 or later'; exit 1; }
