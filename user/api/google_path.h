/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/api.h"

/* Google's custom methods: the last segment of a path is "MODEL:METHOD", and the method alone says
 * whether the answer is streamed. */

struct google_method {
	struct span name;
	const char *operation; /* NULL: it depends on the model */
	bool stream;
	bool model_alone; /* also the usual name of other model servers' methods */
};

/* The method that the path ends with and what stands before the colon; NULL: none of a model's. */
const struct google_method *google_path(const struct http_head *request, struct span *model);
/* Takes the method's operation and stream flag over, and the model unless it is empty. */
void google_method_facts(struct llm_facts *facts, const struct google_method *method,
			 struct span model);
