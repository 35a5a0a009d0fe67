# Covey. A new machine needs only `make demo` and `make test`; see README.md.
#
#   make build             the library, header, pkg-config and CMake files, under .build-out
#   make install           installs the same under PREFIX (default /usr/local), with DESTDIR and LIBDIR (default lib, relative
#                          to PREFIX); make uninstall removes it
#   make deb               Debian packages under dist: libcovey1, libcovey-dev, python3-covey; lintian must accept them
#   make demo              runs the whole pipeline on the sample in examples/data
#   make examples          the programs of examples/c, into .build-out/examples
#   make jar               the Java binding with the library inside, its pom, sources and Javadoc, under dist
#   make docs              the documentation site, under .build-out/docs/html, which needs no network when it is read
#   make wheel, make sdist the Python package under dist: with the library, or with the sources of both, for pip and Swift
#   make test              every suite; make test-swift, test-abi, test-package and others run one suite
#   make format            formats Swift, C, Java and Python; make test-format says what is not formatted
#   make check-memory      the C ABI suite under valgrind
#   make fuzz              libFuzzer on every target of Tests/Fuzz; make fuzz FUZZ_SECONDS=3600 FUZZ_TARGETS=engine
#   make check-linux       the library and the wheel in a Debian 11, and a scan of their symbols
#   make check-host        the slow checks of a good guest: sanitizers, all faults, 10,000 rounds; see CONTRIBUTING.md
#   make check-processors  the same bytes on an emulated Nehalem and Haswell and here; prints what differs
#   make check-datasets    clustering against hdbscan on every set of the development data (about three minutes)
#   make check-tables      the Python tables with the oldest versions of pandas, pyarrow, polars and DuckDB
#   make check-spark       covey.spark in full: partitions, failures, two executors, the example (about 15 minutes)
#   make check-large       clustering with more than 2^31 neighbours (14 GB, about ten minutes)
#   make bench             Covey and its peers on the same input; make bench-cluster BENCH_OPTIONS=--help
#   make bench-fraud       what covey.find finds on sets with few known frauds, beside peers, with marks
#   make bench-explain     which events explanations find, how faithful they are, and what they cost
#   make bench-embed-quality  what embeddings of encoders trained without labels know, beside CoLES
#   make abi-baseline      accepts additions to the C interface

VERSION := $(shell sed -n 's/^\#define COVEY_VERSION_\(MAJOR\|MINOR\|PATCH\) //p' include/covey.h | paste -sd.)
SOVERSION := $(firstword $(subst ., ,$(VERSION)))
PREFIX ?= /usr/local
# The folder of libraries in PREFIX: lib64 or lib/x86_64-linux-gnu where these are usual.
LIBDIR ?= lib
SWIFT ?= swift
PYTHON ?= python3
export SWIFT

# The Python environment of the tests. Packages come by lists that name each with its version and hash (make lock).
VENV := .venv-test
INSTALL_LOCKED := install --quiet --disable-pip-version-check --require-hashes

# The built files, in the layout of an installation: lib/, include/, lib/pkgconfig, lib/cmake.
OUT := .build-out
STAGED := $(abspath $(OUT))
LIBRARY := $(OUT)/lib/libcovey.so.$(VERSION)
SWIFT_BUILD := .build-release
# Tables that are bound when the library is loaded and read-only from then on, no search path of its own.
HARDENED := -Xswiftc -use-ld=lld -Xlinker -z -Xlinker relro -Xlinker -z -Xlinker now -Xlinker -z -Xlinker nostart-stop-gc \
	-Xlinker -T -Xlinker $(CURDIR)/packaging/sections.ld --disable-local-rpath
# The library loads with glibc 2.27 and later, though it is built with a newer one; see packaging/linux/older.c.
GLIBC := 2.27
OLDER := $(OUT)/older.o
OLDER_LINK := $(addprefix -Xlinker ,$(STAGED)/older.o -l:libpthread.so.0 -l:libdl.so.2)
LINK := -Xswiftc -static-stdlib -Xlinker --version-script=$(CURDIR)/packaging/libcovey.map \
	-Xlinker -soname=libcovey.so.$(SOVERSION) -Xlinker -z -Xlinker defs -Xlinker --gc-sections $(HARDENED) $(OLDER_LINK)
SOURCES := Package.swift packaging/libcovey.map packaging/sections.ld $(shell find Sources include -type f)

.PHONY: all build install uninstall clean prepare prepare-test test
all: build

prepare:
	@packaging/prepare
prepare-test:
	@packaging/prepare test

build: $(LIBRARY)

# Swift is looked for where something is to be built, so that root can install what another user has built.
$(OLDER): packaging/linux/older.c
	@packaging/prepare
	@mkdir -p $(@D)
	cc -std=gnu11 -O2 -Wall -Wextra -Werror -fPIC -fno-builtin -ffunction-sections -fcf-protection=full -c $< -o $@

