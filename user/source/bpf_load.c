/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/bpf_load.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "gnomon.skel.h"
#include "gnomon/abi.h"
#include "source/kernel.h"
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

/* The best pair of programs that this kernel has is loaded; kprobes show only when they are attached. */
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
		bpf_program__set_autoload(skel->progs.link_probe_send, true);
		bpf_program__set_autoload(skel->progs.link_probe_receive, true);
	}
}

static void choose_cookies(struct gnomon *skel, const struct btf *btf)
{
	skel->rodata->tracing_makes_cookies = kernel_has_tracing_cookie(btf);
	if (skel->rodata->tracing_makes_cookies)
		return;
	bpf_program__set_autoload(skel->progs.cookie_created, true);
	bpf_program__set_autoload(skel->progs.cookie_accepted, true);
}

/* The iterators over open files need bpf_sock_from_file (5.11), and cookies. */
static void choose_found(struct gnomon *skel, const struct btf *btf)
{
	bool usable = btf__find_by_name_kind(btf, "bpf_iter__task_file", BTF_KIND_STRUCT) > 0 &&
		      btf__find_by_name_kind(btf, "bpf_sock_from_file", BTF_KIND_FUNC) > 0 &&
		      skel->rodata->tracing_makes_cookies;

	bpf_program__set_autoload(skel->progs.found_listeners, usable);
	bpf_program__set_autoload(skel->progs.found_connections, usable);
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
		skel->progs.tls_ring_multiply,
		skel->progs.tls_ring_hash,
		skel->progs.tls_ring_seal,
		skel->progs.tls_ring_open,
		skel->progs.tls_ring_counter,
		skel->progs.tls_ring_counted,
		skel->progs.tls_dispatch,
	};

	report->probes = probe_means_choose();
	report->uprobe_multi = report->probes == &probe_uprobe_multi;
	bpf_program__set_autoload(skel->progs.tls_dispatch, report->probes->dispatches);
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		bpf_program__set_autoattach(programs[i], false);
		bpf_program__set_expected_attach_type(
			programs[i], (enum bpf_attach_type)report->probes->attach_type);
	}
}

static void attach_link_probes(struct gnomon *skel, struct hooks_report *report)
{
	if (!bpf_program__autoload(skel->progs.link_probe_send))
		return;
	skel->links.link_probe_send = bpf_program__attach(skel->progs.link_probe_send);
	if (skel->links.link_probe_send)
		skel->links.link_probe_receive =
			bpf_program__attach(skel->progs.link_probe_receive);
	if (skel->links.link_probe_receive)
		report_hook(report, HOOK_LINK, HOOK_ATTACHED, "kprobes tcp_sendmsg, tcp_recvmsg");
	else
		report_hook(report, HOOK_LINK, HOOK_UNAVAILABLE,
			    "no sock_send_length tracepoint, no fentry, and of kprobes: %s",
			    strerror(errno));
}

/* A program at the root of the cgroup tree; false with errno: it was not loaded, or cannot be attached. */
static bool attach_cgroup(struct bpf_program *program, int root, struct bpf_link **link)
{
	*link = bpf_program__attach_cgroup(program, root);
	return *link;
}

static void attach_packets(struct gnomon *skel, const char *mount, int root,
			   struct hooks_report *report)
{
	if (!attach_cgroup(skel->progs.packet_out, root, &skel->links.packet_out) ||
	    !attach_cgroup(skel->progs.packet_in, root, &skel->links.packet_in))
		report_hook(report, HOOK_PACKETS, HOOK_FAILED, "cgroup_skb: %s", strerror(errno));
	else
		report_hook(report, HOOK_PACKETS, HOOK_ATTACHED, "cgroup_skb at %s", mount);
	if (!attach_cgroup(skel->progs.datagram_release, root, &skel->links.datagram_release))
		report_hook(report, HOOK_DATAGRAMS, HOOK_FAILED, "cgroup sock_release: %s",
			    strerror(errno));
	else
		report_hook(report, HOOK_DATAGRAMS, HOOK_ATTACHED, "cgroup sock_release");
}

static void attach_cookies(struct gnomon *skel, int root, struct hooks_report *report)
{
	if (skel->rodata->tracing_makes_cookies)
		return;
	if (!attach_cgroup(skel->progs.cookie_created, root, &skel->links.cookie_created) ||
	    !attach_cgroup(skel->progs.cookie_accepted, root, &skel->links.cookie_accepted))
		report_hook(report, HOOK_SOCKETS, HOOK_FAILED, "no cookies: cgroup sock_create: %s",
			    strerror(errno));
	else
		report_hook(report, HOOK_SOCKETS, HOOK_ATTACHED,
			    "tp_btf inet_sock_set_state; cookies by cgroup sock_create, sockops");
}

