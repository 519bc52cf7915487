/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/family.h"
#include "util/cleanup.h"

/*
 * Amazon Bedrock's runtime. The path names the model, percent-encoded, as an id or an ARN.
 *
 * Converse has one format for all models; its inputTokens exclude what was read from and written to
 * the cache. InvokeModel has each vendor's own: Anthropic's and OpenAI's are read by their families;
 * of the others only the counts are taken, from wherever they stand. Bedrock adds its own: headers of a
 * whole response, and amazon-bedrock-invocationMetrics in the last document of a stream.
 */

enum request_id {
	REQUEST_CONTENT = API_REQUEST_OWN,
	REQUEST_TEXT, /* of the embedding models */
};

static const struct json_path request_paths[] = {
	{"messages", API_REQUEST_MESSAGES},
	{"messages[]", API_REQUEST_MESSAGE},
	{"messages[].content", REQUEST_CONTENT},
	{"toolConfig.tools", API_REQUEST_TOOLS},
	{"toolConfig.tools[]", API_REQUEST_TOOL},
	{"inferenceConfig.maxTokens", API_REQUEST_MAX_TOKENS},
	{"max_tokens", API_REQUEST_MAX_TOKENS},
	{"max_gen_len", API_REQUEST_MAX_TOKENS},
	{"textGenerationConfig.maxTokenCount", API_REQUEST_MAX_TOKENS},
	{"inputText", REQUEST_TEXT},
	{"messages[].content[].text", .text = true},
	{"system[].text", .text = true},
	{"toolConfig.tools[]", .text = true},
	{"prompt", .text = true},
	{"inputText", .text = true},
	{NULL},
};

enum usage_slot { SLOT_INPUT, SLOT_OUTPUT, SLOT_CACHE_READ, SLOT_CACHE_WRITE, SLOTS };

enum response_id {
	RESPONSE_OUTPUT = API_RESPONSE_OWN,
	RESPONSE_SLOT,                            /* + usage_slot, the model's */
	RESPONSE_METRICS = RESPONSE_SLOT + SLOTS, /* + usage_slot, Bedrock's */
};

static const struct json_path response_paths[] = {
	{"output.message", RESPONSE_OUTPUT},
	{"stopReason", API_RESPONSE_FINISH},
	{"stop_reason", API_RESPONSE_FINISH},
	{"completionReason", API_RESPONSE_FINISH},
	{"results[].completionReason", API_RESPONSE_FINISH},
	{"outputs[].stop_reason", API_RESPONSE_FINISH},
	{"choices[].finish_reason", API_RESPONSE_FINISH},
	{"serviceTier.type", API_RESPONSE_TIER},
	{"__type", API_RESPONSE_ERROR_CODE},
	/* Converse */
	{"usage.inputTokens", RESPONSE_SLOT + SLOT_INPUT},
	{"usage.outputTokens", RESPONSE_SLOT + SLOT_OUTPUT},
	{"usage.cacheReadInputTokens", RESPONSE_SLOT + SLOT_CACHE_READ},
	{"usage.cacheWriteInputTokens", RESPONSE_SLOT + SLOT_CACHE_WRITE},
	/* Anthropic behind a profile's ARN, which does not tell the vendor */
	{"usage.input_tokens", RESPONSE_SLOT + SLOT_INPUT},
	{"usage.output_tokens", RESPONSE_SLOT + SLOT_OUTPUT},
	{"usage.cache_read_input_tokens", RESPONSE_SLOT + SLOT_CACHE_READ},
	{"usage.cache_creation_input_tokens", RESPONSE_SLOT + SLOT_CACHE_WRITE},
	/* DeepSeek, Mistral, Qwen */
	{"usage.prompt_tokens", RESPONSE_SLOT + SLOT_INPUT},
	{"usage.completion_tokens", RESPONSE_SLOT + SLOT_OUTPUT},
	/* Meta */
	{"prompt_token_count", RESPONSE_SLOT + SLOT_INPUT},
	{"generation_token_count", RESPONSE_SLOT + SLOT_OUTPUT},
	/* Titan */
	{"inputTextTokenCount", RESPONSE_SLOT + SLOT_INPUT},
	{"totalOutputTextTokenCount", RESPONSE_SLOT + SLOT_OUTPUT},
	{"results[].tokenCount", RESPONSE_SLOT + SLOT_OUTPUT},
	{"amazon-bedrock-invocationMetrics.inputTokenCount", RESPONSE_METRICS + SLOT_INPUT},
	{"amazon-bedrock-invocationMetrics.outputTokenCount", RESPONSE_METRICS + SLOT_OUTPUT},
	{"amazon-bedrock-invocationMetrics.cacheReadInputTokenCount",
	 RESPONSE_METRICS + SLOT_CACHE_READ},
	{"amazon-bedrock-invocationMetrics.cacheWriteInputTokenCount",
	 RESPONSE_METRICS + SLOT_CACHE_WRITE},
	{"output.message.content[].text", .text = true},
	{"output.message.content[].toolUse.input", .text = true},
	{"delta.text", .text = true},
	{"delta.toolUse.input", .text = true},
	{"generation", .text = true},
	{"outputText", .text = true},
	{"results[].outputText", .text = true},
	{"outputs[].text", .text = true},
	{"choices[].message.content", .text = true},
	{NULL},
};