# Two remarks of the build are harmless: sources named twice in a product, and the linker's warning of mktemp, which
# Covey does not call.
$(LIBRARY): $(SOURCES) $(OLDER) $(wildcard packaging/*.in) packaging/sbom NOTICE THIRD-PARTY-LICENSES
	@packaging/prepare
	$(SWIFT) build -c release --product covey --scratch-path $(SWIFT_BUILD) $(LINK)
	packaging/linux/symbols $(SWIFT_BUILD)/release/libcovey.so $(GLIBC)
	$(call install_into,$(STAGED),$(STAGED),lib)
	@touch $@

# $(1) is the folder that receives the files, $(2) the prefix that they name, and $(3) the libraries' folder in it.
define install_into
	install -d $(1)/$(3)/pkgconfig $(1)/$(3)/cmake/covey $(1)/include $(1)/share/doc/covey
	install -m 644 include/covey.h include/covey.hpp $(1)/include
	install -m 644 LICENSE NOTICE THIRD-PARTY-LICENSES $(1)/share/doc/covey
	packaging/sbom $(VERSION) > $(1)/share/doc/covey/covey.spdx.json
	strip --strip-unneeded -o $(1)/$(3)/libcovey.so.$(VERSION).new $(SWIFT_BUILD)/release/libcovey.so
	chmod 755 $(1)/$(3)/libcovey.so.$(VERSION).new
	mv -f $(1)/$(3)/libcovey.so.$(VERSION).new $(1)/$(3)/libcovey.so.$(VERSION)
	ln -sfn libcovey.so.$(VERSION) $(1)/$(3)/libcovey.so.$(SOVERSION)
	ln -sfn libcovey.so.$(SOVERSION) $(1)/$(3)/libcovey.so
	sed 's|@PREFIX@|$(2)|; s|@LIBDIR@|$(3)|; s|@VERSION@|$(VERSION)|' packaging/covey.pc.in > $(1)/$(3)/pkgconfig/covey.pc
	for file in covey-config covey-config-version; do \
		sed 's|@VERSION@|$(VERSION)|; s|@SOVERSION@|$(SOVERSION)|; s|@UP@|$(subst $() ,/,$(patsubst %,..,$(subst /, ,$(3))))|' \
			packaging/$$file.cmake.in > $(1)/$(3)/cmake/covey/$$file.cmake; \
	done
endef

install: build
	$(call install_into,$(DESTDIR)$(PREFIX),$(PREFIX),$(LIBDIR))

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/include/covey.h $(DESTDIR)$(PREFIX)/include/covey.hpp $(addprefix $(DESTDIR)$(PREFIX)/$(LIBDIR)/, libcovey.so \
		libcovey.so.$(SOVERSION) libcovey.so.$(VERSION) pkgconfig/covey.pc)
	rm -rf $(DESTDIR)$(PREFIX)/$(LIBDIR)/cmake/covey $(DESTDIR)$(PREFIX)/share/doc/covey

# Three packages of Debian, under dist: libcovey1, libcovey-dev and python3-covey.
.PHONY: deb
deb: $(LIBRARY)
	packaging/prepare deb
	packaging/deb/build $(VERSION)

clean:
	rm -rf .build .build-test $(SWIFT_BUILD) $(OUT) dist

# ------------------------------------------------------------------------------------------------------------- tests
SUITES := test-header test-format test-swift test-abi test-guest test-fuzz-seeds test-mutations check-memory test-interface \
	test-package test-examples test-java test-python test-reference test-exports test-hosts test-readme test-docs test-sdist
test: prepare-test
	$(MAKE) --no-print-directory $(SUITES)

# Folders that hold no sources of ours are hidden or ignored by git.
STYLED := find Sources Tests include examples packaging bindings \( -name '.*' -o -name build \) -prune -o
C_AND_JAVA := \( -name '*.c' -o -name '*.cpp' -o -name '*.h' -o -name '*.java' \) -print0
.PHONY: format test-format
format: $(VENV)/stamp
	$(SWIFT) format format --in-place --recursive --configuration .swift-format Package.swift Sources Tests
	$(STYLED) $(C_AND_JAVA) | xargs -0 $(VENV)/bin/clang-format -i
	$(VENV)/bin/ruff format --quiet . && $(VENV)/bin/ruff check --quiet --fix .

test-format: $(VENV)/stamp | prepare-test
	$(SWIFT) format lint --strict --recursive --configuration .swift-format Package.swift Sources Tests
	$(STYLED) $(C_AND_JAVA) | xargs -0 $(VENV)/bin/clang-format --dry-run -Werror
	$(VENV)/bin/ruff format --quiet --check . && $(VENV)/bin/ruff check .
	@! $(STYLED) \( -name '*.swift' -o -name '*.c' -o -name '*.h' -o -name '*.cpp' -o -name '*.java' \) -print0 \
		| LC_ALL=C.UTF-8 xargs -0 grep -nE '^.{121,}' || { echo "lines above are wider than 120 columns"; exit 1; }
	@! grep -rnF '\"\(' Sources --include='*.swift' | grep -vE 'Describe/RuleSet(PMML|DMN|DRL)|CoveyFiles/JSONText' \
		|| { echo "messages above put a name between quotes that it can end: write \\(quoted: name)"; exit 1; }

.PHONY: test-swift test-abi test-interface test-package abi-baseline check-memory
# The tests are optimised, like the library, because the numerical tests are heavy.
test-swift: | prepare-test
	$(SWIFT) test -c release -Xswiftc -enable-testing --scratch-path .build-test --no-parallel

ABI_OUT := $(OUT)/abi
ABI_CFLAGS := -std=c99 -D_GNU_SOURCE -Wall -Wextra -Werror -pedantic -g -O1 -I$(OUT)/include -ITests/ABI
ABI_LINK := -L$(OUT)/lib -lcovey -Wl,-rpath,'$$ORIGIN/../lib' -lpthread -lm
ABI_PROGRAMS := $(patsubst Tests/ABI/test_%.c,$(ABI_OUT)/test_%,$(wildcard Tests/ABI/test_*.c)) $(ABI_OUT)/test_cpp

$(ABI_OUT)/test_%: Tests/ABI/test_%.c $(wildcard Tests/ABI/*.h) $(LIBRARY)
	@mkdir -p $(ABI_OUT)
	cc $(ABI_CFLAGS) $< -o $@ $(ABI_LINK)

$(ABI_OUT)/test_cpp: Tests/ABI/test_cpp.cpp include/covey.hpp $(LIBRARY)
	@mkdir -p $(ABI_OUT)
	c++ -std=c++17 -Wall -Wextra -Werror -pedantic -g -O1 -Iinclude $< -o $@ $(ABI_LINK)

# All bad_*.c are one table of bad inputs, which test_bad_input.c runs.
$(ABI_OUT)/test_bad_input: $(wildcard Tests/ABI/bad_*.c) Tests/ABI/test_bad_input.c $(wildcard Tests/ABI/*.h) $(LIBRARY)
	@mkdir -p $(ABI_OUT)
	cc $(ABI_CFLAGS) $(filter %.c,$^) -o $@ $(ABI_LINK)

test-abi: $(ABI_PROGRAMS)
	@set -e; for program in $(ABI_PROGRAMS); do echo "== $$program"; $$program; done

# OpenBLAS chooses its kernels by the processor, and valgrind does not know AVX-512.
check-memory: $(ABI_PROGRAMS) | prepare-test
	@set -e; for program in $(ABI_PROGRAMS); do echo "== valgrind $$program"; \
		OPENBLAS_CORETYPE=Haswell valgrind --quiet --error-exitcode=9 --leak-check=full \
			--show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect $$program; done

# Compares the header with the exports of the library, and both with the baseline.
test-interface: $(LIBRARY)
	$(PYTHON) Tests/ABI/abi.py check include/covey.h $(LIBRARY) Tests/ABI/baseline.txt

abi-baseline:
	$(PYTHON) Tests/ABI/abi.py accept include/covey.h Tests/ABI/baseline.txt

test-package: $(LIBRARY) | prepare-test
	Tests/Package/run

# ----------------------------------------------------------------------------------------------------------- fuzzing
.PHONY: fuzz fuzz-seeds test-fuzz-seeds
FUZZ_TARGETS ?= encoder training engine clustering rules sequences matrices tables arrow
FUZZ_SECONDS ?= 20
fuzz: | prepare
	Tests/Fuzz/run $(FUZZ_SECONDS) $(FUZZ_TARGETS)

# The targets without libFuzzer, on their seeds and on earlier findings.
FUZZ_OUT := $(OUT)/fuzz
FUZZ_CFLAGS := -std=c11 -D_GNU_SOURCE -DFUZZ_REPLAY -Wall -Wextra -Werror -g -O1 -I$(OUT)/include
FUZZ_REPLAYS := $(patsubst Tests/Fuzz/fuzz_%.c,$(FUZZ_OUT)/replay_%,$(wildcard Tests/Fuzz/fuzz_*.c))
$(FUZZ_OUT)/replay_%: Tests/Fuzz/fuzz_%.c Tests/Fuzz/replay.c $(wildcard Tests/Fuzz/*.h) $(LIBRARY)
	@mkdir -p $(@D)
	cc $(FUZZ_CFLAGS) $(filter %.c,$^) -o $@ $(ABI_LINK)

test-fuzz-seeds: $(FUZZ_REPLAYS)
	@set -e; for program in $^; do target=$${program##*/replay_}; \
		$$program Tests/Fuzz/seeds/$$target/* $$(ls -d Tests/Fuzz/seeds/regressions/$$target-* 2>/dev/null); done

# Changed seeds, with the right checksum, and extreme numbers: a few in make test, the others in check-host.
.PHONY: test-mutations check-mutations
MUTATIONS := $(patsubst Tests/Fuzz/fuzz_%.c,$(FUZZ_OUT)/mutate_%,$(wildcard Tests/Fuzz/fuzz_*.c))
$(FUZZ_OUT)/mutate_%: Tests/Fuzz/fuzz_%.c Tests/Fuzz/mutate.c $(wildcard Tests/Fuzz/*.h) $(LIBRARY)
	@mkdir -p $(@D)
	cc $(FUZZ_CFLAGS) -DFUZZ_MUTATORS $(filter %.c,$^) -o $@ $(ABI_LINK)

MUTATION_ROUNDS := 1000
check-mutations: MUTATION_ROUNDS := 200000
test-mutations check-mutations: $(MUTATIONS)
	@set -e; for program in $^; do target=$${program##*/mutate_}; \
		$$program $(MUTATION_ROUNDS) $(FUZZ_OUT)/finding-$$target Tests/Fuzz/seeds/$$target/*; done

# Writes the seeds that Covey itself makes. Run it after a change of a file format.
fuzz-seeds: $(LIBRARY)
	@mkdir -p $(FUZZ_OUT)
	cc $(FUZZ_CFLAGS) Tests/Fuzz/make_seeds.c -o $(FUZZ_OUT)/make_seeds $(ABI_LINK)
	$(FUZZ_OUT)/make_seeds Tests/Fuzz/seeds

# ------------------------------------------------------------------------------------------------------- a good guest
# Tests/Guest against the built library; what make test leaves out runs in check-host. See CONTRIBUTING.md.
.PHONY: test-guest check-host check-faults check-rounds check-saving check-hostile check-limits check-polls check-budgets check-coexistence check-address check-threads
GUEST_OUT := $(OUT)/guest
GUEST_WARNINGS := -D_GNU_SOURCE -Wall -Wextra -Werror -g -O1 -fno-builtin -ITests/ABI -ITests/Guest
GUEST_CFLAGS := -std=c11 -pedantic $(GUEST_WARNINGS) -I$(OUT)/include
GUEST_PROGRAMS := $(addprefix $(GUEST_OUT)/,snapshot concurrency rounds digests faults saving hostile limits polls budgets)
GUEST_SHARED := $(wildcard Tests/Guest/operation*.c) $(wildcard Tests/Guest/*.h Tests/ABI/*.h)

$(GUEST_OUT)/%: Tests/Guest/%.c $(GUEST_SHARED) $(LIBRARY)
	@mkdir -p $(@D)
	cc $(GUEST_CFLAGS) $(filter %.c,$^) -o $@ $(ABI_LINK)

$(GUEST_OUT)/fault_hooks.o: Tests/Guest/fault_hooks.cpp Tests/Guest/fault_hooks.h $(LIBRARY)
	@mkdir -p $(@D)
	c++ -std=c++17 $(GUEST_WARNINGS) -I$(OUT)/include -c $< -o $@

# -rdynamic: the library then calls the program's malloc, write and others instead of those of the C library.
$(GUEST_OUT)/saving: ABI_LINK += -rdynamic
$(GUEST_OUT)/faults $(GUEST_OUT)/rounds $(GUEST_OUT)/budgets: $(GUEST_OUT)/%: Tests/Guest/%.c $(GUEST_OUT)/fault_hooks.o $(GUEST_SHARED) $(LIBRARY)
	cc $(GUEST_CFLAGS) $(filter %.c %.o,$^) -o $@ -rdynamic $(ABI_LINK) -lstdc++

# The symbols that strip removes.
$(GUEST_OUT)/symbols: $(LIBRARY)
	@mkdir -p $(@D)
	nm --defined-only -n $(SWIFT_BUILD)/release/libcovey.so > $@

$(GUEST_OUT)/libguest_road.so: Tests/Guest/digests.c $(GUEST_SHARED) $(LIBRARY)
	@mkdir -p $(@D)
	cc $(GUEST_CFLAGS) -fPIC -shared $(filter %.c,$^) -o $@ $(ABI_LINK)

test-guest: $(GUEST_PROGRAMS) $(GUEST_OUT)/symbols $(GUEST_OUT)/libguest_road.so $(VENV)/stamp
	$(GUEST_OUT)/snapshot
	$(GUEST_OUT)/concurrency 3
	$(GUEST_OUT)/rounds 500
	$(GUEST_OUT)/saving 20
	$(GUEST_OUT)/hostile 5
	$(GUEST_OUT)/limits 5
	$(GUEST_OUT)/polls 4000
	$(GUEST_OUT)/budgets 5
	$(GUEST_OUT)/faults $(GUEST_OUT)/symbols
	$(VENV)/bin/python Tests/Guest/coexistence.py $(GUEST_OUT)

check-host: check-faults check-mutations check-rounds check-saving check-hostile check-limits check-polls check-budgets check-coexistence check-address check-threads

check-saving: $(GUEST_OUT)/saving
	$< 500

check-hostile: $(GUEST_OUT)/hostile
	$< 100

check-limits: $(GUEST_OUT)/limits
	$< 46

check-polls: $(GUEST_OUT)/polls
	$< 60000

check-budgets: $(GUEST_OUT)/budgets
	$< 100

check-faults: $(GUEST_OUT)/faults $(GUEST_OUT)/symbols
	$< $(GUEST_OUT)/symbols all

check-rounds: $(GUEST_OUT)/rounds
	$< 10000

# PyTorch and FAISS are hundreds of megabytes. If one cannot be installed, the check runs without it and prints this.
HOST_VENV := .venv-host
$(HOST_VENV)/stamp: Tests/Guest/requirements.lock Tests/Guest/requirements-more.lock | prepare-test
	$(PYTHON) -m venv $(HOST_VENV)
	$(HOST_VENV)/bin/pip $(INSTALL_LOCKED) -r $<
	@$(HOST_VENV)/bin/pip $(INSTALL_LOCKED) -r $(word 2,$^) || echo "PyTorch and FAISS cannot be installed: they are left out"
	@touch $@

check-coexistence: $(GUEST_OUT)/digests $(GUEST_OUT)/libguest_road.so $(HOST_VENV)/stamp
	$(HOST_VENV)/bin/python Tests/Guest/coexistence.py $(GUEST_OUT)

# The same results on other processors, which qemu emulates. It is slow.
.PHONY: check-processors
check-processors: $(GUEST_OUT)/digests
	packaging/prepare processors
	$(PYTHON) Tests/Guest/processors.py $<

# The library and its C suite with the sanitizer $(1), built by the clang and the run-time libraries that come with
# Swift.
SANITIZED := address thread
define sanitized
.build-$(1)/lib/libcovey.so.$(SOVERSION): $(SOURCES) | prepare-test
	$$(SWIFT) build -c release --product covey --scratch-path .build-$(1) --sanitize=$(1) -Xswiftc -static-stdlib \
		$$(patsubst %,-Xcc %,$$(SANITIZE_$(1))) -Xlinker --version-script=$$(CURDIR)/packaging/libcovey.map \
		-Xlinker -soname=libcovey.so.$(SOVERSION)
	mkdir -p $$(@D)
	cp .build-$(1)/release/libcovey.so $$@
	ln -sf libcovey.so.$(SOVERSION) $$(@D)/libcovey.so

.build-$(1)/abi/test_bad_input: $$(wildcard Tests/ABI/bad_*.c)
.build-$(1)/abi/%: Tests/ABI/%.c $$(wildcard Tests/ABI/*.h) .build-$(1)/lib/libcovey.so.$(SOVERSION)
	@mkdir -p $$(@D)
	$$(SANITIZED_CC_$(1)) -std=c99 -D_GNU_SOURCE -g -O1 -Iinclude -ITests/ABI $$(filter %.c,$$^) -o $$@ \
		-L.build-$(1)/lib -lcovey -Wl,-rpath,'$$$$ORIGIN/../lib' -lpthread -lm

.build-$(1)/abi/test_cpp: Tests/ABI/test_cpp.cpp include/covey.hpp .build-$(1)/lib/libcovey.so.$(SOVERSION)
	@mkdir -p $$(@D)
	$$(subst clang ,clang++ ,$$(SANITIZED_CC_$(1))) -std=c++17 -g -O1 -Iinclude $$< -o $$@ \
		-L.build-$(1)/lib -lcovey -Wl,-rpath,'$$$$ORIGIN/../lib' -lpthread -lm

.build-$(1)/guest/%: Tests/Guest/%.c $(GUEST_SHARED) .build-$(1)/lib/libcovey.so.$(SOVERSION)
	@mkdir -p $$(@D)
	$$(SANITIZED_CC_$(1)) -std=c11 $(GUEST_WARNINGS) -Iinclude $$(filter %.c,$$^) -o $$@ \
		-L.build-$(1)/lib -lcovey -Wl,-rpath,'$$$$ORIGIN/../lib' -lpthread -lm
endef
# The checks vptr and function are left out, because Swift's closures for C have function types of their own.
SANITIZE_address := -fsanitize=undefined -fno-sanitize=vptr,function -fno-omit-frame-pointer
SANITIZE_thread := -fno-omit-frame-pointer
# The ThreadSanitizer library of Swift needs libdispatch. The one of gcc is the same without it.
SANITIZED_CC_address := clang -fsanitize=address $(SANITIZE_address) -fuse-ld=lld
SANITIZED_CC_thread := gcc -fsanitize=thread $(SANITIZE_thread) -rdynamic Tests/Guest/tsan_memory.c
$(foreach sanitizer,$(SANITIZED),$(eval $(call sanitized,$(sanitizer))))

SANITIZER_OPTIONS := ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=Tests/Guest/threads.supp
check-address: $(patsubst $(ABI_OUT)/%,.build-address/abi/%,$(ABI_PROGRAMS)) $(addprefix .build-address/guest/,concurrency snapshot)
	@set -e; for program in $^; do echo "== $$program"; $(SANITIZER_OPTIONS) $$program; done

check-threads: $(addprefix .build-thread/guest/,concurrency)
	@set -e; for program in $^; do echo "== $$program"; $(SANITIZER_OPTIONS) $$program; done

# -------------------------------------------------------------------------------------------------------------- Java
.PHONY: jar test-java
JAVA := bindings/java
JAVA_OUT := $(OUT)/java
JAVA_HOME ?= $(patsubst %/bin/javac,%,$(realpath $(shell command -v javac)))
JAVAC = $(JAVA_HOME)/bin/javac -encoding UTF-8 --release 17 -Xlint:all -Werror
JAR := dist/covey-$(VERSION).jar
JAVA_SOURCES := $(shell find $(JAVA)/src/main -name '*.java')
JAVA_TESTS := $(shell find $(JAVA)/src/test -name '*.java')
JNI_SOURCES := $(wildcard $(JAVA)/jni/*.c)
JNI_LIBRARY := $(JAVA_OUT)/native/libcovey_jni.so
JNI_LINK := -Wl,-z,defs -Wl,-z,relro -Wl,-z,now -Wl,-rpath,'$$ORIGIN'
JNI_FLAGS := -std=c11 -O2 -g -Wall -Wextra -Werror -pedantic -Wmissing-prototypes -fPIC -shared -fvisibility=hidden \
	-fstack-protector-strong -D_FORTIFY_SOURCE=2 -fcf-protection=full

# javac writes the header that checks the C functions against Native.java.
$(JAVA_OUT)/main.stamp: $(JAVA_SOURCES) | prepare-test
	rm -rf $(JAVA_OUT)/main $(JAVA_OUT)/include
	mkdir -p $(JAVA_OUT)/main
	@echo "javac $(@D)/$(basename $(@F))"
	@$(JAVAC) -Xdoclint:all,-missing -h $(JAVA_OUT)/include -d $(JAVA_OUT)/main $(JAVA_SOURCES)
	touch $@

$(JNI_LIBRARY): $(JNI_SOURCES) $(wildcard $(JAVA)/jni/*.h) $(JAVA_OUT)/main.stamp $(LIBRARY)
	mkdir -p $(@D)
	cc $(JNI_FLAGS) -I$(OUT)/include -I$(JAVA_OUT)/include -I$(JAVA_HOME)/include -I$(JAVA_HOME)/include/linux \
		$(JNI_SOURCES) -o $@ -L$(OUT)/lib -lcovey $(JNI_LINK)

.PHONY: javadoc
JAVADOC := $(JAVA_OUT)/javadoc
javadoc: $(JAVADOC).stamp
$(JAVADOC).stamp: $(JAVA_SOURCES)
	rm -rf $(JAVADOC)
	@echo "javadoc $(JAVADOC)"
	@$(JAVA_HOME)/bin/javadoc -quiet -Xdoclint:all,-missing -Werror -notimestamp --no-platform-links -encoding UTF-8 \
		--release 17 -d $(JAVADOC) $(JAVA_SOURCES)
	@touch $@

# Beside the jar what a repository of Maven asks for: the pom, the sources and the Javadoc.
jar: $(JAR) $(JAR:.jar=.pom) $(JAR:.jar=-sources.jar) $(JAR:.jar=-javadoc.jar)

$(JAR:.jar=.pom): $(JAVA)/pom.xml.in
	@mkdir -p $(@D)
	sed 's|@VERSION@|$(VERSION)|' $< > $@

$(JAR:.jar=-sources.jar): $(JAVA_SOURCES) LICENSE NOTICE
	@mkdir -p $(@D)
	$(JAVA_HOME)/bin/jar --create --file $@ -C $(JAVA)/src/main/java . -C . LICENSE -C . NOTICE

$(JAR:.jar=-javadoc.jar): $(JAVADOC).stamp
	@mkdir -p $(@D)
	$(JAVA_HOME)/bin/jar --create --file $@ -C $(JAVADOC) .

$(JAR): $(JAR:.jar=.pom) $(wildcard $(JAVA)/native-image/*.json) $(JAVA_OUT)/main.stamp $(JNI_LIBRARY) LICENSE NOTICE THIRD-PARTY-LICENSES packaging/sbom
	rm -rf $(JAVA_OUT)/jar
	mkdir -p $(JAVA_OUT)/jar/META-INF/native/linux-x86_64 $(@D)
	cp -r $(JAVA_OUT)/main/. $(JAVA_OUT)/jar
	cp LICENSE NOTICE THIRD-PARTY-LICENSES $(STAGED)/share/doc/covey/covey.spdx.json $(JAVA_OUT)/jar/META-INF
	mkdir -p $(JAVA_OUT)/jar/META-INF/maven/covey/covey $(JAVA_OUT)/jar/META-INF/native-image/covey/covey
	cp $(JAR:.jar=.pom) $(JAVA_OUT)/jar/META-INF/maven/covey/covey/pom.xml
	printf 'groupId=covey\nartifactId=covey\nversion=%s\n' $(VERSION) > $(JAVA_OUT)/jar/META-INF/maven/covey/covey/pom.properties
	cp $(JAVA)/native-image/*.json $(JAVA_OUT)/jar/META-INF/native-image/covey/covey
	cp $(LIBRARY) $(JAVA_OUT)/jar/META-INF/native/linux-x86_64/libcovey.so.$(SOVERSION)
	strip --strip-unneeded -o $(JAVA_OUT)/jar/META-INF/native/linux-x86_64/libcovey_jni.so $(JNI_LIBRARY)
	$(JAVA_HOME)/bin/jar --create --file $@ --module-version $(VERSION) -C $(JAVA_OUT)/jar .

# The tests use the jar, as users do. If a JNI rule is broken, -Xcheck:jni ends the program or prints a warning.
JUNIT := $(subst $() ,:,$(foreach part,jupiter-api jupiter-engine jupiter-params platform-commons platform-console \
	platform-engine platform-launcher platform-reporting,/usr/share/java/junit-$(part).jar) \
	$(foreach part,opentest4j apiguardian-api picocli univocity-parsers,/usr/share/java/$(part).jar))
JAVA_RUN = $(JAVA_HOME)/bin/java -Xcheck:jni -cp $(JAR):$(JAVA_OUT)/test:$(JUNIT)

$(JAVA_OUT)/test.stamp: $(JAVA_TESTS) $(JAR) | prepare-test
	rm -rf $(JAVA_OUT)/test
	mkdir -p $(JAVA_OUT)/test
	@echo "javac $(@D)/$(basename $(@F))"
	@$(JAVAC) -Xlint:-path,-try -cp $(JAR):$(JUNIT) -d $(JAVA_OUT)/test $(JAVA_TESTS)
	touch $@

test-java: $(JAVA_OUT)/test.stamp
	$(JAVA)/test $(JAVA_RUN)

# ---------------------------------------------------------------------------------------------------------- examples
.PHONY: examples demo test-examples test-header check-go
EXAMPLES := examples/c
EXAMPLES_OUT := $(OUT)/examples
EXAMPLE_PROGRAMS := $(addprefix $(EXAMPLES_OUT)/,$(basename $(notdir $(wildcard $(EXAMPLES)/0*.c))) pipeline)
EXAMPLE_CFLAGS := -std=c99 -O2 -Wall -Wextra -Werror -pedantic
# The flags with which any program finds an installed Covey. The staged copy has the same layout.
COVEY_FLAGS = $$(PKG_CONFIG_PATH=$(STAGED)/lib/pkgconfig pkg-config --cflags --libs covey) -Wl,-rpath,$(STAGED)/lib

$(EXAMPLES_OUT)/%: $(EXAMPLES)/%.c $(EXAMPLES)/sample.c $(wildcard $(EXAMPLES)/*.h) $(LIBRARY)
	@mkdir -p $(@D)
	cc $(EXAMPLE_CFLAGS) $(filter %.c,$^) -o $@ $(COVEY_FLAGS) -lm
$(EXAMPLES_OUT)/pipeline: $(EXAMPLES)/road.c $(EXAMPLES)/terminal.c
$(EXAMPLES_OUT)/08_find: $(EXAMPLES)/terminal.c
$(EXAMPLES_OUT)/08_session: $(EXAMPLES)/road.c $(EXAMPLES)/terminal.c

examples: $(EXAMPLE_PROGRAMS)

demo: $(EXAMPLES_OUT)/pipeline
	@$(EXAMPLES_OUT)/pipeline examples/data

test-examples: $(EXAMPLE_PROGRAMS)
	Tests/Examples/run $(EXAMPLES_OUT)

# The example in Go, with Debian's compiler.
check-go: $(EXAMPLES_OUT)/pipeline
	packaging/prepare go
	gofmt -d examples/go | (! grep .)
	GO111MODULE=off GOCACHE=$(STAGED)/go-cache PKG_CONFIG_PATH=$(STAGED)/lib/pkgconfig CGO_LDFLAGS="-Wl,-rpath,$(STAGED)/lib" \
		go build -o $(EXAMPLES_OUT)/go_score examples/go/score.go
	@mkdir -p $(EXAMPLES_OUT)/written
	@$(EXAMPLES_OUT)/pipeline examples/data --write $(EXAMPLES_OUT)/written >/dev/null
	$(EXAMPLES_OUT)/go_score $(EXAMPLES_OUT)/written/engine.safetensors | grep "risk 0"
	@! $(EXAMPLES_OUT)/go_score /nowhere 2>/dev/null

# Compiles the header alone, as C and as C++. The test must use every initialiser.
test-header: | prepare-test
	@mkdir -p $(ABI_OUT)
	cc -std=c99 -Wall -Wextra -Werror -pedantic -Iinclude Tests/ABI/header_c99.c -o $(ABI_OUT)/header_c99
	c++ -std=c++17 -Wall -Wextra -Werror -pedantic -Iinclude Tests/ABI/header_cxx.cpp -o $(ABI_OUT)/header_cxx
	@$(ABI_OUT)/header_c99 && $(ABI_OUT)/header_cxx
	@for macro in $$(sed -n 's/^#define \(COVEY_[A-Z_]*_INIT\)\b.*/\1/p' include/covey.h); do \
		grep -q "$$macro" Tests/ABI/header_c99.c || { echo "header_c99.c lacks $$macro"; exit 1; }; \
		grep -q "$$macro" Tests/ABI/test_defaults.c || { echo "test_defaults.c lacks $$macro"; exit 1; }; done

