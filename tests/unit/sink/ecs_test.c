/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "sink/format/ecs.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "gnomon/event.h"
#include "sink/format.h"
#include "util/cleanup.h"
#include "util/text.h"

/* Big and filled anew by each test; cmocka runs them one after another. */
struct fixture {
	struct event event;
	char line[EVENT_LINE_MAX + 1]; /* one more, for a NUL */
	char text[EVENT_LINE_MAX * 8];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture)
		return -1;
	event_init(&fixture->event);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void render(struct fixture *fixture, uint64_t sequence)
{
	ssize_t len = ecs_format.render(&fixture->event, sequence, fixture->line, EVENT_LINE_MAX);

	assert_true(len > 0 && len <= EVENT_LINE_MAX);
	fixture->line[len] = '\0';
	assert_int_equal(strlen(fixture->line), len);
	assert_ptr_equal(strchr(fixture->line, '\n'), fixture->line + len - 1);
}

/* Strict JSON in UTF-8; the caller puts it. */
static struct json_object *parse(const char *line)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *root;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8 |
						JSON_TOKENER_ALLOW_TRAILING_CHARS);
	root = json_tokener_parse_ex(tokener, line, (int)strlen(line));
	if (json_tokener_get_error(tokener) != json_tokener_success)
		fail_msg("%s in %s", json_tokener_error_desc(json_tokener_get_error(tokener)),
			 line);
	json_tokener_free(tokener);
	assert_true(json_object_is_type(root, json_type_object));
	return root;
}

/* The value at a dotted name, or NULL. */
static struct json_object *at(struct json_object *root, const char *dotted)
{
	char name[128];

	while (root && *dotted) {
		size_t len = strcspn(dotted, ".");

		snprintf(name, sizeof(name), "%.*s", (int)len, dotted);
		if (!json_object_object_get_ex(root, name, &root))
			return NULL;
		dotted += len + (dotted[len] == '.');
	}
	return root;
}

static bool truncated(struct json_object *root)
{
	return json_object_get_boolean(at(root, "gnomon.truncated"));
}

static size_t count_leaves(struct json_object *value)
{
	size_t n = 0;

	if (!json_object_is_type(value, json_type_object))
		return 1;
	json_object_object_foreach(value, name, member)
	{
		(void)name;
		n += count_leaves(member);
	}
	return n;
}

static void test_golden_request(void **state)
{
	struct fixture *fixture = *state;
	struct event *event = &fixture->event;
	struct net_address source = {4, {192, 0, 2, 10}};
	struct net_address destination = {6, {0x20, 0x01, 0x0d, 0xb8, [15] = 7}};

	event_set_time(event, F_TIMESTAMP, 1787393702413000000);
	event_set_text(event, F_ECS_VERSION, "9.5.0");
	event_set_text(event, F_EVENT_KIND, "event");
	event_append(event, F_EVENT_CATEGORY, SPAN_LITERAL("api"));
	event_append(event, F_EVENT_CATEGORY, SPAN_LITERAL("network"));
	event_set_text(event, F_EVENT_ACTION, "llm-request");
	event_set_int(event, F_EVENT_DURATION, 1840000000);
	event_format(event, F_MESSAGE, "%s (%s): chat", "python3", "alice");
	event_set_text(event, F_USER_NAME, "alice");
	event_set_text(event, F_USER_GROUP_NAME, "staff");
	event_set_int(event, F_PROCESS_PID, 4121);
	event_set_int(event, F_PROCESS_PARENT_PID, 4100);
	event_set_text(event, F_PROCESS_PARENT_NAME, "bash");
	event_set_ip(event, F_SOURCE_IP, &source);
	event_set_int(event, F_SOURCE_PORT, 51544);
	event_set_ip(event, F_DESTINATION_IP, &destination);
	event_set_text(event, F_HTTP_REQUEST_METHOD, "POST");
	event_set_int(event, F_HTTP_RESPONSE_STATUS_CODE, 200);
	event_set_text(event, F_GEN_AI_REQUEST_MODEL, "gpt-4o");
	event_set_bool(event, F_GEN_AI_REQUEST_STREAM, true);
	event_set_int(event, F_GEN_AI_INPUT_TOKENS, 1834);
	event_set_int(event, F_GEN_AI_CACHE_READ_TOKENS, 1024);
	event_set_int(event, F_GEN_AI_REASONING_TOKENS, 64);
	event_append(event, F_TAGS, SPAN_LITERAL("unsanctioned"));
	event_set_text(event, F_SERVICE, "openai");
	event_set_text(event, F_KEY_KIND, "openai-project");
	event_set_double(event, F_COST_USD, 0.009285);
	event_set_int(event, F_STATUS_LOST_RING, 0);
	render(fixture, 48213);
	assert_string_equal(
		fixture->line,
		"{\"@timestamp\":\"2026-08-22T10:15:02.413Z\",\"ecs\":{\"version\":\"9.5.0\"},"
		"\"event\":{\"kind\":\"event\",\"category\":[\"api\",\"network\"],"
		"\"action\":\"llm-request\",\"sequence\":48213,\"duration\":1840000000},"
		"\"message\":\"python3 (alice): chat\","
		"\"user\":{\"name\":\"alice\",\"group\":{\"name\":\"staff\"}},"
		"\"process\":{\"pid\":4121,\"parent\":{\"pid\":4100,\"name\":\"bash\"}},"
		"\"source\":{\"ip\":\"192.0.2.10\",\"port\":51544},"
		"\"destination\":{\"ip\":\"2001:db8::7\"},"
		"\"http\":{\"request\":{\"method\":\"POST\"},\"response\":{\"status_code\":200}},"
		"\"gen_ai\":{\"request\":{\"model\":\"gpt-4o\",\"stream\":true},"
		"\"usage\":{\"input_tokens\":1834,\"cache_read\":{\"input_tokens\":1024},"
		"\"reasoning\":{\"output_tokens\":64}}},\"tags\":[\"unsanctioned\"],"
		"\"gnomon\":{\"service\":\"openai\",\"key\":{\"kind\":\"openai-project\"},"
		"\"cost\":{\"usd\":0.009285},\"status\":{\"lost\":{\"ring\":0}}}}\n");
}

