/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "pipeline/internal.h"

/* Ids in a path would make every request its own path, and some (sessions, files) are secrets. */
static bool looks_like_id(struct span segment)
{
	size_t digits = 0, hex = 0, other = 0;

	for (size_t i = 0; i < segment.len; i++) {
		char c = ascii_lower(segment.at[i]);

		if (c >= '0' && c <= '9')
			digits++;
		else if (c >= 'a' && c <= 'f')
			hex++;
		else if (c != '-' && c != '_')
			other++;
	}
	if (digits == segment.len)
		return segment.len > 0;
	if (segment.len >= 16 && other == 0 && digits >= 4)
		return true; /* hexadecimal, a UUID */
	return segment.len >= 20 && digits >= 4 && !memchr(segment.at, '.', segment.len) &&
	       !memchr(segment.at, ':', segment.len); /* asst_..., file-..., thread ids */
}

/* "https://host/path" as a proxy is asked, or "/path". */
static struct span path_of(struct span target)
{
	const char *scheme = target.len ? memmem(target.at, target.len, "://", 3) : NULL;
	const char *at;

	if (scheme && target.at[0] != '/') {
		target = span_skip(target, (size_t)(scheme + 3 - target.at));
		at = target.len ? memchr(target.at, '/', target.len) : NULL;
		target = at ? span_skip(target, (size_t)(at - target.at)) : SPAN_LITERAL("/");
	}
	for (size_t i = 0; i < target.len; i++)
		if (target.at[i] == '?' || target.at[i] == '#')
			return span_of(target.at, i);
	return target;
}

void url_path_template(struct span target, char *to, size_t cap)
{
	struct span path = path_of(target);
	size_t used = 0;

	while (path.len) {
		struct span segment, text;
		const char *slash;

		if (path.at[0] == '/') {
			text = span_of(path.at, 1);
			segment = span_of(path.at, 1);
		} else {
			slash = memchr(path.at, '/', path.len);
			segment = span_of(path.at, slash ? (size_t)(slash - path.at) : path.len);
			text = looks_like_id(segment) ? SPAN_LITERAL("{id}") : segment;
		}
		if (text.len >= cap - used)
			text.len = cap - used - 1;
		memcpy(to + used, text.at, text.len);
		used += text.len;
		path = span_skip(path, segment.len);
	}
	to[used] = '\0';
}
