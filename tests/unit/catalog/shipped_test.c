/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "catalog/catalog.h"
#include "util/cleanup.h"
#include "util/diag.h"

/* The catalogue that is shipped under rules/providers, as it is in the binary: run from the tree's top,
 * as tests/harness/run does. */

static int setup(void **state)
{
	struct catalog *catalog = catalog_new();
	struct diag diag = {0};
	int r = catalog_add_builtin(catalog, &diag);

	diag_print(&diag, stderr);
	*state = catalog;
	return r < 0 ? r : catalog_seal(catalog);
}

static int teardown(void **state)
{
	catalog_free(*state);
	return 0;
}

/* "host/path" as the catalogue is asked. */
static bool look_up(const struct catalog *catalog, const char *url, struct catalog_match *match)
{
	const char *slash = strchr(url, '/');
	size_t len = slash ? (size_t)(slash - url) : strlen(url);

	return catalog_lookup(catalog, span_of(url, len), span_str(slash), match);
}

#define LINE_MAX_BYTES 512

/* The next line of a list, its comments left out. */
static bool next_line(FILE *file, char line[LINE_MAX_BYTES])
{
	while (fgets(line, LINE_MAX_BYTES, file)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] && line[0] != '#')
			return true;
	}
	return false;
}

/* Lines of "URL SERVICE", with "shared" behind them where the host's name alone proves nothing. */
static void test_hosts(void **state)
{
	_cleanup_fclose_ FILE *file = fopen("tests/data/service_hosts.txt", "r");
	char line[LINE_MAX_BYTES], url[256], service[64], note[64];
	struct catalog_match match;
	size_t count = 0;

	assert_non_null(file);
	for (; next_line(file, line); count++) {
		note[0] = '\0';
		assert_true(sscanf(line, "%255s %63s %63s", url, service, note) >= 2);
		if (strcmp(service, "-") == 0) {
			if (look_up(*state, url, &match))
				fail_msg("%s is %s", url, match.service->id);
			continue;
		}
		if (!look_up(*state, url, &match))
			fail_msg("%s is not known", url);
		if (strcmp(match.service->id, service) != 0)
			fail_msg("%s is %s", url, match.service->id);
		if (match.shared != (strcmp(note, "shared") == 0))
			fail_msg("%s is %sshared", url, match.shared ? "" : "not ");
	}
	assert_true(count >= 250);
}

/* What is usually below a site's domain. */
static const char *const below[] = {
	"",      "www.",    "api.",    "app.",       "assets.",  "auth.",     "blog.", "cdn.",
	"chat.", "cloud.",  "dev.",    "developer.", "docs.",    "download.", "help.", "images.",
	"img.",  "login.",  "m.",      "mail.",      "maps.",    "my.",       "news.", "search.",
	"shop.", "static.", "status.", "store.",     "support.", "video.",    "web.",  "accounts.",
};

struct exception {
	char host[256], service[64];
	bool used;
};

#define EXCEPTIONS_MAX 100

static size_t load_exceptions(struct exception *exceptions)
{
	_cleanup_fclose_ FILE *file = fopen("tests/data/ordinary_exceptions.txt", "r");
	char line[LINE_MAX_BYTES], reason[LINE_MAX_BYTES];
	size_t n = 0;

	assert_non_null(file);
	for (; next_line(file, line); n++) {
		assert_true(n < EXCEPTIONS_MAX);
		/* without a reason it is no exception */
		if (sscanf(line, "%255s %63s %[^\n]", exceptions[n].host, exceptions[n].service,
			   reason) != 3)
			fail_msg("%s: HOST SERVICE REASON", line);
		exceptions[n].used = false;
	}
	return n;
}

static bool excepted(struct exception *exceptions, size_t count, const char *host,
		     const char *service)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(exceptions[i].host, host) != 0 ||
		    strcmp(exceptions[i].service, service) != 0)
			continue;
		exceptions[i].used = true;
		return true;
	}
	return false;
}

