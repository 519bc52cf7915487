/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/family.h"
#include "util/cleanup.h"

/*
 * The Model Context Protocol over HTTP: JSON-RPC 2.0 posted to any path, answered by JSON or a stream
 * of events. After the first call each request carries MCP-Protocol-Version (since 2025-06-18) and,
 * if the server keeps sessions, Mcp-Session-Id; all accept both kinds of answer. Its older form posts to
 * a path with the session in the query, and the answer comes elsewhere.
 *
 * Only what asks for something is a call: notifications and answers to the server are not. Of what is
 * called the tool's name is kept, of resources and prompts nothing.
 */

enum request_id {
	REQUEST_JSONRPC = API_REQUEST_OWN,
	REQUEST_METHOD,
	REQUEST_TOOL,
	REQUEST_VERSION,
	REQUEST_CLIENT,
};

/* Clients of 2025-03-26 may send lists. */
static const struct json_path request_paths[] = {
	{"jsonrpc", REQUEST_JSONRPC},
	{"method", REQUEST_METHOD},
	{"params.name", REQUEST_TOOL},
	{"params.protocolVersion", REQUEST_VERSION},
	{"params.clientInfo", REQUEST_CLIENT},
	{"[].jsonrpc", REQUEST_JSONRPC},
	{"[].method", REQUEST_METHOD},
	{"[].params.name", REQUEST_TOOL},
	{NULL},
};

enum response_id {
	RESPONSE_JSONRPC = API_RESPONSE_OWN,
	RESPONSE_RESULT,
	RESPONSE_SERVER,
	RESPONSE_TOOL_FAILED,
	RESPONSE_ERROR,
};

static const struct json_path response_paths[] = {
	{"jsonrpc", RESPONSE_JSONRPC},
	{"result", RESPONSE_RESULT},
	{"result.serverInfo.name", RESPONSE_SERVER},
	{"result.isError", RESPONSE_TOOL_FAILED},
	{"error", RESPONSE_RESULT},
	{"error.code", RESPONSE_ERROR},
	{NULL},
};

/* Specification 2025-06-18; `own`: no other protocol over JSON-RPC has it. */
static const struct {
	struct span name;
	bool own;
} methods[] = {
	{SPAN_LITERAL("initialize"), false},
	{SPAN_LITERAL("ping"), false},
	{SPAN_LITERAL("tools/list"), true},
	{SPAN_LITERAL("tools/call"), true},
	{SPAN_LITERAL("resources/list"), true},
	{SPAN_LITERAL("resources/templates/list"), true},
	{SPAN_LITERAL("resources/read"), true},
	{SPAN_LITERAL("resources/subscribe"), true},
	{SPAN_LITERAL("resources/unsubscribe"), true},
	{SPAN_LITERAL("prompts/list"), true},
	{SPAN_LITERAL("prompts/get"), true},
	{SPAN_LITERAL("completion/complete"), true},
	{SPAN_LITERAL("logging/setLevel"), true},
	{SPAN_LITERAL("sampling/createMessage"), true},
	{SPAN_LITERAL("elicitation/create"), true},
	{SPAN_LITERAL("roots/list"), true},
};

struct mcp_state {
	bool has_header;
	bool is_jsonrpc, known_method, own_method, has_version, has_client;
	/* the name of whatever is called, until the method tells that it is a tool */
	char name[SHORT_NAME_MAX];
	/* of the current document */
	bool answer_is_jsonrpc, has_result;
};

_Static_assert(sizeof(struct mcp_state) <= API_STATE_MAX, "state of a family");

static bool has_mcp_header(const struct http_head *request)
{
	return http_header_get(request, SPAN_LITERAL("mcp-protocol-version")).len ||
	       http_header_get(request, SPAN_LITERAL("mcp-session-id")).len;
}

static bool accepts(const struct http_head *request, const char *type)
{
	struct span accept = http_header_get(request, SPAN_LITERAL("accept"));

	return accept.len && memmem(accept.at, accept.len, type, strlen(type));
}

static enum api_claim mcp_match(const struct http_head *request)
{
	struct span target = request->target;

