/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow/process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "flow/command_line.h"
#include "flow/container.h"
#include "flow/proc_files.h"
#include "util/cleanup.h"
#include "util/table.h"

#define NS_PER_S 1000000000ULL

/* /proc knows a start by the clock tick; no pid comes again within one. Without /proc the start is as given. */
struct process_key {
	uint64_t pid, start;
};

struct process_entry {
	struct table_link link, pid_link;
	struct process_key key;
	struct process process;
	struct process_key parent; /* pid 0: not looked for yet, or none found */
	struct container *container;
	char *executable, *script;
	bool identified; /* the kernel told of it; else it was only met as somebody's parent */
};

struct processes {
	struct table table, pids;
	struct containers *containers;
	char proc[64]; /* empty: none */
	uint64_t tick_ns;
	uint64_t evicted;
};

struct processes *processes_new(const char *proc, const char *root)
{
	struct processes *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->containers = containers_new(root);
	if (!p->containers || table_init(&p->table, PROCESSES_MAX) ||
	    table_init(&p->pids, PROCESSES_MAX)) {
		processes_free(p);
		return NULL;
	}
	p->tick_ns = 1;
	if (proc) {
		span_copy(p->proc, sizeof(p->proc), span_str(proc));
		p->tick_ns = proc_tick_ns();
	}
	return p;
}

/* What belongs to one program image. */
static void forget_image(struct processes *p, struct process_entry *e)
{
	containers_put(p->containers, TAKE_PTR(e->container));
	free(TAKE_PTR(e->executable));
	free(TAKE_PTR(e->script));
	e->process.executable = e->process.script = "";
	e->process.login_uid = PROCESS_NO_LOGIN;
}

static void entry_remove(struct processes *p, struct process_entry *e)
{
	forget_image(p, e);
	table_remove(&p->table, &e->link);
	table_remove(&p->pids, &e->pid_link);
}

void processes_free(struct processes *p)
{
	if (!p)
		return;
	while (p->table.oldest) {
		struct process_entry *e = table_entry(p->table.oldest, struct process_entry, link);

		entry_remove(p, e);
		free(e);
	}
	table_done(&p->table);
	table_done(&p->pids);
	containers_free(p->containers);
	free(p);
}

uint64_t processes_evicted(const struct processes *p)
{
	return p->evicted;
}

/* ---- entries ---- */

static struct process_key key_of(const struct processes *p, uint32_t pid, uint64_t start_ns)
{
	return (struct process_key){pid, start_ns / p->tick_ns};
}

static uint64_t pid_hash(const struct processes *p, uint64_t pid)
{
	return table_hash(&p->pids, &pid, sizeof(pid));
}

static bool same_process(const struct table_link *link, const void *key)
{
	const struct process_entry *e = table_entry(link, const struct process_entry, link);

	return memcmp(&e->key, key, sizeof(e->key)) == 0;
}

static struct process_entry *entry_find(const struct processes *p, const struct process_key *key)
{
	uint64_t hash = table_hash(&p->table, key, sizeof(*key));
	struct table_link *link = table_find(&p->table, hash, same_process, key);

	return link ? table_entry(link, struct process_entry, link) : NULL;
}

/* The process that had that pid at that time: the last one that had begun. */
static struct process_entry *entry_by_pid(const struct processes *p, uint64_t pid, uint64_t start)
{
	uint64_t hash = pid_hash(p, pid);
	struct table_link *link = p->pids.buckets[hash & p->pids.mask];
	struct process_entry *best = NULL;

	for (; link; link = link->next) {
		struct process_entry *e = table_entry(link, struct process_entry, pid_link);

		if (e->key.pid == pid && e->key.start <= start &&
		    (!best || e->key.start > best->key.start))
			best = e;
	}
	return best;
}

static struct process_entry *entry_new(struct processes *p, uint32_t pid, uint64_t start_ns)
{
	struct process_key key = key_of(p, pid, start_ns);
	struct process_entry *e;

	if (table_full(&p->table)) {
		e = table_entry(p->table.oldest, struct process_entry, link);
		p->evicted += !e->process.ended;
		entry_remove(p, e);
	} else {
		e = malloc(sizeof(*e));
		if (!e)
			return NULL;
	}
	*e = (struct process_entry){
		.key = key,
		.process = {.pid = pid,
			    .start_ns = start_ns,
			    .login_uid = PROCESS_NO_LOGIN,
			    .executable = "",
			    .script = ""},
	};
	table_add(&p->table, &e->link, table_hash(&p->table, &key, sizeof(key)));
	table_add(&p->pids, &e->pid_link, pid_hash(p, pid));
	return e;
}

