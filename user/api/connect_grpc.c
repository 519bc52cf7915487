/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/family.h"
#include "util/cleanup.h"

/*
 * The private services of Cursor and Windsurf: messages of Protocol Buffers in the envelopes of Connect or
 * gRPC, whose fields nobody documents. The path names the service and its method, so what is done shows, and
 * how much of it; the model does not. Of the methods those that have a model answer are calls, and those that
 * send source code to be indexed; the many others are accounts, settings and telemetry.
 *
 * An error at the end of a Connect stream is a message of JSON.
 */

static const struct {
	struct span form;   /* a service's path, and one star: its method */
	struct span method; /* how that begins */
	const char *operation;
	bool own; /* nobody else has a service of that name */
} calls[] = {
	{SPAN_LITERAL("/aiserver.v1.ChatService/*"), SPAN_LITERAL("Stream"), "chat", true},
	{SPAN_LITERAL("/aiserver.v1.AiService/*"), SPAN_LITERAL("StreamChat"), "chat", true},
	{SPAN_LITERAL("/aiserver.v1.AiService/*"), SPAN_LITERAL("StreamComposer"), "chat", true},
	{SPAN_LITERAL("/aiserver.v1.AiService/*"), SPAN_LITERAL("StreamCpp"), "text_completion",
	 true},
	{SPAN_LITERAL("/aiserver.v1.CmdKService/*"), SPAN_LITERAL("Stream"), "chat", true},
	{SPAN_LITERAL("/aiserver.v1.RepositoryService/*"), SPAN_LITERAL("FastUpdateFile"),
	 "embeddings", true},
	{SPAN_LITERAL("/agent.v1.AgentService/*"), SPAN_LITERAL("Run"), "chat", false},
	{SPAN_LITERAL("/exa.api_server_pb.ApiServerService/*"), SPAN_LITERAL("GetChatMessage"),
	 "chat", true},
	{SPAN_LITERAL("/exa.api_server_pb.ApiServerService/*"), SPAN_LITERAL("GetCompletions"),
	 "text_completion", true},
	{SPAN_LITERAL("/exa.api_server_pb.ApiServerService/*"),
	 SPAN_LITERAL("GetStreamingCompletions"), "text_completion", true},
	{SPAN_LITERAL("/exa.api_server_pb.ApiServerService/*"), SPAN_LITERAL("GetEmbeddings"),
	 "embeddings", true},
};

/* The row of a request; -1: none. */
static int call_of(const struct http_head *request)
{
	struct span method;

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (api_is_post_like(request, calls[i].form, &method) &&
		    span_starts(method, calls[i].method))
			return (int)i;
	return -1;
}

static enum api_claim connect_match(const struct http_head *request)
{
	int call = call_of(request);

	if (call < 0)
		return API_CLAIM_NO;
	return calls[call].own ? API_CLAIM_SURE : API_CLAIM_LISTED;
}

static void connect_request_head(void *state, struct llm_facts *facts, const struct http_head *head)
{
	struct span type = http_header_get(head, SPAN_LITERAL("content-type"));
	int call = call_of(head);

	(void)state;
	if (call < 0)
		return;
	facts->operation = calls[call].operation;
	/* one message each way without envelopes (Connect), or several in them */
	facts->stream = span_starts(type, SPAN_LITERAL("application/connect+")) ||
					span_starts(type, SPAN_LITERAL("application/grpc"))
				? TRI_TRUE
				: TRI_FALSE;
	facts->request_shape = calls[call].own && span_starts(type, SPAN_LITERAL("application/"));
}

static const struct json_path request_paths[] = {{NULL}};
static const struct json_path response_paths[] = {
	{"error.code", API_RESPONSE_ERROR_CODE},
	{"code", API_RESPONSE_ERROR_CODE}, /* of a call without a stream */
	{NULL},
};

static void connect_request_value(void *state, struct llm_facts *facts,
				  const struct json_value *value)
{
	(void)state;
	(void)facts;
	(void)value;
}

static void connect_response_value(void *state, struct llm_facts *facts,
				   const struct json_value *value)
{
	(void)state;
	api_response_value(facts, value);
}

static void connect_response_document(void *state, struct llm_facts *facts, struct span event_name,
				      bool whole)
{
	(void)state;
	(void)facts;
	(void)event_name;
	(void)whole;
}

const struct api_ops connect_grpc_api = {
	.name = "connect-grpc",
	.operation = "chat",
	.stream_default = TRI_UNKNOWN,
	.match = connect_match,
	.request_head = connect_request_head,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = connect_request_value,
	.response_value = connect_response_value,
	.response_document = connect_response_document,
};
