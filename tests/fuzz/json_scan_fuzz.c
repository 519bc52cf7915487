/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The JSON scanner: the same values whole and byte by byte, and on documents that json-c accepts
 * the values that json-c finds. */
#include "protocol/json_scan.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum wanted { MODEL, USAGE_N, DEEP, ELEMENT, MEMBER, MESSAGES, WANTED_COUNT };

static const struct json_path paths[] = {
	{"model", MODEL},
	{"usage.n", USAGE_N},
	{"a.b.c", DEEP},
	{"choices[]", ELEMENT},
	{"choices[].finish", MEMBER},
	{"messages", MESSAGES},
	{"messages[].content", .text = true},
	{"tools", .text = true},
	{"model", .text = true},
	{NULL},
};

struct seen {
	FILE *log;
	struct {
		bool any, truncated;
		enum json_value_type type;
		char text[JSON_VALUE_MAX + 1];
		size_t len;
	} last[WANTED_COUNT];
};

static void on_value(void *ctx, const struct json_value *value)
{
	struct seen *seen = ctx;

	fprintf(seen->log, "%d %d %d ", value->id, value->type, value->truncated);
	fwrite(value->text.at, 1, value->text.len, seen->log);
	seen->last[value->id].any = true;
	seen->last[value->id].truncated = value->truncated;
	seen->last[value->id].type = value->type;
	seen->last[value->id].len = value->text.len;
	if (value->text.len)
		memcpy(seen->last[value->id].text, value->text.at, value->text.len);
	seen->last[value->id].text[value->text.len] = '\0';
}

static void on_text(void *ctx, struct span piece)
{
	struct seen *seen = ctx;

	if (piece.len)
		fwrite(piece.at, 1, piece.len, seen->log);
	else
		fputc('|', seen->log);
}

static int run(struct span bytes, size_t step, struct seen *seen, char **text, size_t *len)
{
	static struct json_paths compiled;
	struct json_scan scan;
	int r;

	if (json_paths_compile(&compiled, paths) < 0)
		abort();
	memset(seen, 0, sizeof(*seen));
	seen->log = open_memstream(text, len);
	json_scan_init(&scan, &compiled, on_value, seen);
	json_scan_tell_text(&scan, on_text);
	for (; bytes.len; bytes = span_skip(bytes, step))
		json_scan_feed(&scan, span_of(bytes.at, step < bytes.len ? step : bytes.len));
	r = json_scan_end(&scan);
	fclose(seen->log);
	return r;
}

/* What json-c has at a path, if it is text or a whole number, must be what was told last. */
static void compare(struct json_object *value, const struct seen *seen, enum wanted wanted)
{
	if (!value)
		return;
	if (!seen->last[wanted].any)
		abort();
	if (seen->last[wanted].truncated)
		return;
	if (json_object_is_type(value, json_type_string)) {
		size_t len = (size_t)json_object_get_string_len(value);

		if (seen->last[wanted].type != JSON_STRING || seen->last[wanted].len != len ||
		    memcmp(seen->last[wanted].text, json_object_get_string(value), len) != 0)
			abort();
	} else if (json_object_is_type(value, json_type_int)) {
		if (seen->last[wanted].type != JSON_NUMBER)
			abort();
		if (seen->last[wanted].len < 18 &&
		    strtoll(seen->last[wanted].text, NULL, 10) != json_object_get_int64(value))
			abort();
	} else if (json_object_is_type(value, json_type_array)) {
		if (seen->last[wanted].type != JSON_ARRAY)
			abort();
	}
}

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, name, &value);
	return value;
}

static void compare_document(struct span bytes, const struct seen *seen, int result)
{
	struct json_tokener *tokener = json_tokener_new_ex(32);
	struct json_object *root;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	root = json_tokener_parse_ex(tokener, bytes.at, (int)bytes.len);
	if (json_tokener_get_error(tokener) == json_tokener_success && root && result == 0) {
		struct json_object *choices = member(root, "choices");

		compare(member(root, "model"), seen, MODEL);
		compare(member(root, "messages"), seen, MESSAGES);
		compare(member(member(root, "usage"), "n"), seen, USAGE_N);
		compare(member(member(member(root, "a"), "b"), "c"), seen, DEEP);
		if (json_object_is_type(choices, json_type_array) &&
		    json_object_array_length(choices)) {
			size_t last = json_object_array_length(choices) - 1;

			choices = json_object_array_get_idx(choices, last);
			compare(choices, seen, ELEMENT);
			compare(member(choices, "finish"), seen, MEMBER);
		}
	}
	if (root)
		json_object_put(root);
	json_tokener_free(tokener);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = span_of((const char *)data, size);
	static struct seen seen, single;
	char *whole_text, *single_text;
	size_t a, b;
	int r = run(bytes, size ? size : 1, &seen, &whole_text, &a);

	if (r != run(bytes, 1, &single, &single_text, &b) || a != b ||
	    memcmp(whole_text, single_text, a) != 0)
		abort();
	free(whole_text);
	free(single_text);
	if (size && size < 65536 && !memchr(data, 0, size))
		compare_document(bytes, &seen, r);
	return 0;
}
