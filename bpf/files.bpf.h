/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "maps.bpf.h"

static __always_inline void fill_file_key(struct file_key *key, const struct inode *inode)
{
	key->inode = BPF_CORE_READ(inode, i_ino);
	key->size = BPF_CORE_READ(inode, i_size);
	key->device = BPF_CORE_READ(inode, i_sb, s_dev);
	key->reserved = 0;
}

/* The open file behind a descriptor of the current process; NULL: none. */
static __always_inline struct file *current_file(int fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct file **fds, *file;

	if (fd < 0 || (unsigned int)fd >= BPF_CORE_READ(task, files, fdt, max_fds))
		return NULL;
	fds = BPF_CORE_READ(task, files, fdt, fd);
	if (bpf_probe_read_kernel(&file, sizeof(file), fds + fd))
		return NULL;
	return file;
}