# ------------------------------------------------------------------------------------------------------------ Python
.PHONY: wheel test-python test-sdist
PYTHON_SOURCES := $(shell find bindings/python/src -name '*.py' -o -name py.typed -o -path '*/report/*.[jc]*s*') \
	$(addprefix bindings/python/,pyproject.toml setup.py README.md)
WHEEL_PLATFORM := manylinux_$(subst .,_,$(GLIBC))_x86_64
WHEEL := dist/covey-$(VERSION)-py3-none-$(WHEEL_PLATFORM).whl

TEST_PACKAGES := bindings/python/requirements-test
$(VENV)/stamp: $(TEST_PACKAGES).lock | prepare-test
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip $(INSTALL_LOCKED) -r $<
	@touch $@

# make lock writes all lists of packages with their hashes anew after a change of a requirements file.
.PHONY: lock
BESIDE_TESTS := docs/requirements.lock Tests/Report/requirements.lock Tests/Exports/requirements.lock packaging/linux/requirements.lock
LOCKS := $(TEST_PACKAGES).lock $(BESIDE_TESTS) bindings/python/requirements-tables-oldest.lock $(addprefix Tests/, \
	Guest/requirements.lock Guest/requirements-more.lock $(addprefix Benchmarks/requirements,.lock -rules.lock \
	-rules-old.lock -coles.lock))
