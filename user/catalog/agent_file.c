/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "catalog/agent_file.h"

#include <errno.h>

#include "catalog/agents.h"
#include "catalog/load.h"
#include "gnomon/limits.h"
#include "util/diag.h"
#include "util/yaml.h"

/* The format is told in rules/README.md. */

static const struct yaml_key file_keys[] = {
	{"agents", YAML_SEQUENCE}, {"hosts", YAML_SEQUENCE}, {0}};

static const struct yaml_key agent_keys[] = {
	{"id", YAML_SCALAR, .required = true},
	{"vendor", YAML_SCALAR, .required = true},
	{"executables", YAML_SEQUENCE},
	{"scripts", YAML_SEQUENCE},
	{"user_agents", YAML_SEQUENCE},
	{"headers", YAML_SEQUENCE},
	{0},
};

static const struct yaml_key header_keys[] = {
	{"name", YAML_SCALAR, .required = true}, {"value", YAML_SCALAR}, {0}};

struct file {
	struct agent_list *list;
	struct arena *arena;
	struct yaml_document *document;
	struct diag *diag;
	int result;
};

#define file_error(file, node, ...)                                                                \
	do {                                                                                       \
		(file)->result = -EINVAL;                                                          \
		yaml_error((file)->document, node, (file)->diag, __VA_ARGS__);                     \
	} while (0)

static bool check(struct file *file, const struct yaml_node *node, const char *what,
		  const struct yaml_key *keys)
{
	if (yaml_check(file->document, node, what, keys, file->diag))
		return true;
	file->result = -EINVAL;
	return false;
}

static void *take_array(struct file *file, const struct yaml_node *list, size_t size)
{
	void *items = arena_array(file->arena, list->count + 1, size);

	if (!items)
		file_error(file, list, "out of memory");
	return items;
}

static struct span take_text(struct file *file, const struct yaml_node *node)
{
	const char *copy;

	if (node->kind != YAML_SCALAR || !yaml_string(node)) {
		file_error(file, node, "must be a string that is not empty");
		return (struct span){0};
	}
	copy = arena_string(file->arena, node->text);
	if (!copy)
		file_error(file, node, "out of memory");
	return span_str(copy);
}

/* One that is nearly all wildcards would claim everybody's calls. */
static struct span take_glob(struct file *file, const struct yaml_node *node)
{
	struct span glob = take_text(file, node);
	size_t literal = 0;

	for (size_t i = 0; i < glob.len; i++)
		literal += glob.at[i] != '*' && glob.at[i] != '?' && glob.at[i] != '/';
	if (glob.len && literal < AGENT_GLOB_LITERAL_MIN)
		file_error(file, node,
			   "matches too much: at least %d characters must be no wildcards",
			   AGENT_GLOB_LITERAL_MIN);
	return glob;
}

static struct agent_globs take_globs(struct file *file, const struct yaml_node *list)
{
	struct span *items = list ? take_array(file, list, sizeof(*items)) : NULL;
	size_t n = 0;

	if (!items)
		return (struct agent_globs){0};
	for (const struct yaml_node *item = list->first; item; item = item->next)
		items[n++] = take_glob(file, item);
	return (struct agent_globs){items, n};
}

static void take_header(struct file *file, const struct yaml_node *node,
			struct agent_header *header)
{
	const struct yaml_node *name, *value;

	if (!check(file, node, "a header", header_keys))
		return;
	name = yaml_get(node, "name");
	value = yaml_get(node, "value");
	header->name = take_glob(file, name);
	for (size_t i = 0; i < header->name.len; i++) {
		if (ascii_lower(header->name.at[i]) == header->name.at[i])
			continue;
		file_error(file, name, "names of headers are written in lower case here");
		break;
	}
	if (value)
		header->value = take_glob(file, value);
}

static void take_headers(struct file *file, const struct yaml_node *list, struct agent *agent)
{
	struct agent_header *headers = list ? take_array(file, list, sizeof(*headers)) : NULL;

	if (!headers)
		return;
	for (const struct yaml_node *item = list->first; item; item = item->next)
		take_header(file, item, &headers[agent->header_count++]);
	agent->headers = headers;
}

static void take_agent(struct file *file, const struct yaml_node *node)
{
	struct agent_list *list = file->list;
	struct agent agent = {0};
	const struct yaml_node *id;

	if (!check(file, node, "an agent", agent_keys))
		return;
	id = yaml_get(node, "id");
	if (!service_id_valid(id->text) || span_eq(id->text, SPAN_LITERAL(AGENT_NONE)))
		file_error(file, id,
			   "an id is a-z, 0-9, '-', '.' or '_', at most %d characters, not "
			   "\"" AGENT_NONE "\"",
			   SHORT_NAME_MAX - 1);
	for (size_t i = 0; i < list->agent_count; i++)
		if (span_eq(span_str(list->agents[i].id), id->text))
			file_error(file, id, "duplicate id");
	agent.id = take_text(file, id).at;
	agent.vendor = take_text(file, yaml_get(node, "vendor")).at;
	agent.executables = take_globs(file, yaml_get(node, "executables"));
	agent.scripts = take_globs(file, yaml_get(node, "scripts"));
	agent.user_agents = take_globs(file, yaml_get(node, "user_agents"));
	take_headers(file, yaml_get(node, "headers"), &agent);
	if (!agent.executables.count && !agent.scripts.count && !agent.user_agents.count &&
	    !agent.header_count)
		file_error(file, node, "nothing says how the agent is recognised");
	if (agent.id)
		list->agents[list->agent_count++] = agent;
}

static void take_file(struct file *file, const struct yaml_node *root)
{
	const struct yaml_node *agents;

	if (!check(file, root, "an agents file", file_keys))
		return;
	file->list->hosts = take_globs(file, yaml_get(root, "hosts"));
	agents = yaml_get(root, "agents");
	if (!agents)
		return;
	file->list->agents = take_array(file, agents, sizeof(*file->list->agents));
	if (!file->list->agents)
		return;
	for (const struct yaml_node *item = agents->first; item; item = item->next)
		take_agent(file, item);
}

int agent_list_load(struct agent_list *list, struct arena *arena, const char *name,
		    struct span text, struct diag *diag)
{
	struct file file = {.list = list, .arena = arena, .diag = diag};

	file.document = yaml_load(name, text, diag);
	if (!file.document)
		return -EINVAL;
	if (yaml_root(file.document)) {
		take_file(&file, yaml_root(file.document));
	} else {
		diag_add(diag, name, 0, 0, "an agents file needs \"agents\" or \"hosts\"");
		file.result = -EINVAL;
	}
	yaml_unload(file.document);
	return file.result;
}
