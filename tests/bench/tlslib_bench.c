/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How long the search for TLS functions takes per file, and what it finds:
 *
 *     tlslib_bench [FILE...]    without one: itself
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gnomon/limits.h"
#include "gnomon/tlslib.h"
#include "tlslib/cache.h"

#define ROUNDS 3

static const char *const names[TLS_FUNCTION_COUNT] = {
	[TLS_READ] = "read",
	[TLS_WRITE] = "write",
	[TLS_READ_EX] = "read_ex",
	[TLS_WRITE_EX] = "write_ex",
	[TLS_FREE] = "free",
	[TLS_SHUTDOWN] = "shutdown",
	[TLS_WRITE_EX2] = "write_ex2",
	[TLS_GO_READ] = "go_read",
	[TLS_GO_READ_RETURN] = "go_read_return",
	[TLS_GO_WRITE] = "go_write",
	[TLS_GO_CLOSE] = "go_close",
	[TLS_AEAD_SEAL] = "seal",
	[TLS_AEAD_SEAL_SCATTER] = "seal_scatter",
	[TLS_AEAD_OPEN] = "open",
	[TLS_AEAD_OPEN_GATHER] = "open_gather",
	[TLS_RING_SEAL] = "ring_seal",
	[TLS_RING_OPEN] = "ring_open",
	[TLS_RING_MULTIPLY] = "ring_multiply",
	[TLS_RING_HASH] = "ring_hash",
	[TLS_RING_COUNTER] = "ring_counter",
};

static ssize_t read_fd(void *ctx, void *to, size_t len, uint64_t offset)
{
	ssize_t n = pread(*(const int *)ctx, to, len, (off_t)offset);

	return n < 0 ? -errno : n;
}

static double now_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static double smaller(double a, double b)
{
	return a < b ? a : b;
}

/* The same from what an earlier run found, by build id where the file has one. */
static double measure_known(const struct tlslib_reader *reader, const struct stat *st)
{
	const struct tlslib_identity identity = {.size_bytes = (uint64_t)st->st_size, .trust = 1};
	struct tlslib_cache *cache = tlslib_cache_new(1);
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	double best = 1e9;

	for (int i = 0; cache && i <= ROUNDS; i++) {
		double start = now_ms(CLOCK_MONOTONIC);

		tlslib_cache_find(cache, reader, &identity, hooks, TLS_HOOKS_PER_FILE_MAX, NULL);
		if (i) /* the first one searches */
			best = smaller(best, now_ms(CLOCK_MONOTONIC) - start);
	}
	tlslib_cache_free(cache);
	return best;
}

static int measure(const char *path)
{
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC), n = 0;
	struct tlslib_reader reader = {read_fd, &fd};
	double best = 1e9, best_cpu = 1e9, best_known;
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	for (int i = 0; i < ROUNDS; i++) {
		double start = now_ms(CLOCK_MONOTONIC), start_cpu = now_ms(CLOCK_THREAD_CPUTIME_ID);

		n = tlslib_find(&reader, hooks, TLS_HOOKS_PER_FILE_MAX);
		best = smaller(best, now_ms(CLOCK_MONOTONIC) - start);
		best_cpu = smaller(best_cpu, now_ms(CLOCK_THREAD_CPUTIME_ID) - start_cpu);
	}
	best_known = measure_known(&reader, &st);
	close(fd);
	printf("%8.1f ms (%.1f of a core), %.3f ms when known %7.1f MB  %s: %s\n", best, best_cpu,
	       best_known, (double)st.st_size / 1e6, path, n < 0 ? strerror(-n) : "");
	for (int i = 0; i < n; i++)
		printf("    %-10s %-15s %#10llx%s%s\n", hooks[i].library->name,
		       names[hooks[i].function], (unsigned long long)hooks[i].file_offset,
		       hooks[i].at_entry ? " entry" : "", hooks[i].emulated ? " emulated" : "");
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= measure(argv[i]);
	if (argc == 1)
		failed = measure("/proc/self/exe");
	return failed;
}