/* Counts are kept as one plus the count, so that zeroed state means unknown. */
struct bedrock_state {
	bool content_is_array, embeds;
	token_count known[SLOTS]; /* the last of all documents */
	/* of the current document */
	bool answered;
	token_count seen[SLOTS], metrics[SLOTS];
};

_Static_assert(sizeof(struct bedrock_state) <= API_STATE_MAX, "state of a family");

static const struct action {
	struct span name;
	bool converse, stream;
} actions[] = {
	{SPAN_LITERAL("/converse"), true, false},
	{SPAN_LITERAL("/converse-stream"), true, true},
	{SPAN_LITERAL("/invoke"), false, false},
	{SPAN_LITERAL("/invoke-with-response-stream"), false, true},
	{SPAN_LITERAL("/count-tokens"), true, false},
};

/* What is asked for, and the model between "/model/" and it; an ARN's slashes are not always
 * encoded. NULL: no such path. */
static const struct action *action_of(const struct http_head *request, struct span *model)
{
	struct span path = api_target_path(request->target);
	const char *from = path.len ? memmem(path.at, path.len, "/model/", 7) : NULL;

	if (!from || !span_eq(request->method, SPAN_LITERAL("POST")))
		return NULL;
	*model = span_skip(path, (size_t)(from - path.at) + 7);
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (model->len <= actions[i].name.len || !span_ends(*model, actions[i].name))
			continue;
		model->len -= actions[i].name.len;
		return &actions[i];
	}
	return NULL;
}

/* An ARN of a model or of a region's profile ends with an id that says it all, and has the account's
 * number in it. */
static struct span model_of(struct span name)
{
	static const struct span kinds[] = {
		SPAN_LITERAL(":foundation-model/"),
		SPAN_LITERAL(":inference-profile/"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *at = memmem(name.at, name.len, kinds[i].at, kinds[i].len);

		if (at)
			return span_skip(name, (size_t)(at - name.at) + kinds[i].len);
	}
	return name;
}

static bool names(struct span model, const char *vendor)
{
	return memmem(model.at, model.len, vendor, strlen(vendor)) != NULL;
}

static enum api_claim bedrock_match(const struct http_head *request)
{
	struct span model;

