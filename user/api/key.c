/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/exchange.h"

#include "api/family.h"
#include "util/base64.h"
#include "util/cleanup.h"
#include "util/fingerprint.h"

/*
 * The kind of a credential, told by the header that carries it and by how it begins: vendors mark
 * their keys so that scanners for leaked secrets find them. The first prefix that fits counts, so
 * longer ones come first. The credential is looked at where it stands and never copied; its fingerprint is a hash
 * under the fleet's salt.
 */
static const struct {
	struct span prefix;
	const char *kind;
	const char *account;
} prefixes[] = {
	/* Anthropic: keys, administrators' keys, logins of a subscription, sessions of the web page */
	{SPAN_LITERAL("sk-ant-oat"), "anthropic-oauth", NULL},
	{SPAN_LITERAL("sk-ant-admin"), "anthropic-admin", "organisation"},
	{SPAN_LITERAL("sk-ant-sid"), "anthropic-session", NULL},
	{SPAN_LITERAL("sk-ant-"), "anthropic", NULL},
	/* OpenAI: only organisations have service accounts and administrators */
	{SPAN_LITERAL("sk-svcacct-"), "openai-service-account", "organisation"},
	{SPAN_LITERAL("sk-admin-"), "openai-admin", "organisation"},
	{SPAN_LITERAL("sk-proj-"), "openai", NULL},
	{SPAN_LITERAL("sess-"), "openai-session", NULL},
	{SPAN_LITERAL("sk-or-"), "openrouter", NULL},
	{SPAN_LITERAL("sk-helicone-"), "helicone", NULL},
	{SPAN_LITERAL("sk-api-"), "minimax", NULL},
	{SPAN_LITERAL("gsk_"), "groq", NULL},
	{SPAN_LITERAL("xai-"), "xai", NULL},
	{SPAN_LITERAL("hf_"), "huggingface", NULL},
	{SPAN_LITERAL("AIza"), "google", NULL},
	{SPAN_LITERAL("AQ."), "google", NULL},
	{SPAN_LITERAL("ya29."), "google-oauth", NULL},
	{SPAN_LITERAL("ABSK"), "bedrock", NULL},
	{SPAN_LITERAL("bedrock-api-key-"), "bedrock", NULL},
	{SPAN_LITERAL("github_pat_"), "github", NULL},
	{SPAN_LITERAL("ghp_"), "github", NULL},
	{SPAN_LITERAL("gho_"), "github", NULL},
	{SPAN_LITERAL("ghu_"), "github", NULL},
	{SPAN_LITERAL("ghs_"), "github", NULL},
	{SPAN_LITERAL("tid="), "github-copilot", NULL},
	{SPAN_LITERAL("pplx-"), "perplexity", NULL},
	{SPAN_LITERAL("csk-"), "cerebras", NULL},
	{SPAN_LITERAL("nvapi-"), "nvidia", NULL},
	{SPAN_LITERAL("r8_"), "replicate", NULL},
	{SPAN_LITERAL("tgp_v1_"), "together", NULL},
	{SPAN_LITERAL("fw_"), "fireworks", NULL},
	{SPAN_LITERAL("dapi"), "databricks", NULL},
	{SPAN_LITERAL("vck_"), "vercel", NULL},
	{SPAN_LITERAL("jina_"), "jina", NULL},
	{SPAN_LITERAL("bce-v3/"), "baidu", NULL},
	{SPAN_LITERAL("LLM|"), "meta", NULL},
	{SPAN_LITERAL("eyJ"), "jwt", NULL}, /* RFC 7519: an object in base64url */
	/* DeepSeek, Moonshot, Alibaba, LiteLLM and older keys of OpenAI */
	{SPAN_LITERAL("sk-"), "sk", NULL},
};

/* Headers that carry credentials, and what an unknown credential in them is called. */
static const struct {
	struct span header;
	struct span
		scheme; /* RFC 9110 section 11.4, any case; empty: the value is the credential */
	const char *kind;
} carriers[] = {
	{SPAN_LITERAL("authorization"), SPAN_LITERAL("bearer "), "bearer"},
	{SPAN_LITERAL("authorization"), SPAN_LITERAL("aws4-hmac-sha256 "), "aws-sigv4"},
	{SPAN_LITERAL("x-api-key"), {0}, "x-api-key"},
	{SPAN_LITERAL("api-key"), {0}, "azure"},
	{SPAN_LITERAL("ocp-apim-subscription-key"), {0}, "azure"},
	{SPAN_LITERAL("x-goog-api-key"), {0}, "google"},
};

