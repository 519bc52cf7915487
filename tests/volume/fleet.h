/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * What the sensors of a fleet see in some weeks: the developers, analysts and other people of a company, its
 * servers and its CI machines, each with habits of its own. The events are those that gnomon makes of such
 * traffic, the uninteresting ones included: preconnects, connections that stay open for hours, calls that
 * the connection's event tells again. The same seed gives the same weeks, and an endpoint does the same
 * whatever the size of the fleet.
 *
 * The shares are this file's assumptions, in one place to be argued with: how many of a kind have a habit, and
 * on how many working days they follow it. Surveys of the years before put the use of services that nobody
 * allowed at a fifth to a half of office workers; here it is a third of developers and a fifth of analysts,
 * beside what the company pays for.
 *
 * Include behind cmocka.h, if that is used.
 */

#include <stdio.h>
#include <stdlib.h>

#include "catalog/catalog.h"
#include "pipeline/internal.h"
#include "util/cleanup.h"
#include "util/mix.h"

#define FLEET_MONDAY_NS  UINT64_C(1780272000000000000) /* 2026-06-01 00:00 UTC */
#define FLEET_SECOND_NS  UINT64_C(1000000000)
#define FLEET_MINUTE_NS  (60 * FLEET_SECOND_NS)
#define FLEET_DAY_NS     (86400 * FLEET_SECOND_NS)
#define FLEET_HABITS_MAX 24
/* Of one endpoint in one day; a developer's busiest has some hundreds. */
#define FLEET_MOMENTS_MAX 8192

enum fleet_sight {
	SIGHT_CALLS,    /* plaintext: each call is an event, and the connection one more */
	SIGHT_NAME,     /* the name in the handshake: one connection, told of each minute */
	SIGHT_PRESENCE, /* a preconnect, or an asset of a web page */
	SIGHT_SERVER,   /* an own model server is started, and called from the same machine */
};

/* One thing that somebody does with AI. */
struct habit {
	const char *host; /* what is asked for; NULL: a server of this machine */
	enum fleet_sight sight;
	const char *process, *executable, *ancestor;
	const char *agent; /* gnomon.agent */
	const char *model, *key, *account, *mcp;
	const char *user, *image; /* NULL: the endpoint's own user, in no container */
	unsigned int sessions;    /* a day of use, at most; at least one */
	unsigned int calls;       /* a session, on average; of SIGHT_NAME minutes */
	unsigned int bytes;       /* sent by a usual call, or in a minute */
	unsigned int uploads;     /* of 1,000 calls, so many carry a document of megabytes */
};

enum {
	H_COPILOT,
	H_CLAUDE_CODE,
	H_CODEX,
	H_OPENCODE,
	H_CURSOR,
	H_AZURE,
	H_AZURE_O3,
	H_OPENAI_SDK,
	H_OPENAI_KEY_TO_GATEWAY,
	H_DEEPSEEK_SDK,
	H_GROQ_SDK,
	H_GATEWAY,
	H_NOTION_MCP,
	H_OTHER_MCP,
	H_OLLAMA,
	H_OLLAMA_OPEN,
	H_CHATGPT_CHROME,
	H_CHATGPT_ORG,
	H_CHATGPT_OWN,
	H_MS_COPILOT,
	H_GEMINI,
	H_CLAUDE,
	H_PERPLEXITY,
	H_DEEPSEEK_CHAT,
	H_GROK,
	H_CHARACTER,
	H_POE,
	H_LE_CHAT,
	H_WIDGETS,
	H_SERVER_AZURE,
	H_SERVER_PHP,
	H_SERVER_VLLM,
	H_CI_CLAUDE,
	H_CI_AZURE,
	H_CI_OPENAI,
	HABIT_COUNT,
};

#define CHROME .process = "chrome", .executable = "/opt/google/chrome/chrome", .ancestor = "systemd"
#define FIREFOX                                                                                    \
	.process = "firefox", .executable = "/usr/lib/firefox/firefox", .ancestor = "systemd",     \
	.agent = "none"
#define PYTHON                                                                                     \
	.process = "python3", .executable = "/usr/bin/python3.11", .ancestor = "bash",             \
	.agent = "none"

