/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every case twice on one connection, over HTTP/1.1 and over HTTP/2: the same facts however the bytes are cut;
 * and with bytes lost anywhere no wrong ones, a flag that says so, and the next call whole again.
 */
#include "unit/api/case_file.h"

/* Two calls by turns: request, response, request, response. */
#define TURNS 4

struct wire {
	const struct protocol_ops *protocol;
	const struct call *call;
	char *bytes[TURNS];
	size_t len[TURNS];
	size_t body[TURNS]; /* HTTP/2: where the first frame of the body begins */
	unsigned int calls; /* that an undisturbed run tells of */
};

static enum stream_dir dir_of(unsigned int turn)
{
	return turn % 2 ? DIR_IN : DIR_OUT;
}

static void wire_http1(struct wire *w, const struct call *call)
{
	*w = (struct wire){.protocol = &http1_protocol, .call = call};
	for (unsigned int turn = 0; turn < TURNS; turn++) {
		enum stream_dir dir = dir_of(turn);

		w->len[turn] = call->len[dir];
		w->bytes[turn] = malloc(w->len[turn]);
		memcpy(w->bytes[turn], call->message[dir], w->len[turn]);
	}
}

/* ---- HTTP/2 of what is HTTP/1 ---- */

static void add_line(char *lines, const char *name, struct span value)
{
	sprintf(lines + strlen(lines), "%s: %.*s\n", name, (int)value.len, value.at);
}

static void add_fields(char *lines, struct span head)
{
	static const char *const left_out[] = {"content-length", "connection", "host"};

	while (head.len) {
		const char *end = memchr(head.at, '\n', head.len);
		struct span line = span_of(head.at, (size_t)(end - head.at));
		const char *colon = memchr(line.at, ':', line.len);
		char name[256];
		bool wanted = true;

		head = span_skip(head, line.len + 1);
		span_copy(name, sizeof(name), span_of(line.at, (size_t)(colon - line.at)));
		for (char *c = name; *c; c++)
			*c = ascii_lower(*c);
		for (size_t i = 0; i < ARRAY_SIZE(left_out); i++)
			wanted &= strcmp(name, left_out[i]) != 0;
		line = span_skip(line, strlen(name) + 1);
		while (line.len && line.at[0] == ' ')
			line = span_skip(line, 1);
		if (wanted)
			add_line(lines, name, line);
	}
}

/* The head as ":method: POST" and so on; *body is what follows it. */
static void lines_of(struct span part_text, bool request, char *lines, struct span *body)
{
	const char *blank = memmem(part_text.at, part_text.len, "\n\n", 2);
	size_t head_len = blank ? (size_t)(blank - part_text.at) + 1 : part_text.len;
	const char *end = memchr(part_text.at, '\n', part_text.len);
	struct span first = span_of(part_text.at, (size_t)(end - part_text.at));
	const char *space = memchr(first.at, ' ', first.len);
	struct span word = span_of(first.at, (size_t)(space - first.at));
	struct span rest = span_skip(first, word.len + 1);

	lines[0] = '\0';
	if (request) {
		const char *last = memrchr(rest.at, ' ', rest.len);

		add_line(lines, ":method", word);
		add_line(lines, ":authority", SPAN_LITERAL("api.example.com"));
		add_line(lines, ":path", span_of(rest.at, (size_t)(last - rest.at)));
	} else {
		add_line(lines, ":status", span_of(rest.at, 3));
	}
	add_fields(lines, span_of(part_text.at + first.len + 1, head_len - first.len - 1));
	*body = span_skip(part_text, head_len + 1);
}

static struct made made;