/* Cookies of a login to a web page. */
static const struct {
	struct span name;
	const char *kind;
} cookies[] = {
	{SPAN_LITERAL("sessionKey=sk-ant-sid"), "anthropic-session"},
	{SPAN_LITERAL("__Secure-next-auth.session-token"), "web-session"},
};

/* What a login to ChatGPT is entitled to stands in its token. */
static const struct {
	struct span plan;
	const char *account;
} plans[] = {
	{SPAN_LITERAL("free"), "personal"},           {SPAN_LITERAL("go"), "personal"},
	{SPAN_LITERAL("plus"), "personal"},           {SPAN_LITERAL("pro"), "personal"},
	{SPAN_LITERAL("team"), "organisation"},       {SPAN_LITERAL("business"), "organisation"},
	{SPAN_LITERAL("enterprise"), "organisation"}, {SPAN_LITERAL("edu"), "organisation"},
};

/* Looks for one claim while the bytes go by; nothing but the plan's name is ever held. */
struct claim_search {
	size_t matched; /* characters of the claim's name */
	char plan[16];
	size_t plan_len;
	bool done;
};

static void claim_byte(struct claim_search *s, char c)
{
	static const struct span name = SPAN_LITERAL("\"chatgpt_plan_type\":\"");

	if (s->done)
		return;
	if (s->matched < name.len) {
		if (c == ' ' && s->matched >= name.len - 2)
			return; /* before or after the colon */
		if (c != name.at[s->matched])
			s->matched = 0;
		s->matched += c == name.at[s->matched];
	} else if (c == '"' || s->plan_len == sizeof(s->plan)) {
		s->done = true;
	} else {
		s->plan[s->plan_len++] = c;
	}
}

/* The account of a ChatGPT login by the plan in its token (RFC 7519, the middle part); NULL: the
 * token is something else. */
static const char *account_of_token(struct span token)
{
	const char *dot = memchr(token.at, '.', token.len);
	struct claim_search search = {0};
	unsigned int bits = 0, count = 0;

	token = span_skip(token, dot ? (size_t)(dot - token.at) + 1 : token.len);
	for (size_t i = 0; i < token.len && !search.done; i++) {
		int digit = base64_digit(token.at[i]);

		if (digit < 0)
			break;
		bits = (bits << 6 | (unsigned int)digit) & 0xffff;
		count += 6;
		if (count >= 8) {
			count -= 8;
			claim_byte(&search, (char)(bits >> count & 0xff));
		}
	}
	for (size_t i = 0; search.done && i < ARRAY_SIZE(plans); i++)
		if (span_eq(plans[i].plan, span_of(search.plan, search.plan_len)))
			return plans[i].account;
	return NULL;
}

/* false: no known prefix. */
static bool by_prefix(struct span credential, struct key_facts *key)
{
	/* "OpenAI" in base64 stands in the middle of every key of theirs. */
	static const char mark[] = "T3BlbkFJ";

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (!span_starts(credential, prefixes[i].prefix))
			continue;
		key->kind = prefixes[i].kind;
		key->account = prefixes[i].account;
		if (strcmp(key->kind, "jwt") == 0)
			key->account = account_of_token(credential);
		if (strcmp(key->kind, "jwt") == 0 && key->account)
			key->kind = "chatgpt-login";
		if (strcmp(key->kind, "sk") == 0 &&
		    memmem(credential.at, credential.len, mark, sizeof(mark) - 1))
			key->kind = "openai";
		return true;
	}
	return false;
}

/* Of a signed request (AWS) the key is what signed: its id stays, the signature does not. */
static struct span key_of(struct span value)
{
	static const struct span mark = SPAN_LITERAL("Credential=");
	const char *at = value.len ? memmem(value.at, value.len, mark.at, mark.len) : NULL;
	size_t len = 0;