/* clang-format off: a habit a row or two */
static const struct habit habits[HABIT_COUNT] = {
	/* tools of developers: an agent sends its whole context with each call */
	[H_COPILOT] = {"api.githubcopilot.com", SIGHT_NAME, "code", "/usr/share/code/code",
		       "systemd", .sessions = 3, .calls = 90, .bytes = 9000},
	[H_CLAUDE_CODE] = {"api.anthropic.com", SIGHT_CALLS, "claude", "/home/u/.local/bin/claude",
			   "zsh", "claude-code", "claude-sonnet-4-5", "anthropic-oauth",
			   .sessions = 6, .calls = 15, .bytes = 160000},
	[H_CODEX] = {"api.openai.com", SIGHT_CALLS, "codex", "/usr/local/bin/codex", "zsh", "codex",
		     "gpt-5-codex", "openai", .sessions = 4, .calls = 12, .bytes = 90000},
	[H_OPENCODE] = {"openrouter.ai", SIGHT_CALLS, "opencode", "/home/u/.opencode/bin/opencode",
			"zsh", "opencode", "qwen/qwen3-coder", "openrouter", .sessions = 3,
			.calls = 12, .bytes = 90000},
	[H_CURSOR] = {"api2.cursor.sh", SIGHT_NAME, "cursor", "/opt/cursor/cursor", "systemd",
		      .sessions = 3, .calls = 80, .bytes = 30000},
	/* programs of one's own */
	[H_AZURE] = {"acme-ai.openai.azure.com", SIGHT_CALLS, PYTHON, .model = "gpt-4o-2024-11-20",
		     .key = "azure", .sessions = 3, .calls = 20, .bytes = 5000},
	[H_AZURE_O3] = {"acme-ai.openai.azure.com", SIGHT_CALLS, PYTHON, .model = "o3-2025-04-16",
			.key = "azure", .sessions = 1, .calls = 6, .bytes = 9000},
	[H_OPENAI_SDK] = {"api.openai.com", SIGHT_CALLS, PYTHON, .model = "gpt-4o-mini",
			  .key = "openai", .sessions = 2, .calls = 12, .bytes = 4000, .uploads = 1},
	[H_OPENAI_KEY_TO_GATEWAY] = {"llm.acme.example", SIGHT_CALLS, PYTHON, .model = "gpt-4o",
				     .key = "openai", .sessions = 1, .calls = 5, .bytes = 4000},
	[H_DEEPSEEK_SDK] = {"api.deepseek.com", SIGHT_CALLS, PYTHON, .model = "deepseek-chat",
			    .key = "sk", .sessions = 2, .calls = 10, .bytes = 6000},
	[H_GROQ_SDK] = {"api.groq.com", SIGHT_CALLS, PYTHON, .model = "llama-3.3-70b-versatile",
			.key = "groq", .sessions = 1, .calls = 10, .bytes = 4000},
	[H_GATEWAY] = {"llm.acme.example", SIGHT_CALLS, PYTHON, .model = "gpt-4o", .key = "sk",
		       .sessions = 3, .calls = 15, .bytes = 7000},
	[H_NOTION_MCP] = {"mcp.notion.com", SIGHT_CALLS, "claude", "/home/u/.local/bin/claude",
			  "zsh", "claude-code", .mcp = "tools/call", .sessions = 2, .calls = 6,
			  .bytes = 900},
	[H_OTHER_MCP] = {"mcp.context7.com", SIGHT_CALLS, "claude", "/home/u/.local/bin/claude",
			 "zsh", "claude-code", .mcp = "tools/call", .sessions = 1, .calls = 4,
			 .bytes = 900},
	[H_OLLAMA] = {NULL, SIGHT_SERVER, "ollama", "/usr/local/bin/ollama", "systemd", "none",
		      "llama3.2", .sessions = 2, .calls = 8, .bytes = 3000},
	[H_OLLAMA_OPEN] = {NULL, SIGHT_SERVER, "ollama", "/usr/local/bin/ollama", "systemd", "none",
			   "qwen2.5", .sessions = 1, .calls = 8, .bytes = 3000},
	/* people and their browsers; of Chrome the name alone is seen */
	[H_CHATGPT_CHROME] = {"chatgpt.com", SIGHT_NAME, CHROME, .sessions = 4, .calls = 25,
			      .bytes = 3500, .uploads = 4},
	[H_CHATGPT_ORG] = {"chatgpt.com", SIGHT_CALLS, FIREFOX, .account = "organisation",
			   .sessions = 4, .calls = 6, .bytes = 4000, .uploads = 8},
	[H_CHATGPT_OWN] = {"chatgpt.com", SIGHT_CALLS, FIREFOX, .account = "personal",
			   .sessions = 2, .calls = 5, .bytes = 4000, .uploads = 8},
	[H_MS_COPILOT] = {"copilot.microsoft.com", SIGHT_NAME, CHROME, .sessions = 2, .calls = 20,
			  .bytes = 2500, .uploads = 2},
	[H_GEMINI] = {"gemini.google.com", SIGHT_NAME, CHROME, .sessions = 2, .calls = 20,
		      .bytes = 3000, .uploads = 4},
	[H_CLAUDE] = {"claude.ai", SIGHT_NAME, CHROME, .sessions = 2, .calls = 25, .bytes = 4000,
		      .uploads = 6},
	[H_PERPLEXITY] = {"www.perplexity.ai", SIGHT_NAME, CHROME, .sessions = 3, .calls = 10,
			  .bytes = 1500},
	[H_DEEPSEEK_CHAT] = {"chat.deepseek.com", SIGHT_NAME, CHROME, .sessions = 2, .calls = 12,
			     .bytes = 3000, .uploads = 4},
	[H_GROK] = {"grok.com", SIGHT_NAME, CHROME, .sessions = 1, .calls = 10, .bytes = 2500},
	[H_CHARACTER] = {"character.ai", SIGHT_NAME, CHROME, .sessions = 1, .calls = 20,
			 .bytes = 1500},
	[H_POE] = {"poe.com", SIGHT_NAME, CHROME, .sessions = 1, .calls = 15, .bytes = 2500,
		   .uploads = 3},
	[H_LE_CHAT] = {"chat.mistral.ai", SIGHT_NAME, CHROME, .sessions = 1, .calls = 15,
		       .bytes = 2500, .uploads = 3},
	[H_WIDGETS] = {"chatgpt.com", SIGHT_PRESENCE, CHROME, .sessions = 8, .calls = 1,
		       .bytes = 600},
	/* machines: accounts of their own, or containers whose users have no names on the host */
	[H_SERVER_AZURE] = {"acme-ai.openai.azure.com", SIGHT_CALLS, PYTHON,
			    .model = "gpt-4o-2024-11-20", .key = "azure", .user = "",
			    .image = "registry.acme.example/summaries:4", .sessions = 24,
			    .calls = 12, .bytes = 8000},
	[H_SERVER_PHP] = {"api.openai.com", SIGHT_CALLS, "php-fpm8.2", "/usr/sbin/php-fpm8.2",
			  "systemd", "none", "gpt-4o-mini", "openai", .user = "www-data",
			  .sessions = 24, .calls = 6, .bytes = 3000},
	[H_SERVER_VLLM] = {NULL, SIGHT_SERVER, "vllm", "/opt/vllm/bin/python3", "systemd", "none",
			   "Qwen/Qwen3-32B", .user = "vllm", .sessions = 1, .calls = 200,
			   .bytes = 5000},
	[H_CI_CLAUDE] = {"api.anthropic.com", SIGHT_CALLS, "claude", "/usr/local/bin/claude", "sh",
			 "claude-code", "claude-sonnet-4-5", "anthropic", .user = "",
			 .image = "registry.acme.example/ci-review:2", .sessions = 24, .calls = 10,
			 .bytes = 120000},
	[H_CI_AZURE] = {"acme-ai.openai.azure.com", SIGHT_CALLS, PYTHON,
			.model = "text-embedding-3-large", .key = "azure", .user = "",
			.image = "registry.acme.example/ci-tests:9", .sessions = 12, .calls = 10,
			.bytes = 20000},
	[H_CI_OPENAI] = {"api.openai.com", SIGHT_CALLS, PYTHON, .model = "gpt-4o", .key = "openai",
			 .user = "", .image = "registry.acme.example/ci-evals:1", .sessions = 12,
			 .calls = 15, .bytes = 9000},
};

