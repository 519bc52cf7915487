/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <assert.h>
#include <stdint.h>

#include "policy/condition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill(struct event *event)
{
	static const struct net_address ip = {4, {10, 1, 2, 3}};

	event_init(event);
	event_set_text(event, F_USER_NAME, "alice");
	event_set_text(event, F_VERDICT, "unsanctioned");
	event_set_int(event, F_GEN_AI_INPUT_TOKENS, 1000);
	event_set_double(event, F_COST_USD, 0.25);
	event_set_bool(event, F_GEN_AI_REQUEST_STREAM, true);
	event_set_ip(event, F_DESTINATION_IP, &ip);
	event_set_time(event, F_EVENT_START, 100);
	event_append(event, F_TAGS, SPAN_LITERAL("a"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct span items[] = {{"bob", 3}, {"10.0.0.0/8", 10}, {"5", 1}};
	struct condition_list lists[] = {
		{{"l", 1}, items, 3}, {{"n", 1}, items + 2, 1}, {{"w", 1}, items + 1, 1}};
	struct condition_macro macros[] = {{{"m", 1}, NULL}};
	struct condition_names names = {lists, 3, macros, 1};
	struct condition_error error = {.offset = SIZE_MAX};
	struct arena arena = {0};
	struct condition *condition = condition_compile(&arena, span_of((const char *)data, size),
							&error);
	enum tristate truth;
	struct event event;

	macros[0].condition = condition; /* at worst it leads back to itself */
	if (!condition || condition_bind(condition, &arena, &names, &error) < 0 ||
	    condition_settle(condition, &error) < 0) {
		assert(error.offset <= size && error.message[0]);
		arena_done(&arena);
		return 0;
	}
	event_init(&event);
	truth = condition_eval(condition, &event);
	assert(truth == TRI_FALSE || truth == TRI_TRUE || truth == TRI_UNKNOWN);
	fill(&event);
	truth = condition_eval(condition, &event);
	assert(truth == TRI_FALSE || truth == TRI_TRUE || truth == TRI_UNKNOWN);
	arena_done(&arena);
	return 0;
}
