/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/content_coding.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gnomon/limits.h"
#include "protocol/content_codec.h"
#include "util/cleanup.h"

struct content_coding {
	const struct codec_ops *codec;
	content_fn *tell;
	void *ctx;
	struct codec_memory memory;
	uint64_t in, out;
	int failed; /* -errno, final */
	bool begun; /* the decoder has been set up */
	bool plain; /* the label lies: handed on as it is */
	uint8_t first_len;
	char first[CODING_FIRST_BYTES]; /* held until they tell whether the label lies */
	_Alignas(max_align_t) unsigned char state[];
};

/* What a Content-Encoding header may name. */
static const struct codec_ops *const codecs[] = {
	&codec_gzip,
	&codec_br,
	&codec_zstd,
	&codec_deflate,
};

void *codec_alloc(struct codec_memory *memory, size_t bytes)
{
	size_t whole;
	size_t *at;

	if (__builtin_add_overflow(bytes, sizeof(max_align_t), &whole) ||
	    whole > CODING_MEMORY_MAX - memory->used || !budget_take(memory->budget, whole))
		return NULL;
	at = malloc(whole);
	if (!at) {
		budget_give(memory->budget, whole);
		return NULL;
	}
	memory->used += whole;
	*at = whole;
	return (char *)at + sizeof(max_align_t);
}

void codec_free(struct codec_memory *memory, void *at)
{
	size_t *block;

	if (!at)
		return;
	block = (void *)((char *)at - sizeof(max_align_t));
	memory->used -= *block;
	budget_give(memory->budget, *block);
	free(block);
}

int codec_charge(struct codec_memory *memory, size_t *charged, size_t bytes)
{
	if (bytes > *charged) {
		size_t added = bytes - *charged;

		if (added > CODING_MEMORY_MAX - memory->used || !budget_take(memory->budget, added))
			return -ENOMEM;
		memory->used += added;
	} else {
		memory->used -= *charged - bytes;
		budget_give(memory->budget, *charged - bytes);
	}
	*charged = bytes;
	return 0;
}

/* Each can be no brotli and no raw deflate data: '{' asks both for what is not allowed in them, the
 * others would be one body in 65,536 at most. */
enum codec_start codec_not_text(struct span first)
{
	static const struct span texts[] = {
		SPAN_LITERAL("{\""),  SPAN_LITERAL("{ "),     SPAN_LITERAL("{\n"),
		SPAN_LITERAL("{\r"),  SPAN_LITERAL("{\t"),    SPAN_LITERAL("{}"),
		SPAN_LITERAL("[{\""), SPAN_LITERAL("[{\n"),   SPAN_LITERAL("data:"),
		SPAN_LITERAL("id: "), SPAN_LITERAL("event:"), SPAN_LITERAL("retry:"),
	};
	enum codec_start start = CODEC_YES;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (span_starts(first, texts[i]))
			return CODEC_NO;
		if (span_starts(texts[i], first))
			start = CODEC_MORE;
	}
	return start;
}

static int coding_new(struct content_coding **to, const struct codec_ops *codec,
		      struct budget *budget, content_fn *tell, void *ctx)
{
	struct content_coding *c = calloc(1, sizeof(*c) + codec->state_bytes);

	if (!c)
		return -ENOMEM;
	c->codec = codec;
	c->tell = tell;
	c->ctx = ctx;
	c->memory.budget = budget;
	*to = c;
	return 0;
}

/* Takes the next item off a comma-separated list, without blanks around it; empty at its end. */
static struct span take_item(struct span *list)
{
	struct span item;

	while (list->len && strchr(", \t", list->at[0]) && list->at[0])
		*list = span_skip(*list, 1);
	item = span_of(list->at, 0);
	while (list->len && list->at[0] != ',') {
		if (list->at[0] != ' ' && list->at[0] != '\t')
			item.len = (size_t)(list->at + 1 - item.at);
		*list = span_skip(*list, 1);
	}
	return item;
}

static const struct codec_ops *find_codec(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(codecs); i++)
		if (span_eq_nocase(name, codecs[i]->name) ||
		    (codecs[i]->alias.len && span_eq_nocase(name, codecs[i]->alias)))
			return codecs[i];
	return NULL;
}

int content_coding_new(struct content_coding **to, struct span header, struct budget *budget,
		       content_fn *tell, void *ctx)
{
	const struct codec_ops *codec = NULL;
	struct span name;

	*to = NULL;
	while ((name = take_item(&header)).len) {
		if (span_eq_nocase(name, SPAN_LITERAL("identity")))
			continue;
		if (codec)
			return -ENOTSUP;
		codec = find_codec(name);
		if (!codec)
			return -ENOTSUP;
	}
	return codec ? coding_new(to, codec, budget, tell, ctx) : 0;
}

int content_coding_new_raw(struct content_coding **to, struct budget *budget, content_fn *tell,
			   void *ctx)
{
	*to = NULL;
	return coding_new(to, &codec_raw_deflate, budget, tell, ctx);
}

void content_coding_free(struct content_coding *coding)
{
	if (!coding)
		return;
	if (coding->begun)
		coding->codec->done(coding->state);
	free(coding);
}

static int decode(struct content_coding *c, struct span bytes)
{
	char window[CODING_WINDOW_BYTES];
	struct codec_out out = {.at = window, .room = sizeof(window)};
	int r = 0;

	while (!r && (bytes.len || out.more)) {
		size_t before = bytes.len;

		out.made = 0;
		r = c->codec->decode(c->state, &bytes, &out);
		if (!r && !out.made && bytes.len && bytes.len == before && !out.more)
			r = -EBADMSG;
		c->in += before - bytes.len;
		c->out += out.made;
		if (c->out > CODING_FREE_BYTES &&
		    (c->out - CODING_FREE_BYTES) / CODING_RATIO_MAX > c->in)
			return -EFBIG;
		if (out.made)
			c->tell(c->ctx, span_of(window, out.made));
	}
	return r;
}

/* Holds bytes until they show whether this is the coding at all. */
static int begin(struct content_coding *c, struct span *bytes)
{
	enum codec_start start = CODEC_MORE;
	int r;

	while (start == CODEC_MORE && bytes->len) {
		c->first[c->first_len++] = bytes->at[0];
		*bytes = span_skip(*bytes, 1);
		start = c->codec->starts(span_of(c->first, c->first_len));
	}
	if (start == CODEC_MORE)
		return 0;
	if (start == CODEC_NO) {
		c->plain = true;
		c->tell(c->ctx, span_of(c->first, c->first_len));
		return 0;
	}
	r = c->codec->init(c->state, &c->memory);
	if (r < 0)
		return r;
	c->begun = true;
	return decode(c, span_of(c->first, c->first_len));
}

int content_coding_feed(struct content_coding *coding, struct span bytes)
{
	int r = coding->failed;

	if (!r && !coding->begun && !coding->plain)
		r = begin(coding, &bytes);
	if (!r && coding->plain && bytes.len)
		coding->tell(coding->ctx, bytes);
	else if (!r && coding->begun)
		r = decode(coding, bytes);
	coding->failed = r;
	return r;
}

void content_coding_restart(struct content_coding *coding)
{
	if (coding->begun)
		coding->codec->restart(coding->state);
}
