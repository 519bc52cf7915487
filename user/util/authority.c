/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/authority.h"

struct span authority_host(struct span authority)
{
	const char *at = authority.len ? memchr(authority.at, '@', authority.len) : NULL;
	const char *end;

	if (at)
		authority = span_skip(authority, (size_t)(at - authority.at) + 1);
	if (authority.len && authority.at[0] == '[') {
		end = memchr(authority.at, ']', authority.len);
		return end ? span_of(authority.at + 1, (size_t)(end - authority.at) - 1)
			   : authority;
	}
	end = authority.len ? memchr(authority.at, ':', authority.len) : NULL;
	/* a second colon: an address of IPv6 */
	if (!end || memchr(end + 1, ':', authority.len - (size_t)(end - authority.at) - 1))
		return authority;
	return span_of(authority.at, (size_t)(end - authority.at));
}

struct span url_authority(struct span url, struct span *path)
{
	size_t n = 0;

	for (size_t i = 0; i + 3 <= url.len && url.at[i] != '/'; i++)
		if (span_eq(span_of(url.at + i, 3), SPAN_LITERAL("://"))) {
			url = span_skip(url, i + 3);
			break;
		}
	while (n < url.len && !strchr("/?#", url.at[n]))
		n++;
	*path = n < url.len && url.at[n] == '/' ? span_skip(url, n) : (struct span){0};
	return span_of(url.at, n);
}