	if (!span_eq(request->method, SPAN_LITERAL("POST")))
		return API_CLAIM_NO;
	if (has_mcp_header(request) || api_is_post_to(request, SPAN_LITERAL("/mcp")))
		return API_CLAIM_SHAPED;
	if (api_is_post_to(request, SPAN_LITERAL("/messages")) &&
	    (api_target_query(target, SPAN_LITERAL("sessionId")).len ||
	     api_target_query(target, SPAN_LITERAL("session_id")).len))
		return API_CLAIM_SHAPED;
	if (accepts(request, "application/json") && accepts(request, "text/event-stream"))
		return API_CLAIM_WEAK;
	return API_CLAIM_NO;
}

static void mcp_request_head(void *state, struct llm_facts *facts, const struct http_head *head)
{
	struct mcp_state *s = state;

	(void)facts;
	s->has_header = has_mcp_header(head);
}

static void take_method(struct mcp_state *s, struct llm_facts *facts,
			const struct json_value *value)
{
	s->known_method = s->own_method = false;
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (!api_is_text(value, methods[i].name))
			continue;
		s->known_method = true;
		s->own_method = methods[i].own;
	}
	/* others' words stay out */
	facts->mcp_method[0] = '\0';
	if (s->known_method)
		api_copy_text(facts->mcp_method, sizeof(facts->mcp_method), value);
}

/* A tool's name may come before the method that says it is one. */
static void take_tool(struct mcp_state *s, struct llm_facts *facts)
{
	bool is_tool = strcmp(facts->mcp_method, "tools/call") == 0;

	facts->operation = is_tool ? "execute_tool" : NULL;
	span_copy(facts->mcp_tool, sizeof(facts->mcp_tool), span_str(is_tool ? s->name : ""));
}

static void mcp_request_value(void *state, struct llm_facts *facts, const struct json_value *value)
{
	struct mcp_state *s = state;

	switch (value->id) {
	case REQUEST_JSONRPC:
		s->is_jsonrpc = api_is_text(value, SPAN_LITERAL("2.0"));
		break;
	case REQUEST_METHOD:
		take_method(s, facts, value);
		break;
	case REQUEST_TOOL:
		api_copy_text(s->name, sizeof(s->name), value);
		break;
	case REQUEST_VERSION:
		s->has_version = value->type == JSON_STRING;
		break;
	case REQUEST_CLIENT:
		s->has_client = value->type == JSON_OBJECT;
		break;
	default:
		break;
	}
	take_tool(s, facts);
	/* Language servers have "initialize" as well. */
	facts->request_shape = s->is_jsonrpc && s->known_method &&
			       (s->has_header || s->own_method ||
				(s->has_version && s->has_client));
}

static void mcp_response_value(void *state, struct llm_facts *facts, const struct json_value *value)
{
	struct mcp_state *s = state;

	switch (value->id) {
	case RESPONSE_JSONRPC:
		s->answer_is_jsonrpc = api_is_text(value, SPAN_LITERAL("2.0"));
		break;
	case RESPONSE_RESULT:
		s->has_result = value->type == JSON_OBJECT;
		break;
	case RESPONSE_SERVER:
		api_take_text(facts->mcp_server, sizeof(facts->mcp_server), value);
		break;
	case RESPONSE_TOOL_FAILED:
		/* OpenTelemetry's error.type of a tool that says so itself */
		if (value->type == JSON_TRUE)
			span_copy(facts->error_type, sizeof(facts->error_type),
				  SPAN_LITERAL("tool_error"));
		break;
	case RESPONSE_ERROR:
		if (value->type == JSON_NUMBER)
			span_copy(facts->error_type, sizeof(facts->error_type), value->text);
		break;
	default:
		break;
	}
}

static void mcp_response_document(void *state, struct llm_facts *facts, struct span event_name,
				  bool whole)
{
	struct mcp_state *s = state;

	(void)event_name;
	if (whole && s->answer_is_jsonrpc && s->has_result)
		facts->response_shape = true;
	s->answer_is_jsonrpc = s->has_result = false;
}

const struct api_ops mcp_api = {
	.name = "mcp-jsonrpc",
	.state_bytes = sizeof(struct mcp_state),
	.stream_default = TRI_UNKNOWN,
	.match = mcp_match,
	.request_head = mcp_request_head,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = mcp_request_value,
	.response_value = mcp_response_value,
	.response_document = mcp_response_document,
};
