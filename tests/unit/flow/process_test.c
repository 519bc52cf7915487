/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "flow/container.h"
#include "flow/proc_files.h"
#include "gnomon/limits.h"
#include "util/cleanup.h"

/* A procfs of our own: two processes, one of whose names tries to confuse the reader of stat. */
struct proc {
	char root[64];
};

static void put(const struct proc *proc, unsigned int pid, const char *file, const char *text)
{
	char path[128];
	FILE *to;

	snprintf(path, sizeof(path), "%s/%u", proc->root, pid);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%u/%s", proc->root, pid, file);
	to = fopen(path, "w");
	assert_non_null(to);
	fputs(text, to);
	fclose(to);
}

static int set_up(void **state)
{
	static struct proc proc;
	char path[128];

	strcpy(proc.root, "/tmp/gnomon-proc.XXXXXX");
	if (!mkdtemp(proc.root))
		return -1;
	put(&proc, 50, "comm", "bash\n");
	put(&proc, 50, "stat", "50 (bash) S 50 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 400 0 0\n");
	/* started 500 ticks after boot; fields as in proc_pid_stat(5) */
	put(&proc, 100, "stat",
	    "100 (a) R 1 (b)) S 50 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 500 0 0\n");
	put(&proc, 100, "comm", "a) R 1 (b)\n");
	snprintf(path, sizeof(path), "%s/100/exe", proc.root);
	if (symlink("/opt/tool (deleted)", path))
		return -1;
	*state = &proc;
	return 0;
}

static int tear_down(void **state)
{
	struct proc *proc = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", proc->root);
	return system(command);
}

static struct process_identity identity(uint32_t pid, uint64_t ticks)
{
	struct process_identity who = {.pid = pid, .uid = 1000, .gid = 100, .comm = "kernel-name"};

	/* inside the tick, as the kernel's nanoseconds are */
	who.start_ns = ticks * (1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK)) + 12345;
	return who;
}

static void reads_what_proc_knows(void **state)
{
	struct proc *proc = *state;
	struct processes *processes = processes_new(proc->root, proc->root);
	struct process_identity who = identity(100, 500);
	const struct process *p = processes_find(processes, &who);

	assert_non_null(p);
	assert_string_equal(p->name, "a) R 1 (b)");
	assert_string_equal(p->executable, "/opt/tool");
	assert_int_equal(p->parent_pid, 50);
	assert_int_equal(p->ancestor_count, 1);
	assert_string_equal(p->ancestors[0], "bash");
	assert_false(p->foreign_user);
	assert_int_equal(p->login_uid, PROCESS_NO_LOGIN);
	assert_null(processes_container(processes, p));
	assert_int_equal(p->uid, 1000);
	processes_free(processes);
}

/* A browser's helper, executed as /proc/self/exe, has the program's name and not the link's. */
static void names_a_helper_by_its_program(void **state)
{
	struct proc *proc = *state;
	struct processes *processes = processes_new(proc->root, proc->root);
	struct process_identity who = identity(101, 600);
	char path[128];

	put(proc, 101, "stat", "101 (exe) S 50 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 600 0 0\n");
	put(proc, 101, "comm", "exe\n");
	snprintf(path, sizeof(path), "%s/101/exe", proc->root);
	assert_int_equal(symlink("/opt/browser/a-browser-of-long-name", path), 0);
	assert_string_equal(processes_find(processes, &who)->name, "a-browser-of-lo");
	processes_free(processes);
}

/* The pid was used again: /proc speaks of somebody else and must not be believed. */
static void believes_proc_only_about_the_same_process(void **state)
{
	struct proc *proc = *state;
	struct processes *processes = processes_new(proc->root, proc->root);
	struct process_identity who = identity(100, 400);
	const struct process *p = processes_find(processes, &who);

	assert_string_equal(p->name, "kernel-name");
	assert_string_equal(p->executable, "");
	assert_int_equal(p->parent_pid, 0);
	processes_free(processes);
}

static void exec_replaces_what_was_known(void **state)
{
	struct process_identity who = identity(7, 1);
	struct observed_process exec = {
		.change = PROCESS_EXEC, .parent_pid = 3, .filename = SPAN_LITERAL("/usr/bin/new")};
	struct processes *processes = processes_new(NULL, "");
	const struct process *p;

	(void)state;
	p = processes_find(processes, &who);
	assert_string_equal(p->executable, "");
	strcpy(who.comm, "new");
	processes_exec(processes, &who, &exec, 5000);
	p = processes_find(processes, &who);
	assert_string_equal(p->executable, "/usr/bin/new");
	assert_string_equal(p->name, "new");
	assert_int_equal(p->parent_pid, 3);
	assert_int_equal(p->started_ns, 5000);
	processes_free(processes);
}

