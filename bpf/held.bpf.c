/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "files.bpf.h"

/*
 * Which of the files that user space keeps open, because they have probes, are still mapped by anybody: a look at
 * its own descriptors, now and then. Nothing is told of where a file is mapped, and no process is looked at.
 */

#define OVERLAYFS_MAGIC 0x794c7630 /* include/uapi/linux/magic.h */

/* Of the reader's own descriptors. */
SEC("iter/task_file")
int held_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct held_file held = {};
	struct inode *inode;

	if (!task || !file ||
	    BPF_CORE_READ(task, tgid) != (pid_t)(bpf_get_current_pid_tgid() >> 32))
		return 0;
	inode = BPF_CORE_READ(file, f_inode);
	held.fd = ctx->fd;
	fill_file_key(&held.key, inode);
	/* who maps a file of an overlay maps the file below it */
	if (BPF_CORE_READ(inode, i_sb, s_magic) == OVERLAYFS_MAGIC)
		held.use = HELD_OVERLAY;
	else if (BPF_CORE_READ(inode, i_mapping, i_mmap.rb_root.rb_node))
		held.use = HELD_MAPPED;
	bpf_seq_write(ctx->meta->seq, &held, sizeof(held));
	return 0;
}

/* The mount namespaces that have a process: files of a container's overlay are of use while it lives. */
SEC("iter/task")
int mount_namespaces(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	__u32 number;

	if (!task || BPF_CORE_READ(task, tgid) != BPF_CORE_READ(task, pid))
		return 0;
	number = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
	bpf_seq_write(ctx->meta->seq, &number, sizeof(number));
	return 0;
}