/* Per mille: of endpoints that have the habit, of working days on which they follow it. */
struct custom {
	unsigned int habit, share, days;
};

struct role {
	const char *name;
	unsigned int share;    /* of the fleet, per mille */
	unsigned int weekends; /* per mille of its working days' use */
	unsigned int restarts; /* of the sensor, per mille of days */
	unsigned int losses;   /* days on which it tells of a loss, per mille */
	struct custom customs[FLEET_HABITS_MAX];
};

#define ROLE_COUNT 5
static const struct role roles[ROLE_COUNT] = {
	{"dev", 300, 80, 300, 5, {{H_COPILOT, 600, 900},
				  {H_CLAUDE_CODE, 350, 800},
				  {H_CODEX, 60, 500},
				  {H_OPENCODE, 50, 500},
				  {H_CURSOR, 100, 700},
				  {H_AZURE, 250, 500},
				  {H_AZURE_O3, 40, 300},
				  {H_OPENAI_SDK, 120, 350},
				  {H_OPENAI_KEY_TO_GATEWAY, 10, 200},
				  {H_DEEPSEEK_SDK, 40, 300},
				  {H_GROQ_SDK, 30, 300},
				  {H_GATEWAY, 100, 400},
				  {H_NOTION_MCP, 100, 500},
				  {H_OTHER_MCP, 40, 300},
				  {H_OLLAMA, 90, 400},
				  {H_OLLAMA_OPEN, 30, 400},
				  {H_CHATGPT_CHROME, 400, 600},
				  {H_CHATGPT_ORG, 150, 600},
				  {H_CHATGPT_OWN, 40, 500},
				  {H_GEMINI, 200, 300},
				  {H_CLAUDE, 200, 400},
				  {H_PERPLEXITY, 150, 300},
				  {H_DEEPSEEK_CHAT, 60, 250},
				  {H_WIDGETS, 900, 900}}},
	{"ana",
	 350,
	 30,
	 300,
	 3,
	 {{H_CHATGPT_CHROME, 450, 600},
	  {H_CHATGPT_ORG, 120, 600},
	  {H_CHATGPT_OWN, 40, 400},
	  {H_MS_COPILOT, 400, 500},
	  {H_GEMINI, 200, 300},
	  {H_CLAUDE, 100, 300},
	  {H_PERPLEXITY, 120, 300},
	  {H_DEEPSEEK_CHAT, 60, 300},
	  {H_GROK, 30, 300},
	  {H_CHARACTER, 20, 300},
	  {H_POE, 30, 300},
	  {H_LE_CHAT, 40, 300},
	  {H_WIDGETS, 950, 950}}},
	{"web",
	 150,
	 20,
	 300,
	 2,
	 {{H_CHATGPT_CHROME, 300, 200},
	  {H_MS_COPILOT, 200, 200},
	  {H_GEMINI, 100, 150},
	  {H_DEEPSEEK_CHAT, 30, 200},
	  {H_CHARACTER, 30, 300},
	  {H_GROK, 20, 200},
	  {H_WIDGETS, 1000, 950}}},
	{"srv",
	 120,
	 1000,
	 10,
	 20,
	 {{H_SERVER_AZURE, 100, 1000}, {H_SERVER_PHP, 25, 1000}, {H_SERVER_VLLM, 50, 50}}},
	{"ci",
	 80,
	 400,
	 30,
	 100,
	 {{H_CI_CLAUDE, 400, 950}, {H_CI_AZURE, 300, 800}, {H_CI_OPENAI, 150, 700}}},
};
/* clang-format on */

