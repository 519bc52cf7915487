/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* HTTP: the same is told of a conversation fed in turns and byte by byte. The input is a list of turns: see
 * turns.h. An input that begins with "2" is HTTP/2's. */
#include "protocol/http1.h"
#include "protocol/http2.h"

#include "fuzz/turns.h"
#include "unit/protocol/http_recorder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *run(const struct protocol_ops *protocol, struct turns turns, bool bytewise,
		 int *result)
{
	struct recorder recorder;
	void *state = calloc(1, protocol->state_bytes);
	struct turn turn;

	recorder_init(&recorder);
	protocol->init(state, true, &recorder_listener, &recorder);
	*result = 0;
	while (turns_next(&turns, &turn)) {
		if (turn.gap)
			*result |= protocol->gap(state, turn.dir, turn.gap);
		for (size_t i = 0; bytewise && i < turn.bytes.len; i++)
			*result |= protocol->feed(state, turn.dir, span_of(turn.bytes.at + i, 1));
		if (!bytewise)
			*result |= protocol->feed(state, turn.dir, turn.bytes);
	}
	protocol->done(state);
	free(state);
	return recorder_take(&recorder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool is_client, second = size && data[0] == '2';
	const struct protocol_ops *protocol = second ? &http2_protocol : &http1_protocol;
	struct span first = span_skip(span_of((const char *)data, size), second);
	int a, b;
	char *whole = run(protocol, (struct turns){data, size}, false, &a);
	char *bytes = run(protocol, (struct turns){data, size}, true, &b);

	protocol->guess(first, DIR_OUT, &is_client);
	protocol->guess(first, DIR_IN, &is_client);
	if (a != b || strcmp(whole, bytes) != 0)
		abort();
	free(whole);
	free(bytes);
	return 0;
}