static void the_table_is_bounded_and_counts_the_living_it_forgets(void **state)
{
	struct processes *processes = processes_new(NULL, "");

	(void)state;
	for (uint32_t pid = 1; pid <= PROCESSES_MAX; pid++) {
		struct process_identity who = identity(pid, 1);

		assert_non_null(processes_find(processes, &who));
		if (pid <= 10)
			processes_exit(processes, &who);
	}
	assert_int_equal(processes_evicted(processes), 0);
	for (uint32_t pid = 1; pid <= 15; pid++) {
		struct process_identity who = identity(PROCESSES_MAX + pid, 1);

		assert_non_null(processes_find(processes, &who));
	}
	/* ten of the fifteen that went had ended */
	assert_int_equal(processes_evicted(processes), 5);
	processes_free(processes);
}

#define ID "3f4ab0c7e1d95268b7a09c1df23e4567890abcdef0123456789abcdef0123456"

/* A process of our procfs with what is always there. */
static void put_process(const struct proc *proc, unsigned int pid, unsigned int parent,
			const char *name, unsigned int ticks, const char *executable)
{
	char text[256], path[128];

	snprintf(text, sizeof(text), "%u (%s) S %u 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %u 0 0\n",
		 pid, name, parent, ticks);
	put(proc, pid, "stat", text);
	snprintf(text, sizeof(text), "%s\n", name);
	put(proc, pid, "comm", text);
	snprintf(path, sizeof(path), "%s/%u/exe", proc->root, pid);
	unlink(path);
	assert_int_equal(symlink(executable, path), 0);
}

static void remove_process(const struct proc *proc, unsigned int pid)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s/%u", proc->root, pid);
	assert_int_equal(system(command), 0);
}

static void exec_of(struct processes *processes, const struct process_identity *who,
		    uint32_t parent)
{
	struct observed_process exec = {.change = PROCESS_EXEC, .parent_pid = parent};

	processes_exec(processes, who, &exec, 1);
}

static void reads_who_and_where(void **state)
{
	struct proc *proc = *state;
	struct processes *processes = processes_new(proc->root, proc->root);
	struct process_identity who = identity(200, 600);
	const struct container *container;
	const struct process *p;
	char path[128];

	put_process(proc, 200, 50, "python3", 600, "/usr/bin/python3.11");
	snprintf(path, sizeof(path), "%s/200/cmdline", proc->root);
	{
		_cleanup_fclose_ FILE *file = fopen(path, "w");

		fwrite("python3\0-u\0job.py\0sk-secret\0", 1, 28, file);
	}
	snprintf(path, sizeof(path), "%s/200/cwd", proc->root);
	assert_int_equal(symlink("/srv/app", path), 0);
	put(proc, 200, "loginuid", "1234");
	put(proc, 200, "cgroup", "0::/system.slice/docker-" ID ".scope\n");
	put(proc, 200, "uid_map", "         0     100000      65536\n");
	who.uid = 100033;
	exec_of(processes, &who, 50);
	p = processes_find(processes, &who);
	assert_string_equal(p->executable, "/usr/bin/python3.11");
	assert_string_equal(p->script, "/srv/app/job.py");
	assert_int_equal(p->login_uid, 1234);
	assert_true(p->foreign_user);
	container = processes_container(processes, p);
	assert_non_null(container);
	assert_string_equal(container->name.id, ID);
	assert_null(container->image);
	/* the next image is another program */
	put_process(proc, 200, 50, "tool", 600, "/opt/tool");
	put(proc, 200, "loginuid", "4294967295");
	put(proc, 200, "cgroup", "0::/user.slice\n");
	exec_of(processes, &who, 50);
	p = processes_find(processes, &who);
	assert_string_equal(p->executable, "/opt/tool");
	assert_string_equal(p->script, "");
	assert_int_equal(p->login_uid, PROCESS_NO_LOGIN);
	assert_null(processes_container(processes, p));
	processes_free(processes);
	remove_process(proc, 200);
}

static void names_four_ancestors_nearest_first(void **state)
{
	struct proc *proc = *state;
	struct processes *processes = processes_new(proc->root, proc->root);
	struct process_identity who = identity(305, 705);
	const struct process *p;
	static const char *const names[] = {"init", "sshd", "bash", "claude", "sh", "node"};

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		put_process(proc, 300 + i, i ? 299 + i : 0, names[i], 700 + i, "/bin/x");
	p = processes_find(processes, &who);
	assert_int_equal(p->ancestor_count, 4);
	assert_string_equal(p->ancestors[0], "sh");
	assert_string_equal(p->ancestors[1], "claude");
	assert_string_equal(p->ancestors[2], "bash");
	assert_string_equal(p->ancestors[3], "sshd");
	p = processes_parent(processes, p);
	assert_string_equal(p->name, "sh");
	assert_int_equal(p->pid, 304);
	/* a parent that was met as such tells all, once it is asked for itself */
	who = identity(304, 704);
	p = processes_find(processes, &who);
	assert_int_equal(p->ancestor_count, 4);
	assert_string_equal(p->ancestors[3], "init");
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		remove_process(proc, 300 + i);
	processes_free(processes);
}