lock: $(addprefix lock/,$(LOCKS))
.PHONY: $(addprefix lock/,$(LOCKS))
$(addprefix lock/,$(LOCKS)): lock/%.lock: | $(VENV)/stamp
	packaging/lock $(VENV)/bin/pip $*.txt $(LOCK_OPTIONS) > $*.lock.new
	mv $*.lock.new $*.lock
$(addprefix lock/,$(BESIDE_TESTS)): LOCK_OPTIONS := --beside $(TEST_PACKAGES).lock
lock/Tests/Guest/requirements-more.lock: LOCK_OPTIONS := --beside Tests/Guest/requirements.lock
lock/Tests/Benchmarks/requirements-rules.lock: LOCK_OPTIONS := --beside Tests/Benchmarks/requirements.lock --alone iguanas==1.5.0
$(addprefix lock/,$(BESIDE_TESTS)): lock/$(TEST_PACKAGES).lock
lock/Tests/Guest/requirements-more.lock: lock/Tests/Guest/requirements.lock
lock/Tests/Benchmarks/requirements-rules.lock: lock/Tests/Benchmarks/requirements.lock

# Built from a copy of the sources: the library of the wheel must never replace the one in development.
wheel: $(WHEEL)
$(WHEEL): $(LIBRARY) $(PYTHON_SOURCES) $(VENV)/stamp LICENSE NOTICE THIRD-PARTY-LICENSES packaging/sbom
	rm -rf $(OUT)/wheel
	mkdir -p $(OUT)/wheel dist
	cp -r $(addprefix bindings/python/,pyproject.toml setup.py README.md src) LICENSE NOTICE THIRD-PARTY-LICENSES $(OUT)/wheel
	cp THIRD-PARTY-LICENSES $(STAGED)/share/doc/covey/covey.spdx.json $(OUT)/wheel/src/covey
	mkdir -p $(OUT)/wheel/src/covey/_native
	cp $(LIBRARY) $(OUT)/wheel/src/covey/_native/libcovey.so.$(SOVERSION)
	$(VENV)/bin/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist \
		--config-settings=--build-option=--plat-name=$(WHEEL_PLATFORM) $(OUT)/wheel
	@touch $@

