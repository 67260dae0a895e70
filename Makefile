# clustercheck suite. `make help` lists the targets.
#
# One program is one directory with its sources and its manual page; lib/ is what programs share. Everything that
# is built goes under $(BUILD).

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
BINDIR      = $(PREFIX)/bin
MANDIR      = $(PREFIX)/share/man/man8
DOCDIR      = $(PREFIX)/share/doc/galera-suite
LIBEXECDIR  = $(PREFIX)/libexec
UNITDIR     = $(PREFIX)/lib/systemd/system
COMPLETIONS = $(PREFIX)/share/bash-completion/completions
DESTDIR    ?=

PROGRAMS    = $(patsubst %/main.c,%,$(wildcard clustercheck/main.c galera-*/main.c))
DIRECTORIES = $(sort $(patsubst %/,%,$(dir $(wildcard clustercheck/*.c galera-*/*.c))))

# STATIC=1 links clustercheck statically, SANITIZE=1 builds with ASan and UBSan; each in a directory of its own.
BUILD ?= build$(if $(STATIC),/static)$(if $(SANITIZE),/sanitize)

CC       ?= cc
CFLAGS   ?= -O2 -g
VERSION  := $(shell sed -n 's/.*SUITE_VERSION "\(.*\)"/\1/p' lib/version.h)

# --- flags -----------------------------------------------------------------------------------------------------

# A flag that this compiler does not know is left out.
probe = $(foreach flag,$(1),$(shell $(CC) $(flag) -Werror -x c -c /dev/null -o /dev/null 2>/dev/null && echo $(flag)))

WARNINGS := -Wall -Wextra -Wpedantic -Wformat=2 -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wredundant-decls -Wwrite-strings -Wcast-qual -Wpointer-arith -Wundef \
	-Wvla -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference \
	$(call probe,-Wduplicated-cond -Wduplicated-branches -Wlogical-op)
ifeq ($(CI),true)
WARNINGS += -Werror
endif

ifdef SANITIZE
HARDENING := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LINKING   := -fsanitize=address,undefined
else
HARDENING := -D_FORTIFY_SOURCE=3 $(call probe,-fstack-protector-strong -fstack-clash-protection) -fPIE
LINKING    = $(if $(STATIC_LINK),-static-pie,-pie) -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed
endif

# pkg-config is asked when a recipe runs, not when make starts: `make deps` may have to install it first.
STATIC_PC     = $(if $(STATIC),--static)
MYSQL_PC      = $(shell pkg-config --exists mysqlclient 2>/dev/null && echo mysqlclient || echo libmariadb)
mysql_CFLAGS  = $(shell pkg-config --cflags $(MYSQL_PC))
mysql_LIBS    = $(shell pkg-config $(STATIC_PC) --libs $(MYSQL_PC))
inih_LIBS     = $(shell pkg-config $(STATIC_PC) --libs inih)
curl_LIBS     = $(shell pkg-config --libs libcurl)
jansson_LIBS  = $(shell pkg-config --libs jansson)
cmocka_LIBS   = $(shell pkg-config --libs cmocka)

ALL_CPPFLAGS = -D_GNU_SOURCE -Ilib -include lib/banned.h $(CPPFLAGS)
ALL_CFLAGS   = -std=c11 $(WARNINGS) $(HARDENING) $(CFLAGS)
ALL_LDFLAGS  = $(LINKING) $(LDFLAGS)

# --- what is built ---------------------------------------------------------------------------------------------

