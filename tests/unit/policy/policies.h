/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* What the tests of policies share. Include behind cmocka.h. */

#include <errno.h>
#include <stdlib.h>

#include "catalog/catalog.h"
#include "policy/policy.h"
#include "util/diag.h"

static inline void add(struct policy *policy, const char *name, const char *text)
{
	struct diag diag = {0};

	if (policy_add(policy, name, span_str(text), &diag) < 0)
		fail_msg("%s", diag.messages[0]);
}

static inline void seal(struct policy *policy)
{
	struct diag diag = {0};

	if (policy_seal(policy, &diag) < 0)
		fail_msg("%s", diag.messages[0]);
}

static const char services[] = "services:\n"
			       "  - {id: openai, vendor: OpenAI, kind: model-api, country: US}\n"
			       "  - {id: chatgpt, vendor: OpenAI, kind: chat-web, country: US}\n"
			       "  - {id: mistral, vendor: Mistral AI, kind: model-api}\n"
			       "  - {id: ollama, vendor: Ollama, kind: self-hosted}\n";

static inline struct catalog *make_catalog(void)
{
	struct catalog *catalog = catalog_new();
	struct diag diag = {0};

	assert_int_equal(catalog_add(catalog, "c", span_str(services), &diag), 0);
	assert_int_equal(catalog_seal(catalog), 0);
	return catalog;
}

/* A sealed policy of one text, checked against the little catalogue. */
static inline struct policy *make(const char *text)
{
	struct policy *policy = policy_new();
	struct catalog *catalog = make_catalog();
	struct diag diag = {0};

	add(policy, "p", text);
	seal(policy);
	if (policy_check_services(policy, catalog, &diag) < 0)
		fail_msg("%s", diag.messages[0]);
	catalog_free(catalog);
	return policy;
}

static inline void call(struct event *event, const char *service, const char *kind)
{
	event_init(event);
	event_set_text(event, F_EVENT_ACTION, "llm-request");
	event_set_text(event, F_SERVICE, service);
	event_set_text(event, F_SERVICE_KIND, kind);
}

/* Runs the embedded tests; how many went wrong. */
static inline size_t
test_embedded_of(const struct policy *policy,
		 void (*report)(void *ctx, const struct policy_test_result *result), void *ctx)
{
	size_t wrong = 0;

	assert_int_equal(policy_test(policy, report, ctx, &wrong), 0);
	return wrong;
}

static inline void refuse_at(const char *text, bool at_seal, const char *const *messages,
			     size_t count)
{
	struct policy *policy = policy_new();
	struct diag diag = {0};
	int r = policy_add(policy, "f", span_str(text), &diag);

	if (at_seal) {
		assert_int_equal(r, 0);
		r = policy_seal(policy, &diag);
	}
	assert_int_equal(r, -EINVAL);
	for (size_t i = 0; i < count && i < diag.count; i++)
		assert_string_equal(diag.messages[i], messages[i]);
	assert_int_equal(diag.count, count);
	policy_free(policy);
	diag_done(&diag);
}

#define MESSAGES(...)                                                                              \
	(const char *[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)
#define REFUSE(text, ...)      refuse_at(text, false, MESSAGES(__VA_ARGS__))
#define REFUSE_SEAL(text, ...) refuse_at(text, true, MESSAGES(__VA_ARGS__))
