/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "catalog/pattern.h"

#include "gnomon/limits.h"
#include "util/cleanup.h"
#include "util/hex.h"

/* Names under which unrelated parties have theirs: a wildcard right below one would catch them all.
 * Public suffixes (publicsuffix.org) that AI services are known to use, and the platforms' own. */
static const char *const broad_suffixes[] = {
	"amazonaws.com",
	"amazonaws.com.cn",
	"api.aws",
	"on.aws",
	"cloudfront.net",
	"awsapps.com",
	"azure.com",
	"azure.net",
	"azure.us",
	"azure.cn",
	"azurewebsites.net",
	"azureedge.net",
	"azure-api.net",
	"azurefd.net",
	"windows.net",
	"microsoft.com",
	"office.com",
	"bing.com",
	"googleapis.com",
	"google.com",
	"gstatic.com",
	"googleusercontent.com",
	"run.app",
	"web.app",
	"firebaseapp.com",
	"appspot.com",
	"cloudfunctions.net",
	"github.com",
	"github.io",
	"githubusercontent.com",
	"gitlab.io",
	"vercel.app",
	"netlify.app",
	"workers.dev",
	"pages.dev",
	"cloudflare.com",
	"herokuapp.com",
	"fly.dev",
	"onrender.com",
	"ngrok.io",
	"ngrok.app",
	"ngrok-free.app",
	"hf.space",
	"modal.run",
	"replit.app",
	"aliyuncs.com",
	"myqcloud.com",
	"tencentcloudapi.com",
	"baidubce.com",
	"volces.com",
	"volcengine.com",
	"oraclecloud.com",
	"ibm.com",
	"akamaized.net",
	"fastly.net",
	"b-cdn.net",
	"co.uk",
	"org.uk",
	"ac.uk",
	"gov.uk",
	"com.au",
	"com.br",
	"com.cn",
	"net.cn",
	"org.cn",
	"co.jp",
	"ne.jp",
	"or.jp",
	"co.kr",
	"or.kr",
	"co.in",
	"com.sg",
	"com.tw",
	"com.hk",
	"com.mx",
	"com.tr",
	"co.za",
	"co.nz",
	"co.il",
	"com.ua",
};

static bool is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '*';
}

static const char *label_check(struct span label)
{
	size_t stars = 0;

	if (label.len == 0)
		return "empty label";
	if (label.len > 63)
		return "label of more than 63 characters";
	for (size_t i = 0; i < label.len; i++) {
		if (label.at[i] >= 'A' && label.at[i] <= 'Z')
			return "upper-case letters never match";
		if ((unsigned char)label.at[i] >= 0x80)
			return "an international name is written as on the wire, with xn--";
		if (!is_label_char(label.at[i]))
			return "a host name has only a-z, 0-9, '-', '_' and '.', a pattern '*' too";
		stars += label.at[i] == '*';
	}
	if (stars > 1)
		return "more than one '*' in a label";
	if (label.at[0] == '-' || label.at[label.len - 1] == '-')
		return "a label neither begins nor ends with '-'";
	return NULL;
}

static size_t run_until(struct span text, char end)
{
	const char *at = text.len ? memchr(text.at, end, text.len) : NULL;

	return at ? (size_t)(at - text.at) : text.len;
}

static const char *wildcard_check(const struct pattern *pattern, size_t stars, bool first_is_star)
{
	struct span key = pattern_key(pattern);

	if (first_is_star && stars > 1)
		return "a pattern that begins with \"*.\" has no other '*'";
	if (key.len == 0 || !memchr(key.at, '.', key.len))
		return "a '*' needs at least two literal labels behind it";
	/* a path tells parties apart */
	if (!first_is_star || pattern_path(pattern).len)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(broad_suffixes); i++)
		if (span_eq(key, span_str(broad_suffixes[i])))
			return "matches hosts of unrelated parties";
	return NULL;
}

static const char *host_parse(struct pattern *pattern)
{
	struct span rest = pattern_host(pattern);
	size_t stars = 0, label_count = 0;
	bool first_is_star = false, more = true;

	if (rest.len == 0)
		return "empty pattern";
	if (rest.len > HOST_NAME_MAX_BYTES - 3)
		return "longer than a host name can be";
	for (; more; label_count++) {
		struct span label = span_of(rest.at, run_until(rest, '.'));
		const char *wrong = label_check(label);

		if (wrong)
			return wrong;
		/* A dot at the end leaves an empty label to be found. */
		more = label.len < rest.len;
		rest = span_skip(rest, label.len + 1);
		if (!memchr(label.at, '*', label.len))
			continue;
		stars++;
		first_is_star |= label_count == 0 && label.len == 1;
		pattern->key_at = (uint16_t)(pattern->host_len - rest.len);
	}
	pattern->labels = (uint8_t)label_count;
	pattern->literal_len = (uint16_t)(pattern->host_len - stars);
	if (stars == 0)
		return NULL;
	pattern->kind = first_is_star ? PATTERN_SUFFIX : PATTERN_GLOB;
	return wildcard_check(pattern, stars, first_is_star);
}

