/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "catalog/agents.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "catalog/agent_file.h"
#include "gnomon/limits.h"
#include "gnomon/protocol.h"
#include "util/cleanup.h"
#include "util/diag.h"
#include "util/embedded.h"
#include "util/glob.h"

/* How sure each kind of evidence makes; rules/README.md tells them. */
#define CONFIDENCE_BOTH             99 /* the process and its request agree */
#define CONFIDENCE_PROCESS          90
#define CONFIDENCE_REQUEST_ANCESTOR 85
#define CONFIDENCE_CONTRADICTED     80
#define CONFIDENCE_REQUEST          70
#define CONFIDENCE_ANCESTOR         50

const char *const agent_evidence_names[AGENT_EVIDENCE_COUNT] = {
	"executable", "script", "user_agent", "header", "ancestor",
};

struct agents {
	struct arena arena;
	struct agent *agents; /* later files' first */
	size_t count;
	struct agent_globs *hosts; /* one of each file */
	size_t host_count;
};

struct agents *agents_new(void)
{
	return calloc(1, sizeof(struct agents));
}

void agents_free(struct agents *agents)
{
	if (!agents)
		return;
	free(agents->agents);
	free(agents->hosts);
	arena_done(&agents->arena);
	free(agents);
}

static const struct agent *find(const struct agent *agents, size_t count, const char *id)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(agents[i].id, id) == 0)
			return &agents[i];
	return NULL;
}

/* Makes room first, so that a failure leaves everything as it was. */
static int join(struct agents *all, const struct agent_list *more)
{
	struct agent *agents = calloc(all->count + more->agent_count + 1, sizeof(*agents));
	struct agent_globs *hosts = reallocarray(all->hosts, all->host_count + 1,
						 sizeof(*all->hosts));
	size_t n = 0;

	if (hosts)
		all->hosts = hosts;
	if (!agents || !hosts) {
		free(agents);
		return -ENOMEM;
	}
	while (n < more->agent_count) {
		agents[n] = more->agents[n];
		n++;
	}
	for (size_t i = 0; i < all->count; i++)
		if (!find(more->agents, more->agent_count, all->agents[i].id))
			agents[n++] = all->agents[i];
	free(all->agents);
	all->agents = agents;
	all->count = n;
	all->hosts[all->host_count++] = more->hosts;
	return 0;
}

int agents_add(struct agents *agents, const char *name, struct span text, struct diag *diag)
{
	struct agent_list list = {0};
	struct arena arena = {0};
	int r = agent_list_load(&list, &arena, name, text, diag);

	if (r == 0)
		r = join(agents, &list);
	if (r == -ENOMEM)
		diag_add(diag, name, 0, 0, "out of memory");
	if (r == 0)
		arena_join(&agents->arena, &arena);
	arena_done(&arena);
	return r;
}

int agents_add_builtin(struct agents *agents, struct diag *diag)
{
	static const struct span folder = SPAN_LITERAL("agents/");

	for (const struct embedded_file *file = embedded_files; file->name; file++) {
		_cleanup_free_ char *name = NULL;
		int r;

		if (!span_starts(span_str(file->name), folder))
			continue;
		if (asprintf(&name, "built-in %s", file->name) < 0)
			return -ENOMEM;
		r = agents_add(agents, name,
			       span_of(file->begin, (size_t)(file->end - file->begin)), diag);
		if (r < 0)
			return r;
	}
	return 0;
}

size_t agents_count(const struct agents *agents)
{
	return agents->count;
}

const char *agents_id(const struct agents *agents, size_t i)
{
	return agents->agents[i].id;
}

/* ---- matching ---- */

static bool any_glob(const struct agent_globs *globs, struct span text)
{
	for (size_t i = 0; text.len && i < globs->count; i++)
		if (glob_matches(globs->items[i], text))
			return true;
	return false;
}

static struct span last_part(struct span path)
{
	const char *slash = path.len ? memrchr(path.at, '/', path.len) : NULL;

	return slash ? span_skip(path, (size_t)(slash - path.at) + 1) : path;
}

/* A glob with a '/' is of the path, one without of the last part or of the process's name. */
static bool is_executable(const struct agent_globs *globs, const struct agent_program *program)
{
	struct span last = last_part(program->executable);

	for (size_t i = 0; i < globs->count; i++) {
		struct span glob = globs->items[i];

		if (memchr(glob.at, '/', glob.len)) {
			if (glob_matches(glob, program->executable))
				return true;
		} else if (glob_matches(glob, last) || glob_matches(glob, program->name)) {
			return true;
		}
	}
	return false;
}