	if (!at)
		return value;
	value = span_skip(value, (size_t)(at - value.at) + mark.len);
	while (len < value.len && value.at[len] != '/' && value.at[len] != ',')
		len++;
	return span_of(value.at, len);
}

/* `credential`: what the key was told by. */
static bool by_header(const struct http_head *request, struct key_facts *key,
		      struct span *credential)
{
	const char *generic = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(carriers); i++) {
		struct span value = http_header_get(request, carriers[i].header);
		size_t skip = carriers[i].scheme.len;

		if (value.len <= skip ||
		    !span_eq_nocase(span_of(value.at, skip), carriers[i].scheme))
			continue;
		value = span_skip(value, skip);
		while (value.len && value.at[0] == ' ')
			value = span_skip(value, 1);
		if (by_prefix(value, key)) {
			*credential = value;
			return true;
		}
		if (value.len && !generic) {
			generic = carriers[i].kind;
			*credential = key_of(value);
		}
	}
	key->kind = generic;
	return generic != NULL;
}

static void by_cookie(const struct http_head *request, struct key_facts *key)
{
	struct span value = http_header_get(request, SPAN_LITERAL("cookie"));

	for (size_t i = 0; value.len && i < ARRAY_SIZE(cookies); i++)
		if (memmem(value.at, value.len, cookies[i].name.at, cookies[i].name.len))
			key->kind = cookies[i].kind;
}

static bool has_header(const struct http_head *request, struct span name)
{
	return http_header_get(request, name).len != 0;
}

/* What names an account, in requests and in answers. */
static const struct span account_headers[] = {
	SPAN_LITERAL("chatgpt-account-id"),
	SPAN_LITERAL("openai-organization"),
	SPAN_LITERAL("anthropic-organization-id"),
	SPAN_LITERAL("x-goog-user-project"),
};

static void take_account(const struct http_head *head, const struct fleet_salt *salt,
			 struct key_facts *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(account_headers) && !key->account_fingerprint[0]; i++)
		fingerprint(salt, FINGERPRINT_ACCOUNT, http_header_get(head, account_headers[i]),
			    key->account_fingerprint);
	if (!key->session[0])
		fingerprint(salt, FINGERPRINT_SESSION,
			    http_header_get(head, SPAN_LITERAL("mcp-session-id")), key->session);
}

/* Claude's page has the organisation in its paths: also that of a person. */
static void account_of_path(const struct http_head *request, const struct fleet_salt *salt,
			    struct key_facts *key)
{
	struct span path = api_target_path(request->target);

	if (!key->account_fingerprint[0] && span_starts(path, SPAN_LITERAL("/api/organizations/")))
		fingerprint(salt, FINGERPRINT_ACCOUNT,
			    api_segment_after(path, SPAN_LITERAL("organizations")),
			    key->account_fingerprint);
}

void api_key_facts(const struct http_head *request, const struct fleet_salt *salt,
		   struct key_facts *key)
{
	struct span credential = {0};

	*key = (struct key_facts){0};
	/* Google's APIs take a key in the query, too. */
	if (!by_header(request, key, &credential)) {
		credential = api_target_query(request->target, SPAN_LITERAL("key"));
		if (!by_prefix(credential, key)) {
			credential.len = 0;
			by_cookie(request, key);
		}
	}
	fingerprint(salt, FINGERPRINT_KEY, credential, key->fingerprint);
	take_account(request, salt, key);
	account_of_path(request, salt, key);
	if (key->account)
		return;
	/* Codex names an account whichever kind it is; the web page only that of a workspace. */
	if (has_header(request, SPAN_LITERAL("openai-organization")) ||
	    has_header(request, SPAN_LITERAL("x-goog-user-project")) ||
	    (has_header(request, SPAN_LITERAL("chatgpt-account-id")) &&
	     !has_header(request, SPAN_LITERAL("originator"))))
		key->account = "organisation";
}

void api_key_response(const struct http_head *response, const struct fleet_salt *salt,
		      struct key_facts *key)
{
	struct span openai = http_header_get(response, SPAN_LITERAL("openai-organization"));

	take_account(response, salt, key);
	/* what OpenAI calls the organisation that everybody has by himself */
	if (!key->account && openai.len)
		key->account = span_starts(openai, SPAN_LITERAL("user-")) ? "personal"
									  : "organisation";
}
