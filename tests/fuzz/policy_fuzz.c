/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <assert.h>
#include <stdint.h>

#include "catalog/catalog.h"
#include "gnomon/limits.h"
#include "policy/policy.h"
#include "policy/state.h"
#include "util/diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore_result(void *ctx, const struct policy_test_result *result)
{
	(void)ctx;
	(void)result;
}

/* The same bytes as a catalogue file and as a policy file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of((const char *)data, size);
	struct finding findings[FINDINGS_PER_EVENT_MAX];
	struct catalog *catalog = catalog_new();
	struct policy *policy = policy_new();
	struct diag diag = {0};
	struct catalog_match match;
	struct policy_state *state;
	struct event event;
	size_t wrong;

	catalog_add(catalog, "fuzz", text, &diag);
	assert(catalog_seal(catalog) == 0);
	catalog_lookup(catalog, SPAN_LITERAL("api.a.example.com"), (struct span){0}, &match);
	catalog_lookup(catalog, text, (struct span){0}, &match);
	if (policy_add(policy, "fuzz", text, &diag) == 0 && policy_seal(policy, &diag) == 0) {
		policy_check_services(policy, catalog, &diag);
		event_init(&event);
		event_set_text(&event, F_EVENT_ACTION, "llm-request");
		event_set_text(&event, F_SERVICE, "openai");
		event_set_text(&event, F_SERVICE_KIND, "model-api");
		policy_judge(policy, &event);
		assert(event_has(&event, F_VERDICT));
		state = policy_state_new(true);
		for (int i = 0; i < 3; i++)
			policy_match(policy, state, &event, findings, FINDINGS_PER_EVENT_MAX);
		policy_state_free(state);
		policy_test(policy, ignore_result, NULL, &wrong);
	}
	policy_free(policy);
	catalog_free(catalog);
	diag_done(&diag);
	return 0;
}
