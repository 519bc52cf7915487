/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow/container.h"

#include <stdlib.h>

#include "flow/container_files.h"
#include "util/cleanup.h"
#include "util/table.h"

#define HEX_ID_LEN 64

/* ---- the path of a cgroup ---- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_hex_id(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (hex_value(text.at[i]) < 0)
			return false;
	return text.len == HEX_ID_LEN;
}

static bool set_name(struct container_name *name, enum container_runtime runtime, struct span id)
{
	struct container_name found = {.runtime = runtime};

	if (!id.len || !span_copy(found.id, sizeof(found.id), id))
		return false;
	for (size_t i = 0; i < id.len; i++)
		if ((unsigned char)id.at[i] < ' ')
			return false;
	*name = found;
	return true;
}

/* systemd writes '-' and others of a name as "\x2d" (systemd.unit(5), "String escaping"). */
static bool set_unescaped(struct container_name *name, struct span text)
{
	char id[CONTAINER_ID_MAX];
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '\\' && i + 3 < text.len && text.at[i + 1] == 'x' &&
		    hex_value(text.at[i + 2]) >= 0 && hex_value(text.at[i + 3]) >= 0) {
			c = (char)(hex_value(text.at[i + 2]) * 16 + hex_value(text.at[i + 3]));
			i += 3;
		}
		if (n == sizeof(id))
			return false;
		id[n++] = c;
	}
	return set_name(name, CONTAINER_NSPAWN, span_of(id, n));
}

static struct span without_suffix(struct span text, struct span suffix)
{
	if (span_ends(text, suffix))
		text.len -= suffix.len;
	return text;
}

/* "docker-ID.scope" (systemd's driver) and "libpod-ID" (cgroupfs). */
static bool by_prefix(struct span part, struct container_name *name)
{
	static const struct {
		struct span prefix;
		enum container_runtime runtime;
	} rows[] = {
		{SPAN_LITERAL("docker-"), CONTAINER_DOCKER},
		{SPAN_LITERAL("cri-containerd-"), CONTAINER_CONTAINERD},
		{SPAN_LITERAL("nerdctl-"), CONTAINER_CONTAINERD},
		{SPAN_LITERAL("crio-"), CONTAINER_CRIO},
		{SPAN_LITERAL("libpod-"), CONTAINER_PODMAN},
	};

	part = without_suffix(part, SPAN_LITERAL(".scope"));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct span id = span_skip(part, rows[i].prefix.len);

		if (span_starts(part, rows[i].prefix) && is_hex_id(id))
			return set_name(name, rows[i].runtime, id);
	}
	return false;
}

/* "kubepods-burstable-podUID.slice:cri-containerd:ID": systemd's notation, taken for a path. */
static bool by_colons(struct span part, struct container_name *name)
{
	const char *last = part.len ? memrchr(part.at, ':', part.len) : NULL;
	struct span id, before;

	if (!last)
		return false;
	before = span_of(part.at, (size_t)(last - part.at));
	id = span_skip(part, before.len + 1);
	if (!is_hex_id(id))
		return false;
	return set_name(name,
			span_ends(before, SPAN_LITERAL(":cri-containerd")) ? CONTAINER_CONTAINERD
			: span_ends(before, SPAN_LITERAL(":crio"))         ? CONTAINER_CRIO
			: span_ends(before, SPAN_LITERAL(":docker"))       ? CONTAINER_DOCKER
									   : CONTAINER_OTHER,
			id);
}

/* Machines of systemd-nspawn; other managers of machines (libvirt) have virtual ones in their scopes. */
static bool by_machine(struct span part, struct span above, struct container_name *name)
{
	static const struct span service = SPAN_LITERAL("systemd-nspawn@");
	static const struct span scope = SPAN_LITERAL("machine-");

	if (span_starts(part, service) && span_ends(part, SPAN_LITERAL(".service")))
		return set_unescaped(name, without_suffix(span_skip(part, service.len),
							  SPAN_LITERAL(".service")));
	if (!span_eq(above, SPAN_LITERAL("machine.slice")) || !span_starts(part, scope) ||
	    !span_ends(part, SPAN_LITERAL(".scope")) ||
	    span_starts(part, SPAN_LITERAL("machine-qemu")))
		return false;
	return set_unescaped(name,
			     without_suffix(span_skip(part, scope.len), SPAN_LITERAL(".scope")));
}