/* /proc of a process that somebody tampers with, or that changes as it is read. */
static void circles_of_parents_end(void **state)
{
	struct proc *proc = *state;
	struct processes *processes = processes_new(proc->root, proc->root);
	struct process_identity a = identity(400, 800), b = identity(401, 800);

	put_process(proc, 400, 401, "a", 800, "/bin/a");
	put_process(proc, 401, 400, "b", 800, "/bin/b");
	put_process(proc, 402, 402, "own", 800, "/bin/own");
	assert_int_equal(processes_find(processes, &a)->ancestor_count, 4);
	assert_int_equal(processes_find(processes, &b)->ancestor_count, 4);
	a = identity(402, 800);
	assert_int_equal(processes_find(processes, &a)->ancestor_count, 0);
	for (unsigned int pid = 400; pid <= 402; pid++)
		remove_process(proc, pid);
	processes_free(processes);
}

/* A helper that goes on when what started it has ended: init adopts it, and starts it anew as itself. */
static void a_detached_helper_belongs_to_what_started_it(void **state)
{
	struct proc *proc = *state;
	struct processes *processes = processes_new(proc->root, proc->root);
	struct process_identity cline = identity(500, 900), helper = identity(501, 901);
	const struct process *p;

	put_process(proc, 1, 0, "systemd", 1, "/sbin/init");
	put_process(proc, 500, 1, "cline", 900, "/usr/bin/cline");
	exec_of(processes, &cline, 1);
	processes_exit(processes, &cline);
	remove_process(proc, 500);
	/* by the time that the record of the exec is read, /proc speaks of the new parent */
	put_process(proc, 501, 1, "hub", 901, "/opt/hub");
	exec_of(processes, &helper, 500);
	p = processes_find(processes, &helper);
	assert_int_equal(p->parent_pid, 500);
	assert_string_equal(p->ancestors[0], "cline");
	assert_string_equal(p->ancestors[1], "systemd");
	exec_of(processes, &helper, 1);
	p = processes_find(processes, &helper);
	assert_int_equal(p->parent_pid, 500);
	assert_string_equal(p->ancestors[0], "cline");
	assert_string_equal(processes_parent(processes, p)->executable, "/usr/bin/cline");
	remove_process(proc, 1);
	remove_process(proc, 501);
	processes_free(processes);
}

/* The parent's pid is another's by now: one that began after the child is not its parent. */
static void a_pid_used_again_is_no_parent(void **state)
{
	struct proc *proc = *state;
	struct processes *processes = processes_new(proc->root, proc->root);
	struct process_identity old = identity(600, 1000), child = identity(601, 1001);
	const struct process *p;

	exec_of(processes, &old, 0);
	processes_exit(processes, &old);
	put_process(proc, 600, 1, "stranger", 1002, "/bin/stranger");
	put_process(proc, 601, 1, "child", 1001, "/bin/child");
	exec_of(processes, &child, 600);
	p = processes_find(processes, &child);
	assert_int_equal(p->ancestor_count, 1);
	assert_string_equal(p->ancestors[0], "kernel-name");
	remove_process(proc, 600);
	remove_process(proc, 601);
	processes_free(processes);
}

static void knows_whose_uid_it_is(void **state)
{
	static const char *const rootless = "0 1000 1\n1 100000 65536\n";

	(void)state;
	assert_false(proc_uid_is_foreign(SPAN_LITERAL("         0          0 4294967295\n"), 1000));
	assert_true(proc_uid_is_foreign(SPAN_LITERAL("0 100000 65536\n"), 100000));
	/* who mapped only himself still is himself */
	assert_false(proc_uid_is_foreign(SPAN_LITERAL("0 1000 1\n"), 1000));
	assert_false(proc_uid_is_foreign(span_str(rootless), 1000));
	assert_true(proc_uid_is_foreign(span_str(rootless), 100032));
	assert_false(proc_uid_is_foreign(span_str(rootless), 33));
	assert_false(proc_uid_is_foreign(SPAN_LITERAL(""), 0));
	assert_false(proc_uid_is_foreign(SPAN_LITERAL("x\n99999999999 0 5\n0 0\n"), 0));
	assert_true(proc_uid_is_foreign(SPAN_LITERAL("0 0 4294967294\n"), 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_proc_knows),
		cmocka_unit_test(names_a_helper_by_its_program),
		cmocka_unit_test(believes_proc_only_about_the_same_process),
		cmocka_unit_test(exec_replaces_what_was_known),
		cmocka_unit_test(reads_who_and_where),
		cmocka_unit_test(names_four_ancestors_nearest_first),
		cmocka_unit_test(circles_of_parents_end),
		cmocka_unit_test(a_detached_helper_belongs_to_what_started_it),
		cmocka_unit_test(a_pid_used_again_is_no_parent),
		cmocka_unit_test(knows_whose_uid_it_is),
		cmocka_unit_test(the_table_is_bounded_and_counts_the_living_it_forgets),
	};

	return cmocka_run_group_tests_name("process", tests, set_up, tear_down);
}