	return action_of(request, &model) ? API_CLAIM_SURE : API_CLAIM_NO;
}

static const struct api_ops *bedrock_format(const struct http_head *request)
{
	struct span model;
	const struct action *action = action_of(request, &model);

	if (!action || action->converse)
		return NULL;
	/* "us.anthropic.claude-...", ".../anthropic.claude-..." */
	if (names(model, "anthropic."))
		return &anthropic_messages_api;
	return names(model, "openai.") ? &openai_chat_api : NULL;
}

static void bedrock_request_head(void *state, struct llm_facts *facts, const struct http_head *head)
{
	struct bedrock_state *s = state;
	char text[MODEL_NAME_MAX];
	struct span model;
	const struct action *action = action_of(head, &model);

	if (!action)
		return;
	api_copy_decoded(text, sizeof(text), model);
	model = model_of(span_str(text));
	span_copy(facts->request_model, sizeof(facts->request_model), model);
	facts->model_in_path = true;
	facts->stream = action->stream ? TRI_TRUE : TRI_FALSE;
	if (span_eq(action->name, SPAN_LITERAL("/count-tokens"))) {
		facts->operation = "count_tokens";
	} else if (s && names(model, "embed")) {
		s->embeds = true;
		facts->operation = "embeddings";
	}
}

/* What Bedrock says itself stands until the body says more. */
static void bedrock_response_head(void *state, struct llm_facts *facts,
				  const struct http_head *head)
{
	struct span error = http_header_get(head, SPAN_LITERAL("x-amzn-errortype"));
	token_count input = api_tokens_of(
		http_header_get(head, SPAN_LITERAL("x-amzn-bedrock-input-token-count")));
	token_count output = api_tokens_of(
		http_header_get(head, SPAN_LITERAL("x-amzn-bedrock-output-token-count")));

	(void)state;
	for (size_t i = 0; i < error.len; i++)
		if (error.at[i] == ':' || error.at[i] == '#')
			error.len = i; /* "ThrottlingException:http://..." */
	if (error.len)
		api_copy_decoded(facts->error_type, sizeof(facts->error_type), error);
	if (input == TOKENS_UNKNOWN && output == TOKENS_UNKNOWN)
		return;
	facts->usage.source = USAGE_REPORTED;
	facts->usage.input = input;
	facts->usage.output = output;
	facts->request_shape = facts->response_shape = true;
}

static void bedrock_request_value(void *state, struct llm_facts *facts,
				  const struct json_value *value)
{
	struct bedrock_state *s = state;

	if (value->id == REQUEST_CONTENT)
		s->content_is_array = value->type == JSON_ARRAY;
	else if (value->id != REQUEST_TEXT)
		api_request_value(facts, value);
	facts->request_shape = facts->message_count > 0 && s->content_is_array;
}

static void bedrock_response_value(void *state, struct llm_facts *facts,
				   const struct json_value *value)
{
	struct bedrock_state *s = state;

	if (value->id == RESPONSE_OUTPUT)
		s->answered = value->type == JSON_OBJECT;
	else if (value->id >= RESPONSE_METRICS)
		s->metrics[value->id - RESPONSE_METRICS] = api_tokens(value) + 1;
	else if (value->id >= RESPONSE_SLOT)
		s->seen[value->id - RESPONSE_SLOT] = api_tokens(value) + 1;
	else
		api_response_value(facts, value);
}

static void take_usage(struct bedrock_state *s, struct token_usage *to)
{
	bool any = false;

	for (int i = 0; i < SLOTS; i++) {
		token_count seen = s->metrics[i] ? s->metrics[i] : s->seen[i];

		if (seen)
			s->known[i] = seen;
		any |= seen != 0;
	}
	if (!any || (!s->known[SLOT_INPUT] && !s->known[SLOT_OUTPUT]))
		return;
	to->cache_read = s->known[SLOT_CACHE_READ] - 1;
	to->cache_creation = s->known[SLOT_CACHE_WRITE] - 1;
	to->input = s->known[SLOT_INPUT] - 1;
	if (to->input != TOKENS_UNKNOWN)
		to->input = api_tokens_add(api_tokens_add(to->input, to->cache_read),
					   to->cache_creation);
	to->output = s->embeds ? 0 : s->known[SLOT_OUTPUT] - 1;
	to->source = USAGE_REPORTED;
}

static void bedrock_response_document(void *state, struct llm_facts *facts, struct span event_name,
				      bool whole)
{
	struct bedrock_state *s = state;

	if (whole) {
		if (s->answered || s->seen[SLOT_INPUT] || s->metrics[SLOT_INPUT])
			facts->response_shape = true;
		take_usage(s, &facts->usage);
	}
	if (span_ends(event_name, SPAN_LITERAL("Exception")))
		api_copy_decoded(facts->error_type, sizeof(facts->error_type), event_name);
	s->answered = false;
	memset(s->seen, 0, sizeof(s->seen));
	memset(s->metrics, 0, sizeof(s->metrics));
}

const struct api_ops bedrock_api = {
	.name = "bedrock",
	.operation = "chat",
	.state_bytes = sizeof(struct bedrock_state),
	.stream_default = TRI_FALSE,
	.match = bedrock_match,
	.format = bedrock_format,
	.request_head = bedrock_request_head,
	.response_head = bedrock_response_head,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = bedrock_request_value,
	.response_value = bedrock_response_value,
	.response_document = bedrock_response_document,
};