/* All that sits on the root of the cgroup2 tree, wherever it is mounted. */
static void attach_to_cgroups(struct gnomon *skel, struct hooks_report *report)
{
	_cleanup_close_ int root = -1;
	char mount[256];
	int r = mount_point("cgroup2", mount, sizeof(mount));

	if (!r) {
		root = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = root < 0 ? -errno : 0;
	}
	if (!r) {
		attach_cookies(skel, root, report);
		attach_packets(skel, mount, root, report);
		return;
	}
	report_hook(report, HOOK_PACKETS, HOOK_FAILED, "no cgroup2 mount: %s", strerror(-r));
	report_hook(report, HOOK_DATAGRAMS, HOOK_FAILED, "no cgroup2 mount: %s", strerror(-r));
	if (!skel->rodata->tracing_makes_cookies)
		report_hook(report, HOOK_SOCKETS, HOOK_FAILED, "no cookies: no cgroup2 mount: %s",
			    strerror(-r));
}

/* Without them, sockets that were open before the sensor have no identity. */
static void attach_found(struct gnomon *skel, struct hooks_report *report)
{
	if (!bpf_program__autoload(skel->progs.found_connections)) {
		report_hook(report, HOOK_FOUND, HOOK_UNAVAILABLE,
			    "no sockets in iter task_file: those open before have no identity");
		return;
	}
	skel->links.found_listeners = bpf_program__attach_iter(skel->progs.found_listeners, NULL);
	if (skel->links.found_listeners)
		skel->links.found_connections =
			bpf_program__attach_iter(skel->progs.found_connections, NULL);
	if (skel->links.found_connections)
		report_hook(report, HOOK_FOUND, HOOK_ATTACHED, "iter task_file");
	else
		report_hook(report, HOOK_FOUND, HOOK_FAILED, "iter task_file: %s", strerror(errno));
}

/* Without them no file gives its probes up. Only this process's own files are walked where the kernel can (6.1). */
static void attach_held(struct gnomon *skel)
{
	union bpf_iter_link_info info = {.task.pid = (uint32_t)getpid()};
	LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &info,
		    .link_info_len = sizeof(info));

	skel->links.held_files = bpf_program__attach_iter(skel->progs.held_files, &options);
	if (!skel->links.held_files)
		skel->links.held_files = bpf_program__attach_iter(skel->progs.held_files, NULL);
	skel->links.mount_namespaces = bpf_program__attach_iter(skel->progs.mount_namespaces, NULL);
}

/* Without it there are no interim byte counts, and nothing else is missing. */
static void attach_samples(struct gnomon *skel, struct hooks_report *report)
{
	union bpf_iter_link_info info = {
		.map.map_fd = (uint32_t)bpf_map__fd(skel->maps.flow_heads)};
	LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &info,
		    .link_info_len = sizeof(info));

	skel->links.socket_bytes = bpf_program__attach_iter(skel->progs.socket_bytes, &options);
	if (skel->links.socket_bytes)
		report_hook(report, HOOK_SAMPLES, HOOK_ATTACHED, "iter bpf_sk_storage_map");
	else
		report_hook(report, HOOK_SAMPLES, HOOK_FAILED, "iter bpf_sk_storage_map: %s",
			    strerror(errno));
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

/* What is loaded, and what of it gnomon__attach() leaves alone because it needs more than its name. */
static void choose(struct gnomon *skel, const struct btf *btf, struct hooks_report *report)
{
	struct bpf_program *const attached_apart[] = {
		skel->progs.packet_out,      skel->progs.packet_in,
		skel->progs.socket_bytes,    skel->progs.datagram_release,
		skel->progs.cookie_created,  skel->progs.cookie_accepted,
		skel->progs.link_probe_send, skel->progs.link_probe_receive,
		skel->progs.found_listeners, skel->progs.found_connections,
		skel->progs.held_files,      skel->progs.mount_namespaces,
	};

	choose_cookies(skel, btf);
	choose_found(skel, btf);
	choose_link(skel, btf, report);
	choose_uprobes(skel, report);
	bpf_program__set_autoload(skel->progs.datagram_release, kernel_has_release_storage());
	for (size_t i = 0; i < ARRAY_SIZE(attached_apart); i++)
		bpf_program__set_autoattach(attached_apart[i], false);
}

/* A test's wish for losses. */
static uint32_t drop_one_in(void)
{
	const char *text = getenv("GNOMON_DROP_ONE_IN");

	return text ? (uint32_t)strtoul(text, NULL, 10) : 0;
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
	skel->rodata->drop_one_in = drop_one_in();
	choose(skel, btf, report);
	btf__free(btf);
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
	report_hook(report, HOOK_SOCKETS, HOOK_ATTACHED, "tp_btf inet_sock_set_state");
	attach_to_cgroups(skel, report);
	attach_found(skel, report);
	attach_link_probes(skel, report);
	attach_samples(skel, report);
	attach_held(skel);
	report_hook(report, HOOK_TLS, HOOK_ATTACHED, "%s", report->probes->told);
	return skel;
}

const char *hook_name(enum hook_id id)
{
	static const char *const names[HOOK_COUNT] = {
		[HOOK_PROCESS] = "processes",      [HOOK_SOCKETS] = "sockets",
		[HOOK_PACKETS] = "packets",        [HOOK_LINK] = "socket link",
		[HOOK_DATAGRAMS] = "datagrams",    [HOOK_FOUND] = "open sockets",
		[HOOK_SAMPLES] = "interim counts", [HOOK_TLS] = "tls",
	};

	return names[id];
}