static void test_empty_event(void **state)
{
	struct fixture *fixture = *state;

	render(fixture, UINT64_MAX);
	assert_string_equal(fixture->line, "{\"event\":{\"sequence\":18446744073709551615}}\n");
}

/* The caller's number wins over whatever the event holds. */
static void test_sequence_is_the_arguments(void **state)
{
	struct fixture *fixture = *state;

	event_set_int(&fixture->event, F_EVENT_SEQUENCE, 5);
	render(fixture, 6);
	assert_string_equal(fixture->line, "{\"event\":{\"sequence\":6}}\n");
}

static void test_values_without_text_are_absent(void **state)
{
	struct fixture *fixture = *state;

	event_set_double(&fixture->event, F_COST_USD, NAN);
	event_set_double(&fixture->event, F_WINDOW_VALUE, INFINITY);
	event_set_double(&fixture->event, F_WINDOW_THRESHOLD, 1e300);
	render(fixture, 1);
	assert_string_equal(fixture->line, "{\"event\":{\"sequence\":1}}\n");
}

static void test_escapes(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"quote\" back\\ slash/", "quote\\\" back\\\\ slash/"},
		{"\b\f\n\r\t", "\\b\\f\\n\\r\\t"},
		{"\x01\x1b[31m\x7f", "\\u0001\\u001b[31m\\u007f"},
		/* C1 controls (U+009B is another way to say ESC [) and line separators */
		{"\xc2\x9b"
		 "2J\xc2\x85",
		 "\\u009b2J\\u0085"},
		{"\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029"},
		{"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"},
		/* overlong, surrogate, stray, cut short: one U+FFFD for each maximal subpart */
		{"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"a\x80"
		 "b",
		 "a\xef\xbf\xbd"
		 "b"},
		{"\xe2\x82", "\xef\xbf\xbd"},
		{"\xf0\x9f\x98x", "\xef\xbf\xbdx"},
		{"\",\"admin\":true,\"", "\\\",\\\"admin\\\":true,\\\""},
	};
	struct fixture *fixture = *state;
	char want[256];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		event_init(&fixture->event);
		event_set_text(&fixture->event, F_MESSAGE, cases[i].text);
		render(fixture, 1);
		snprintf(want, sizeof(want), "{\"event\":{\"sequence\":1},\"message\":\"%s\"}\n",
			 cases[i].want);
		assert_string_equal(fixture->line, want);
		json_object_put(parse(fixture->line));
	}
}

static void test_long_string_is_cut_at_a_character(void **state)
{
	struct fixture *fixture = *state;
	struct json_object *root;
	const char *got;

	memset(fixture->text, 'a', EVENT_STRING_MAX - 1);
	memcpy(fixture->text + EVENT_STRING_MAX - 1, "\xc3\xa4tail", 7);
	event_set_text(&fixture->event, F_MESSAGE, fixture->text);
	render(fixture, 1);
	root = parse(fixture->line);
	got = json_object_get_string(at(root, "message"));
	assert_int_equal(strlen(got), EVENT_STRING_MAX - 1);
	assert_true(truncated(root));
	json_object_put(root);

	fixture->text[EVENT_STRING_MAX - 1] = 'b';
	fixture->text[EVENT_STRING_MAX] = '\0';
	event_set_text(&fixture->event, F_MESSAGE, fixture->text);
	render(fixture, 1);
	root = parse(fixture->line);
	assert_int_equal(strlen(json_object_get_string(at(root, "message"))), EVENT_STRING_MAX);
	assert_null(at(root, "gnomon.truncated"));
	json_object_put(root);
}

