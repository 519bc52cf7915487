/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* HTTP/2: the same is told of a connection fed in turns and byte by byte. The input is a list of
 * turns: see turns.h. */
#include "protocol/http2.h"

#include "fuzz/turns.h"
#include "unit/protocol/http_recorder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *run(const uint8_t *data, size_t size, bool bytewise, int *result)
{
	struct turns turns = {data, size};
	struct recorder recorder;
	void *state = calloc(1, http2_protocol.state_bytes);
	struct turn turn;

	recorder_init(&recorder);
	http2_protocol.init(state, true, &recorder_listener, &recorder);
	*result = 0;
	while (turns_next(&turns, &turn)) {
		if (turn.gap)
			*result |= http2_protocol.gap(state, turn.dir, turn.gap);
		for (size_t i = 0; bytewise && i < turn.bytes.len; i++)
			*result |= http2_protocol.feed(state, turn.dir,
						       span_of(turn.bytes.at + i, 1));
		if (!bytewise)
			*result |= http2_protocol.feed(state, turn.dir, turn.bytes);
	}
	http2_protocol.done(state);
	free(state);
	return recorder_take(&recorder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span first = span_of((const char *)data, size);
	bool is_client;
	int a, b;
	char *whole = run(data, size, false, &a), *bytes = run(data, size, true, &b);

	http2_protocol.guess(first, DIR_IN, &is_client);
	if (a != b || strcmp(whole, bytes) != 0)
		abort();
	free(whole);
	free(bytes);
	return 0;
}
