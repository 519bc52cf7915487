/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/attach.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "gnomon.skel.h"
#include "gnomon/limits.h"
#include "gnomon/tlslib.h"
#include "source/probe.h"
#include "source/probe_dispatch.h"
#include "util/cleanup.h"

struct attachments {
	struct gnomon *skel;
	const struct probe_means *means;
	struct probe_dispatch dispatch;
};

struct attachments *attachments_new(struct gnomon *skel, const struct probe_means *means)
{
	struct attachments *a = calloc(1, sizeof(*a));

	if (a) {
		a->skel = skel;
		a->means = means;
		probe_dispatch_init(&a->dispatch, skel->progs.tls_dispatch,
				    bpf_map__fd(skel->maps.places),
				    bpf_map__fd(skel->maps.dispatched));
	}
	return a;
}

void attachments_free(struct attachments *a)
{
	free(a);
}

/* What a role's probes run. */
struct role {
	enum tls_function function;
	const struct bpf_program *at_entry;
	const struct bpf_program *at_return; /* a return probe; NULL: the role needs none */
};

/* A return probe corrupts its caller anywhere but at a function's entry, and without one a read or a
 * write tells nothing. */
static bool is_hookable(const struct tls_hook *hook, const struct role *role)
{
	return hook->function == role->function && (!role->at_return || hook->at_entry);
}

/* All places of the file that play the role, into `offsets`. Returns their count. */
static unsigned int places_of(const struct role *role, const struct tls_hook *hooks, int count,
			      unsigned long *offsets)
{
	unsigned int n = 0;

	for (int i = 0; i < count; i++)
		if (is_hookable(&hooks[i], role))
			offsets[n++] = hooks[i].file_offset;
	return n;
}

/* The returns first: a return without its entry is dropped in the kernel, an entry without its return
 * would leave calls behind. */
int attachments_hook(struct attachments *a, const char *path, uint32_t pid,
		     const struct tls_hook *hooks, int count, struct probe_handle **handle)
{
	const struct bpf_program *const returned = a->skel->progs.tls_return;
	const struct bpf_program *const opened = a->skel->progs.tls_aead_opened;
	const struct role roles[] = {
		{TLS_READ, a->skel->progs.tls_read_enter, returned},
		{TLS_WRITE, a->skel->progs.tls_write_enter, returned},
		{TLS_READ_EX, a->skel->progs.tls_read_ex_enter, returned},
		{TLS_WRITE_EX, a->skel->progs.tls_write_ex_enter, returned},
		{TLS_WRITE_EX2, a->skel->progs.tls_write_ex2_enter, returned},
		{TLS_FREE, a->skel->progs.tls_end, NULL},
		{TLS_SHUTDOWN, a->skel->progs.tls_end, NULL},
		{TLS_GO_READ_RETURN, a->skel->progs.tls_go_read_return, NULL},
		{TLS_GO_READ, a->skel->progs.tls_go_read, NULL},
		{TLS_GO_WRITE, a->skel->progs.tls_go_write, NULL},
		{TLS_GO_CLOSE, a->skel->progs.tls_go_close, NULL},
		{TLS_AEAD_SEAL, a->skel->progs.tls_aead_seal, NULL},
		{TLS_AEAD_SEAL_SCATTER, a->skel->progs.tls_aead_seal_scatter, NULL},
		{TLS_AEAD_OPEN, a->skel->progs.tls_aead_open, opened},
		{TLS_AEAD_OPEN_GATHER, a->skel->progs.tls_aead_open_gather, opened},
		{TLS_RING_COUNTER, a->skel->progs.tls_ring_counter,
		 a->skel->progs.tls_ring_counted},
		{TLS_RING_MULTIPLY, a->skel->progs.tls_ring_multiply, NULL},
		{TLS_RING_HASH, a->skel->progs.tls_ring_hash, NULL},
		{TLS_RING_OPEN, a->skel->progs.tls_ring_open, NULL},
		{TLS_RING_SEAL, a->skel->progs.tls_ring_seal, NULL},
	};
	unsigned long offsets[TLS_HOOKS_PER_FILE_MAX];
	struct probe probes[2 * ARRAY_SIZE(roles)];
	struct probe_set set = {
		.path = path, .pid = (pid_t)pid, .probes = probes, .dispatch = &a->dispatch};
	unsigned int hooked = 0;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		const unsigned long *at = offsets + hooked;
		unsigned int n = places_of(&roles[i], hooks, count, offsets + hooked);

		if (roles[i].at_return)
			probes[set.count++] = (struct probe){roles[i].at_return, at, n, true};
		probes[set.count++] = (struct probe){roles[i].at_entry, at, n, false};
		hooked += n;
	}
	if (!hooked)
		return 0;
	r = probe_attach(a->means, &set, handle);
	return r ? r : (int)hooked;
}
