/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/sources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gnomon/limits.h"
#include "source/file.h"
#include "source/script.h"
#include "util/cleanup.h"
#include "util/diag.h"

static const char signature[] = "#gnomon-script 1\n";

struct script_state {
	struct script script;
	size_t next;
	uint64_t told; /* bytes of a long segment that were delivered already */
	struct source_stats stats;
};

bool script_source_detect(const char *path)
{
	_cleanup_fclose_ FILE *file = NULL;
	char begin[sizeof(signature)] = "";

	if (strcmp(path, "-") == 0)
		return false;
	file = fopen(path, "re");
	return file && fgets(begin, sizeof(begin), file) && strcmp(begin, signature) == 0;
}

/* Reads all of a file into *text, which has room for one byte more. */
static int read_all(FILE *file, char **text, size_t *len)
{
	_cleanup_free_ char *buffer = malloc(SCRIPT_BYTES_MAX + 1);

	if (!buffer)
		return -ENOMEM;
	*len = fread(buffer, 1, SCRIPT_BYTES_MAX + 1, file);
	if (ferror(file))
		return errno ? -errno : -EIO;
	if (*len > SCRIPT_BYTES_MAX)
		return -EFBIG;
	*text = TAKE_PTR(buffer);
	return 0;
}

static int script_source_open(void **state, const struct source_config *config, struct diag *diag)
{
	_cleanup_fclose_ FILE *file = NULL;
	_cleanup_free_ char *text = NULL;
	struct script_state *s;
	size_t len = 0;
	int r;

	if (!config->path)
		return -EINVAL;
	if (config->filter && *config->filter) {
		diag_add(diag, config->path, 0, 0, "a script takes no packet filter");
		return -EINVAL;
	}
	file = source_file_open(config->path);
	r = file ? read_all(file, &text, &len) : -errno;
	if (r) {
		diag_add(diag, config->path, 0, 0, "%s", strerror(-r));
		return r;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	r = script_parse(span_of(text, len), config->path, &s->script, diag);
	if (r) {
		free(s);
		return r;
	}
	*state = s;
	return 0;
}

/* A part of a segment of at most SEGMENT_BYTES_MAX, as the kernel half delivers them; what was
 * omitted follows the last. True: that was the last. */
static bool deliver_segment(struct script_state *s, const struct script_item *item,
			    struct observed_segment *segment)
{
	size_t left = item->len - s->told;
	size_t n = left < SEGMENT_BYTES_MAX ? left : SEGMENT_BYTES_MAX;

	segment->bytes = span_of(item->bytes ? item->bytes + s->told : NULL, n);
	segment->offset += s->told;
	if (n < left) {
		segment->omitted = 0;
		s->told += n;
		return false;
	}
	s->told = 0;
	return true;
}

static int script_source_next(void *state, struct observation *obs, int timeout_ms)
{
	struct script_state *s = state;
	const struct script_item *item;
	bool last = true;

	(void)timeout_ms;
	if (s->next == s->script.count)
		return -ENODATA;
	item = &s->script.items[s->next];
	*obs = item->obs;
	obs->who = item->has_who ? &item->who : NULL;
	if (obs->kind == OBS_SEGMENT)
		last = deliver_segment(s, item, &obs->segment);
	else if (obs->kind == OBS_PACKET)
		obs->packet.bytes = span_of(item->bytes, item->len);
	else if (obs->kind == OBS_PROCESS)
		obs->process.filename = span_of(item->bytes, item->len);
	else if (obs->kind == OBS_LOSS)
		s->stats.lost[obs->loss.kind] += obs->loss.count;
	s->next += last;
	s->stats.observations++;
	return 1;
}

static int script_source_steer(void *state, const struct steering *steering)
{
	(void)state;
	(void)steering;
	return 0;
}

static void script_source_stats(void *state, struct source_stats *stats)
{
	const struct script_state *s = state;

	*stats = s->stats;
}

static void script_source_close(void *state)
{
	struct script_state *s = state;

	if (!s)
		return;
	script_done(&s->script);
	free(s);
}

const struct source_ops script_source = {
	.name = "script",
	.open = script_source_open,
	.next = script_source_next,
	.steer = script_source_steer,
	.stats = script_source_stats,
	.close = script_source_close,
};