/* ---- /proc ---- */

/* A copy, or "" without memory. */
static const char *keep(char **to, const char *text)
{
	*to = text[0] ? strdup(text) : NULL;
	return *to ? *to : "";
}

static void read_executable(const struct processes *p, struct process_entry *e)
{
	static const struct span deleted = SPAN_LITERAL(" (deleted)");
	char path[PROCESS_PATH_MAX];
	ssize_t n = proc_link(p->proc, e->process.pid, "exe", path, sizeof(path));

	if (n < 0)
		return;
	if (span_ends(span_of(path, (size_t)n), deleted))
		path[(size_t)n - deleted.len] = '\0';
	e->process.executable = keep(&e->executable, path);
}

static void read_script(const struct processes *p, struct process_entry *e)
{
	char command[PROCESS_COMMAND_BYTES], cwd[PROCESS_PATH_MAX], script[PROCESS_PATH_MAX];
	struct span executable = span_str(e->process.executable);
	ssize_t n, cwd_len;

	if (!command_is_interpreter(executable))
		return;
	n = proc_read(p->proc, e->process.pid, "cmdline", command, sizeof(command));
	if (n <= 0)
		return;
	cwd_len = proc_link(p->proc, e->process.pid, "cwd", cwd, sizeof(cwd));
	/* what was cut would be another directory */
	if (cwd_len < 0 || (size_t)cwd_len == sizeof(cwd) - 1)
		cwd_len = 0;
	if (command_script(executable, span_of(command, (size_t)n), span_of(cwd, (size_t)cwd_len),
			   script, sizeof(script)))
		e->process.script = keep(&e->script, script);
}

static void read_container(const struct processes *p, struct process_entry *e)
{
	struct container_name name;
	char text[CGROUP_TEXT_MAX];
	ssize_t n = proc_read(p->proc, e->process.pid, "cgroup", text, sizeof(text));

	if (n > 0 && container_from_cgroup(span_of(text, (size_t)n), &name))
		e->container = containers_get(p->containers, &name);
}

static void read_login(const struct processes *p, struct process_entry *e)
{
	char text[32];
	unsigned long uid;

	if (proc_read(p->proc, e->process.pid, "loginuid", text, sizeof(text)) <= 0)
		return;
	uid = strtoul(text, NULL, 10);
	if (uid < PROCESS_NO_LOGIN)
		e->process.login_uid = (uint32_t)uid;
}

/* Everything that /proc knows, if the pid still is this process. */
/* Browsers and runtimes start their helpers as /proc/self/exe, and the kernel names them after that link. */
static void name_helper(struct process_entry *e)
{
	const char *slash = strrchr(e->process.executable, '/');

	if (slash && strcmp(e->process.name, "exe") == 0)
		span_copy(e->process.name, sizeof(e->process.name), span_str(slash + 1));
}

static void read_image(const struct processes *p, struct process_entry *e)
{
	uint32_t parent;
	uint64_t start_ns;

	if (!p->proc[0] || proc_stat(p->proc, e->process.pid, &parent, &start_ns))
		return;
	if (start_ns / p->tick_ns != e->key.start)
		return;
	/* the kernel's record of an exec knows better: by now it may be an orphan's new parent */
	if (!e->process.parent_pid)
		e->process.parent_pid = parent;
	proc_name(p->proc, e->process.pid, e->process.name, sizeof(e->process.name));
	read_executable(p, e);
	name_helper(e);
	read_script(p, e);
	read_container(p, e);
	read_login(p, e);
}

static void read_user(const struct processes *p, struct process_entry *e)
{
	char map[512];
	ssize_t n;

	if (!p->proc[0])
		return;
	n = proc_read(p->proc, e->process.pid, "uid_map", map, sizeof(map));
	e->process.foreign_user = n > 0 &&
				  proc_uid_is_foreign(span_of(map, (size_t)n), e->process.uid);
}

/* ---- parents ---- */

/* A process that nothing told of yet, met as somebody's parent. It must be older than the child. */
static struct process_entry *entry_from_proc(struct processes *p, uint32_t pid, uint64_t start)
{
	struct process_entry *e;
	uint64_t start_ns;
	uint32_t parent;

	if (!p->proc[0] || proc_stat(p->proc, pid, &parent, &start_ns) ||
	    start_ns / p->tick_ns > start)
		return NULL;
	e = entry_by_pid(p, pid, start);
	if (e && e->key.start == start_ns / p->tick_ns)
		return e;
	e = entry_new(p, pid, start_ns);
	if (e)
		read_image(p, e);
	return e;
}

