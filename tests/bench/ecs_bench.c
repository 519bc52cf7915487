/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What one event costs on its way out: nanoseconds for rendering, for a line that must shed, and with
 * the write to a file on top. */
#include "sink/format/ecs.h"

#include <stdio.h>
#include <time.h>

#include "gnomon/event.h"
#include "sink/output.h"
#include "util/diag.h"

#define ROUNDS 200000

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* An llm-request as the sensor would send it. */
static void fill(struct event *event)
{
	const struct net_address source = {4, {192, 0, 2, 10}};
	const struct net_address destination = {4, {203, 0, 113, 7}};

	event_init(event);
	event_set_time(event, F_TIMESTAMP, 1787393702413000000);
	event_set_text(event, F_ECS_VERSION, "9.5.0");
	event_set_text(event, F_EVENT_KIND, "event");
	event_append(event, F_EVENT_CATEGORY, SPAN_LITERAL("api"));
	event_append(event, F_EVENT_CATEGORY, SPAN_LITERAL("network"));
	event_append(event, F_EVENT_TYPE, SPAN_LITERAL("access"));
	event_set_text(event, F_EVENT_ACTION, "llm-request");
	event_set_text(event, F_EVENT_DATASET, "gnomon.llm");
	event_set_text(event, F_EVENT_MODULE, "gnomon");
	event_set_text(event, F_EVENT_OUTCOME, "success");
	event_set_int(event, F_EVENT_DURATION, 1840000000);
	event_set_text(event, F_EVENT_ID, "01ARZ3NDEKTSV4RRFFQ69G5FAV");
	event_set_text(event, F_MESSAGE, "python3 (alice): chat to openai gpt-4o");
	event_set_text(event, F_OBSERVER_PRODUCT, "gnomon");
	event_set_text(event, F_OBSERVER_VERSION, "0.1.0");
	event_set_text(event, F_HOST_NAME, "lap-042");
	event_set_text(event, F_USER_ID, "1000");
	event_set_text(event, F_USER_NAME, "alice");
	event_set_int(event, F_PROCESS_PID, 4121);
	event_set_text(event, F_PROCESS_NAME, "python3");
	event_set_text(event, F_PROCESS_EXECUTABLE, "/usr/bin/python3.11");
	event_set_time(event, F_PROCESS_START, 1787393698001000000);
	event_set_int(event, F_PROCESS_PARENT_PID, 4100);
	event_set_text(event, F_PROCESS_PARENT_NAME, "bash");
	event_set_ip(event, F_SOURCE_IP, &source);
	event_set_int(event, F_SOURCE_PORT, 51544);
	event_set_int(event, F_SOURCE_BYTES, 8123);
	event_set_ip(event, F_DESTINATION_IP, &destination);
	event_set_int(event, F_DESTINATION_PORT, 443);
	event_set_int(event, F_DESTINATION_BYTES, 2211);
	event_set_text(event, F_DESTINATION_DOMAIN, "api.openai.com");
	event_set_text(event, F_NETWORK_TRANSPORT, "tcp");
	event_set_text(event, F_NETWORK_COMMUNITY_ID, "1:wCb3OG7yAFWelaUydu0D+125CLM=");
	event_set_text(event, F_TLS_CLIENT_SERVER_NAME, "api.openai.com");
	event_set_text(event, F_HTTP_REQUEST_METHOD, "POST");
	event_set_int(event, F_HTTP_RESPONSE_STATUS_CODE, 200);
	event_set_text(event, F_URL_PATH, "/v1/chat/completions");
	event_set_text(event, F_USER_AGENT_ORIGINAL, "OpenAI/Python 1.40.0");
	event_set_text(event, F_GEN_AI_OPERATION_NAME, "chat");
	event_set_text(event, F_GEN_AI_PROVIDER_NAME, "openai");
	event_set_text(event, F_GEN_AI_REQUEST_MODEL, "gpt-4o");
	event_set_text(event, F_GEN_AI_RESPONSE_MODEL, "gpt-4o-2024-08-06");
	event_set_int(event, F_GEN_AI_INPUT_TOKENS, 1834);
	event_set_int(event, F_GEN_AI_OUTPUT_TOKENS, 212);
	event_set_text(event, F_SERVICE, "openai");
	event_set_text(event, F_SERVICE_KIND, "model-api");
	event_set_text(event, F_VERDICT, "unsanctioned");
	event_set_text(event, F_VISIBILITY, "plaintext");
	event_append(event, F_EVIDENCE, SPAN_LITERAL("sni"));
	event_append(event, F_EVIDENCE, SPAN_LITERAL("http_path"));
	event_set_int(event, F_CONFIDENCE, 95);
	event_set_double(event, F_COST_USD, 0.006705);
}

static void bench_render(const char *what, const struct event *event)
{
	static char line[EVENT_LINE_MAX];
	double begin = now_ns();
	ssize_t len = 0;

	for (unsigned int i = 0; i < ROUNDS; i++)
		len = ecs_format.render(event, i, line, sizeof(line));
	printf("ecs render %-10s %8.0f ns/event  %5zd bytes\n", what, (now_ns() - begin) / ROUNDS,
	       len);
}

static void bench_write(const struct event *event)
{
	struct diag diag = {0};
	struct output *output = output_open("file:/dev/null", "ecs", NULL, &diag);
	double begin = now_ns();

	if (!output) {
		diag_print(&diag, stderr);
		return;
	}
	for (unsigned int i = 0; i < ROUNDS; i++)
		output_write(output, event);
	printf("ecs output %-10s %8.0f ns/event\n", "/dev/null", (now_ns() - begin) / ROUNDS);
	output_close(output);
}

int main(void)
{
	static struct event event;
	static char hostile[EVENT_STRING_MAX];

	fill(&event);
	bench_render("typical", &event);
	memset(hostile, '\x01', sizeof(hostile));
	event_set_string(&event, F_URL_PATH, span_of(hostile, sizeof(hostile)));
	event_set_string(&event, F_USER_AGENT_ORIGINAL, span_of(hostile, sizeof(hostile)));
	bench_render("hostile", &event);
	fill(&event);
	bench_write(&event);
	return 0;
}
