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

#include "gnomon/limits.h"

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
	struct processes *processes = processes_new(proc->root);
	struct process_identity who = identity(100, 500);
	const struct process *p = processes_find(processes, &who);

	assert_non_null(p);
	assert_string_equal(p->name, "a) R 1 (b)");
	assert_string_equal(p->executable, "/opt/tool");
	assert_int_equal(p->parent_pid, 50);
	assert_string_equal(p->parent_name, "bash");
	assert_int_equal(p->uid, 1000);
	processes_free(processes);
}

/* The pid was used again: /proc speaks of somebody else and must not be believed. */
static void believes_proc_only_about_the_same_process(void **state)
{
	struct proc *proc = *state;
	struct processes *processes = processes_new(proc->root);
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
	struct processes *processes = processes_new(NULL);
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
	struct processes *processes = processes_new(NULL);

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_proc_knows),
		cmocka_unit_test(believes_proc_only_about_the_same_process),
		cmocka_unit_test(exec_replaces_what_was_known),
		cmocka_unit_test(the_table_is_bounded_and_counts_the_living_it_forgets),
	};

	return cmocka_run_group_tests_name("process", tests, set_up, tear_down);
}
