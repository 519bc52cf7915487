/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>

#include "protocol/json_scan.h"

static int node_new(struct json_paths *to, const char *name, size_t len)
{
	if (to->count == JSON_PATH_NODES_MAX)
		return -E2BIG;
	if (len > UINT8_MAX)
		return -EINVAL;
	to->node[to->count] = (struct json_node){.name = name, .name_len = (uint8_t)len, .id = -1};
	return (int)to->count++;
}

static int add_member(struct json_paths *to, uint8_t node, struct span name)
{
	int i = json_paths_member(to, node, name);
	uint8_t *slot;

	if (i)
		return i;
	i = node_new(to, name.at, name.len);
	if (i < 0)
		return i;
	slot = &to->node[node].members[json_name_slot(name)];
	to->node[i].next = *slot;
	*slot = (uint8_t)i;
	to->node[node].has_members = true;
	return i;
}

static int add_element(struct json_paths *to, uint8_t node)
{
	int i = to->node[node].element;

	if (!i) {
		i = node_new(to, NULL, 0);
		if (i > 0)
			to->node[node].element = (uint8_t)i;
	}
	return i;
}

static int add_path(struct json_paths *to, const struct json_path *path)
{
	const char *p = path->path;
	int node = 0;

	if (!path->text && (path->id < 0 || path->id > INT16_MAX))
		return -EINVAL;
	while (*p) {
		size_t len = strcspn(p, ".[");

		if (len)
			node = add_member(to, (uint8_t)node, span_of(p, len));
		else if (p != path->path || *p != '[')
			return -EINVAL;
		p += len;
		while (node >= 0 && p[0] == '[' && p[1] == ']') {
			node = add_element(to, (uint8_t)node);
			p += 2;
		}
		if (node < 0)
			return node;
		if (*p == '.' && p[1])
			p++;
		else if (*p)
			return -EINVAL;
	}
	if (!node || (path->text ? to->node[node].text : to->node[node].id >= 0))
		return -EINVAL;
	if (path->text)
		to->node[node].text = true;
	else
		to->node[node].id = (int16_t)path->id;
	return 0;
}

int json_paths_compile(struct json_paths *to, const struct json_path *paths)
{
	_Static_assert(JSON_PATH_NODES_MAX <= UINT8_MAX, "node links are bytes");
	int r = 0;

	to->count = 0;
	node_new(to, NULL, 0);
	for (; paths->path && r == 0; paths++)
		r = add_path(to, paths);
	return r;
}
