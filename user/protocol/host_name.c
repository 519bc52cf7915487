/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/host_name.h"

enum { LABEL_MAX = 63, NAME_MAX_CHARS = 253 };

static bool host_char(char c)
{
	c = ascii_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool is_host_name(struct span name)
{
	size_t label = 0;

	for (size_t i = 0; i < name.len; i++) {
		if (name.at[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if (!host_char(name.at[i]) || ++label > LABEL_MAX) {
			return false;
		}
	}
	return label > 0 && name.len <= NAME_MAX_CHARS;
}

void host_name_copy(char to[static HOST_NAME_MAX_BYTES], struct span name)
{
	to[0] = '\0';
	if (name.len && name.at[name.len - 1] == '.')
		name.len--;
	if (!is_host_name(name))
		return;
	for (size_t i = 0; i < name.len; i++)
		to[i] = ascii_lower(name.at[i]);
	to[name.len] = '\0';
}
