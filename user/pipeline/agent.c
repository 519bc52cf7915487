/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "catalog/agents.h"
#include "pipeline/internal.h"

static struct agent_program program_of(const struct process *process)
{
	return (struct agent_program){
		.name = span_str(process->name),
		.executable = span_str(process->executable),
		.script = span_str(process->script),
	};
}

/* The process and its ancestors; of those that are not remembered there is the name. */
static size_t find_programs(struct pipeline *p, const struct process_identity *who,
			    struct agent_program programs[static PROCESS_ANCESTORS_MAX + 1])
{
	const struct process *process = processes_find(p->processes, who), *at = process;

	if (!process)
		return 0;
	programs[0] = program_of(process);
	for (size_t i = 0; i < process->ancestor_count; i++) {
		at = at ? processes_parent(p->processes, at) : NULL;
		programs[i + 1] =
			at ? program_of(at)
			   : (struct agent_program){.name = span_str(process->ancestors[i])};
	}
	return process->ancestor_count + 1u;
}

void agent_find(struct pipeline *p, const struct process_identity *who,
		const struct http_head *head, struct agent_found *found)
{
	struct agent_program programs[PROCESS_ANCESTORS_MAX + 1];
	struct agent_subject subject = {.programs = programs, .head = head};
	struct agent_match match;

	*found = (struct agent_found){0};
	if (!p->config.agents)
		return;
	if (who->pid)
		subject.program_count = find_programs(p, who, programs);
	agents_match(p->config.agents, &subject, &match);
	if (!match.id)
		return;
	span_copy(found->id, sizeof(found->id), span_str(match.id));
	found->confidence = (uint8_t)match.confidence;
	found->evidence = (uint8_t)match.evidence;
}

void process_arm(struct pipeline *p, const struct process_identity *who)
{
	struct steering steering = {.stream = {.pid = who->pid}, .action = STEER_ARM};

	if (!p->config.ai_only || !who->pid || !p->config.source)
		return;
	if (p->config.source->steer(p->config.source_state, &steering))
		pipeline_lost(p, LOSS_STATE, 1);
}

void agent_arm(struct pipeline *p, const struct process_identity *who)
{
	struct agent_found found;

	if (!p->config.ai_only)
		return;
	agent_find(p, who, NULL, &found);
	if (found.id[0] && strcmp(found.id, AGENT_NONE) != 0)
		process_arm(p, who);
}

void agent_set(struct event *event, const struct agent_found *found)
{
	event_set_text(event, F_AGENT, found->id);
	if (!found->evidence)
		return;
	event_set_int(event, F_AGENT_CONFIDENCE, found->confidence);
	for (unsigned int i = 0; i < AGENT_EVIDENCE_COUNT; i++)
		if (found->evidence & 1u << i)
			event_append(event, F_AGENT_EVIDENCE, span_str(agent_evidence_names[i]));
}