/* An event that says by itself that it is truncated stays so, and one that says no is told yes. */
static void test_truncated_flag(void **state)
{
	struct fixture *fixture = *state;

	event_set_bool(&fixture->event, F_TRUNCATED, true);
	render(fixture, 1);
	assert_non_null(strstr(fixture->line, "\"gnomon\":{\"truncated\":true}}\n"));
	event_set_bool(&fixture->event, F_TRUNCATED, false);
	render(fixture, 1);
	assert_non_null(strstr(fixture->line, "\"gnomon\":{\"truncated\":false}}\n"));
	memset(fixture->text, 'a', EVENT_STRING_MAX + 1);
	event_set_string(&fixture->event, F_MESSAGE, span_of(fixture->text, EVENT_STRING_MAX + 1));
	render(fixture, 1);
	assert_non_null(strstr(fixture->line, "\"gnomon\":{\"truncated\":true}}\n"));
}

/* Appends `count` items of 1000 bytes to a list. */
static void add_items(struct fixture *fixture, enum field field, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_true(event_append(&fixture->event, field, span_of(fixture->text, 1000)));
}

/* Each step of the shedding order happens only when the one before was not enough. */
static void test_shedding_order(void **state)
{
	static const char *const order[] = {"related", "gnomon.ancestors", "gnomon.evidence",
					    "user_agent", "url.path"};
	struct fixture *fixture = *state;
	struct event *event = &fixture->event;
	struct json_object *root;

	memset(fixture->text, 'x', 1000);
	for (size_t kept = 7; kept <= 11; kept++) {
		size_t dropped = kept - 6;

		event_init(event);
		event_set_string(event, F_MESSAGE, span_of(fixture->text, 900));
		add_items(fixture, F_RELATED_IP, 1);
		add_items(fixture, F_ANCESTORS, 1);
		add_items(fixture, F_EVIDENCE, 1);
		event_set_string(event, F_USER_AGENT_ORIGINAL, span_of(fixture->text, 1000));
		event_set_string(event, F_URL_PATH, span_of(fixture->text, 1000));
		/* `kept` of these and the message leave room for 12 - kept of the five above */
		add_items(fixture, F_TAGS, kept - 5);
		render(fixture, 1);
		root = parse(fixture->line);
		for (size_t i = 0; i < ARRAY_SIZE(order); i++)
			assert_int_equal(at(root, order[i]) == NULL, i < dropped);
		assert_true(truncated(root));
		assert_int_equal(strlen(json_object_get_string(at(root, "message"))), 900);
		json_object_put(root);
	}
}

static void test_small_enough_is_left_alone(void **state)
{
	struct fixture *fixture = *state;
	struct json_object *root;
	size_t len = 0;

	/* Grow one string until the line is exactly full: nothing is shed before. */
	memset(fixture->text, 'x', 1000);
	add_items(fixture, F_TAGS, 6);
	add_items(fixture, F_RELATED_IP, 1);
	do {
		event_set_string(&fixture->event, F_MESSAGE, span_of(fixture->text, ++len));
		render(fixture, 1);
		root = parse(fixture->line);
		assert_int_equal(truncated(root), at(root, "related") == NULL);
		json_object_put(root);
	} while (strlen(fixture->line) < EVENT_LINE_MAX && len < 1000);
	assert_int_equal(strlen(fixture->line), EVENT_LINE_MAX);
	event_set_string(&fixture->event, F_MESSAGE, span_of(fixture->text, len + 1));
	render(fixture, 1);
	root = parse(fixture->line);
	assert_null(at(root, "related"));
	assert_true(truncated(root));
	json_object_put(root);
}

/* Every field, at its longest, of characters that take six bytes each. */
static void fill(struct fixture *fixture, char c)
{
	struct event *event = &fixture->event;
	struct net_address ip = {6,
				 {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
				  0xff, 0xff, 0xff, 0xff, 0xff}};
	struct span text = span_of(fixture->text, EVENT_LINE_MAX);

	memset(fixture->text, c, sizeof(fixture->text));
	event_init(event);
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		switch (field_table[i].type) {
		case FIELD_STRING:
			event_set_string(event, (enum field)i, text);
			break;
		case FIELD_INT:
			event_set_int(event, (enum field)i, INT64_MIN);
			break;
		case FIELD_DOUBLE:
			event_set_double(event, (enum field)i, -0.1 - 1e-15);
			break;
		case FIELD_BOOL:
			event_set_bool(event, (enum field)i, false);
			break;
		case FIELD_TIME:
			event_set_time(event, (enum field)i, UINT64_MAX);
			break;
		case FIELD_IP:
			event_set_ip(event, (enum field)i, &ip);
			break;
		case FIELD_LIST:
			event_append(event, (enum field)i, text);
			break;
		}
	}
	while (event->list_used < EVENT_LIST_MAX)
		event->list[event->list_used++] = text;
	event->value[F_TAGS].list = (struct field_list){event->list, EVENT_LIST_MAX};
}

