/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "gnomon/event.h"
#include "util/cleanup.h"
#include "util/terminal.h"
#include "util/utf8.h"

struct fixture {
	struct report *report;
	struct event event;
	char *text;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->report = report_new();
	*state = f;
	return f->report ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	report_free(f->report);
	free(f->text);
	free(f);
	return 0;
}

static const char *print(struct fixture *f, bool colour)
{
	size_t len;
	FILE *to;

	free(f->text);
	f->text = NULL;
	to = open_memstream(&f->text, &len);
	assert_non_null(to);
	report_print_text(f->report, to, colour);
	assert_int_equal(fclose(to), 0);
	return f->text;
}

/* The event that the next add_*() goes on from. */
static struct event *begin(struct fixture *f, const char *action, const char *service,
			   const char *verdict)
{
	event_init(&f->event);
	event_set_text(&f->event, F_EVENT_KIND, "event");
	event_set_text(&f->event, F_EVENT_ACTION, action);
	event_set_text(&f->event, F_SERVICE, service);
	event_set_text(&f->event, F_VERDICT, verdict);
	return &f->event;
}

static void add_connection(struct fixture *f, const char *service, const char *verdict,
			   const char *process, int64_t up, int64_t down)
{
	struct event *event = begin(f, "llm-connection", service, verdict);

	event_set_text(event, F_PROCESS_NAME, process);
	event_set_int(event, F_SOURCE_BYTES, up);
	event_set_int(event, F_DESTINATION_BYTES, down);
	report_add(f->report, event);
}

static void add_request(struct fixture *f, const char *service, const char *verdict,
			const char *process, int64_t input, int64_t output)
{
	struct event *event = begin(f, "llm-request", service, verdict);

	event_set_text(event, F_PROCESS_NAME, process);
	event_set_int(event, F_SOURCE_BYTES, 1000000); /* inside TLS: must not be added */
	event_set_int(event, F_GEN_AI_INPUT_TOKENS, input);
	event_set_int(event, F_GEN_AI_OUTPUT_TOKENS, output);
	report_add(f->report, event);
}

static void add_alert(struct fixture *f, int64_t severity, const char *rule, const char *message)
{
	event_init(&f->event);
	event_set_text(&f->event, F_EVENT_KIND, "alert");
	event_set_int(&f->event, F_EVENT_SEVERITY, severity);
	event_set_text(&f->event, F_RULE_ID, rule);
	event_set_text(&f->event, F_MESSAGE, message);
	report_add(f->report, &f->event);
}

static void add_status(struct fixture *f, int64_t capture, int64_t parse)
{
	event_init(&f->event);
	event_set_text(&f->event, F_EVENT_KIND, "metric");
	event_set_text(&f->event, F_EVENT_DATASET, "gnomon.status");
	event_set_int(&f->event, F_STATUS_LOST_CAPTURE, capture);
	event_set_int(&f->event, F_STATUS_LOST_PARSE, parse);
	report_add(f->report, &f->event);
}

static void test_empty(void **state)
{
	assert_string_equal(print(*state, false),
			    "No AI service was seen\n\nNo findings\n\n"
			    "Completeness unknown: no status event of the sensor was seen.\n");
}

/* One of each thing that a report tells. */
static void add_everything(struct fixture *f)
{
	const struct net_address server = {6, {[15] = 1}};
	struct event *event;

	add_connection(f, "anthropic", "sanctioned", "node", 12345, 999);
	add_connection(f, "openai", "unsanctioned", "python3", 8123, 2211);
	add_connection(f, "openai", "unsanctioned", "curl", 1, 1);
	add_request(f, "openai", "unsanctioned", "python3", 1834, 212);
	add_request(f, "openai", "unsanctioned", "python3", 10, 0);

	event = begin(f, "llm-connection", "mistral", "undetermined");
	event_set_text(event, F_ACTIVITY, "presence");
	event_set_text(event, F_AGENT, "cursor");
	event_set_text(event, F_PROCESS_NAME, "node");
	report_add(f->report, event);

	event = begin(f, "llm-request", "unknown", "unsanctioned");
	event_set_text(event, F_DESTINATION_DOMAIN, "llm.intern.example");
	event_set_text(event, F_USAGE_SOURCE, "estimated_text");
	event_set_int(event, F_GEN_AI_INPUT_TOKENS, 1234567);
	event_set_ip(event, F_SOURCE_IP, &server);
	report_add(f->report, event);

	event = begin(f, "llm-server", "ollama", NULL);
	event_set_ip(event, F_SERVER_IP, &server);
	event_set_int(event, F_SERVER_PORT, 11434);
	event_set_text(event, F_PROCESS_NAME, "ollama");
	report_add(f->report, event);
	report_add(f->report, event); /* the same again */

	report_add(f->report, begin(f, "connection", NULL, NULL));

	add_alert(f, 47, "GN-1001", "Unsanctioned AI provider openai: python3 (alice)");
	add_alert(f, 73, "GN-2001",
		  "Finance user on an unsanctioned provider: carol sent 1,234,567 tokens to "
		  "llm.intern.example, which nobody has heard of");
	add_alert(f, 47, "GN-1001", "Unsanctioned AI provider openai: python3 (alice)");
	add_status(f, 0, 0);
}

