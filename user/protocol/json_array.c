/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/json_array.h"

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

/* How many of the bytes are the current element's. */
static size_t take_element(struct json_array *array, struct span bytes)
{
	size_t opening = array->element.depth ? 0 : 1;

	if (opening)
		json_skip_begin(&array->element);
	return opening + json_skip(&array->element, bytes.at + opening, bytes.len - opening);
}

void json_array_feed(struct json_array *array, struct span bytes)
{
	while (bytes.len && !array->over) {
		size_t n;

		if (array->element.depth == 0)
			bytes = span_skip(bytes, skip_between(array, bytes));
		if (!bytes.len || array->over)
			break;
		n = take_element(array, bytes);
		array->to->data(array->ctx, span_of(bytes.at, n));
		if (array->element.depth == 0)
			array->to->end(array->ctx, (struct span){0}, false);
		bytes = span_skip(bytes, n);
	}
}

void json_array_lost(struct json_array *array)
{
	if (array->element.depth && !array->over)
		array->to->end(array->ctx, (struct span){0}, true);
	array->over = true;
}