# The sources of the library travel with those of the package; pip builds both, where Swift is.
.PHONY: sdist
SDIST := dist/covey-$(VERSION).tar.gz
sdist: $(SDIST)
$(SDIST): $(SOURCES) $(PYTHON_SOURCES) $(VENV)/stamp $(wildcard packaging/*) LICENSE NOTICE THIRD-PARTY-LICENSES Makefile
	rm -rf $(OUT)/sdist
	mkdir -p $(OUT)/sdist/native dist
	cp -r $(addprefix bindings/python/,pyproject.toml setup.py README.md src) LICENSE NOTICE THIRD-PARTY-LICENSES $(OUT)/sdist
	rm -rf $(OUT)/sdist/src/covey/_native && find $(OUT)/sdist/src -name __pycache__ -prune -exec rm -r {} +
	cp THIRD-PARTY-LICENSES $(OUT)/sdist/src/covey
	cp -r Package.swift Makefile Sources include packaging LICENSE NOTICE THIRD-PARTY-LICENSES $(OUT)/sdist/native
	echo 'graft native' > $(OUT)/sdist/MANIFEST.in
	cd $(OUT)/sdist && $(abspath $(VENV))/bin/python setup.py --quiet sdist --dist-dir $(abspath dist)

# Without Swift the sdist must say what it needs. Its build with Swift is that of make build.
test-sdist: $(SDIST)
	rm -rf $(OUT)/sdist-test && mkdir -p $(OUT)/sdist-test
	tar -xzf $(SDIST) -C $(OUT)/sdist-test --strip-components=1
	cd $(OUT)/sdist-test && test -f native/Package.swift && ! SWIFT=no-swift $(abspath $(VENV))/bin/python setup.py --quiet bdist_wheel > log 2>&1
	grep -q "there is no 'no-swift'" $(OUT)/sdist-test/log && grep -q 'swift.org' $(OUT)/sdist-test/log

test-python: $(WHEEL)
	@for file in LICENSE NOTICE THIRD-PARTY-LICENSES covey.spdx.json; do \
		$(PYTHON) -m zipfile -l $(WHEEL) | grep -q "/$$file " || { echo "the wheel has no $$file"; exit 1; }; done
	cd bindings/python && PYTHONPATH=src ../../$(VENV)/bin/python -m mypy
	cd bindings/python && PYTHONPATH=src ../../$(VENV)/bin/python -m pytest

# What is built here, on an older Linux; as root, because it makes a Debian 11 under .build-linux and runs programs in it.
.PHONY: check-linux
check-linux: $(WHEEL) $(JNI_LIBRARY) $(EXAMPLES_OUT)/pipeline
	packaging/prepare linux
	$(VENV)/bin/pip $(INSTALL_LOCKED) -r packaging/linux/requirements.lock
	mkdir -p .build-linux
	packaging/linux/check $(CURDIR)/.build-linux/bullseye $(WHEEL) $(VENV)/bin/auditwheel $(LIBRARY) $(JNI_LIBRARY)

# The case report in Debian's Chromium.
.PHONY: check-report
REPORT_VENV := .venv-report
$(REPORT_VENV)/stamp: $(TEST_PACKAGES).lock Tests/Report/requirements.lock
	$(PYTHON) -m venv $(REPORT_VENV)
	$(REPORT_VENV)/bin/pip $(INSTALL_LOCKED) $(addprefix -r ,$(filter %.lock,$^))
	@touch $@

check-report: $(LIBRARY) $(REPORT_VENV)/stamp
	packaging/prepare report
	PYTHONPATH=bindings/python/src $(REPORT_VENV)/bin/python -m pytest -q -rs Tests/Report

# What test-python leaves out of covey.spark. A session has one master, so that each is a run of its own.
.PHONY: check-spark bench-spark
check-spark: $(LIBRARY) $(VENV)/stamp
	PYTHONPATH=bindings/python/src $(VENV)/bin/python -m pytest -q -rs Tests/Spark
	PYTHONPATH=bindings/python/src COVEY_SPARK_MASTER='local-cluster[2,1,1024]' $(VENV)/bin/python -m pytest -q -rs Tests/Spark -k "order or fail or kill"
	PYSPARK_PYTHON=$(abspath $(VENV))/bin/python PYTHONPATH=$(abspath bindings/python/src) $(VENV)/bin/python \
		examples/spark/find_on_spark.py examples/data

bench-spark: $(LIBRARY) $(VENV)/stamp
	PYSPARK_PYTHON=$(abspath $(VENV))/bin/python PYTHONPATH=$(abspath bindings/python/src) $(VENV)/bin/python \
		Tests/Benchmarks/spark.py $(BENCH_OPTIONS)

# The tables with the oldest version of every library. test-python uses the newest.
.PHONY: check-tables
OLDEST_VENV := .venv-tables-oldest
$(OLDEST_VENV)/stamp: bindings/python/requirements-tables-oldest.lock | prepare-test
	$(PYTHON) -m venv $(OLDEST_VENV)
	$(OLDEST_VENV)/bin/pip $(INSTALL_LOCKED) -r $<
	@touch $@

check-tables: $(LIBRARY) $(OLDEST_VENV)/stamp
	cd bindings/python && PYTHONPATH=src ../../$(OLDEST_VENV)/bin/python -m pytest -q tests/test_tables.py tests/test_keys.py tests/test_codes.py \
		tests/test_event_lists.py tests/test_score_frames.py tests/test_find.py tests/test_sequences.py tests/test_features.py

# ---------------------------------------------------------------------------------------------- hosts, references, README
.PHONY: test-hosts test-reference test-exports test-readme check-datasets check-exports check-large
test-hosts: $(EXAMPLES_OUT)/pipeline $(JAVA_OUT)/test.stamp $(WHEEL)
	Tests/Hosts/run "$(EXAMPLES_OUT)/pipeline examples/data --write" \
		"env PYTHONPATH=bindings/python/src $(VENV)/bin/python bindings/python/tests/road.py" "$(JAVA_RUN) covey.WriteRoad"

# pytest ends with 5 if every file is skipped, for example without the development data.
test-reference: $(LIBRARY) $(VENV)/stamp
	COVEY_LARGEST_SET=2500 $(VENV)/bin/python -m pytest -q -rs Tests/Reference || [ $$? -eq 5 ]
	$(VENV)/bin/python Tests/Reference/hdbscan_suite.py
	$(VENV)/bin/python Tests/Reference/sklearn_suite.py

# Each export in the engine that it is written for; the heavy engines and a million rows in check-exports (about an hour).
test-exports: $(LIBRARY) $(VENV)/stamp
	$(VENV)/bin/python -m pytest -q -rs Tests/Exports

EXPORTS_VENV := .venv-exports
$(EXPORTS_VENV)/stamp: $(TEST_PACKAGES).lock Tests/Exports/requirements.lock | prepare-test
	$(PYTHON) -m venv $(EXPORTS_VENV)
	$(EXPORTS_VENV)/bin/pip $(INSTALL_LOCKED) $(addprefix -r ,$(filter %.lock,$^))
	@touch $@

check-exports: $(LIBRARY) $(EXPORTS_VENV)/stamp
	COVEY_EXPORT_ALL=1 COVEY_EXPORT_ROWS=$(or $(EXPORT_ROWS),1000000) $(EXPORTS_VENV)/bin/python -m pytest -s -rs Tests/Exports

check-datasets: $(LIBRARY) $(VENV)/stamp
	$(VENV)/bin/python -m pytest -s -rs Tests/Reference/test_clustering_datasets.py

check-large: $(LIBRARY) $(VENV)/stamp
	COVEY_LARGE=1 $(VENV)/bin/python -m pytest -s Tests/Reference/test_clustering_large.py

test-readme: $(WHEEL) $(JAR)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $(OUT)/wheel-installed $(WHEEL)
	PYTHONPATH=$(abspath $(OUT)/wheel-installed) $(PYTHON) Tests/readme.py README.md $(STAGED) $(abspath $(VENV))/bin/python $(abspath $(JAR))

# ------------------------------------------------------------------------------------------------------ documentation
# Built from covey.h, docstrings, notebooks and docs/, and from javadoc if a JDK is there. Code cells run; warnings are errors.
.PHONY: docs test-docs
DOCS := $(OUT)/docs
HAS_JAVADOC = $(if $(wildcard $(JAVA_HOME)/bin/javadoc),$(JAVADOC).stamp)

$(DOCS)/tools.stamp: docs/requirements.lock $(VENV)/stamp
	$(VENV)/bin/pip $(INSTALL_LOCKED) -r $<
	@mkdir -p $(@D)
	@touch $@

docs: $(LIBRARY) $(DOCS)/tools.stamp $(HAS_JAVADOC)
	PYTHONPATH=$(abspath bindings/python/src) $(VENV)/bin/python docs/build.py $(DOCS) $(if $(HAS_JAVADOC),$(JAVADOC))
	@echo "file://$(abspath $(DOCS))/html/index.html"

test-docs: docs
	COVEY_SITE=$(abspath $(DOCS)/html) PYTHONPATH=bindings/python/src $(VENV)/bin/python -m pytest -q -rs Tests/Docs

# -------------------------------------------------------------------------------------------------------- benchmarks
.PHONY: bench bench-cluster bench-fraud bench-encode bench-embed-quality bench-explain bench-rules bench-evaluate bench-score bench-stream \
	bench-train
BENCH_VENV := .venv-bench
$(BENCH_VENV)/stamp: Tests/Benchmarks/requirements.lock | prepare-test
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/pip $(INSTALL_LOCKED) -r $<
	@touch $@

# The peers of bench-rules: Weka from Debian, and two more sets of Python packages. iguanas needs xgboost with its GPU
# code; xgboost-cpu is the same without it. Packages that need an older NumPy have an environment of their own.
$(BENCH_VENV)/rules-stamp: $(wildcard Tests/Benchmarks/requirements-rules*.lock) $(BENCH_VENV)/stamp
	packaging/prepare rules
	$(BENCH_VENV)/bin/pip $(INSTALL_LOCKED) --no-deps -r Tests/Benchmarks/requirements-rules.lock
	$(PYTHON) -m venv $(BENCH_VENV)-old
	$(BENCH_VENV)-old/bin/pip $(INSTALL_LOCKED) -r Tests/Benchmarks/requirements-rules-old.lock
	@touch $@
bench-rules: $(BENCH_VENV)/rules-stamp

# The peer of bench-embed-quality needs certain versions of some packages.
$(BENCH_VENV)/coles-stamp: Tests/Benchmarks/requirements-coles.lock $(BENCH_VENV)/stamp
	$(PYTHON) -m venv $(BENCH_VENV)-coles
	$(BENCH_VENV)-coles/bin/pip $(INSTALL_LOCKED) -r $<
	@touch $@

bench-embed-quality: $(LIBRARY) $(BENCH_VENV)/coles-stamp
	PYTHONPATH=bindings/python/src $(BENCH_VENV)/bin/python Tests/Benchmarks/embed_quality.py $(BENCH_OPTIONS)

# covey_rules_evaluate on one row and on tables, in C. From Python the call itself would take longer than the rules.
bench-evaluate: $(LIBRARY)
	cc -O3 -march=native -Wall -Wextra -I$(OUT)/include Tests/Benchmarks/rules_evaluate.c -o $(OUT)/rules_evaluate $(ABI_LINK) \
		-Wl,-rpath,$(STAGED)/lib
	$(OUT)/rules_evaluate $(BENCH_OPTIONS)

# Single scores in C: percentiles on streams. BENCH_STREAMS="examples/data 100000" adds an engine of as many made rows.
bench-stream: $(LIBRARY)
	cc -std=gnu11 -O2 -Wall -Wextra -I$(OUT)/include Tests/Benchmarks/score_stream.c $(addprefix $(EXAMPLES)/,road.c sample.c \
		terminal.c) -o $(OUT)/score_stream $(ABI_LINK) -Wl,-rpath,$(STAGED)/lib
	$(OUT)/score_stream $(BENCH_STREAMS)
bench-score: bench-stream

# `covey find` from Parquet files to the report; 10 million events unless BENCH_OPTIONS says otherwise.
.PHONY: bench-find
bench-find: $(LIBRARY) $(VENV)/stamp
	PYTHONPATH=$(abspath bindings/python/src) $(VENV)/bin/python Tests/Benchmarks/find_events.py $(BENCH_OPTIONS)

BENCHMARKS := bench-encode bench-train bench-cluster bench-fraud bench-rules bench-score bench-explain
bench: $(BENCHMARKS) bench-evaluate bench-embed-quality
$(BENCHMARKS): bench-%: $(LIBRARY) $(BENCH_VENV)/stamp
	PYTHONPATH=bindings/python/src $(BENCH_VENV)/bin/python Tests/Benchmarks/$*.py $(BENCH_OPTIONS)
