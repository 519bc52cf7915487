/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "source/probe.h"
#include "util/cleanup.h"

/*
 * uprobe_multi links (kernel commit 89ae89f53d20, 6.6): one link holds a program's places in a file, needs no
 * CAP_SYS_ADMIN, and lets go of all at once.
 */

/* include/uapi/linux/bpf.h since 6.6; Debian 12's headers and libbpf 1.1 do not have them yet */
#define ATTACH_TRACE_UPROBE_MULTI 48
#define UPROBE_MULTI_RETURN       1

struct uprobe_multi_attr {
	uint32_t program_fd, target_fd, attach_type, flags;
	uint64_t path, offsets, ref_ctr_offsets, cookies;
	uint32_t count, multi_flags, pid, reserved;
};

/* The link's descriptor, or -errno. */
static int create_link(int program_fd, const char *path, pid_t pid, const struct probe *probe)
{
	struct uprobe_multi_attr attr = {
		.program_fd = (uint32_t)program_fd,
		.attach_type = ATTACH_TRACE_UPROBE_MULTI,
		.path = (uintptr_t)path,
		.offsets = (uintptr_t)probe->offsets,
		.count = probe->count,
		.multi_flags = probe->at_return ? UPROBE_MULTI_RETURN : 0,
		.pid = (uint32_t)pid,
	};
	long fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	return fd < 0 ? -errno : (int)fd;
}

/* A link on "/" fails with EBADF where the kind is known, with EINVAL where it is not. */
static bool multi_works(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = ATTACH_TRACE_UPROBE_MULTI);
	const struct bpf_insn program[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	const unsigned long offset = 0;
	const struct probe nowhere = {.offsets = &offset, .count = 1};
	_cleanup_close_ int fd = -1;
	_cleanup_close_ int link = -1;

	fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, NULL, "GPL", program, ARRAY_SIZE(program),
			   &options);
	if (fd < 0)
		return false;
	link = create_link(fd, "/", 0, &nowhere);
	return link == -EBADF;
}

struct multi_links {
	size_t count;
	int fds[];
};

static void multi_detach(void *state)
{
	struct multi_links *links = state;

	for (size_t i = 0; i < links->count; i++)
		close(links->fds[i]);
	free(links);
}

static int multi_attach(const struct probe_set *set, void **state)
{
	struct multi_links *links = calloc(1, sizeof(*links) + set->count * sizeof(links->fds[0]));

	if (!links)
		return -ENOMEM;
	for (size_t i = 0; i < set->count; i++) {
		const struct probe *probe = &set->probes[i];
		int fd;

		if (!probe->count)
			continue;
		fd = create_link(bpf_program__fd(probe->program), set->path, set->pid, probe);
		if (fd < 0) {
			multi_detach(links);
			return fd;
		}
		links->fds[links->count++] = fd;
	}
	*state = links;
	return 0;
}

const struct probe_means probe_uprobe_multi = {
	.name = "uprobe_multi",
	.told = "uprobe_multi links",
	.attach_type = ATTACH_TRACE_UPROBE_MULTI,
	.works = multi_works,
	.attach = multi_attach,
	.detach = multi_detach,
};