enum fleet_what { WHAT_CALL, WHAT_INTERIM, WHAT_END, WHAT_SERVER, WHAT_LOSS, WHAT_RESTART };

struct moment {
	uint64_t time_ns;
	enum fleet_what what;
	unsigned int habit;
	uint64_t bytes, flow, container;
};

struct fleet_endpoint {
	const struct role *role;
	unsigned int number;
	uint64_t random;
	unsigned int habits[FLEET_HABITS_MAX], days[FLEET_HABITS_MAX];
	size_t habit_count;
	char host[32], user[32];
	uint64_t flows;
	struct moment *moments;
	size_t moment_count;
};

/* ---- chance ------------------------------------------------------------------------------ */

/* splitmix64 */
static uint64_t fleet_next(struct fleet_endpoint *e)
{
	e->random += UINT64_C(0x9e3779b97f4a7c15);
	return hash_mix(e->random);
}

static unsigned int fleet_below(struct fleet_endpoint *e, unsigned int n)
{
	return n ? (unsigned int)(fleet_next(e) % n) : 0;
}

static bool fleet_chance(struct fleet_endpoint *e, unsigned int per_mille)
{
	return fleet_below(e, 1000) < per_mille;
}

/* From half of it to half again as much. */
static unsigned int fleet_about(struct fleet_endpoint *e, unsigned int n)
{
	return n / 2 + fleet_below(e, n + 1) + (n == 1);
}