/* No ordinary site is taken for an AI service, and no exception outlives its reason. */
static void test_ordinary(void **state)
{
	static struct exception exceptions[EXCEPTIONS_MAX];
	_cleanup_fclose_ FILE *file = fopen("tests/data/ordinary_sites.txt", "r");
	size_t exception_count = load_exceptions(exceptions), sites = 0, wrong = 0;
	char site[LINE_MAX_BYTES], host[LINE_MAX_BYTES + 16];
	struct catalog_match match;

	assert_non_null(file);
	for (; next_line(file, site); sites++) {
		for (size_t i = 0; i < ARRAY_SIZE(below); i++) {
			snprintf(host, sizeof(host), "%s%s", below[i], site);
			if (!look_up(*state, host, &match) ||
			    excepted(exceptions, exception_count, host, match.service->id))
				continue;
			print_message("# %s is taken for %s by %.*s%s\n", host, match.service->id,
				      (int)match.pattern.len, match.pattern.at,
				      match.shared ? ", shared" : "");
			wrong++;
		}
	}
	assert_true(sites >= 2000);
	for (size_t i = 0; i < exception_count; i++) {
		if (exceptions[i].used)
			continue;
		print_message("# %s needs no exception\n", exceptions[i].host);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* OpenTelemetry's well-known values of gen_ai.provider.name, which must be used where they apply. */
static const char *const known[] = {
	"openai",         "anthropic",     "azure.ai.openai", "azure.ai.inference", "aws.bedrock",
	"gcp.gemini",     "gcp.vertex_ai", "cohere",          "deepseek",           "groq",
	"ibm.watsonx.ai", "mistral_ai",    "moonshot_ai",     "perplexity",         "x_ai",
};

static void test_providers(void **state)
{
	for (size_t k = 0; k < ARRAY_SIZE(known); k++) {
		bool used = false;

		for (size_t i = 0; i < catalog_services(*state); i++)
			used |= strcmp(catalog_service(*state, i)->provider, known[k]) == 0;
		if (!used)
			fail_msg("no service is %s", known[k]);
	}
	for (size_t i = 0; i < catalog_services(*state); i++) {
		const struct service *service = catalog_service(*state, i);
		bool good = strcmp(service->provider, service->id) == 0;

		for (size_t k = 0; k < ARRAY_SIZE(known); k++)
			good |= strcmp(service->provider, known[k]) == 0;
		if (!good)
			fail_msg("%s has the provider %s", service->id, service->provider);
	}
}

/* A service without a host or a port cannot be found; one without a country makes a policy
 * undetermined, so that only what is not public is left out. */
static void test_complete(void **state)
{
	size_t count = catalog_services(*state), without = 0, hosts;

	assert_true(count >= 400);
	for (size_t i = 0; i < count; i++) {
		const struct service *service = catalog_service(*state, i);
		bool local = strcmp(service->kind, "self-hosted") == 0;

		hosts = service->pattern_count + service->port_count + service->other_port_count;
		if (!hosts && !local)
			fail_msg("%s has no host", service->id);
		if (!service->family_count)
			fail_msg("%s has no family", service->id);
		without += !service->country && !local;
	}
	print_message("# %zu services, %zu without a country\n", count, without);
	assert_true(without * 10 < count);
}

/* Each kind has what people know of it. */
static void test_kinds(void **state)
{
	for (const char *const *kind = catalog_kinds; *kind; kind++) {
		size_t n = 0;

		for (size_t i = 0; i < catalog_services(*state); i++)
			n += strcmp(catalog_service(*state, i)->kind, *kind) == 0;
		if (n < 15)
			fail_msg("%zu of the kind %s", n, *kind);
	}
}

/* Model servers, by what people know them to listen on. */
static void test_ports(void **state)
{
	static const struct {
		uint16_t port;
		const char *family, *service;
	} ports[] = {
		{11434, "ollama", "ollama"},
		{8000, "openai-chat", "vllm"},
		{8080, "llama-cpp", "llama-cpp"},
		{8080, "openai-chat", "llama-cpp"},
		{1234, "openai-chat", "lm-studio"},
		{8080, "tgi", "hf-tgi"},
		{30000, "openai-chat", "sglang"},
		{5001, "kobold", "koboldcpp"},
		{5000, "openai-chat", "text-generation-webui"},
		{1337, "openai-chat", "jan"},
		{4000, "openai-chat", "litellm-proxy"},
		{8000, "kserve", "triton"},
		{4891, "openai-chat", "gpt4all"},
		{12434, "openai-chat", "docker-model-runner"},
		{23333, "openai-chat", "lmdeploy"},
		{9997, "openai-chat", "xinference"},
	};
	struct catalog_match match;

	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		if (!catalog_lookup_port(*state, ports[i].port, span_str(ports[i].family), &match))
			fail_msg("nothing speaks %s on %u", ports[i].family, ports[i].port);
		assert_string_equal(match.service->id, ports[i].service);
	}
	/* a web server's port says nothing */
	assert_false(catalog_lookup_port(*state, 443, SPAN_LITERAL("openai-chat"), &match));
	assert_false(catalog_lookup_port(*state, 80, SPAN_LITERAL("openai-chat"), &match));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),     cmocka_unit_test(test_ordinary),
		cmocka_unit_test(test_providers), cmocka_unit_test(test_complete),
		cmocka_unit_test(test_kinds),     cmocka_unit_test(test_ports),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
