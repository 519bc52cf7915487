/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/openai_usage.h"
#include "util/cleanup.h"

/* OpenAI's Audio API: speech from text, and text from recordings. The latter come as forms, whose
 * fields are not read. Some models tell usage in tokens, at the end of a stream, too. */

enum request_id { REQUEST_INPUT = API_REQUEST_OWN };

static const struct json_path request_paths[] = {
	{"model", API_REQUEST_MODEL},
	{"input", REQUEST_INPUT},
	{NULL},
};

enum response_id {
	RESPONSE_TEXT = API_RESPONSE_OWN,
	RESPONSE_USAGE,
};

static const struct json_path response_paths[] = {
	{"text", RESPONSE_TEXT},
	{"error.type", API_RESPONSE_ERROR},
	{"error.code", API_RESPONSE_ERROR_CODE},
	OPENAI_INPUT_USAGE_PATHS("usage", RESPONSE_USAGE),
	{NULL},
};

struct audio_state {
	bool has_input;
	/* of the current document */
	bool has_text;
	struct openai_usage usage;
};

_Static_assert(sizeof(struct audio_state) <= API_STATE_MAX, "state of a family");

static const struct {
	struct span path;
	const char *operation;
} calls[] = {
	{SPAN_LITERAL("/audio/speech"), "speech"},
	{SPAN_LITERAL("/audio/transcriptions"), "transcription"},
	{SPAN_LITERAL("/audio/translations"), "translation"},
};

static enum api_claim audio_match(const struct http_head *request)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (api_is_post_to(request, calls[i].path))
			return API_CLAIM_SURE;
	return API_CLAIM_NO;
}

static void audio_request_head(void *state, struct llm_facts *facts, const struct http_head *head)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (api_is_post_to(head, calls[i].path))
			facts->operation = calls[i].operation;
}

static void audio_request_value(void *state, struct llm_facts *facts,
				const struct json_value *value)
{
	struct audio_state *s = state;

	if (value->id == REQUEST_INPUT)
		s->has_input = value->type == JSON_STRING;
	else
		api_request_value(facts, value);
	facts->request_shape = api_has_model(facts) && s->has_input;
}

static void audio_response_value(void *state, struct llm_facts *facts,
				 const struct json_value *value)
{
	struct audio_state *s = state;

	if (value->id == RESPONSE_TEXT)
		s->has_text = value->type == JSON_STRING;
	else
		openai_response_value(&s->usage, RESPONSE_USAGE, facts, value);
}

static void audio_response_document(void *state, struct llm_facts *facts, struct span event_name,
				    bool whole)
{
	struct audio_state *s = state;

	(void)event_name;
	if (whole) {
		openai_usage_take(&facts->usage, &s->usage);
		if (s->has_text)
			facts->response_shape = true;
	}
	*s = (struct audio_state){.has_input = s->has_input};
}

const struct api_ops openai_audio_api = {
	.name = "openai-audio",
	.operation = "transcription",
	.state_bytes = sizeof(struct audio_state),
	.stream_default = TRI_UNKNOWN,
	.match = audio_match,
	.request_head = audio_request_head,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = audio_request_value,
	.response_value = audio_response_value,
	.response_document = audio_response_document,
};
