/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "gnomon/limits.h"
#include "util/cleanup.h"
#include "util/diag.h"
#include "util/yaml.h"

static struct yaml_document *load(const char *text, struct diag *diag)
{
	return yaml_load("f", span_str(text), diag);
}

/* The text must be refused with exactly these messages. */
static void refuse(const char *text, size_t count, const char *const *messages)
{
	struct diag diag = {0};

	assert_null(load(text, &diag));
	assert_int_equal(diag.count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(diag.messages[i], messages[i]);
	diag_done(&diag);
}

#define REFUSE(text, ...)                                                                          \
	refuse(text, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),                       \
	       (const char *[]){__VA_ARGS__})

static void test_tree(void **state)
{
	struct diag diag = {0};
	struct yaml_document *document = load("a: 1\nb:\n  - x\n  - {c: NO, d: \"y\\nz\"}\ne: {}\n",
					      &diag);
	const struct yaml_node *root, *b, *map;

	(void)state;
	assert_non_null(document);
	assert_int_equal(diag.count, 0);
	root = yaml_root(document);
	assert_int_equal(root->kind, YAML_MAPPING);
	assert_int_equal(root->count, 3);
	assert_string_equal(yaml_string(yaml_get(root, "a")), "1");
	b = yaml_get(root, "b");
	assert_int_equal(b->kind, YAML_SEQUENCE);
	assert_int_equal(b->count, 2);
	assert_int_equal(b->first->line, 3);
	assert_int_equal(b->first->column, 5);
	map = b->first->next;
	assert_string_equal(yaml_string(yaml_get(map, "c")), "NO");
	assert_string_equal(yaml_string(yaml_get(map, "d")), "y\nz");
	assert_int_equal(yaml_get(root, "e")->count, 0);
	assert_null(yaml_get(root, "missing"));
	assert_null(yaml_get(b, "a"));
	yaml_unload(document);
}

static void test_empty(void **state)
{
	static const char *const texts[] = {"", "\n", "# nothing\n", "\xef\xbb\xbf"};
	struct diag diag = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct yaml_document *document = load(texts[i], &diag);

		assert_non_null(document);
		assert_null(yaml_root(document));
		yaml_unload(document);
	}
	assert_int_equal(diag.count, 0);
}

static void test_refused(void **state)
{
	(void)state;
	REFUSE("a: &x 1\n", "f:1:4: anchors are not supported");
	REFUSE("a: !!str 1\nb: !t {}\n", "f:1:4: tags are not supported",
	       "f:2:4: tags are not supported");
	REFUSE("a: &x 1\nb: *x\n", "f:1:4: anchors are not supported",
	       "f:2:4: aliases are not supported");
	REFUSE("a: 1\nb: 2\na: 3\n\"b\": 4\n", "f:3:1: duplicate key \"a\", first on line 1",
	       "f:4:1: duplicate key \"b\", first on line 2");
	REFUSE("a: {x: 1, x: 2}\n", "f:1:11: duplicate key \"x\", first on line 1");
	REFUSE("a: 1\n---\nb: 2\n", "f:2:1: more than one document");
	REFUSE("{[a]: 1}\n", "f:1:2: a key must be a scalar");
	REFUSE("a: b\n\tc: d\n", "f:2:1: while scanning a plain scalar: "
				 "found a tab character that violates indentation");
	REFUSE("%TAG ! tag:x,2000:\n---\na: 1\n", "f:1:1: tags are not supported");
}

static void test_not_utf8(void **state)
{
	struct diag diag = {0};

	(void)state;
	assert_null(load("a: 1\nb: \"\xc3\x28\"\n", &diag));
	assert_int_equal(diag.count, 1);
	assert_string_equal(diag.messages[0],
			    "f:2:6: not valid UTF-8 text: invalid trailing UTF-8 octet");
	diag_done(&diag);
	/* UTF-16 with its mark is not taken for what it is. */
	assert_null(yaml_load("f",
			      span_of("\xff\xfe"
				      "a\0:\0 \0"
				      "1\0",
				      10),
			      &diag));
	assert_int_equal(diag.count, 1);
	diag_done(&diag);
}

static void test_caps(void **state)
{
	struct diag diag = {0};
	char deep[2 * (YAML_DEPTH_MAX + 1) + 1];
	struct yaml_document *document;
	size_t n = YAML_DEPTH_MAX + 1;

	(void)state;
	memset(deep, '[', n);
	memset(deep + n, ']', n);
	deep[2 * n] = '\0';
	assert_null(load(deep, &diag));
	assert_int_equal(diag.count, 1);
	assert_string_equal(diag.messages[0], "f:1:33: nested too deeply");
	diag_done(&diag);
	/* One level less is taken. */
	deep[2 * n - 1] = '\0';
	document = load(deep + 1, &diag);
	assert_non_null(document);
	yaml_unload(document);

	assert_null(yaml_load("f", span_of(deep, YAML_BYTES_MAX + 1), &diag));
	assert_string_equal(diag.messages[0], "f: larger than 16777216 bytes");
	diag_done(&diag);
}

static void test_many_keys(void **state)
{
	struct diag diag = {0};
	struct yaml_document *document;
	char *text = malloc(20 * 50000), *to = text;

	(void)state;
	for (int i = 0; i < 50000; i++)
		to += sprintf(to, "k%d: v\n", i);
	document = load(text, &diag);
	assert_non_null(document);
	assert_int_equal(yaml_root(document)->count, 50000);
	yaml_unload(document);
	free(text);
}

