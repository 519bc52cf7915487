/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/json_array.h"

#include "protocol/byte_scan.h"

void json_array_init(struct json_array *array, const struct document_listener *to, void *ctx)
{
	*array = (struct json_array){.to = to, .ctx = ctx};
}

/* Between elements: up to the bracket that opens one, if it comes. Returns how many bytes to pass. */
static size_t skip_between(struct json_array *array, struct span bytes)
{
	size_t i;

	for (i = 0; i < bytes.len && !array->over; i++) {
		char c = bytes.at[i];

		if (array->in_string) {
			array->in_string = array->escape || c != '"';
			array->escape = !array->escape && c == '\\';
		} else if (c == '"') {
			array->in_string = true;
		} else if (c == '[' && !array->opened) {
			array->opened = true;
		} else if (c == ']') {
			array->over = true;
		} else if (c == '{' || c == '[') {
			break;
		}
	}
	return i;
}

/* The end of the string that the bytes are in, as an index behind it. */
static size_t skip_string(struct json_array *array, struct span bytes)
{
	size_t i = 0;

	while (i < bytes.len) {
		if (array->escape) {
			array->escape = false;
			i++;
			continue;
		}
		i += scan_two(bytes.at + i, bytes.len - i, '"', '\\');
		if (i == bytes.len)
			break;
		array->escape = bytes.at[i] == '\\';
		array->in_string = array->escape;
		i++;
		if (!array->in_string)
			break;
	}
	return i;
}

/* How many of the bytes are the current element's; its depth is 0 then if it has ended with them. */
static size_t take_element(struct json_array *array, struct span bytes)
{
	size_t i = 0;

	while (i < bytes.len) {
		char c;

		if (array->in_string) {
			i += skip_string(array, span_skip(bytes, i));
			continue;
		}
		i += scan_structure(bytes.at + i, bytes.len - i);
		if (i == bytes.len)
			break;
		c = bytes.at[i++];
		if (c == '"')
			array->in_string = true;
		else if (c == '{' || c == '[')
			array->depth++;
		else if (--array->depth == 0)
			break;
	}
	return i;
}

void json_array_feed(struct json_array *array, struct span bytes)
{
	while (bytes.len && !array->over) {
		size_t n;

		if (array->depth == 0)
			bytes = span_skip(bytes, skip_between(array, bytes));
		if (!bytes.len || array->over)
			break;
		n = take_element(array, bytes);
		array->to->data(array->ctx, span_of(bytes.at, n));
		if (array->depth == 0)
			array->to->end(array->ctx, (struct span){0}, false);
		bytes = span_skip(bytes, n);
	}
}

void json_array_lost(struct json_array *array)
{
	if (array->depth && !array->over)
		array->to->end(array->ctx, (struct span){0}, true);
	array->over = true;
}