static void test_whole_report(void **state)
{
	struct fixture *f = *state;

	add_everything(f);
	assert_string_equal(
		print(f, false),
		"AI services\n"
		"service                verdict       conns  calls      up    down  tok in tok out "
		" used by\n"
		"openai                 unsanctioned      2      2  8.1 kB  2.2 kB   1.8 k     212 "
		" python3, curl\n"
		"llm.intern.example     unsanctioned      0      1     0 B     0 B  ~1.2 M       - "
		" ::1\n"
		"*mistral               undetermined      1      0     0 B     0 B       -       - "
		" cursor\n"
		"anthropic              sanctioned        1      0 12.3 kB   999 B       -       - "
		" node\n"
		"* opened, not used: a connection made ahead, or static content\n"
		"~ estimated from sizes or text; the service's own count was not seen\n"
		"\n"
		"Local model servers\n"
		"service                address                        process\n"
		"ollama                 [::1]:11434                    ollama\n"
		"\n"
		"Other connections: 1\n"
		"\n"
		"Findings\n"
		"high      GN-2001         Finance user on an unsanctioned provider: carol sent "
		"1,234,567 tokens to\n"
		"                          llm.intern.example, which nobody has heard of\n"
		"medium    GN-1001         Unsanctioned AI provider openai: python3 (alice) (2 "
		"times)\n"
		"\n"
		"Complete: nothing was lost.\n");
}

static void test_interim_and_relay(void **state)
{
	struct fixture *f = *state;
	struct event *event;

	for (int i = 0; i < 3; i++) {
		event = begin(f, "llm-connection", "openai", "tolerated");
		event_set_int(event, F_SOURCE_BYTES, 100);
		event_set_bool(event, F_INTERIM, i < 2);
		report_add(f->report, event);
	}
	event_set_bool(event, F_RELAY, true);
	report_add(f->report, event);
	assert_non_null(strstr(print(f, false), "tolerated         1      0   300 B"));
}

static void test_loss(void **state)
{
	struct fixture *f = *state;

	/* told twice by one sensor; then it starts again */
	add_status(f, 3, 5);
	add_status(f, 3, 7);
	add_status(f, 2, 0);
	assert_non_null(strstr(print(f, false),
			       "\nINCOMPLETE: AI traffic may have been missed. Lost:\n"
			       "  5 packets dropped by the capture\n"
			       "  7 streams that could not be parsed\n"));
	assert_null(strstr(f->text, "Complete:"));
}

static void test_many_clients(void **state)
{
	struct fixture *f = *state;
	char name[32];

	for (int i = 0; i < 3 * REPORT_CLIENTS_MAX; i++) {
		snprintf(name, sizeof(name), "proc%d", i % 5);
		add_connection(f, "few", "-", name, 1, 1);
		snprintf(name, sizeof(name), "proc%d", i);
		add_connection(f, "many", "-", name, 1, 1);
	}
	print(f, false);
	assert_non_null(strstr(f->text, "  proc0, proc1 +3\n"));
	assert_non_null(strstr(f->text, "  proc0, proc1 +62+\n"));
}

