/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/family.h"
#include "api/google_path.h"
#include "util/cleanup.h"

/*
 * Google's Gemini API. The path names the model. Each document of a stream repeats the counts so far:
 * the last one counts. promptTokenCount includes what came from the cache, and not what tools put
 * in; thoughts lie outside candidatesTokenCount (the total shows it).
 *
 * Code Assist (/v1internal:generateContent), which Gemini CLI uses after a login, has the model in
 * the body, wraps the request in "request" and the answer in "response".
 */

enum request_id {
	REQUEST_CONTENT = API_REQUEST_OWN, /* of embedContent */
	REQUEST_BATCH,                     /* of batchEmbedContents */
};

static const struct json_path request_paths[] = {
	{"model", API_REQUEST_MODEL},
	{"contents", API_REQUEST_MESSAGES},
	{"contents[]", API_REQUEST_MESSAGE},
	{"content.parts", REQUEST_CONTENT},
	{"requests[].content.parts", REQUEST_BATCH},
	{"tools", API_REQUEST_TOOLS},
	{"tools[].functionDeclarations[]", API_REQUEST_TOOL},
	{"generationConfig.maxOutputTokens", API_REQUEST_MAX_TOKENS},
	{"request.contents", API_REQUEST_MESSAGES},
	{"request.contents[]", API_REQUEST_MESSAGE},
	{"request.tools", API_REQUEST_TOOLS},
	{"request.tools[].functionDeclarations[]", API_REQUEST_TOOL},
	{"request.generationConfig.maxOutputTokens", API_REQUEST_MAX_TOKENS},
	{"systemInstruction.parts[].text", .text = true},
	{"contents[].parts[].text", .text = true},
	{"contents[].parts[].functionCall.args", .text = true},
	{"contents[].parts[].functionResponse.response", .text = true},
	{"tools[].functionDeclarations[]", .text = true},
	{"request.systemInstruction.parts[].text", .text = true},
	{"request.contents[].parts[].text", .text = true},
	{"request.contents[].parts[].functionCall.args", .text = true},
	{"request.contents[].parts[].functionResponse.response", .text = true},
	{"request.tools[].functionDeclarations[]", .text = true},
	{NULL},
};

enum usage_field {
	USAGE_PROMPT,
	USAGE_CANDIDATES,
	USAGE_THOUGHTS,
	USAGE_CACHED,
	USAGE_TOOLS,
	USAGE_TOTAL,
	USAGE_FIELDS,
};

enum response_id {
	RESPONSE_CANDIDATES = API_RESPONSE_OWN,
	RESPONSE_OTHER, /* what the other methods answer */
	RESPONSE_USAGE,
};

/* clang-format off: a row a line */
#define ANSWER_PATHS(at)                                                                           \
	{at "candidates", RESPONSE_CANDIDATES},                                                    \
		{at "candidates[].finishReason", API_RESPONSE_FINISH},                             \
		{at "promptFeedback.blockReason", API_RESPONSE_FINISH},                            \
		{at "candidates[].content.parts[].text", .text = true},                            \
		{at "candidates[].content.parts[].functionCall", .text = true},                    \
		{at "modelVersion", API_RESPONSE_MODEL},                                           \
		{at "usageMetadata.promptTokenCount", RESPONSE_USAGE + USAGE_PROMPT},              \
		{at "usageMetadata.candidatesTokenCount", RESPONSE_USAGE + USAGE_CANDIDATES},      \
		{at "usageMetadata.thoughtsTokenCount", RESPONSE_USAGE + USAGE_THOUGHTS},          \
		{at "usageMetadata.cachedContentTokenCount", RESPONSE_USAGE + USAGE_CACHED},       \
		{at "usageMetadata.toolUsePromptTokenCount", RESPONSE_USAGE + USAGE_TOOLS},        \
	{                                                                                          \
		at "usageMetadata.totalTokenCount", RESPONSE_USAGE + USAGE_TOTAL                   \
	}
/* clang-format on */

static const struct json_path response_paths[] = {
	ANSWER_PATHS(""),
	ANSWER_PATHS("response."),
	{"embedding.values", RESPONSE_OTHER},
	{"embeddings", RESPONSE_OTHER},
	{"predictions", RESPONSE_OTHER},
	{"totalTokens", RESPONSE_OTHER},
	{"error.status", API_RESPONSE_ERROR},
	{NULL},
};

