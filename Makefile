# Covey. `make demo` and `make test` are all that a new machine needs; see README.md.

VERSION := $(shell sed -n 's/^\#define COVEY_VERSION_\(MAJOR\|MINOR\|PATCH\) //p' include/covey.h | paste -sd.)
SOVERSION := $(firstword $(subst ., ,$(VERSION)))
PREFIX ?= /usr/local
SWIFT ?= swift

# The library as it is installed, under build products: lib/, include/, lib/pkgconfig, lib/cmake.
OUT := .build-out
LIBRARY := $(OUT)/lib/libcovey.so.$(VERSION)
SWIFT_BUILD := .build-release
LINK := -Xswiftc -static-stdlib -Xlinker --version-script=$(CURDIR)/packaging/libcovey.map \
	-Xlinker -soname=libcovey.so.$(SOVERSION) -Xlinker -z -Xlinker defs -Xlinker --gc-sections -Xlinker --icf=none
SOURCES := Package.swift packaging/libcovey.map $(shell find Sources include -type f)

.PHONY: all build clean test-abi
all: build

build: $(LIBRARY)

$(LIBRARY): $(SOURCES)
	$(SWIFT) build -c release --product covey --scratch-path $(SWIFT_BUILD) $(LINK)
	mkdir -p $(OUT)/lib $(OUT)/include
	install -m 755 $(SWIFT_BUILD)/release/libcovey.so $@
	strip --strip-unneeded $@
	ln -sf libcovey.so.$(VERSION) $(OUT)/lib/libcovey.so.$(SOVERSION)
	ln -sf libcovey.so.$(SOVERSION) $(OUT)/lib/libcovey.so
	install -m 644 include/covey.h $(OUT)/include/covey.h

# ------------------------------------------------------------------------------------------------------------- tests
ABI_OUT := $(OUT)/abi
ABI_CFLAGS := -std=c99 -D_GNU_SOURCE -Wall -Wextra -Werror -pedantic -g -O1 -I$(OUT)/include -ITests/ABI
ABI_LINK := -L$(OUT)/lib -lcovey -Wl,-rpath,'$$ORIGIN/../lib' -lpthread -lm
ABI_PROGRAMS := $(patsubst Tests/ABI/test_%.c,$(ABI_OUT)/test_%,$(wildcard Tests/ABI/test_*.c))

$(ABI_OUT)/test_%: Tests/ABI/test_%.c Tests/ABI/abi_test.h $(LIBRARY)
	@mkdir -p $(ABI_OUT)
	cc $(ABI_CFLAGS) $< -o $@ $(ABI_LINK)

# All bad_*.c are one table, driven by test_bad_input.c.
$(ABI_OUT)/test_bad_input: $(wildcard Tests/ABI/bad_*.c) Tests/ABI/test_bad_input.c Tests/ABI/abi_test.h $(LIBRARY)
	@mkdir -p $(ABI_OUT)
	cc $(ABI_CFLAGS) $(filter %.c,$^) -o $@ $(ABI_LINK)

test-abi: $(ABI_PROGRAMS)
	@set -e; for program in $(ABI_PROGRAMS); do echo "== $$program"; $$program; done

clean:
	rm -rf .build $(SWIFT_BUILD) $(OUT)
