/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/table.h"

#define NS_PER_S 1000000000ULL

struct process_key {
	uint64_t pid, start_ns;
};

struct process_entry {
	struct table_link link;
	struct process_key key;
	struct process process;
};

struct processes {
	struct table table;
	char proc[64];
	uint64_t evicted;
};

struct processes *processes_new(const char *proc)
{
	struct processes *p = calloc(1, sizeof(*p));

	if (!p || table_init(&p->table, PROCESSES_MAX)) {
		free(p);
		return NULL;
	}
	if (proc)
		span_copy(p->proc, sizeof(p->proc), span_str(proc));
	return p;
}

void processes_free(struct processes *p)
{
	if (!p)
		return;
	while (p->table.oldest) {
		struct process_entry *e = table_entry(p->table.oldest, struct process_entry, link);

		table_remove(&p->table, &e->link);
		free(e);
	}
	table_done(&p->table);
	free(p);
}

uint64_t processes_evicted(const struct processes *p)
{
	return p->evicted;
}

static bool same_process(const struct table_link *link, const void *key)
{
	const struct process_entry *e = table_entry(link, const struct process_entry, link);

	return memcmp(&e->key, key, sizeof(e->key)) == 0;
}

static struct process_entry *entry_of(struct processes *p, const struct process_identity *who,
				      bool create)
{
	struct process_key key = {who->pid, who->start_ns};
	uint64_t hash = table_hash(&p->table, &key, sizeof(key));
	struct table_link *link = table_find(&p->table, hash, same_process, &key);
	struct process_entry *e;

	if (link) {
		table_touch(&p->table, link);
		return table_entry(link, struct process_entry, link);
	}
	if (!create)
		return NULL;
	if (table_full(&p->table)) {
		e = table_entry(p->table.oldest, struct process_entry, link);
		p->evicted += !e->process.ended;
		table_remove(&p->table, &e->link);
	} else {
		e = malloc(sizeof(*e));
		if (!e)
			return NULL;
	}
	*e = (struct process_entry){
		.key = key,
		.process = {.pid = who->pid,
			    .uid = who->uid,
			    .gid = who->gid,
			    .start_ns = who->start_ns},
	};
	span_copy(e->process.name, sizeof(e->process.name),
		  span_of(who->comm, strnlen(who->comm, sizeof(who->comm))));
	table_add(&p->table, &e->link, hash);
	return e;
}

/* The start of a file under /proc/PID, NUL-terminated. -errno. */
static int read_proc(const struct processes *p, uint32_t pid, const char *file, char *to,
		     size_t cap)
{
	_cleanup_close_ int fd = -1;
	char path[128];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%u/%s", p->proc, pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, to, cap - 1);
	if (n < 0)
		return -errno;
	to[n] = '\0';
	return 0;
}

/* Parent and start time from stat (proc_pid_stat(5)): fields 4 and 22, counted behind the name's last
 * parenthesis, since the name may hold anything. */
static int read_stat(const struct processes *p, uint32_t pid, uint32_t *parent, uint64_t *start_ns)
{
	unsigned long long ticks = 0;
	char text[1024], *at;
	int r = read_proc(p, pid, "stat", text, sizeof(text));

	if (r)
		return r;
	at = strrchr(text, ')');
	if (!at || sscanf(at + 1,
			  " %*c %u %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
			  "%*d %*d %llu",
			  parent, &ticks) != 2)
		return -EPROTO;
	*start_ns = ticks * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
	return 0;
}

static void read_name(const struct processes *p, uint32_t pid, char *to, size_t cap)
{
	char text[64];

	if (read_proc(p, pid, "comm", text, sizeof(text)))
		return;
	span_copy(to, cap, span_of(text, strcspn(text, "\n")));
}

static void read_executable(const struct processes *p, struct process *process)
{
	static const char deleted[] = " (deleted)";
	char path[128];
	ssize_t n;
	size_t len;

	snprintf(path, sizeof(path), "%s/%u/exe", p->proc, process->pid);
	n = readlink(path, process->executable, sizeof(process->executable) - 1);
	if (n < 0)
		return;
	len = (size_t)n;
	if (len > sizeof(deleted) - 1 && memcmp(process->executable + len - (sizeof(deleted) - 1),
						deleted, sizeof(deleted) - 1) == 0)
		len -= sizeof(deleted) - 1;
	process->executable[len] = '\0';
}

/* Everything that /proc knows, if the pid still is this process. The kernel's start time has
 * nanoseconds, /proc's has clock ticks. */
static void read_process(const struct processes *p, struct process *process)
{
	uint64_t tick = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
	uint32_t parent = process->parent_pid;
	uint64_t start_ns;

	if (!p->proc[0] || read_stat(p, process->pid, &parent, &start_ns))
		return;
	if (start_ns / tick != process->start_ns / tick)
		return;
	process->parent_pid = parent;
	read_name(p, process->pid, process->name, sizeof(process->name));
	read_executable(p, process);
	read_name(p, parent, process->parent_name, sizeof(process->parent_name));
}

static uint64_t boot_time_ns(void)
{
	struct timespec real, boot;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return ((uint64_t)real.tv_sec - (uint64_t)boot.tv_sec) * NS_PER_S + (uint64_t)real.tv_nsec -
	       (uint64_t)boot.tv_nsec;
}

void processes_exec(struct processes *p, const struct process_identity *who,
		    const struct observed_process *exec, uint64_t now_ns)
{
	struct process_entry *e = entry_of(p, who, true);
	struct process *process;

	if (!e)
		return;
	process = &e->process;
	process->ended = false;
	process->uid = who->uid;
	process->gid = who->gid;
	process->parent_pid = exec->parent_pid;
	process->started_ns = p->proc[0] ? boot_time_ns() + who->start_ns : now_ns;
	span_copy(process->name, sizeof(process->name),
		  span_of(who->comm, strnlen(who->comm, sizeof(who->comm))));
	process->executable[0] = '\0';
	read_process(p, process);
	/* it may have ended already; what execve was given is the next best, if it is a path */
	if (!process->executable[0] && exec->filename.len && exec->filename.at[0] == '/')
		span_copy(process->executable, sizeof(process->executable), exec->filename);
}

void processes_exit(struct processes *p, const struct process_identity *who)
{
	struct process_entry *e = entry_of(p, who, false);

	if (e)
		e->process.ended = true;
}

const struct process *processes_find(struct processes *p, const struct process_identity *who)
{
	struct process_entry *e = entry_of(p, who, false);

	if (e)
		return &e->process;
	e = entry_of(p, who, true);
	if (!e)
		return NULL;
	if (p->proc[0]) {
		e->process.started_ns = boot_time_ns() + who->start_ns;
		read_process(p, &e->process);
	}
	return &e->process;
}
