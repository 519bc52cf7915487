/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From plaintext to facts: the same facts from a conversation fed in turns and byte by byte, and
 * none that contradict themselves. */
#include "api/exchange.h"
#include "api/families.h"

#include "fuzz/turns.h"
#include "unit/api/conversation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_facts(const struct llm_facts *facts)
{
	const struct token_usage *u = &facts->usage;
	bool known = u->input >= 0 || u->output >= 0;

	/* an estimate of what was seen in part may be no more than a lower bound */
	if ((u->source == USAGE_REPORTED && !known) || (u->source == USAGE_NONE && known))
		abort();
	if (u->input < -1 || u->output < -1 || u->cache_read < -1 || u->cache_creation < -1 ||
	    u->reasoning < -1)
		abort();
	if (u->source == USAGE_REPORTED && u->input >= 0 && u->cache_read > u->input)
		abort();
}

/* The first byte, which no turn has, says which family the host is known to speak, if any. */
static const struct service *choose_service(const uint8_t *data, size_t size, struct service *to,
					    struct span *family)
{
	size_t count = 0;

	while (api_table[count])
		count++;
	if (!size || data[0] % (count + 1) == count)
		return NULL;
	*family = span_str(api_table[data[0] % (count + 1)]->name);
	*to = (struct service){.id = "x", .families = family, .family_count = 1};
	return to;
}

static char *run(const uint8_t *data, size_t size, bool bytewise)
{
	struct turns turns = {data, size};
	struct service service;
	struct span family;
	struct conversation c;
	struct turn turn;

	conversation_begin(&c);
	c.service = choose_service(data, size, &service, &family);
	while (turns_next(&turns, &turn)) {
		if (turn.gap)
			http1_protocol.gap(c.http, turn.dir, turn.gap);
		for (size_t i = 0; bytewise && i < turn.bytes.len; i++)
			conversation_feed(&c, turn.dir, turn.bytes.at + i, 1);
		if (!bytewise)
			conversation_feed(&c, turn.dir, turn.bytes.at, turn.bytes.len);
		if (c.ended)
			check_facts(&c.last);
	}
	return conversation_finish(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *whole = run(data, size, false), *bytes = run(data, size, true);

	if (strcmp(whole, bytes) != 0)
		abort();
	free(whole);
	free(bytes);
	return 0;
}
