/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Any event renders to one line of at most EVENT_LINE_MAX bytes of strict JSON in UTF-8. */
#include "sink/format/ecs.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "fuzz/random_event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_text(const char *line, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++)
		require((unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
	require(line[len - 1] == '\n');
}

static void check_json(const char *line, size_t len)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *root, *member;

	require(tokener != NULL);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	root = json_tokener_parse_ex(tokener, line, (int)len - 1);
	require(json_tokener_get_error(tokener) == json_tokener_success);
	require(json_tokener_get_parse_end(tokener) == len - 1);
	require(json_object_object_get_ex(root, "event", &member));
	require(json_object_object_get_ex(member, "sequence", NULL));
	json_object_put(root);
	json_tokener_free(tokener);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct byte_source from = {data, size};
	uint64_t sequence = take_bytes(&from, 8) >> 1; /* json-c keeps 63 bits */
	struct event event;
	char line[EVENT_LINE_MAX];
	ssize_t len;

	random_event(&event, &from);
	len = ecs_format.render(&event, sequence, line, sizeof(line));
	require(len > 0 && len <= EVENT_LINE_MAX);
	check_text(line, (size_t)len);
	check_json(line, (size_t)len);
	return 0;
}
