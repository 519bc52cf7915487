/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "emit.bpf.h"

/* exec: tells user space who the pid is from now on, while /proc can still be read. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	struct record_exec *r;
	long n;

	if (!reserve_record(r))
		return 0;
	fill_header(&r->header, RECORD_EXEC, 0);
	who_is_current(&r->header.who);
	r->parent_pid = BPF_CORE_READ(task, real_parent, tgid);
	r->reserved = 0;
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

	bpf_map_delete_elem(&calls, &thread); /* it may have died inside a TLS call */
	/* do_exit() lowers `live` before this tracepoint; the last thread ends the process */
	if (BPF_CORE_READ(task, signal, live.counter) > 0)
		return 0;
	if (!reserve_record(r))
		return 0;
	fill_header(&r->header, RECORD_EXIT, 0);
	who_is_current(&r->header.who);
	bpf_ringbuf_submit(r, 0);
	return 0;
}
