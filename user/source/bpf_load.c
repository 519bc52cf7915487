/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/bpf_load.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "gnomon.skel.h"
#include "gnomon/abi.h"
#include "source/mounts.h"
#include "source/probe.h"
#include "util/cleanup.h"
#include "util/diag.h"

/* libbpf's callback has no context, so that its first complaint goes through here; it names the program that
 * failed. Written only while bpf_load() runs. */
static _Thread_local char complaint[160];

__attribute__((format(printf, 2, 0))) static int note_complaint(enum libbpf_print_level level,
								const char *format, va_list args)
{
	if (level == LIBBPF_WARN && !complaint[0]) {
		vsnprintf(complaint, sizeof(complaint), format, args);
		complaint[strcspn(complaint, "\n")] = '\0';
	}
	return 0;
}

__attribute__((format(printf, 4, 5))) static void report_hook(struct hooks_report *report,
							      enum hook_id id,
							      enum hook_state state,
							      const char *format, ...)
{
	va_list args;

	report->hook[id].state = state;
	va_start(args, format);
	vsnprintf(report->hook[id].detail, sizeof(report->hook[id].detail), format, args);
	va_end(args);
}

static bool kernel_has_trace(const struct btf *btf, const char *name)
{
	char type[64];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF) > 0;
}

/* A fentry program that loads proves that fentry works here (some kernels and arm64 before 6.x refuse). */
static bool kernel_has_fentry(const struct btf *btf, const char *function)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FENTRY);
	const struct bpf_insn program[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int id = btf__find_by_name_kind(btf, function, BTF_KIND_FUNC);
	_cleanup_close_ int fd = -1;
	_cleanup_close_ int link = -1;

	if (id < 0)
		return false;
	options.attach_btf_id = (uint32_t)id;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, NULL, "GPL", program, ARRAY_SIZE(program),
			   &options);
	if (fd < 0)
		return false;
	link = bpf_raw_tracepoint_open(NULL, fd);
	return link >= 0;
}

static void choose_link(struct gnomon *skel, const struct btf *btf, struct hooks_report *report)
{
	if (kernel_has_trace(btf, "sock_send_length") &&
	    kernel_has_trace(btf, "sock_recv_length")) {
		bpf_program__set_autoload(skel->progs.link_send, true);
		bpf_program__set_autoload(skel->progs.link_receive, true);
		report_hook(report, HOOK_LINK, HOOK_ATTACHED,
			    "tp_btf sock_send_length, sock_recv_length");
	} else if (kernel_has_fentry(btf, "tcp_sendmsg") && kernel_has_fentry(btf, "tcp_recvmsg")) {
		bpf_program__set_autoload(skel->progs.link_tcp_send, true);
		bpf_program__set_autoload(skel->progs.link_tcp_receive, true);
		report_hook(report, HOOK_LINK, HOOK_ATTACHED, "fentry tcp_sendmsg, tcp_recvmsg");
	} else {
		report_hook(report, HOOK_LINK, HOOK_UNAVAILABLE,
			    "neither sock_send_length tracepoints nor fentry: no stream-to-socket "
			    "link");
	}
}

static void choose_uprobes(struct gnomon *skel, struct hooks_report *report)
{
	struct bpf_program *const programs[] = {
		skel->progs.tls_read_enter,
		skel->progs.tls_write_enter,
		skel->progs.tls_read_ex_enter,
		skel->progs.tls_write_ex_enter,
		skel->progs.tls_write_ex2_enter,
		skel->progs.tls_return,
		skel->progs.tls_end,
		skel->progs.tls_go_read,
		skel->progs.tls_go_read_return,
		skel->progs.tls_go_write,
		skel->progs.tls_go_close,
		skel->progs.tls_aead_seal,
		skel->progs.tls_aead_seal_scatter,
		skel->progs.tls_aead_open,
		skel->progs.tls_aead_open_gather,
		skel->progs.tls_aead_opened,
	};

	report->probes = probe_means_choose();
	report->uprobe_multi = report->probes == &probe_uprobe_multi;
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		bpf_program__set_autoattach(programs[i], false);
		bpf_program__set_expected_attach_type(
			programs[i], (enum bpf_attach_type)report->probes->attach_type);
	}
}

static void attach_packets(struct gnomon *skel, struct hooks_report *report)
{
	_cleanup_close_ int fd = -1;
	char mount[256];
	int r = mount_point("cgroup2", mount, sizeof(mount));

	if (!r) {
		fd = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = fd < 0 ? -errno : 0;
	}
	if (r) {
		report_hook(report, HOOK_PACKETS, HOOK_FAILED, "no cgroup2 mount: %s",
			    strerror(-r));
		return;
	}
	skel->links.packet_out = bpf_program__attach_cgroup(skel->progs.packet_out, fd);
	if (skel->links.packet_out)
		skel->links.packet_in = bpf_program__attach_cgroup(skel->progs.packet_in, fd);
	if (skel->links.packet_in)
		skel->links.datagram_release =
			bpf_program__attach_cgroup(skel->progs.datagram_release, fd);
	if (!skel->links.datagram_release)
		report_hook(report, HOOK_PACKETS, HOOK_FAILED, "cgroup_skb at %s: %s", mount,
			    strerror(errno));
	else
		report_hook(report, HOOK_PACKETS, HOOK_ATTACHED, "cgroup_skb at %s", mount);
}

