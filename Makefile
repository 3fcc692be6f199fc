# SPDX-License-Identifier: GPL-2.0
#
# KDIR: the kernel to build against. Default: the running kernel's headers, else the newest installed.

ifeq ($(origin KDIR),undefined)
KDIR := $(realpath /lib/modules/$(shell uname -r)/build)
ifeq ($(KDIR),)
KDIR := $(realpath $(lastword $(shell printf '%s\n' /lib/modules/*/build | sort -V)))
endif
endif

PREFIX ?= /usr/local
INSTALL_MOD_PATH ?= $(DESTDIR)
headers = $(DESTDIR)$(PREFIX)/include/rundown
# What uname -r says under it. (kernel.release and `make kernelrelease' differ in Debian's 6.1.)
release = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h 2>/dev/null)
symvers = $(DESTDIR)$(PREFIX)/lib/rundown/$(release)
kbuild = $(MAKE) -C $(KDIR) M=$(CURDIR)

.DEFAULT_GOAL := modules
.PHONY: modules tests programs clean install uninstall check check-all selftests demo kunit lint bench \
	bench-publish bench-compare prove mutants coverage deb help kdir

modules: kdir ## build rundown.ko against KDIR
	+$(kbuild) modules

tests: kdir ## build the test and demo modules, too
	@grep -qs '^CONFIG_KUNIT=' $(KDIR)/include/config/auto.conf || \
		echo "rundown: this kernel has no KUnit: kunit/ is left out"
	+$(kbuild) RUNDOWN_TESTS=y modules

kdir:
	@test -n "$(KDIR)" || { echo "rundown: no kernel headers are installed:" \
		"apt-get install linux-headers-amd64, or give KDIR=" >&2; exit 1; }
	@test -e $(KDIR)/include/config/auto.conf || { echo "rundown: KDIR=$(KDIR) is not a" \
		"configured kernel, or not the headers of one" >&2; exit 1; }
	@echo "rundown: against kernel $(release) in $(KDIR)"

# Where programs go: beside their source. For another architecture give CXX and PROGRAMS_DIR.
hotplug_program = $(or $(PROGRAMS_DIR),selftests/hotplug)/rundown-hotplug
stress_program = $(or $(PROGRAMS_DIR),selftests/stress)/rundown-stress
bench_program = $(or $(PROGRAMS_DIR),selftests/bench)/rundown-bench

programs: $(hotplug_program) $(stress_program) $(bench_program) ## build the user programs (C++20; CXX, PROGRAMS_DIR)

CXXFLAGS ?= -O2
build_program = $(CXX) -std=c++20 -Wall -Wextra -Werror $(CXXFLAGS) -static -pthread -o $@ $(filter %.cc,$^)
$(hotplug_program): $(wildcard selftests/hotplug/*.cc selftests/hotplug/*.h)
	$(build_program)

$(stress_program): $(wildcard selftests/stress/*.cc selftests/stress/*.hh)
	$(build_program)

$(bench_program): selftests/bench/rundown-bench.cc
	$(build_program)

report_sources = $(addprefix selftests/bench/,report.cc results.cc tables.cc plots.cc)
build/bench/rundown-bench-report: $(report_sources) $(wildcard selftests/bench/*.hh)
	@mkdir -p $(@D)
	$(CXX) -std=c++20 -Wall -Wextra -Werror $(CXXFLAGS) -o $@ $(filter %.cc,$^)

install: modules ## install rundown.ko, headers and Module.symvers (DESTDIR, PREFIX, INSTALL_MOD_PATH)
	+$(kbuild) INSTALL_MOD_PATH=$(abspath $(INSTALL_MOD_PATH)) CONFIG_MODULE_SIG_ALL= modules_install
	install -D -m 644 -t $(headers) module/include/*.h
	install -D -m 644 -t $(symvers) Module.symvers

uninstall: kdir ## remove what install put there, for this kernel
	$(RM) $(addprefix $(headers)/,$(notdir $(wildcard module/include/*.h)))
	$(RM) $(symvers)/Module.symvers
	$(RM) $(INSTALL_MOD_PATH)/lib/modules/$(release)/updates/rundown.ko* \
		$(INSTALL_MOD_PATH)/lib/modules/$(release)/extra/rundown.ko*
	-rmdir --ignore-fail-on-non-empty $(headers) $(symvers) $(dir $(symvers))

deb: ## make the Debian package rundown-dkms in build/deb/ (SOURCE_DATE_EPOCH), and have lintian look at it
	@module/debian/build

demo: ## boot a stock 6.12 kernel in QEMU: unplug a device 1,000 times while it is read; find a leak
	selftests/hotplug/demo

check: ## run all tests: lint, builds, stock kernels, KUnit; ends with "N passed, N failed"
	selftests/check

check-all: ## run the matrix of kernels (CELL=name,name PROFILE=long JOBS=n); ends with a table
	selftests/matrix $(if $(CELL),--cells $(CELL)) $(if $(JOBS),--jobs $(JOBS))

selftests: ## run the kselftests on this machine, as root; modules go in and out (TESTS=, PROFILE=long)
	selftests/run $(TESTS)

kunit: ## run the KUnit suites in a debug kernel (KERNEL=debug: selftests/vm/kernels)
	selftests/check kunit

lint: ## checkpatch, sparse, W=1, kernel-doc, clang-format, shellcheck
	selftests/check lint

bench: ## measure run-down protection beside its peers, natively and in a kernel (KERNEL=6.12|7.3)
	selftests/bench/bench $(if $(KERNEL),--kernel $(KERNEL))

bench-publish: ## put what `make bench' measured into README and selftests/bench/results
	selftests/bench/bench publish

bench-compare: ## measure against another revision's module (BASE=rev KERNEL=6.12|7.3), natively
	selftests/bench/bench $(if $(KERNEL),--kernel $(KERNEL)) compare $(BASE)

prove: ## search the models, check the litmus tests, a few mutants, the coverage
	selftests/check prove mutants coverage

mutants: ## break the module in one place at a time: do the tests notice? (ONLY=name,name PART=i/n JOBS=n AGAIN=1)
	selftests/mutants/run $(if $(ONLY),--only $(ONLY)) $(if $(PART),--part $(PART)) \
		$(if $(JOBS),--jobs $(JOBS)) $(if $(AGAIN),--again)

coverage: ## which lines of module/ does no test run?
	selftests/mutants/coverage

clean: ## remove what was built here; built kernels stay in the cache
	$(if $(KDIR),+$(kbuild) RUNDOWN_TESTS=y clean)
	$(RM) -r build selftests/hotplug/rundown-hotplug selftests/stress/rundown-stress \
		selftests/bench/rundown-bench

help: ## list the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18