/* Mostly like the last one, now and then more, seldom a document. */
static uint64_t fleet_bytes(struct fleet_endpoint *e, const struct habit *habit)
{
	static const unsigned int quarters[] = {1, 2, 3, 4, 4, 4, 5, 6, 8, 16};

	if (fleet_chance(e, habit->uploads))
		return 1000000 + fleet_next(e) % 9000000;
	return (uint64_t)habit->bytes * quarters[fleet_below(e, ARRAY_SIZE(quarters))] / 4;
}

/* ---- days -------------------------------------------------------------------------------- */

static void fleet_add(struct fleet_endpoint *e, const struct moment *moment)
{
	if (e->moment_count < FLEET_MOMENTS_MAX)
		e->moments[e->moment_count++] = *moment;
}

/* A session of calls, or one connection of so many minutes. */
static void fleet_session(struct fleet_endpoint *e, unsigned int number, uint64_t start_ns)
{
	const struct habit *habit = &habits[number];
	struct moment m = {start_ns, WHAT_CALL, number, .flow = ++e->flows,
			   .container = habit->image ? fleet_next(e) : 0};
	unsigned int count = fleet_about(e, habit->calls);

	for (unsigned int i = 0; i < count; i++) {
		m.what = habit->sight == SIGHT_NAME ? WHAT_INTERIM : WHAT_CALL;
		m.bytes = fleet_bytes(e, habit);
		m.time_ns += habit->sight == SIGHT_NAME
				     ? FLEET_MINUTE_NS
				     : (2 + fleet_below(e, 60)) * FLEET_SECOND_NS;
		if (habit->sight != SIGHT_PRESENCE)
			fleet_add(e, &m);
	}
	m.what = WHAT_END;
	m.bytes = habit->bytes;
	m.time_ns += FLEET_SECOND_NS;
	fleet_add(e, &m);
}

/* People from half past eight to six, machines at any time. */
static uint64_t fleet_hour(struct fleet_endpoint *e, uint64_t day_ns)
{
	bool machine = e->role->weekends >= 400;
	uint64_t from = machine ? 0 : 510, minutes = machine ? 1400 : 570;

	return day_ns + (from + fleet_next(e) % minutes) * FLEET_MINUTE_NS +
	       fleet_next(e) % FLEET_MINUTE_NS;
}

static void fleet_follow(struct fleet_endpoint *e, unsigned int number, uint64_t day_ns)
{
	const struct habit *habit = &habits[number];
	unsigned int sessions = 1 + fleet_below(e, habit->sessions);

	if (habit->sight == SIGHT_SERVER)
		fleet_add(e, &(struct moment){fleet_hour(e, day_ns), WHAT_SERVER, number});
	for (unsigned int i = 0; i < sessions; i++)
		fleet_session(e, number, fleet_hour(e, day_ns));
}

static int fleet_compare(const void *x, const void *y)
{
	const struct moment *a = x, *b = y;

	return a->time_ns < b->time_ns ? -1 : a->time_ns > b->time_ns;
}