static void test_largest_event_fits(void **state)
{
	static const char worst[] = {'\x01', 'a', '"', '\x80'};
	struct fixture *fixture = *state;
	struct json_object *root;
	char text[LABELS_TEXT_MAX];
	struct span labels = span_of(text, sizeof(text));

	memset(text, 'l', sizeof(text));
	memcpy(text, "{\"a\":\"", 6);
	memcpy(text + sizeof(text) - 2, "\"}", 2);
	for (size_t i = 0; i < sizeof(worst); i++) {
		fill(fixture, worst[i]);
		fixture->event.labels = labels;
		render(fixture, UINT64_MAX);
		root = parse(fixture->line);
		assert_true(truncated(root));
		/* all but the seven that are shed, and the labels */
		assert_int_equal(count_leaves(root), FIELD_COUNT - 7 + 1);
		json_object_put(root);
	}
}

/* What comes out is what went in, for every field and type. */
static void test_round_trip(void **state)
{
	struct fixture *fixture = *state;
	struct event *event = &fixture->event;
	struct json_object *root, *value;
	char want[TEXT_VALUE_MAX];
	size_t present = 0;

	fill(fixture, 'a');
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (field_table[i].type == FIELD_STRING)
			event->value[i].string = span_str(field_table[i].name);
		else if (field_table[i].type == FIELD_INT)
			event->value[i].integer = (int64_t)i - 70;
		else if (field_table[i].type == FIELD_LIST)
			event->value[i].list.count = 0;
	}
	render(fixture, 77);
	root = parse(fixture->line);
	assert_false(truncated(root));
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		value = at(root, field_table[i].name);
		if (field_table[i].type == FIELD_LIST) {
			assert_null(value);
			continue;
		}
		present++;
		switch (field_table[i].type) {
		case FIELD_STRING:
			assert_string_equal(json_object_get_string(value), field_table[i].name);
			break;
		case FIELD_INT:
			assert_int_equal(json_object_get_int64(value),
					 i == F_EVENT_SEQUENCE ? 77 : (int64_t)i - 70);
			break;
		case FIELD_DOUBLE:
			assert_true(fabs(json_object_get_double(value) + 0.1) < 1e-9);
			break;
		case FIELD_BOOL:
			assert_true(json_object_is_type(value, json_type_boolean));
			break;
		case FIELD_TIME:
			text_time(want, UINT64_MAX);
			assert_string_equal(json_object_get_string(value), want);
			break;
		case FIELD_IP:
			assert_string_equal(json_object_get_string(value),
					    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
			break;
		case FIELD_LIST:
			break;
		}
	}
	assert_int_equal(count_leaves(root), present);
	json_object_put(root);
}

/* A smaller buffer sheds more; one that holds nothing is an error, and is not written past. */
static void test_small_buffers(void **state)
{
	struct fixture *fixture = *state;

	event_set_text(&fixture->event, F_MESSAGE, "0123456789012345678901234567890123456789");
	for (size_t cap = 0; cap < 120; cap++) {
		_cleanup_free_ char *line = malloc(cap + 1);
		ssize_t len;

		assert_non_null(line);
		line[cap] = '#';
		len = ecs_format.render(&fixture->event, 1, line, cap);
		assert_int_equal(line[cap], '#');
		if (cap < sizeof("{\"event\":{\"sequence\":1},\"message\":\"0\",\"gnomon\":{"
				 "\"truncated\":true}}"))
			assert_int_equal(len, -EMSGSIZE);
		else
			assert_true(len > 0 && (size_t)len <= cap && line[len - 1] == '\n');
	}
}

static void test_table(void **state)
{
	(void)state;
	assert_ptr_equal(format_find(SPAN_LITERAL("ecs")), &ecs_format);
	assert_null(format_find(SPAN_LITERAL("ec")));
	assert_null(format_find(span_str(NULL)));
}

#define with_fixture(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_fixture(test_golden_request),
		with_fixture(test_empty_event),
		with_fixture(test_sequence_is_the_arguments),
		with_fixture(test_values_without_text_are_absent),
		with_fixture(test_escapes),
		with_fixture(test_long_string_is_cut_at_a_character),
		with_fixture(test_truncated_flag),
		with_fixture(test_shedding_order),
		with_fixture(test_small_enough_is_left_alone),
		with_fixture(test_largest_event_fits),
		with_fixture(test_round_trip),
		with_fixture(test_small_buffers),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
