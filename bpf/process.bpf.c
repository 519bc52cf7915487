/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "emit.bpf.h"
#include "files.bpf.h"

/* Fills *key. Was this file never told to user space before? */
static __always_inline bool file_is_new(struct file *file, struct file_key *key)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	__u8 seen = 1;

	fill_file_key(key, inode);
	if (!inode || bpf_map_lookup_elem(&files_seen, key))
		return false;
	bpf_map_update_elem(&files_seen, key, &seen, BPF_ANY);
	return true;
}

/* exec: tells user space who the pid is from now on, while /proc can still be read. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	struct file_key key = {};
	struct record_exec *r;
	bool is_new;
	long n;

	is_new = file_is_new(BPF_CORE_READ(bprm, file), &key);
	if (!reserve_record(r))
		return 0;
	fill_header(&r->header, RECORD_EXEC, 0);
	who_is_current(&r->header.who);
	r->parent_pid = BPF_CORE_READ(task, real_parent, tgid);
	r->file = key;
	r->new_file = is_new;
	n = bpf_probe_read_kernel_str(r->filename, sizeof(r->filename),
				      BPF_CORE_READ(bprm, filename));
	if (n > 1)
		r->header.len = n - 1;
	bpf_ringbuf_submit(r, 0);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct record_exit *r;
	__u32 pid;

	bpf_map_delete_elem(&threads, &thread); /* it may have died inside a TLS call */
	/* do_exit() lowers `live` before this tracepoint; the last thread ends the process */
	if (BPF_CORE_READ(task, signal, live.counter) > 0)
		return 0;
	pid = thread >> 32;
	bpf_map_delete_elem(&aead_processes, &pid);
	bpf_map_delete_elem(&shares, &pid);
	if (!reserve_record(r))
		return 0;
	fill_header(&r->header, RECORD_EXIT, 0);
	who_is_current(&r->header.who);
	bpf_ringbuf_submit(r, 0);
	return 0;
}

#define PROT_EXEC 4

#if defined(__TARGET_ARCH_x86)
#define SYSCALL_NUMBER(regs) ((long)BPF_CORE_READ(regs, orig_ax))
#define SYSCALL_MMAP         9
#define MMAP_PROT(regs)      BPF_CORE_READ(regs, dx)
#define MMAP_FD(regs)        ((int)BPF_CORE_READ(regs, r8))
#elif defined(__TARGET_ARCH_arm64)
#define SYSCALL_NUMBER(regs) ((long)BPF_CORE_READ(regs, syscallno))
#define SYSCALL_MMAP         222
#define MMAP_PROT(regs)      BPF_CORE_READ(regs, regs[2])
#define MMAP_FD(regs)        ((int)BPF_CORE_READ(regs, regs[4]))
#endif

/*
 * Executable mappings made after exec: the dynamic loader's and dlopen()'s. Runs at every system call of the
 * host, so that the number is looked at first; a file is told once, whoever maps it.
 */
SEC("tp_btf/sys_exit")
int BPF_PROG(mapped_executable, struct pt_regs *regs, long ret)
{
	struct record_mapped *r;
	struct file_key key = {};
	struct file *file;

	if (SYSCALL_NUMBER(regs) != SYSCALL_MMAP || ret < 0 || !(MMAP_PROT(regs) & PROT_EXEC))
		return 0;
	file = current_file(MMAP_FD(regs));
	if (!file || !file_is_new(file, &key))
		return 0;
	if (!reserve_record(r))
		return 0;
	fill_header(&r->header, RECORD_MAPPED, 0);
	who_is_current(&r->header.who);
	r->file = key;
	bpf_ringbuf_submit(r, 0);
	return 0;
}