/* The iterators over open files need bpf_sock_from_file (5.11) and the cookies of sockets in tracing (5.12). */
static void choose_found(struct gnomon *skel, const struct btf *btf)
{
	bool usable = btf__find_by_name_kind(btf, "bpf_iter__task_file", BTF_KIND_STRUCT) > 0 &&
		      btf__find_by_name_kind(btf, "bpf_sock_from_file", BTF_KIND_FUNC) > 0 &&
		      btf__find_by_name_kind(btf, "bpf_get_socket_ptr_cookie", BTF_KIND_FUNC) > 0;

	bpf_program__set_autoload(skel->progs.found_listeners, usable);
	bpf_program__set_autoload(skel->progs.found_connections, usable);
	bpf_program__set_autoattach(skel->progs.found_listeners, false);
	bpf_program__set_autoattach(skel->progs.found_connections, false);
}

static bool attach_found(struct gnomon *skel)
{
	if (!bpf_program__autoload(skel->progs.found_connections))
		return false;
	skel->links.found_listeners = bpf_program__attach_iter(skel->progs.found_listeners, NULL);
	skel->links.found_connections = bpf_program__attach_iter(skel->progs.found_connections,
								 NULL);
	return skel->links.found_listeners && skel->links.found_connections;
}

/* Without it there are no interim byte counts, and nothing else is missing. */
static void attach_samples(struct gnomon *skel)
{
	union bpf_iter_link_info info = {
		.map.map_fd = (uint32_t)bpf_map__fd(skel->maps.flow_heads)};
	LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &info,
		    .link_info_len = sizeof(info));

	skel->links.socket_bytes = bpf_program__attach_iter(skel->progs.socket_bytes, &options);
}

static const char *load_hint(int error)
{
	switch (error) {
	case EPERM:
	case EACCES:
		return " (needs root, or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN)";
	case ENOENT:
	case ESRCH:
		return " (needs a kernel with BTF and the inet_sock_set_state tracepoint)";
	default:
		return "";
	}
}

struct gnomon *bpf_load(struct hooks_report *report, struct diag *diag)
{
	struct btf *btf;
	struct gnomon *skel;
	int r;

	*report = (struct hooks_report){0};
	libbpf_set_print(note_complaint);
	btf = btf__load_vmlinux_btf();
	if (!btf) {
		diag_add(diag, NULL, 0, 0, "this kernel has no readable BTF: %s", strerror(errno));
		return NULL;
	}
	skel = gnomon__open();
	if (!skel) {
		diag_add(diag, NULL, 0, 0, "the kernel half does not open: %s", strerror(errno));
		btf__free(btf);
		return NULL;
	}
	choose_link(skel, btf, report);
	choose_uprobes(skel, report);
	choose_found(skel, btf);
	btf__free(btf);

	bpf_program__set_autoattach(skel->progs.packet_out, false);
	bpf_program__set_autoattach(skel->progs.packet_in, false);
	bpf_program__set_autoattach(skel->progs.socket_bytes, false);
	bpf_program__set_autoattach(skel->progs.datagram_release, false);
	complaint[0] = '\0';
	r = gnomon__load(skel);
	if (!r)
		r = gnomon__attach(skel);
	if (r) {
		diag_add(diag, NULL, 0, 0, "the kernel refuses the probes: %s%s; %s", strerror(-r),
			 load_hint(-r), complaint);
		gnomon__destroy(skel);
		return NULL;
	}
	report_hook(report, HOOK_PROCESS, HOOK_ATTACHED,
		    "tp_btf sched_process_exec, sched_process_exit");
	report_hook(report, HOOK_SOCKETS, HOOK_ATTACHED, "tp_btf inet_sock_set_state; %s",
		    attach_found(skel) ? "iter task_file for those open before"
				       : "those open before have no identity");
	attach_packets(skel, report);
	attach_samples(skel);
	report_hook(report, HOOK_TLS, HOOK_ATTACHED, "%s", report->probes->told);
	return skel;
}

const char *hook_name(enum hook_id id)
{
	static const char *const names[HOOK_COUNT] = {
		[HOOK_PROCESS] = "processes", [HOOK_SOCKETS] = "sockets",
		[HOOK_PACKETS] = "packets",   [HOOK_LINK] = "socket link",
		[HOOK_TLS] = "tls",
	};

	return names[id];
}
