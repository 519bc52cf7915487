/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/google_path.h"

#include "api/family.h"
#include "util/cleanup.h"

static const struct google_method methods[] = {
	{SPAN_LITERAL("generateContent"), "generate_content", false, false},
	{SPAN_LITERAL("streamGenerateContent"), "generate_content", true, false},
	{SPAN_LITERAL("countTokens"), "count_tokens", false, false},
	{SPAN_LITERAL("embedContent"), "embeddings", false, false},
	{SPAN_LITERAL("batchEmbedContents"), "embeddings", false, false},
	{SPAN_LITERAL("batchGenerateContent"), "batch", false, false},
	{SPAN_LITERAL("rawPredict"), NULL, false, true},
	{SPAN_LITERAL("streamRawPredict"), NULL, true, true},
	{SPAN_LITERAL("predict"), NULL, false, true},
	{SPAN_LITERAL("predictLongRunning"), NULL, false, true},
};

/* Where "MODEL:METHOD" is cut; the colon may be percent-encoded. */
static size_t colon_of(struct span segment, size_t *len)
{
	for (size_t i = segment.len; i--;) {
		*len = segment.at[i] == ':' ? 1 : 3;
		if (*len == 1 || (segment.len - i >= 3 &&
				  span_eq_nocase(span_of(segment.at + i, 3), SPAN_LITERAL("%3a"))))
			return i;
	}
	return segment.len;
}

const struct google_method *google_path(const struct http_head *request, struct span *model)
{
	struct span segment, name;
	size_t at, len;

	if (!api_is_post_like(request, SPAN_LITERAL("/*"), &segment))
		return NULL;
	at = colon_of(segment, &len);
	if (at == segment.len)
		return NULL;
	name = span_skip(segment, at + len);
	*model = span_of(segment.at, at);
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (span_eq(methods[i].name, name))
			return &methods[i];
	return NULL;
}

/* predict() serves whatever the model is for. */
static const char *operation_of(struct span model)
{
	if (span_starts(model, SPAN_LITERAL("imagen")))
		return "image_generation";
	if (span_starts(model, SPAN_LITERAL("veo")))
		return "video_generation";
	return model.len && memmem(model.at, model.len, "embedding", 9) ? "embeddings" : NULL;
}

void google_method_facts(struct llm_facts *facts, const struct google_method *method,
			 struct span model)
{
	const char *operation = method->operation ? method->operation : operation_of(model);

	if (operation)
		facts->operation = operation;
	facts->stream = method->stream ? TRI_TRUE : TRI_FALSE;
	if (model.len)
		api_model_from_path(facts, model);
}