static void wire_http2(struct wire *w, const struct call *call)
{
	*w = (struct wire){.protocol = &http2_protocol, .call = call};
	made_begin(&made);
	/* what both begin with is the first request's */
	for (unsigned int turn = 0; turn < TURNS; turn++) {
		enum stream_dir dir = dir_of(turn);
		uint32_t stream = 1 + turn / 2 * 2;
		char lines[8192], block[8192];
		struct span body;
		size_t from = made.len, n, half;

		lines_of(turn % 2 ? call->response : call->request, turn % 2 == 0, lines, &body);
		n = made_block(&made, dir, lines, block, sizeof(block));
		made_frame(&made, dir, HTTP2_HEADERS, HTTP2_END_HEADERS, stream, block, n);
		w->body[turn] = made.len - from;
		/* in two frames */
		half = body.len / 2;
		made_frame(&made, dir, HTTP2_DATA, 0, stream, body.at, half);
		made_frame(&made, dir, HTTP2_DATA, HTTP2_END_STREAM, stream, body.at + half,
			   body.len - half);
		w->len[turn] = made.len - from;
		w->bytes[turn] = malloc(w->len[turn]);
		memcpy(w->bytes[turn], made.bytes + from, w->len[turn]);
	}
	made_done(&made);
}

static void wire_done(struct wire *w)
{
	for (unsigned int turn = 0; turn < TURNS; turn++)
		free(w->bytes[turn]);
}

/* ---- feeding ---- */

struct loss {
	unsigned int turn;
	size_t at, len; /* 0: none */
};

static void feed(struct conversation *c, enum stream_dir dir, const char *at, size_t len,
		 size_t step)
{
	for (size_t i = 0; i < len; i += step) {
		size_t n = step < len - i ? step : len - i;
		_cleanup_free_ char *copy = malloc(n);

		memcpy(copy, at + i, n);
		conversation_feed(c, dir, copy, n);
	}
}

static void run(struct conversation *c, struct host *host, const struct wire *w, size_t step,
		const struct loss *loss)
{
	conversation_begin_over(c, w->protocol);
	c->service = host_of(host, w->call->speaks);
	if (w->protocol == &http2_protocol)
		feed(c, DIR_IN, "\0\0\6\4\0\0\0\0\0\0\3\0\0\0\200", 15, step);
	if (w->protocol == &http2_protocol)
		feed(c, DIR_OUT, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33, step);
	for (unsigned int turn = 0; turn < TURNS; turn++) {
		size_t at = 0;

		if (loss->len && loss->turn == turn) {
			feed(c, dir_of(turn), w->bytes[turn], loss->at, step);
			w->protocol->gap(c->http, dir_of(turn), loss->len);
			at = loss->at + loss->len;
		}
		feed(c, dir_of(turn), w->bytes[turn] + at, w->len[turn] - at, step);
	}
	free(conversation_finish(c));
}

static bool tells(const struct conversation *c, const struct wire *w)
{
	_cleanup_free_ char *told = c->ended ? facts_text(&c->last, c->is_call) : strdup("none\n");

	return span_eq(span_str(told), w->call->facts);
}

static const char *name_of(const struct wire *w)
{
	return w->protocol->name;
}

static bool cut(struct wire *w)
{
	static const size_t steps[] = {1 << 16, 1, 2, 3, 5, 7, 16, 61, 255, 1000};
	const struct loss none = {0};
	bool ok = true;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct conversation c;
		struct host host;

		run(&c, &host, w, steps[i], &none);
		w->calls = c.ended;
		if (tells(&c, w))
			continue;
		print_error("%s over %s in steps of %zu: other facts\n", w->call->name, name_of(w),
			    steps[i]);
		ok = false;
	}
	return ok;
}

/* Reported counts; an estimate says that it is one, and its interval is tested elsewhere. */
static bool usage_is_honest(const struct token_usage *u, const struct token_usage *t)
{
	if (u->source == USAGE_ESTIMATED_TEXT)
		/* without a part of the text there is no upper end */
		return (u->input_high == TOKENS_UNKNOWN || u->input_low <= u->input_high) &&
		       (u->output_high == TOKENS_UNKNOWN || u->output_low <= u->output_high);
	return u->input <= t->input && u->output <= t->output && u->cache_read <= t->cache_read;
}