/* Counts are kept as one plus the count, so that zeroed state means unknown. */
struct gemini_state {
	bool has_content;
	/* of the current document */
	bool answered;
	token_count seen[USAGE_FIELDS];
};

_Static_assert(sizeof(struct gemini_state) <= API_STATE_MAX, "state of a family");

static bool is_code_assist(struct span before_colon)
{
	return span_eq(before_colon, SPAN_LITERAL("v1internal"));
}

static enum api_claim gemini_match(const struct http_head *request)
{
	struct span model, segment;
	const struct google_method *method = google_path(request, &model);

	if (!method)
		return API_CLAIM_NO;
	if (is_code_assist(model))
		return API_CLAIM_SURE;
	if (!api_is_post_like(request, SPAN_LITERAL("/models/*"), &segment) &&
	    !api_is_post_like(request, SPAN_LITERAL("/tunedModels/*"), &segment))
		return API_CLAIM_NO;
	/* TensorFlow Serving has /v1/models/NAME:predict. */
	return method->model_alone ? API_CLAIM_WEAK : API_CLAIM_SURE;
}

static void gemini_request_head(void *state, struct llm_facts *facts, const struct http_head *head)
{
	struct span model;
	const struct google_method *method = google_path(head, &model);

	(void)state;
	if (method)
		google_method_facts(facts, method,
				    is_code_assist(model) ? (struct span){0} : model);
}

static void gemini_request_value(void *state, struct llm_facts *facts,
				 const struct json_value *value)
{
	struct gemini_state *s = state;

	if (value->id == REQUEST_CONTENT || value->id == REQUEST_BATCH)
		s->has_content = value->type == JSON_ARRAY;
	else
		api_request_value(facts, value);
	facts->request_shape = api_has_model(facts) &&
			       (facts->message_count >= 0 || s->has_content);
}

static void gemini_response_value(void *state, struct llm_facts *facts,
				  const struct json_value *value)
{
	struct gemini_state *s = state;

	switch (value->id) {
	case RESPONSE_CANDIDATES:
		s->answered = value->type == JSON_ARRAY;
		break;
	case RESPONSE_OTHER:
		s->answered = true;
		break;
	default:
		if (value->id >= RESPONSE_USAGE)
			s->seen[value->id - RESPONSE_USAGE] = api_tokens(value) + 1;
		else
			api_response_value(facts, value);
		break;
	}
}

static token_count seen(const struct gemini_state *s, enum usage_field field)
{
	return s->seen[field] - 1;
}

static void take_usage(const struct gemini_state *s, struct token_usage *to)
{
	token_count input = api_tokens_add(seen(s, USAGE_PROMPT), seen(s, USAGE_TOOLS));
	token_count output = seen(s, USAGE_CANDIDATES);
	token_count thoughts = seen(s, USAGE_THOUGHTS);
	/* Should a service count thoughts among the candidates, its total says so. */
	bool inside = output != TOKENS_UNKNOWN && thoughts <= output &&
		      seen(s, USAGE_TOTAL) == api_tokens_add(input, output);

	if (!inside)
		output = api_tokens_add(output, thoughts);
	if (input == TOKENS_UNKNOWN && output == TOKENS_UNKNOWN)
		return;
	*to = (struct token_usage){
		.source = USAGE_REPORTED,
		.input = input,
		.output = output,
		.cache_read = seen(s, USAGE_CACHED),
		.cache_creation = TOKENS_UNKNOWN,
		.reasoning = thoughts,
	};
	if (input != TOKENS_UNKNOWN && to->cache_read > input)
		to->input += to->cache_read;
}

static void gemini_response_document(void *state, struct llm_facts *facts, struct span event_name,
				     bool whole)
{
	struct gemini_state *s = state;

	(void)event_name;
	if (whole) {
		take_usage(s, &facts->usage);
		if (s->answered)
			facts->response_shape = true;
	}
	*s = (struct gemini_state){.has_content = s->has_content};
}

const struct api_ops gemini_api = {
	.name = "gemini",
	.operation = "generate_content",
	.state_bytes = sizeof(struct gemini_state),
	.stream_default = TRI_FALSE,
	.match = gemini_match,
	.request_head = gemini_request_head,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = gemini_request_value,
	.response_value = gemini_response_value,
	.response_document = gemini_response_document,
};