static bool is_host(const struct agents *agents, const struct agent_program *program)
{
	for (size_t i = 0; i < agents->host_count; i++)
		if (is_executable(&agents->hosts[i], program))
			return true;
	return false;
}

static const struct agent *by_program(const struct agents *agents,
				      const struct agent_program *program, unsigned int *evidence)
{
	for (size_t i = 0; i < agents->count; i++) {
		const struct agent *agent = &agents->agents[i];

		*evidence = 0;
		if (any_glob(&agent->scripts, program->script))
			*evidence |= 1u << AGENT_BY_SCRIPT;
		if (is_executable(&agent->executables, program))
			*evidence |= 1u << AGENT_BY_EXECUTABLE;
		if (*evidence)
			return agent;
	}
	return NULL;
}

static bool has_header(const struct agent *agent, const struct http_head *head)
{
	for (size_t h = 0; h < head->header_count; h++) {
		char name[AGENT_HEADER_NAME_MAX];
		const struct http_header *header = &head->headers[h];

		if (header->name.len >= sizeof(name))
			continue;
		for (size_t i = 0; i < header->name.len; i++)
			name[i] = ascii_lower(header->name.at[i]);
		for (size_t i = 0; i < agent->header_count; i++)
			if (glob_matches(agent->headers[i].name, span_of(name, header->name.len)) &&
			    (!agent->headers[i].value.len ||
			     glob_matches(agent->headers[i].value, header->value)))
				return true;
	}
	return false;
}

static const struct agent *by_request(const struct agents *agents, const struct http_head *head,
				      unsigned int *evidence)
{
	struct span user_agent = http_header_get(head, SPAN_LITERAL("user-agent"));

	for (size_t i = 0; i < agents->count; i++) {
		const struct agent *agent = &agents->agents[i];

		*evidence = 0;
		if (any_glob(&agent->user_agents, user_agent))
			*evidence |= 1u << AGENT_BY_USER_AGENT;
		if (agent->header_count && has_header(agent, head))
			*evidence |= 1u << AGENT_BY_HEADER;
		if (*evidence)
			return agent;
	}
	return NULL;
}

/* What is above a host of extensions is its user's desktop. */
static const struct agent *by_ancestor(const struct agents *agents,
				       const struct agent_subject *subject)
{
	unsigned int unused;

	for (size_t i = 1; i < subject->program_count; i++) {
		const struct agent_program *program = &subject->programs[i];
		const struct agent *agent;

		if (is_host(agents, program))
			return NULL;
		agent = by_program(agents, program, &unused);
		if (agent)
			return agent;
	}
	return NULL;
}

static void set(struct agent_match *match, const struct agent *agent, unsigned int confidence,
		unsigned int evidence)
{
	*match = (struct agent_match){agent->id, confidence, evidence};
}

/* Neither an agent itself nor a host of agents. */
static void match_other(const struct agents *agents, const struct agent_subject *subject,
			const struct agent *request, unsigned int evidence,
			struct agent_match *match)
{
	const struct agent *ancestor = by_ancestor(agents, subject);

	if (request && request == ancestor)
		set(match, request, CONFIDENCE_REQUEST_ANCESTOR,
		    evidence | 1u << AGENT_BY_ANCESTOR);
	else if (request)
		set(match, request, CONFIDENCE_REQUEST, evidence);
	else if (ancestor)
		set(match, ancestor, CONFIDENCE_ANCESTOR, 1u << AGENT_BY_ANCESTOR);
	else if (subject->program_count && subject->programs->executable.len)
		match->id = AGENT_NONE;
}

void agents_match(const struct agents *agents, const struct agent_subject *subject,
		  struct agent_match *match)
{
	const struct agent *process = NULL, *request = NULL;
	unsigned int process_evidence = 0, request_evidence = 0;
	bool host = false;

	*match = (struct agent_match){0};
	if (subject->program_count) {
		host = is_host(agents, subject->programs);
		process = by_program(agents, subject->programs, &process_evidence);
	}
	if (subject->head)
		request = by_request(agents, subject->head, &request_evidence);
	if (process && process == request)
		set(match, process, CONFIDENCE_BOTH, process_evidence | request_evidence);
	else if (process && request)
		set(match, host ? request : process, CONFIDENCE_CONTRADICTED,
		    host ? request_evidence : process_evidence);
	else if (process)
		set(match, process, CONFIDENCE_PROCESS, process_evidence);
	else if (host && request)
		set(match, request, CONFIDENCE_REQUEST, request_evidence);
	else if (!host)
		match_other(agents, subject, request, request_evidence, match);
}