# What each program is linked with. clustercheck is started for every check, so it gets no library that it can do without.
clustercheck_LIBS    = $(mysql_LIBS) $(inih_LIBS) -pthread
suite_LIBS           = $(mysql_LIBS) $(inih_LIBS) $(curl_LIBS) $(jansson_LIBS) -pthread
galera-register_LIBS = $(suite_LIBS)
galera-discover_LIBS = $(suite_LIBS)
galera-init_LIBS     = $(suite_LIBS)
galera-haproxy_LIBS  = $(suite_LIBS)

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard $(1)/*.c))

LIB_OBJECTS   = $(call objects,lib)
PROGRAM_FILES = $(PROGRAMS:%=$(BUILD)/bin/%)
MANUALS       = $(foreach p,$(PROGRAMS),$(wildcard $(p)/$(p).8)) $(wildcard conf/accounts/*.8)
UNIT_TESTS    = $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/*/test_*.c))
REPLAYS       = $(patsubst tests/fuzz/fuzz_%.c,$(BUILD)/tests/fuzz/replay_%,$(wildcard tests/fuzz/fuzz_*.c))
BENCH_TOOLS   = $(BUILD)/bench/checkload $(BUILD)/bench/spawntime $(BUILD)/bench/empty $(BUILD)/bench/sqlcost

.DEFAULT_GOAL = all
.PHONY: all
all: $(PROGRAM_FILES) ## build the programs (STATIC=1: clustercheck statically linked)

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(if $(filter lib/node.c,$<),$(mysql_CFLAGS)) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/libsuite.a: $(LIB_OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $^

# Everything of a program but its main, so that unit tests can link it.
define archive_rules
$(BUILD)/$(1).a: $(filter-out %/main.o,$(call objects,$(1)))
	@rm -f $$@
	$$(AR) rcs $$@ $$^
endef
$(foreach d,$(DIRECTORIES),$(eval $(call archive_rules,$(d))))

define program_rules
$(BUILD)/bin/$(1): $(BUILD)/obj/$(1)/main.o $(BUILD)/$(1).a $(BUILD)/libsuite.a
	@mkdir -p $$(@D)
	$$(CC) $$(ALL_LDFLAGS) $$^ $$($(1)_LIBS) -o $$@
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rules,$(p))))

# The others run for long, and Debian's static libcurl lacks the libraries that it needs itself.
$(BUILD)/bin/clustercheck: STATIC_LINK = $(STATIC)

# A unit test in tests/unit/NAME/ is linked with the program NAME (tests/unit/lib: with lib alone) and with what is in
# tests/unit/NAME/support/.
unit_program = $(filter $(DIRECTORIES),$(notdir $(patsubst %/,%,$(dir $(1)))))

# These get an etcd in memory in place of lib/etcd.o: objects come before archives.
FAKED_ETCD = galera-register/test_store_v2 galera-register/test_store_v3 galera-register/test_histories lib/test_registry_watch \
	galera-init/test_keys_etcd galera-init/test_carry galera-init/test_carry_faults galera-haproxy/test_agreement galera-haproxy/test_leases

$(FAKED_ETCD:%=$(BUILD)/tests/unit/%): $(call objects,tests/unit/fake_etcd)

# Objects of tests are kept, else every change in lib/ compiles all of them again.
.SECONDARY:

.SECONDEXPANSION:
$(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o \
		$$(addprefix $(BUILD)/obj/,$$(addsuffix .o,$$(basename $$(wildcard tests/unit/$$(dir $$*)support/*.c)))) \
		$$(addprefix $(BUILD)/,$$(addsuffix .a,$$(call unit_program,$$*))) $(BUILD)/libsuite.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $(filter %.o,$^) $(filter %.a,$^) $(cmocka_LIBS) $(or $($(call unit_program,$*)_LIBS),$(suite_LIBS)) -o $@

$(foreach p,$(DIRECTORIES),$(eval $(BUILD)/obj/tests/unit/$(p)/%.o: ALL_CPPFLAGS += -I$(p)))

# A fuzz target is linked with clustercheck unless another program is named here.
fuzz_grastate_PROGRAM  = galera-init
fuzz_recover_PROGRAM   = galera-init
fuzz_keys_PROGRAM      = galera-init
fuzz_statefile_PROGRAM = galera-init
fuzz_haproxy_PROGRAM   = galera-haproxy
fuzz_program           = $(or $(fuzz_$(1)_PROGRAM),clustercheck)

$(BUILD)/obj/tests/fuzz/%.o: ALL_CPPFLAGS += -I$(call fuzz_program,$(patsubst fuzz_%,%,$(notdir $*)))

$(BUILD)/tests/fuzz/replay_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/obj/tests/fuzz/replay.o \
		$$(BUILD)/$$(call fuzz_program,$$*).a $(BUILD)/libsuite.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(suite_LIBS) -o $@

$(BUILD)/bench/%: tests/bench/%.c tests/bench/sample.c tests/bench/sample.h Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(if $(filter sqlcost,$*),$(mysql_CFLAGS)) $(ALL_CFLAGS) $< \
		$(if $(filter empty,$*),,tests/bench/sample.c $(ALL_LDFLAGS)) $(if $(filter sqlcost,$*),$(mysql_LIBS)) -o $@

# --- Debian packages -------------------------------------------------------------------------------------------

DEPS_BUILD = gcc libc6-dev pkg-config default-libmysqlclient-dev libssl-dev libinih-dev libcurl4-openssl-dev libjansson-dev
DEPS_RUN   = mariadb-server mariadb-client mariadb-backup galera-4 etcd-server etcd-client haproxy xinetd rsync socat lsof \
	iproute2 procps openssl python3 zstd
DEPS_TEST  = libcmocka-dev libasan8 libubsan1 prometheus python3-jsonschema systemd rsyslog rsyslog-gnutls rsyslog-elasticsearch
DEPS_BENCH = nginx
DEPS_DEB   = debhelper lintian fakeroot dpkg-dev
DEPS_RPM   = rpm
DEPS_MACHINES = debootstrap
DEPS_CONTAINER = buildah
DEPS_LINT  = clang clang-format clang-tidy libclang-rt-14-dev cppcheck shellcheck mandoc valgrind

.PHONY: deps deps-lint deps-bench
deps: ## install the Debian packages that are missing (as root)
	@.ci/deps $(DEPS_BUILD) $(DEPS_RUN) $(DEPS_TEST)

deps-bench: deps
	@.ci/deps $(DEPS_BENCH)

deps-lint: deps ## ... and those of lint, fuzz and valgrind
	@.ci/deps $(DEPS_LINT)

# Left to itself, make compiles on one processor; whoever says -j has said how many.
SUBMAKE = --no-print-directory $(if $(findstring --jobserver,$(MAKEFLAGS)),,-j$(or $(shell nproc 2>/dev/null),2) --output-sync)

# --- tests -----------------------------------------------------------------------------------------------------

# `make test` and `make demo` do everything on a fresh machine: packages first, then a make that sees them.
.PHONY: demo test unit system bench 
demo: deps ## build, start a real cluster on loopback and show it working
	@$(MAKE) $(SUBMAKE) all
	@BUILD=$(BUILD) tests/lab/demo

test: deps ## build and run every test; the last line is "N passed, N failed"
	@$(MAKE) $(SUBMAKE) all unit-programs bench-tools sanitized
	@BUILD=$(BUILD) tests/run --unit $(UNIT_TESTS) --replay $(REPLAYS:$(BUILD)/%=$(BUILD)/sanitize/%) --system

unit: deps ## the unit tests alone
	@$(MAKE) $(SUBMAKE) unit-programs replays
	@BUILD=$(BUILD) tests/run --unit $(UNIT_TESTS) --replay $(REPLAYS)

system: deps ## the system tests alone; SUITE="lab check" chooses, JOBS run side by side
	@$(MAKE) $(SUBMAKE) all bench-tools
	@BUILD=$(BUILD) tests/run --system $(SUITE)

.PHONY: unit-programs replays bench-tools
unit-programs: $(UNIT_TESTS)
replays: $(REPLAYS)
bench-tools: $(BENCH_TOOLS)

bench: deps-bench ## measure, as ratios in one run; PEER=path compares another checker
	@$(MAKE) $(SUBMAKE) all bench-tools
	@$(MAKE) $(SUBMAKE) STATIC=1 BUILD=$(BUILD)/static all
	@BUILD=$(BUILD) PEER=$(PEER) tests/bench/bench

.PHONY: bench-init
bench-init: deps ## measure first boots and recoveries of three nodes under galera-init
	@$(MAKE) $(SUBMAKE) all
	@BUILD=$(BUILD) tests/bench/init_times

.PHONY: bench-stall
bench-stall: deps ## the pause of writes after kill -9 of a node: Galera's default timeouts and those of conf/galera.cnf
	@$(MAKE) $(SUBMAKE) all
	@BUILD=$(BUILD) tests/bench/stall -n 10
	@BUILD=$(BUILD) tests/bench/stall --load 60

.PHONY: bench-failover
bench-failover: deps ## what clients see of kills and clean stops, beside Galera's own write stall (20 kills: 10 minutes)
	@$(MAKE) $(SUBMAKE) all
	@BUILD=$(BUILD) tests/bench/failover

# --- soak ------------------------------------------------------------------------------------------------------

# Registrations and members of etcd come and go at random; then the registry must equal the living. `make test` has a short
# form of it. A failure names its SOAK_SEED, which repeats the run.
SOAK_SECONDS ?= 3600
SOAK_CHECKS  ?= 1000000
SOAK_STATES  ?= 3000000
SOAK_WALKS   ?= 50000

# Histories of a cluster under galera-init; a failure names its INIT_SEED.
INIT_HISTORIES ?= 300

.PHONY: soak
soak: deps ## galera-init's model far further, a million checks of the resident service, churn in the registry for SOAK_SECONDS=3600, INIT_HISTORIES=300
	@$(MAKE) $(SUBMAKE) all bench-tools $(BUILD)/tests/unit/galera-init/test_model
	@BUILD=$(BUILD) MODEL_STATES=$(SOAK_STATES) MODEL_WALKS=$(SOAK_WALKS) tests/run --timeout 7200 \
		--unit $(BUILD)/tests/unit/galera-init/test_model
	@BUILD=$(BUILD) SOAK_CHECKS=$(SOAK_CHECKS) tests/run --system resident_timing -k no_growth --timeout 1800
	@BUILD=$(BUILD) SOAK_SECONDS=$(SOAK_SECONDS) SOAK_SEED=$(SOAK_SEED) tests/run --system registry_soak \
		--timeout $$(($(SOAK_SECONDS) + 600))
	@BUILD=$(BUILD) INIT_THOROUGH=1 tests/run --system init_steps --timeout 3600
	@BUILD=$(BUILD) INIT_HISTORIES=$(INIT_HISTORIES) INIT_SECONDS=86400 INIT_SEED=$(or $(INIT_SEED),random) tests/run --system init_soak \
		--timeout 90000

# --- sanitizers and valgrind ------------------------------------------------------------------------------------

.PHONY: sanitize sanitized valgrind
sanitized:
	@$(MAKE) $(SUBMAKE) SANITIZE=1 BUILD=$(BUILD)/sanitize all unit-programs replays

sanitize: deps ## the unit and system tests under ASan and UBSan, leaks included
	@$(MAKE) $(SUBMAKE) sanitized bench-tools
	@mkdir -p $(BUILD)/sanitize/bench && cp $(BENCH_TOOLS) $(BUILD)/sanitize/bench/
	@BUILD=$(BUILD)/sanitize tests/run --unit $(UNIT_TESTS:$(BUILD)/%=$(BUILD)/sanitize/%) \
		--replay $(REPLAYS:$(BUILD)/%=$(BUILD)/sanitize/%) --system $(SUITE)

valgrind: deps-lint ## the unit tests under valgrind
	@$(MAKE) $(SUBMAKE) unit-programs
	@set -e; for program in $(UNIT_TESTS); do \
		echo "valgrind $$program"; \
		valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite \
			--trace-children=yes $$program > $(BUILD)/valgrind.out 2>&1 || \
			{ cat $(BUILD)/valgrind.out; exit 1; }; \
	done

# --- linters ---------------------------------------------------------------------------------------------------

LINT_C      = $(wildcard lib/*.c clustercheck/*.c galera-*/*.c)
LINT_FORMAT = $(wildcard lib/*.[ch] clustercheck/*.[ch] galera-*/*.[ch] tests/unit/*.[ch] tests/unit/*/*.[ch] tests/fuzz/*.[ch] \
	tests/bench/*.[ch])
LINT_FLAGS  = -std=c11 -D_GNU_SOURCE -Ilib -include lib/banned.h $(mysql_CFLAGS)

.PHONY: lint
lint: deps-lint ## clang-format, clang-tidy, cppcheck, gcc -fanalyzer, shellcheck, mandoc
	clang-format --dry-run -Werror $(LINT_FORMAT)
	clang-tidy --quiet $(LINT_C) -- $(LINT_FLAGS)
	cppcheck --quiet --std=c11 --enable=warning,performance,portability,style --inline-suppr --error-exitcode=1 \
		--suppress=variableScope --suppress=knownConditionTrueFalse --suppress=internalAstError -D_GNU_SOURCE -Ilib $(LINT_C)
	set -e; for file in $(LINT_C); do \
		gcc $(LINT_FLAGS) -O2 -fanalyzer -Wno-analyzer-malloc-leak -Werror -c $$file -o /dev/null; done
	shellcheck .ci/run .ci/deps conf/rsyslog/galera-log $(addprefix conf/container/,node balancer variables) tests/bench/classic.sh $(SCRIPTS) conf/bash-completion/clustercheck debian/*.postinst debian/*.prerm debian/*.postrm
	! mandoc -T lint -W warning $(MANUALS) | grep .

# --- fuzzing ---------------------------------------------------------------------------------------------------

# Every tests/fuzz/fuzz_NAME.c, with the sources compiled again by clang. What libFuzzer finds new stays under $(BUILD)/fuzz;
# an input that broke something belongs into tests/fuzz/corpus/NAME/, which `make test` replays.
FUZZ_SECONDS ?= 60
FUZZ_NAMES    = $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: fuzz fuzz-programs
fuzz: deps-lint ## run every fuzz target for FUZZ_SECONDS=60 each
	@$(MAKE) $(SUBMAKE) CC=clang SANITIZE=1 BUILD=$(BUILD)/fuzz CFLAGS='-O1 -g -fsanitize=fuzzer-no-link' fuzz-programs
	@set -e; for name in $(FUZZ_NAMES); do \
		echo "fuzz $$name: $(FUZZ_SECONDS) s"; \
		mkdir -p $(BUILD)/fuzz/corpus/$$name; \
		$(BUILD)/fuzz/tests/fuzz/fuzz_$$name -max_total_time=$(FUZZ_SECONDS) -timeout=10 -max_len=10000 -print_final_stats=1 \
			-verbosity=0 -artifact_prefix=$(BUILD)/fuzz/$$name- $(BUILD)/fuzz/corpus/$$name tests/fuzz/corpus/$$name; \
	done

fuzz-programs: $(FUZZ_NAMES:%=$(BUILD)/tests/fuzz/fuzz_%)

$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $$(BUILD)/$$(call fuzz_program,$$*).a $(BUILD)/libsuite.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer $^ $(suite_LIBS) -o $@

# --- Debian packages and containers -----------------------------------------------------------------------------

# In a copy of the tree: packages are built beside their sources, with debian/ full of drafts.
.PHONY: deb deb-packages
deb: deps ## build the Debian packages clustercheck and galera-suite, and ask lintian
	@.ci/deps $(DEPS_DEB)
	@$(MAKE) $(SUBMAKE) deb-packages

deb-packages:
	@rm -rf $(BUILD)/deb
	@mkdir -p $(BUILD)/deb/source
	tar -c --exclude-vcs --exclude=./build --exclude=./$(BUILD) --exclude=__pycache__ . | tar -x -C $(BUILD)/deb/source
	cd $(BUILD)/deb/source && dpkg-buildpackage --build=binary --no-sign --jobs=2
	lintian --fail-on error,warning,info --info $(BUILD)/deb/*.changes

.PHONY: rpm
rpm: deps ## build the RPM packages clustercheck and galera-suite (on Debian too, to look at them)
	@.ci/deps $(DEPS_RPM)
	@rm -rf $(BUILD)/rpm
	@mkdir -p $(BUILD)/rpm/SOURCES
	tar -cz --exclude-vcs --exclude=./build --exclude=./$(BUILD) --exclude=__pycache__ --transform='s|^\.|clustercheck-suite-$(VERSION)|' \
		-f $(BUILD)/rpm/SOURCES/clustercheck-suite-$(VERSION).tar.gz .
	rpmbuild -bb --define "_topdir $(abspath $(BUILD))/rpm" --define "suite_version $(VERSION)" $(if $(wildcard /etc/debian_version),--nodeps) \
		rpm/clustercheck-suite.spec
	@BUILD=$(BUILD) tests/run --system rpm

# These need root, overlayfs and cgroup v2: each machine is a Debian of its own with systemd in it. The first run makes the
# file systems from this machine's apt sources, which takes minutes.
.PHONY: test-deb test-container test-guide test-install test-units
test-deb: deb ## the packages on a machine: installed, upgraded, removed, purged
	@.ci/deps $(DEPS_MACHINES)
	@BUILD=$(BUILD) tests/run --system deb --timeout 1800

test-container: deps ## the images: built by buildah, three nodes and a balancer run from them, by themselves and by the units for fleet
	@.ci/deps $(DEPS_MACHINES) $(DEPS_CONTAINER)
	@BUILD=$(BUILD) tests/run --system container -j 1 --timeout 5400

test-guide: deb ## docs/: every guide, followed on machines as it stands there
	@.ci/deps $(DEPS_MACHINES)
	@BUILD=$(BUILD) tests/run --system guide --timeout 7200

test-install: deps ## `make install` on fresh machines, used by the documented steps, and uninstalled
	@$(MAKE) $(SUBMAKE) all
	@.ci/deps $(DEPS_MACHINES)
	@BUILD=$(BUILD) tests/run --system fresh --timeout 3600

test-units: deps ## the units under a systemd of their own, on one machine
	@$(MAKE) $(SUBMAKE) all
	@.ci/deps $(DEPS_MACHINES)
	@BUILD=$(BUILD) tests/run --system machine_units --timeout 1800

# --- installation ----------------------------------------------------------------------------------------------

# Files that are installed as they are, but for the place of the programs in them.
UNITS      = $(wildcard conf/systemd/*.service conf/systemd/*.socket conf/systemd/*.timer conf/systemd/*.target)
DROPLETS   = $(wildcard conf/sysusers.d/*.conf conf/tmpfiles.d/*.conf)
ADMINS     = conf/clustercheck.conf:clustercheck.conf $(foreach s,$(wildcard xinetd.d/*),$(s):$(s)) \
	$(foreach c,$(wildcard conf/rsyslog/*.conf),$(c):galera-log/$(notdir $(c)))
SCRIPTS    = conf/accounts/galera-accounts
HELPERS    = conf/rsyslog/galera-log
COMMANDS   = $(PROGRAMS) $(notdir $(SCRIPTS))
DROPINS    = $(wildcard conf/systemd/*.d)
EXAMPLES   = $(filter-out %/accounts %/bash-completion %/systemd %/sysusers.d %/tmpfiles.d,$(wildcard conf/*))
PLACED     = sed 's|/usr/bin/|$(BINDIR)/|g; s|/usr/libexec/|$(LIBEXECDIR)/|g; s|/usr/share/doc/galera-suite/|$(DOCDIR)/|g'

.PHONY: install uninstall
install: all ## install below DESTDIR (PREFIX, SYSCONFDIR); configuration files that exist are kept
	install -d $(addprefix $(DESTDIR),$(BINDIR) $(LIBEXECDIR) $(MANDIR) $(DOCDIR)/examples $(UNITDIR) $(COMPLETIONS) \
		$(SYSCONFDIR)/xinetd.d $(SYSCONFDIR)/galera-log $(PREFIX)/lib/sysusers.d $(PREFIX)/lib/tmpfiles.d)
	install -m 0755 $(PROGRAM_FILES) $(SCRIPTS) $(DESTDIR)$(BINDIR)
	install -m 0644 $(MANUALS) $(DESTDIR)$(MANDIR)
	install -m 0755 $(HELPERS) $(DESTDIR)$(LIBEXECDIR)
	cp -R $(wildcard docs) README.md CHANGELOG.md LICENSE $(DESTDIR)$(DOCDIR)
	cp -R $(EXAMPLES) $(DROPINS) $(DESTDIR)$(DOCDIR)/examples
	set -e; for unit in $(UNITS); do $(PLACED) $$unit > $(DESTDIR)$(UNITDIR)/$${unit##*/}; done
	set -e; for file in $(DROPLETS:conf/%=%); do install -m 0644 conf/$$file $(DESTDIR)$(PREFIX)/lib/$$file; done
	install -m 0644 conf/bash-completion/clustercheck $(DESTDIR)$(COMPLETIONS)
	set -e; for name in $(filter-out clustercheck,$(COMMANDS)); do ln -sf clustercheck $(DESTDIR)$(COMPLETIONS)/$$name; done
	set -e; for pair in $(ADMINS); do \
		file=$(DESTDIR)$(SYSCONFDIR)/$${pair#*:}; test -e $$file || { $(PLACED) $${pair%:*} > $$file; chmod 0644 $$file; }; \
	done

uninstall: ## remove what install put there, except configuration files that were edited
	rm -f $(addprefix $(DESTDIR)$(BINDIR)/,$(COMMANDS)) $(addprefix $(DESTDIR)$(MANDIR)/,$(notdir $(MANUALS))) \
		$(addprefix $(DESTDIR)$(COMPLETIONS)/,$(COMMANDS)) $(addprefix $(DESTDIR)$(UNITDIR)/,$(notdir $(UNITS))) \
		$(DROPLETS:conf/%=$(DESTDIR)$(PREFIX)/lib/%) $(addprefix $(DESTDIR)$(LIBEXECDIR)/,$(notdir $(HELPERS)))
	rm -rf $(DESTDIR)$(DOCDIR)
	set -e; for pair in $(ADMINS); do \
		file=$(DESTDIR)$(SYSCONFDIR)/$${pair#*:}; ! $(PLACED) $${pair%:*} | cmp -s - $$file || rm $$file; \
	done
	for directory in $(UNITDIR) $(PREFIX)/lib/systemd $(PREFIX)/lib/sysusers.d $(PREFIX)/lib/tmpfiles.d $(COMPLETIONS) \
		$(PREFIX)/share/bash-completion $(LIBEXECDIR) $(SYSCONFDIR)/xinetd.d $(SYSCONFDIR)/galera-log; do \
		rmdir --ignore-fail-on-non-empty $(DESTDIR)$$directory 2> /dev/null || true; \
	done

# --- housekeeping ----------------------------------------------------------------------------------------------

.PHONY: dist clean help
dist: ## a source archive of the committed tree
	@mkdir -p $(BUILD)
	git archive --prefix=clustercheck-suite-$(VERSION)/ -o $(BUILD)/clustercheck-suite-$(VERSION).tar.gz HEAD

clean: ## remove everything that was built
	rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | sort | while IFS='	' read -r target text; do \
		printf '  %-12s %s\n' "$$target" "$$text"; done

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
