# The whole vocabulary. `make run` needs Rust and nothing else.

CARGO ?= cargo
SHELL := /bin/sh
SCRIPTS := $(shell git ls-files '*.sh' .ci/run)

.PHONY: help run web check test e2e image test-install test-install-short lint generate fmt bench bench-proxy bench-web

help:
	@echo 'make run    start the panel on port 8080; the first time with a new .env, data folder and administrator'
	@echo 'make web    build the web interface, which the program then holds; needs Node'
	@echo 'make check  format, lints and unit tests, for every commit; needs no database and no browser'
	@echo 'make test   run every test; installs what the tests need where it may'
	@echo 'make e2e    the part of make test with the whole service: contract, chain with a Telegram client, browser'
	@echo 'make image  build the container image of panel and built-in proxy; needs Docker'
	@echo 'make test-install  build the image and install with a real Docker engine; as root, not part of make test'
	@echo 'make test-install-short  the part of it that make test runs where it is root'
	@echo 'make lint   check format, lints, generated files, words and shell scripts'
	@echo 'make generate  make openapi.json of the program, and the types of the web interface of that'
	@echo 'make fmt    format the code'
	@echo 'make bench  measure speed and size of the panel; make bench-proxy: of the built-in proxy'
	@echo 'make bench-web  measure how fast the pages are with 100,000 users'

run: .env
	@sh scripts/web.sh --if-possible
	$(CARGO) build --release --locked --package mtpannel
	@mkdir -p data
	@target/release/mtpannel admin create admin --sudo --unless-any </dev/null
	exec target/release/mtpannel serve

# Made once and never overwritten, because there is no prerequisite that could be newer.
.env:
	@sh scripts/make-env.sh .env

web:
	@sh scripts/web.sh

# Minutes after a build, and without anything beside Rust, Python and Node.
check:
	$(CARGO) fmt --all --check
	@python3 scripts/lint-words.py
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) test --quiet --workspace --lib --test house --locked
	@sh scripts/web.sh --check

# Everything in the repository that is made of something else in it.
generate:
	$(CARGO) run --quiet --locked --package mtpannel -- openapi >target/openapi.json
	@mv target/openapi.json openapi.json
	@sh scripts/web.sh --generate

test:
	@sh scripts/needs.sh test --install
	@sh scripts/web.sh
	cd web && npm test
	bats e2e/install/tests
	@sh scripts/cargo-test.sh
	@$(MAKE) --no-print-directory e2e
	@$(MAKE) --no-print-directory test-install-short
	@echo 'NOT RUN: image build, interruptions, updates and systemd of the installer; run: make test-install (as root, half an hour)'

e2e:
	@sh scripts/needs.sh test --install
	@sh scripts/web.sh
	@sh e2e/contract.sh
	@sh e2e/chain/chain.sh
	PYTHONDONTWRITEBYTECODE=1 target/e2e/python/bin/python e2e/install/routes.py
	PYTHONDONTWRITEBYTECODE=1 target/e2e/python/bin/python e2e/install/acme.py
	node e2e/browser/journeys.mjs
	node e2e/browser/shots.mjs
	node e2e/browser/size.mjs

image:
	DOCKER_BUILDKIT=1 docker build --file deploy/Dockerfile --tag panel:local .

# A job of its own: it takes a Docker engine, root and half an hour.
test-install:
	@sh scripts/needs.sh test-install --install
	e2e/install/image.sh
	e2e/install/docker.sh

# Installs, lets a client connect, and removes, in a few minutes.
test-install-short:
	e2e/install/short.sh

lint:
	@sh scripts/needs.sh lint --install
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) check --quiet --locked --manifest-path fuzz/Cargo.toml
	@$(MAKE) --no-print-directory generate
	@git diff --exit-code --stat openapi.json web/src/api/schema.d.ts || { echo 'these were not made anew (make generate); they are now, commit them' >&2; exit 1; }
	@python3 scripts/lint-words.py
	@sh scripts/web.sh --lint
	shellcheck $(SCRIPTS)
	shfmt -i 4 -ci -d $(SCRIPTS)
	@sh scripts/lint-deploy.sh

fmt:
	$(CARGO) fmt --all
	shfmt -i 4 -ci -w $(SCRIPTS)

bench:
	@sh scripts/needs.sh bench --install
	$(CARGO) bench --locked --package mtpannel --bench service

bench-proxy:
	$(CARGO) bench --locked --package mtpannel-proxy --bench proxy

bench-web: web
	$(CARGO) build --release --locked --package mtpannel
	MTPANNEL="$(CURDIR)/target/release/mtpannel" node e2e/browser/large.mjs