/* Plans one day, 0 being a Monday. */
static void fleet_day(struct fleet_endpoint *e, unsigned int day)
{
	uint64_t day_ns = FLEET_MONDAY_NS + day * FLEET_DAY_NS;
	bool weekend = day % 7 > 4;

	e->moment_count = 0;
	for (size_t i = 0; i < e->habit_count; i++) {
		if (weekend && !fleet_chance(e, e->role->weekends))
			continue;
		if (fleet_chance(e, e->days[i]))
			fleet_follow(e, e->habits[i], day_ns);
	}
	if (fleet_chance(e, e->role->losses))
		fleet_add(e, &(struct moment){fleet_hour(e, day_ns), WHAT_LOSS});
	if (!weekend && fleet_chance(e, e->role->restarts))
		fleet_add(e, &(struct moment){fleet_hour(e, day_ns), WHAT_RESTART});
	qsort(e->moments, e->moment_count, sizeof(*e->moments), fleet_compare);
}

/* ---- endpoints --------------------------------------------------------------------------- */

/* The n-th of any fleet; its role goes by its number, so that each thousand has the same shares. `spread`:
 * 1, or so many times as many have each habit. */
static void fleet_endpoint_init(struct fleet_endpoint *e, unsigned int number, uint64_t seed,
				unsigned int spread)
{
	/* 617 and 1000 have no common divisor: neighbours have different roles */
	unsigned int place = number * 617 % 1000, from = 0;
	const struct role *role = roles;

	while (place >= from + role->share) {
		from += role->share;
		role++;
	}
	*e = (struct fleet_endpoint){
		.role = role, .number = number, .random = hash_mix(seed ^ hash_mix(number + 1))};
	snprintf(e->host, sizeof(e->host), "%s-%04u", role->name, number);
	snprintf(e->user, sizeof(e->user), "%s%04u", role->name, number);
	for (size_t i = 0; i < FLEET_HABITS_MAX && role->customs[i].share; i++) {
		if (!fleet_chance(e, spread * role->customs[i].share))
			continue;
		e->habits[e->habit_count] = role->customs[i].habit;
		e->days[e->habit_count++] = role->customs[i].days;
	}
	e->moments = calloc(FLEET_MOMENTS_MAX, sizeof(*e->moments));
	if (!e->moments)
		abort();
}

static void fleet_endpoint_done(struct fleet_endpoint *e)
{
	free(e->moments);
}

/* ---- events ------------------------------------------------------------------------------ */

static void fleet_who(const struct fleet_endpoint *e, const struct habit *habit,
		      const struct moment *moment, struct event *event)
{
	event_set_text(event, F_USER_ID, habit->user ? "998" : "1000");
	event_set_text(event, F_USER_NAME, habit->user ? habit->user : e->user);
	event_set_text(event, F_PROCESS_NAME, habit->process);
	event_set_text(event, F_PROCESS_EXECUTABLE, habit->executable);
	event_set_int(event, F_PROCESS_PID, 1000 + (int64_t)(moment->flow % 30000));
	event_set_text(event, F_PROCESS_PARENT_NAME, habit->ancestor);
	event_append(event, F_ANCESTORS, span_str(habit->ancestor));
	if (habit->image) {
		event_format(event, F_CONTAINER_ID, "%016llx",
			     (unsigned long long)moment->container);
		event_set_text(event, F_CONTAINER_IMAGE_NAME, habit->image);
	}
}

/* What the catalogue in force makes of it. */
static void fleet_service(const struct catalog *catalog, const struct habit *habit,
			  struct event *event)
{
	struct catalog_match match = {0};
	const struct service *service = NULL;

	if (!habit->host)
		service = catalog_service_by_id(catalog, span_str(habit->process));
	else if (catalog_lookup(catalog, span_str(habit->host), span_of("", 0), &match))
		service = match.service;
	compose_service(event, service);
}