static bool by_part(struct span part, struct span above, struct container_name *name)
{
	static const struct span payload = SPAN_LITERAL("lxc.payload.");

	if (is_hex_id(part))
		return set_name(name,
				span_eq(above, SPAN_LITERAL("docker")) ? CONTAINER_DOCKER
								       : CONTAINER_OTHER,
				part);
	if (span_starts(part, payload))
		return set_name(name, CONTAINER_LXC, span_skip(part, payload.len));
	if (span_eq(above, SPAN_LITERAL("lxc")) || span_eq(above, SPAN_LITERAL("lxc.payload")))
		return set_name(name, CONTAINER_LXC, part);
	return by_prefix(part, name) || by_colons(part, name) || by_machine(part, above, name);
}

static bool by_path(struct span path, struct container_name *name)
{
	struct span above = {0};
	bool found = false;

	while (path.len) {
		const char *slash = memchr(path.at, '/', path.len);
		struct span part = span_of(path.at, slash ? (size_t)(slash - path.at) : path.len);

		if (part.len) {
			found |= by_part(part, above, name);
			above = part;
		}
		path = span_skip(path, part.len + 1);
	}
	return found;
}

bool container_from_cgroup(struct span text, struct container_name *name)
{
	while (text.len) {
		const char *end = memchr(text.at, '\n', text.len);
		struct span line = span_of(text.at, end ? (size_t)(end - text.at) : text.len);
		const char *slash = line.len ? memchr(line.at, '/', line.len) : NULL;

		/* "hierarchy:controllers:/path"; the first two hold no slash */
		if (slash && by_path(span_skip(line, (size_t)(slash - line.at)), name))
			return true;
		text = span_skip(text, line.len + 1);
	}
	return false;
}

/* ---- the containers that are known ---- */

struct container_entry {
	struct table_link link;
	struct container container;
	size_t holders;
	bool described;
};

struct containers {
	struct table table;
	char *root;
};

struct containers *containers_new(const char *root)
{
	struct containers *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->root = strdup(root);
	/* a process is in one container at most */
	if (!c->root || table_init(&c->table, PROCESSES_MAX)) {
		free(c->root);
		free(c);
		return NULL;
	}
	return c;
}

void containers_free(struct containers *c)
{
	if (!c)
		return;
	table_done(&c->table);
	free(c->root);
	free(c);
}

static bool same_container(const struct table_link *link, const void *key)
{
	return strcmp(table_entry(link, const struct container_entry, link)->container.name.id,
		      key) == 0;
}

struct container *containers_get(struct containers *c, const struct container_name *name)
{
	uint64_t hash = table_hash(&c->table, name->id, strlen(name->id));
	struct table_link *link = table_find(&c->table, hash, same_container, name->id);
	struct container_entry *e;

	if (link) {
		e = table_entry(link, struct container_entry, link);
		e->holders++;
		return &e->container;
	}
	if (table_full(&c->table))
		return NULL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->container.name = *name;
	e->holders = 1;
	table_add(&c->table, &e->link, hash);
	return &e->container;
}

void containers_put(struct containers *c, struct container *container)
{
	struct container_entry *e;

	if (!container)
		return;
	e = table_entry(container, struct container_entry, container);
	if (--e->holders)
		return;
	table_remove(&c->table, &e->link);
	free(container->image);
	free(container->pod_namespace);
	free(container->pod);
	free(e);
}

static char *copy_known(const char *text)
{
	return text[0] ? strdup(text) : NULL;
}

void containers_describe(struct containers *c, struct container *container)
{
	struct container_entry *e = table_entry(container, struct container_entry, container);
	struct container_facts facts = {0};

	if (e->described)
		return;
	e->described = true;
	container_files_read(c->root, &container->name, &facts);
	container->image = copy_known(facts.image);
	container->pod_namespace = copy_known(facts.pod_namespace);
	container->pod = copy_known(facts.pod);
}