static struct process_entry *parent_of(struct processes *p, struct process_entry *e)
{
	struct process_entry *parent;

	if (e->parent.pid)
		return entry_find(p, &e->parent);
	if (!e->process.parent_pid || e->process.parent_pid == e->process.pid)
		return NULL;
	parent = entry_by_pid(p, e->process.parent_pid, e->key.start);
	/* of one that has ended the pid may be another's by now */
	if (!parent || parent->process.ended) {
		struct process_entry *now = entry_from_proc(p, e->process.parent_pid, e->key.start);

		parent = now ? now : parent;
	}
	if (parent)
		e->parent = parent->key;
	return parent;
}

/* The names as they are now. The steps are counted, so that a circle would do no harm. */
static void read_ancestors(struct processes *p, struct process_entry *e)
{
	struct process *process = &e->process;
	struct process_entry *at = e;

	process->ancestor_count = 0;
	while (process->ancestor_count < PROCESS_ANCESTORS_MAX && (at = parent_of(p, at))) {
		char *to = process->ancestors[process->ancestor_count++];

		memcpy(to, at->process.name, sizeof(at->process.name));
		/* whoever has children is still wanted */
		table_touch(&p->table, &at->link);
	}
}

/* ---- what is asked and told ---- */

static uint64_t boot_time_ns(void)
{
	struct timespec real, boot;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return ((uint64_t)real.tv_sec - (uint64_t)boot.tv_sec) * NS_PER_S + (uint64_t)real.tv_nsec -
	       (uint64_t)boot.tv_nsec;
}

static void set_identity(const struct processes *p, struct process_entry *e,
			 const struct process_identity *who)
{
	e->identified = true;
	e->process.start_ns = who->start_ns;
	e->process.uid = who->uid;
	e->process.gid = who->gid;
	if (p->proc[0])
		e->process.started_ns = boot_time_ns() + who->start_ns;
}

static void set_name(struct process_entry *e, const struct process_identity *who)
{
	span_copy(e->process.name, sizeof(e->process.name),
		  span_of(who->comm, strnlen(who->comm, sizeof(who->comm))));
}

static struct process_entry *entry_of(struct processes *p, const struct process_identity *who)
{
	struct process_key key = key_of(p, who->pid, who->start_ns);
	struct process_entry *e = entry_find(p, &key);

	if (e)
		table_touch(&p->table, &e->link);
	return e;
}

void processes_exec(struct processes *p, const struct process_identity *who,
		    const struct observed_process *exec, uint64_t now_ns)
{
	struct process_entry *e = entry_of(p, who);
	char path[PROCESS_PATH_MAX];

	if (!e)
		e = entry_new(p, who->pid, who->start_ns);
	if (!e)
		return;
	forget_image(p, e);
	e->process.ended = false;
	e->process.started_ns = now_ns;
	set_identity(p, e, who);
	set_name(e, who);
	if (!e->parent.pid)
		e->process.parent_pid = exec->parent_pid;
	read_image(p, e);
	read_user(p, e);
	read_ancestors(p, e);
	/* it may have ended already; what execve was given is the next best, if it is a path */
	if (!e->executable && exec->filename.len && exec->filename.at[0] == '/') {
		span_copy(path, sizeof(path), exec->filename);
		e->process.executable = keep(&e->executable, path);
	}
}

void processes_exit(struct processes *p, const struct process_identity *who)
{
	struct process_entry *e = entry_of(p, who);

	if (e)
		e->process.ended = true;
}

const struct process *processes_find(struct processes *p, const struct process_identity *who)
{
	struct process_entry *e = entry_of(p, who);

	if (e && e->identified)
		return &e->process;
	if (!e) {
		e = entry_new(p, who->pid, who->start_ns);
		if (!e)
			return NULL;
		set_name(e, who);
		read_image(p, e);
	}
	set_identity(p, e, who);
	read_user(p, e);
	read_ancestors(p, e);
	return &e->process;
}

const struct process *processes_parent(struct processes *p, const struct process *process)
{
	const struct process_entry *e = table_entry(process, const struct process_entry, process);
	const struct process_entry *parent = e->parent.pid ? entry_find(p, &e->parent) : NULL;

	return parent ? &parent->process : NULL;
}

const struct container *processes_container(struct processes *p, const struct process *process)
{
	const struct process_entry *e = table_entry(process, const struct process_entry, process);

	if (e->container)
		containers_describe(p->containers, e->container);
	return e->container;
}