static void test_scalars(void **state)
{
	struct diag diag = {0};
	struct yaml_document *document =
		load("[true, FALSE, yes, \"true\", 12, -0x1, 0x1F, 0o17, 9223372036854775808, 1.5, "
		     "~, \"\", null, +7, \"12\", 1-, 0x]",
		     &diag);
	const struct yaml_node *n[17];
	bool truth = false;
	int64_t number = 0;
	size_t i = 0;

	(void)state;
	assert_non_null(document);
	for (const struct yaml_node *item = yaml_root(document)->first; item; item = item->next)
		n[i++] = item;
	assert_int_equal(i, 17);
	assert_int_equal(yaml_bool(n[0], &truth), 0);
	assert_true(truth);
	assert_int_equal(yaml_bool(n[1], &truth), 0);
	assert_false(truth);
	assert_int_equal(yaml_bool(n[2], &truth), -EINVAL);
	assert_int_equal(yaml_bool(n[3], &truth), -EINVAL);
	assert_int_equal(yaml_int(n[4], &number), 0);
	assert_int_equal(number, 12);
	assert_int_equal(yaml_int(n[5], &number), -EINVAL);
	assert_int_equal(yaml_int(n[6], &number), 0);
	assert_int_equal(number, 31);
	assert_int_equal(yaml_int(n[7], &number), 0);
	assert_int_equal(number, 15);
	assert_int_equal(yaml_int(n[8], &number), -ERANGE);
	assert_int_equal(yaml_int(n[9], &number), -EINVAL);
	assert_true(yaml_is_null(n[10]));
	assert_false(yaml_is_null(n[11]));
	assert_null(yaml_string(n[11]));
	assert_true(yaml_is_null(n[12]));
	assert_int_equal(yaml_int(n[13], &number), 0);
	assert_int_equal(number, 7);
	assert_int_equal(yaml_int(n[14], &number), -EINVAL);
	assert_int_equal(yaml_int(n[15], &number), -EINVAL);
	assert_int_equal(yaml_int(n[16], &number), -EINVAL);
	yaml_unload(document);
}

/* Where the '@' of the value of "k" was written must be where yaml_position() says. */
static void position(const char *text)
{
	struct diag diag = {0};
	struct yaml_document *document = load(text, &diag);
	const struct yaml_node *node;
	unsigned int line, column, want_line = 1, want_column = 1;
	const char *at;

	assert_non_null(document);
	node = yaml_get(yaml_root(document), "k");
	at = memchr(node->text.at, '@', node->text.len);
	assert_non_null(at);
	for (const char *p = text; *p != '@'; p++) {
		if (*p == '\n') {
			want_line++;
			want_column = 1;
		} else if (((unsigned char)*p & 0xc0) != 0x80) {
			want_column++;
		}
	}
	yaml_position(document, node, (size_t)(at - node->text.at), &line, &column);
	assert_int_equal(line, want_line);
	assert_int_equal(column, want_column);
	yaml_unload(document);
}

static void test_positions(void **state)
{
	(void)state;
	position("k: one two @\n");
	position("k: one\n   two   \n     @ three\n");
	position("k: one\n\n\n  two @\n");
	position("k: 'it''s @'\n");
	position("k: 'it''s\n   two @'\n");
	position("k: \"a \\\" \\x41 \\u00e9 \\\\ @\"\n");
	position("k: \"a \\\n   b @\"\n");
	position("k: \"a\n\n  b @\"\n");
	position("k: h\xc3\xa9llo w\xc3\xb6rld @\n");
	position("k: |\n  one\n  two @\n");
	position("k: |\n  one\n    indented @\n");
	position("k: |\n\n  one\n\n  two @\n");
	position("k: >\n  one\n  two @\n");
	position("k: >-\n  one\n\n  two\n  three @\n");
	position("x: 1\nk:\n  on the next line @\n");
	position("{k: in flow @}\n");
}

static void test_check(void **state)
{
	static const struct yaml_key keys[] = {
		{"name", YAML_SCALAR, .required = true},
		{"models", YAML_SEQUENCE},
		{"service", YAML_SCALAR, .list_too = true},
		{0},
	};
	struct diag diag = {0};
	struct yaml_document *document = load("nmae: x\nmodels: y\nservice: {}\nzzzzzz: 1\n",
					      &diag);

	(void)state;
	assert_false(yaml_check(document, yaml_root(document), "a thing", keys, &diag));
	assert_int_equal(diag.count, 5);
	assert_string_equal(diag.messages[0],
			    "f:1:1: unknown key \"nmae\" in a thing, did you mean \"name\"?");
	assert_string_equal(diag.messages[1], "f:2:9: \"models\" must be a list, not a scalar");
	assert_string_equal(diag.messages[2],
			    "f:3:10: \"service\" must be a scalar or a list, not a mapping");
	assert_string_equal(diag.messages[3], "f:4:1: unknown key \"zzzzzz\" in a thing");
	assert_string_equal(diag.messages[4], "f:1:1: a thing needs \"name\"");
	yaml_unload(document);
	diag_done(&diag);
	document = load("name: x\nservice: [a]\n", &diag);
	assert_true(yaml_check(document, yaml_root(document), "a thing", keys, &diag));
	assert_int_equal(diag.count, 0);
	yaml_unload(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),    cmocka_unit_test(test_empty),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_not_utf8),
		cmocka_unit_test(test_caps),    cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_scalars), cmocka_unit_test(test_positions),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