static const char *segment_check(struct span segment)
{
	if (segment.len == 0)
		return "empty segment of a path";
	if (span_eq(segment, SPAN_LITERAL("*")))
		return NULL;
	if (span_eq(segment, SPAN_LITERAL(".")) || span_eq(segment, SPAN_LITERAL("..")))
		return "a path has no segments \".\" and \"..\"";
	for (size_t i = 0; i < segment.len; i++) {
		if (segment.at[i] == '*')
			return "a '*' in a path stands for a whole segment";
		if (segment.at[i] <= ' ' || segment.at[i] > '~' || strchr("?#%\\", segment.at[i]))
			return "a path has neither blanks nor '?', '#', '%' and '\\', and is ASCII";
	}
	return NULL;
}

static const char *path_parse(struct pattern *pattern)
{
	struct span rest = pattern_path(pattern);
	size_t stars = 0;

	if (rest.len >= URL_PATH_MAX)
		return "longer than the part of a path that is looked at";
	while (rest.len) {
		struct span segment = span_of(rest.at + 1, run_until(span_skip(rest, 1), '/'));
		const char *wrong = segment_check(segment);

		if (wrong)
			return wrong;
		stars += segment.at[0] == '*';
		rest = span_skip(rest, segment.len + 1);
	}
	pattern->path_literal = (uint16_t)(pattern->text_len - pattern->host_len - stars);
	return NULL;
}

const char *pattern_parse(struct span text, struct pattern *pattern)
{
	const char *wrong;

	*pattern = (struct pattern){.kind = PATTERN_EXACT, .text = text.at};
	if (text.len > UINT16_MAX)
		return "longer than a host name can be";
	pattern->text_len = (uint16_t)text.len;
	pattern->host_len = (uint16_t)run_until(text, '/');
	wrong = host_parse(pattern);
	return wrong ? wrong : path_parse(pattern);
}

bool pattern_glob_matches(const struct pattern *pattern, struct span host)
{
	struct span rest = pattern_host(pattern), key = pattern_key(pattern);

	if (!span_ends(host, key))
		return false;
	/* The key is no more to be looked at; the dot before it stays. */
	rest.len -= key.len;
	host.len -= key.len;
	while (rest.len && host.len) {
		size_t wanted, there;

		if (rest.at[0] != '*') {
			if (rest.at[0] != host.at[0])
				return false;
			rest = span_skip(rest, 1);
			host = span_skip(host, 1);
			continue;
		}
		/* A label has one star, so what follows it must be the label's end. */
		rest = span_skip(rest, 1);
		wanted = run_until(rest, '.');
		there = run_until(host, '.');
		if (there < wanted + 1)
			return false;
		host = span_skip(host, there - wanted);
	}
	return rest.len == 0 && host.len == 0;
}

bool pattern_host_matches(const struct pattern *pattern, struct span host)
{
	struct span key = pattern_key(pattern);

	switch (pattern->kind) {
	case PATTERN_EXACT:
		return span_eq(key, host);
	case PATTERN_SUFFIX:
		return host.len > key.len + 1 && span_ends(host, key) &&
		       host.at[host.len - key.len - 1] == '.';
	default:
		return pattern_glob_matches(pattern, host);
	}
}

/* Takes the next character off a path; slashes in a row are one. '\0': the end. */
static char take_char(struct span *path)
{
	char c = path->len ? path->at[0] : '\0';

	if (c == '?' || c == '#')
		return '\0';
	if (c == '%' && path->len >= 3 && hex_digit(path->at[1]) >= 0 &&
	    hex_digit(path->at[2]) >= 0) {
		c = (char)(hex_digit(path->at[1]) << 4 | hex_digit(path->at[2]));
		*path = span_skip(*path, 3);
		return c ? c : '%';
	}
	*path = span_skip(*path, 1);
	while (c == '/' && path->len && path->at[0] == '/')
		*path = span_skip(*path, 1);
	return c;
}

/* Takes a segment of one character or more; what ends it stays. */
static bool take_segment(struct span *path)
{
	struct span next = *path;
	size_t count = 0;

	for (char c = take_char(&next); c && c != '/'; c = take_char(&next)) {
		*path = next;
		count++;
	}
	return count > 0;
}

bool pattern_path_matches(const struct pattern *pattern, struct span path)
{
	struct span want = pattern_path(pattern);
	char end;

	for (; want.len; want = span_skip(want, 1)) {
		if (want.at[0] == '*' ? !take_segment(&path) : take_char(&path) != want.at[0])
			return false;
	}
	end = take_char(&path);
	return end == '\0' || end == '/';
}

bool pattern_more_specific(const struct pattern *a, const struct pattern *b)
{
	if ((a->kind == PATTERN_EXACT) != (b->kind == PATTERN_EXACT))
		return a->kind == PATTERN_EXACT;
	if (a->literal_len != b->literal_len)
		return a->literal_len > b->literal_len;
	if (a->labels != b->labels)
		return a->labels > b->labels;
	if (a->kind != b->kind)
		return a->kind == PATTERN_SUFFIX;
	if (a->path_literal != b->path_literal)
		return a->path_literal > b->path_literal;
	return a->text_len - a->host_len > b->text_len - b->host_len;
}