static void fleet_call(const struct habit *habit, const struct moment *moment, struct event *event)
{
	const char *host = habit->host ? habit->host : "localhost";

	event_set_text(event, F_VISIBILITY, "plaintext");
	event_set_text(event, F_URL_DOMAIN, host);
	event_set_text(event, F_AGENT, habit->agent);
	event_set_text(event, F_KEY_KIND, habit->key);
	event_set_text(event, F_ACCOUNT_KIND, habit->account);
	event_set_text(event, F_MCP_METHOD, habit->mcp);
	event_append(event, F_EVIDENCE, SPAN_LITERAL("plaintext"));
	event_append(event, F_EVIDENCE, SPAN_LITERAL("api_shape"));
	if (habit->mcp)
		return;
	event_set_text(event, F_GEN_AI_OPERATION_NAME, "chat");
	event_set_text(event, F_GEN_AI_REQUEST_MODEL, habit->model);
	event_set_int(event, F_GEN_AI_INPUT_TOKENS, (int64_t)moment->bytes / 5);
	event_set_int(event, F_GEN_AI_OUTPUT_TOKENS, 300);
	event_set_double(event, F_COST_USD, (double)moment->bytes / 5 * 1e-6);
}

static void fleet_connection(const struct habit *habit, const struct moment *moment,
			     struct event *event)
{
	bool plaintext = habit->sight == SIGHT_CALLS || habit->sight == SIGHT_SERVER;

	event_set_text(event, F_VISIBILITY, plaintext ? "plaintext" : "sni");
	event_append(event, F_EVIDENCE,
		     plaintext ? SPAN_LITERAL("plaintext") : SPAN_LITERAL("sni"));
	if (moment->what == WHAT_INTERIM)
		event_set_bool(event, F_INTERIM, true);
}

static void fleet_server(const struct habit *habit, struct event *event)
{
	static const struct net_address any = {4, {0}}, loopback = {4, {127, 0, 0, 1}};
	bool open = habit != &habits[H_OLLAMA];

	event_set_text(event, F_API_FAMILY, "openai-chat");
	event_set_text(event, F_GEN_AI_RESPONSE_MODEL, habit->model);
	event_set_ip(event, F_SERVER_IP, open ? &any : &loopback);
	event_set_int(event, F_SERVER_PORT, habit == &habits[H_SERVER_VLLM] ? 8000 : 11434);
	event_append(event, F_EVIDENCE, SPAN_LITERAL("api_shape"));
	event_append(event, F_EVIDENCE,
		     open ? SPAN_LITERAL("reachable") : SPAN_LITERAL("loopback_only"));
}

/* The event of a moment. Strings are lent by the endpoint and by constants. */
static void fleet_event(struct pipeline *p, const struct fleet_endpoint *e,
			const struct moment *moment, struct event *event)
{
	static const char *const actions[] = {[WHAT_CALL] = "llm-request",
					      [WHAT_INTERIM] = "llm-connection",
					      [WHAT_END] = "llm-connection",
					      [WHAT_SERVER] = "llm-server",
					      [WHAT_LOSS] = "sensor-degraded"};
	const struct habit *habit = &habits[moment->habit];
	struct net_address client = {4, {10, 0, (uint8_t)(e->number >> 8), (uint8_t)e->number}};

	compose_base(p, event, actions[moment->what], moment->time_ns);
	if (moment->what == WHAT_LOSS) {
		event_set_text(event, F_PROCESS_NAME, "gnomon");
		event_set_text(event, F_STATUS_STATE, "degraded");
		event_set_int(event, F_STATUS_LOST_RING, 17);
		event_set_text(event, F_MESSAGE, "sensor-degraded: 12 llm requests");
		return;
	}
	fleet_who(e, habit, moment, event);
	fleet_service(p->config.catalog, habit, event);
	if (moment->what == WHAT_SERVER) {
		fleet_server(habit, event);
		return;
	}
	event_set_ip(event, F_SOURCE_IP, &client);
	event_set_int(event, F_SOURCE_BYTES, (int64_t)moment->bytes);
	event_format(event, F_FLOW_ID, "%s-%llu", e->host, (unsigned long long)moment->flow);
	event_set_text(event, F_DESTINATION_DOMAIN, habit->host);
	if (habit->host) {
		event_set_text(event, F_TLS_CLIENT_SERVER_NAME, habit->host);
		event_set_text(event, F_TLS_CLIENT_JA4, "t13d1516h2_8daaf6152771_d8a2da3f94cd");
	}
	event_set_text(event, F_ACTIVITY, habit->sight == SIGHT_PRESENCE ? "presence" : "use");
	if (moment->what == WHAT_CALL)
		fleet_call(habit, moment, event);
	else
		fleet_connection(habit, moment, event);
}