static bool same_or_none(const char *text, const char *truth)
{
	return !text[0] || strcmp(text, truth) == 0;
}

/* A value is unknown or the true one; counts of a stream may be earlier ones. */
static bool is_honest(const struct llm_facts *f, const struct llm_facts *t)
{
	return same_or_none(f->request_model, t->request_model) &&
	       same_or_none(f->error_type, t->error_type) &&
	       same_or_none(f->mcp_method, t->mcp_method) &&
	       same_or_none(f->mcp_tool, t->mcp_tool) && usage_is_honest(&f->usage, &t->usage) &&
	       f->request_shape <= t->request_shape && f->response_shape <= t->response_shape;
}

/* The first call lost bytes, of the body alone if `body`. */
static const char *judge(const struct conversation *c, const struct wire *w,
			 const struct llm_facts *truth, bool body)
{
	bool http1 = w->protocol == &http1_protocol;

	if (c->ended > w->calls)
		return "calls that were not made";
	if (c->ended == 2 && !is_honest(&c->first, truth))
		return "wrong facts";
	if (c->ended == 2 && !c->first.truncated && (http1 || body))
		return "no sign of a loss";
	/* what HTTP/2 lost of its headers' history does not come back */
	if (w->calls == 2 && (http1 || body) && !tells(c, w))
		return "the next call is not whole";
	if (w->calls == 2 && c->ended && !is_honest(&c->last, truth))
		return "wrong facts of the next call";
	return NULL;
}

/* Within one DATA frame's payload, which costs nothing else. */
static bool inside_data(const struct wire *w, const struct loss *loss)
{
	size_t begin = w->body[loss->turn], payload, middle;

	if (!begin)
		return false;
	payload = w->len[loss->turn] - begin - 2 * HTTP2_FRAME_HEADER;
	begin += HTTP2_FRAME_HEADER;
	middle = begin + payload / 2;
	if (loss->at >= begin && loss->at + loss->len <= middle)
		return true;
	return loss->at >= middle + HTTP2_FRAME_HEADER;
}

static bool lose_one(const struct wire *w, const struct llm_facts *truth, struct loss loss)
{
	struct conversation c;
	struct host host;
	const char *fault;

	if (loss.at + loss.len > w->len[loss.turn])
		loss.len = w->len[loss.turn] - loss.at;
	run(&c, &host, w, 1 << 16, &loss);
	fault = judge(&c, w, truth, inside_data(w, &loss));
	if (fault)
		print_error("%s over %s without %zu bytes at %zu of turn %u: %s\n", w->call->name,
			    name_of(w), loss.len, loss.at, loss.turn, fault);
	return !fault;
}

static bool lose(const struct wire *w)
{
	static const size_t sizes[] = {1, 90, 1 << 16};
	const struct loss none = {0};
	struct conversation c;
	struct host host;
	struct llm_facts truth;

	run(&c, &host, w, 1 << 16, &none);
	truth = c.last;
	for (unsigned int turn = 0; c.ended && turn < 2; turn++)
		for (size_t at = 0; at < w->len[turn]; at++)
			for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
				if (!lose_one(w, &truth, (struct loss){turn, at, sizes[i]}))
					return false;
	return true;
}

static bool over_http1(const struct call *call)
{
	struct wire w;
	bool ok;

	wire_http1(&w, call);
	ok = cut(&w) && lose(&w);
	wire_done(&w);
	return ok;
}

static bool over_http2(const struct call *call)
{
	struct wire w;
	bool ok = true;

	/* which have no upgrade (RFC 9113 section 8.6) */
	if (memmem(call->request.at, call->request.len, "Upgrade:", 8))
		return true;
	wire_http2(&w, call);
	ok = cut(&w) && lose(&w);
	wire_done(&w);
	return ok;
}

static void test_http1(void **state)
{
	(void)state;
	each_case(over_http1);
}

static void test_http2(void **state)
{
	(void)state;
	each_case(over_http2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http1),
		cmocka_unit_test(test_http2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