static void test_full_tables(void **state)
{
	struct fixture *f = *state;
	char name[32];

	/* Made-up hosts fill half the table at most. */
	for (int i = 0; i < 3 * REPORT_SERVICES_MAX; i++) {
		struct event *event = begin(f, "llm-connection", "unknown", "unsanctioned");

		snprintf(name, sizeof(name), "host%d.example", i);
		event_set_text(event, F_DESTINATION_DOMAIN, name);
		report_add(f->report, event);
	}
	for (int i = 0; i < REPORT_SERVICES_MAX; i++) {
		snprintf(name, sizeof(name), "service%d", i);
		add_connection(f, name, "sanctioned", "p", 1, 1);
	}
	for (int i = 0; i < REPORT_FINDINGS_MAX + 7; i++) {
		snprintf(name, sizeof(name), "message %d", i);
		add_alert(f, 99, "GN-1", name);
	}
	print(f, false);
	assert_non_null(strstr(f->text, "\nhost99.example "));
	assert_null(strstr(f->text, "\nhost100.example "));
	assert_non_null(strstr(f->text, "\nservice99 "));
	assert_null(strstr(f->text, "\nservice100 "));
	/* 500 hosts and 100 services */
	assert_non_null(strstr(f->text, "\n(other)                -               600"));
	assert_non_null(strstr(f->text, "\ncritical  (other)         7 more findings\n"));
}

static void test_sums_do_not_wrap(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 4; i++)
		add_connection(f, "big", "-", "p", INT64_MAX, -1);
	assert_non_null(strstr(print(f, false), " 18.4 EB     0 B "));
}

/* No control character but the line ends, only UTF-8, and no line wider than the terminal. */
static void expect_harmless(const char *text)
{
	while (*text) {
		struct span line = span_of(text, strcspn(text, "\n"));

		assert_true(terminal_width(line) <= 100);
		for (struct span left = line; left.len;) {
			uint32_t code;
			size_t n = utf8_decode(left, &code);

			assert_true(code >= 0x20 && !(code >= 0x7f && code < 0xa0));
			assert_true(code != 0x202e && code != UTF8_INVALID);
			left = span_skip(left, n);
		}
		text += line.len + (text[line.len] == '\n');
	}
}

static void test_hostile_strings(void **state)
{
	static const char *const hostile[] = {
		"\033[2J\033[1;1Hall is well",
		"\033]0;owned\a",
		"\xc2\x9b"
		"2J",
		"\x9b"
		"2J",
		"line\nComplete: nothing was lost.\r\n",
		"\xe2\x80\xae"
		"reversed",
		"\xff\xfe\xc0\xaf\xed\xa0\x80",
		"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
		"\xf0\x9f\x98\x80"
		"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
		"\xf0\x9f\x98\x80",
		"%s%n%1000000d",
		"cut short \xe2\x82",
	};
	char big[3000];
	struct fixture *f = *state;

	memset(big, 'W', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	for (size_t i = 0; i <= ARRAY_SIZE(hostile); i++) {
		const char *text = i < ARRAY_SIZE(hostile) ? hostile[i] : big;

		add_connection(f, text, text, text, 1, 1);
		add_connection(f, "one", "-", text, 1, 1);
		add_request(f, "unknown", text, text, 1, 1);
		event_set_text(&f->event, F_DESTINATION_DOMAIN, text);
		report_add(f->report, &f->event);
		add_alert(f, 73, text, text);
		event_set_text(&f->event, F_EVENT_KIND, text);
		event_set_text(&f->event, F_EVENT_ACTION, "llm-server");
		event_set_text(&f->event, F_PROCESS_NAME, text);
		event_set_text(&f->event, F_SERVICE, text);
		report_add(f->report, &f->event);
		expect_harmless(print(f, false));
	}
	/* a forged last line stays inside of its own */
	assert_null(strstr(f->text, "\nComplete:"));
}

static void test_colour(void **state)
{
	struct fixture *f = *state;

	add_connection(f, "openai", "unsanctioned", "p", 1, 1);
	add_alert(f, 99, "GN-1", "m");
	add_status(f, 1, 0);
	assert_null(strchr(print(f, false), '\033'));
	assert_non_null(strstr(print(f, true), "\033[31munsanctioned\033[0m"));
	assert_non_null(strstr(f->text, "\033[1;31mcritical\033[0m  GN-1"));
	assert_non_null(strstr(f->text, "\033[1;31mINCOMPLETE\033[0m:"));
}

#define with_report(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_report(test_empty),
		with_report(test_whole_report),
		with_report(test_interim_and_relay),
		with_report(test_loss),
		with_report(test_many_clients),
		with_report(test_full_tables),
		with_report(test_sums_do_not_wrap),
		with_report(test_hostile_strings),
		with_report(test_colour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
