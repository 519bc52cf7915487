/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "catalog/pattern.h"

#include "gnomon/limits.h"
#include "util/cleanup.h"

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

static struct span next_label(struct span *rest)
{
	const char *dot = memchr(rest->at, '.', rest->len);
	struct span label = *rest;

	if (!dot) {
		*rest = span_skip(*rest, rest->len);
		return label;
	}
	label.len = (size_t)(dot - rest->at);
	*rest = span_skip(*rest, label.len + 1);
	return label;
}

static const char *wildcard_check(struct pattern *pattern, size_t stars, bool first_is_star)
{
	if (first_is_star && stars > 1)
		return "a pattern that begins with \"*.\" has no other '*'";
	if (pattern->key.len == 0 || !memchr(pattern->key.at, '.', pattern->key.len))
		return "a '*' needs at least two literal labels behind it";
	if (!first_is_star)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(broad_suffixes); i++)
		if (span_eq(pattern->key, span_str(broad_suffixes[i])))
			return "matches hosts of unrelated parties";
	return NULL;
}

const char *pattern_parse(struct span text, struct pattern *pattern)
{
	struct span rest = text;
	size_t stars = 0, label_count = 0;
	bool first_is_star = false, more = true;
	const char *wrong;

	*pattern = (struct pattern){.kind = PATTERN_EXACT, .text = text, .key = text};
	if (text.len == 0)
		return "empty pattern";
	if (text.len > HOST_NAME_MAX_BYTES - 3)
		return "longer than a host name can be";
	for (; more; label_count++) {
		struct span label;

		/* A dot at the end leaves an empty label to be found. */
		more = memchr(rest.at, '.', rest.len) != NULL;
		label = next_label(&rest);
		wrong = label_check(label);
		if (wrong)
			return wrong;
		if (!memchr(label.at, '*', label.len))
			continue;
		stars++;
		first_is_star |= label_count == 0 && label.len == 1;
		pattern->key = rest;
	}
	pattern->labels = (uint8_t)label_count;
	pattern->literal_len = (uint16_t)(text.len - stars);
	if (stars == 0)
		return NULL;
	pattern->kind = first_is_star ? PATTERN_SUFFIX : PATTERN_GLOB;
	return wildcard_check(pattern, stars, first_is_star);
}

static size_t label_len(struct span text)
{
	size_t n = 0;

	while (n < text.len && text.at[n] != '.')
		n++;
	return n;
}

bool pattern_glob_matches(const struct pattern *pattern, struct span host)
{
	struct span rest = pattern->text;

	if (!span_ends(host, pattern->key))
		return false;
	/* The key is no more to be looked at; the dot before it stays. */
	rest.len -= pattern->key.len;
	host.len -= pattern->key.len;
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
		wanted = label_len(rest);
		there = label_len(host);
		if (there < wanted + 1)
			return false;
		host = span_skip(host, there - wanted);
	}
	return rest.len == 0 && host.len == 0;
}

bool pattern_more_specific(const struct pattern *a, const struct pattern *b)
{
	if ((a->kind == PATTERN_EXACT) != (b->kind == PATTERN_EXACT))
		return a->kind == PATTERN_EXACT;
	if (a->literal_len != b->literal_len)
		return a->literal_len > b->literal_len;
	if (a->labels != b->labels)
		return a->labels > b->labels;
	return a->kind == PATTERN_SUFFIX && b->kind == PATTERN_GLOB;
}
