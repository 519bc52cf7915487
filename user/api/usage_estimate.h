/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "estimate/sample.h"
#include "gnomon/facts.h"
#include "gnomon/observation.h"

/* The tokens of a call that does not tell them, from the texts that it carried. Zeroed is empty. */
struct usage_estimate {
	struct text_sample text[DIR_COUNT]; /* DIR_OUT: of the request */
	uint32_t texts;                     /* of the request: each has a frame of a few tokens */
	bool lost[DIR_COUNT];               /* parts of the body were not seen */
};

/* Frees what was kept of texts; it is empty again. */
void usage_estimate_done(struct usage_estimate *estimate);

/* More of a text of the request; the empty piece ends it. */
void usage_estimate_request(struct usage_estimate *estimate, struct span piece);
/* More of what the response says, which goes on from text to text. */
void usage_estimate_response(struct usage_estimate *estimate, struct span piece);
/* Completes the usage of a call that has ended, where it is not all reported. */
void usage_estimate_apply(const struct usage_estimate *estimate, struct llm_facts *facts);
