/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "util/authority.h"
#include "util/punycode.h"

static void is(const char *host, const char *wire)
{
	char text[256];
	int n = punycode_host(span_str(host), text, sizeof(text));

	assert_true(n >= 0);
	text[n] = '\0';
	assert_string_equal(text, wire);
}

static void test_punycode(void **state)
{
	char text[8];

	(void)state;
	/* RFC 3492 section 7.1: (A), (B), (H), (L), (O), (Q); and names in use */
	is("\u0644\u064A\u0647\u0645\u0627\u0628\u062A\u0643\u0644\u0645\u0648\u0634\u0639\u0631"
	   "\u0628\u064A\u061F",
	   "xn--egbpdaj6bu4bxfgehfvwxn");
	is("\u4ED6\u4EEC\u4E3A\u4EC0\u4E48\u4E0D\u8BF4\u4E2D\u6587",
	   "xn--ihqwcrb4cv8a8dqg056pqjye");
	is("3\u5E74B\u7D44\u91D1\u516B\u5148\u751F", "xn--3B-ww4c5e180e575a65lsy2b");
	is("\u3072\u3068\u3064\u5C4B\u6839\u306E\u4E0B2", "xn--2-u9tlzr9756bt3uc0v");
	is("\u305D\u306E\u30B9\u30D4\u30FC\u30C9\u3067", "xn--d9juau41awczczp");
	is("b\u00FCcher.example", "xn--bcher-kva.example");
	is("api.m\u00FCnchen.de.", "api.xn--mnchen-3ya.de.");
	is("\u043F\u0440\u0438\u043C\u0435\u0440.\u0440\u0444", "xn--e1afmkfd.xn--p1ai");
	is("plain.example", "plain.example");
	is("", "");
	assert_int_equal(punycode_host(SPAN_LITERAL("b\xfc"), text, sizeof(text)), -EINVAL);
	assert_int_equal(punycode_host(SPAN_LITERAL("\u00FCa"), text, sizeof(text)), -ERANGE);
	assert_int_equal(punycode_host(SPAN_LITERAL("abcdefgh"), text, sizeof(text)), -ERANGE);
}

static void test_too_long(void **state)
{
	char host[300], text[256];

	(void)state;
	memset(host, 'a', sizeof(host));
	assert_int_equal(punycode_host(span_of(host, 63), text, sizeof(text)), 63);
	assert_int_equal(punycode_host(span_of(host, 64), text, sizeof(text)), -ERANGE);
	memcpy(host, "\u00FC", 2);
	assert_int_equal(punycode_host(span_of(host, 62), text, sizeof(text)), -ERANGE);
	for (size_t i = 10; i < sizeof(host); i += 10)
		host[i] = '.';
	assert_int_equal(punycode_host(span_of(host, sizeof(host)), text, sizeof(text)), -ERANGE);
}

static void host_is(const char *authority, const char *host)
{
	struct span got = authority_host(span_str(authority));

	assert_true(span_eq(got, span_str(host)));
}

static void test_authority(void **state)
{
	(void)state;
	host_is("a.io", "a.io");
	host_is("a.io:8443", "a.io");
	host_is("me@a.io:8443", "a.io");
	host_is("me:secret@a.io", "a.io");
	host_is("[2001:db8::1]:443", "2001:db8::1");
	host_is("[2001:db8::1]", "2001:db8::1");
	host_is("[2001:db8::1", "[2001:db8::1");
	host_is("2001:db8::1", "2001:db8::1");
	host_is("::1", "::1");
	host_is("", "");
	host_is(":443", "");
}

static void url_is(const char *url, const char *authority, const char *path)
{
	struct span rest, got = url_authority(span_str(url), &rest);

	assert_true(span_eq(got, span_str(authority)));
	assert_true(span_eq(rest, span_str(path)));
}

static void test_url(void **state)
{
	(void)state;
	url_is("https://a.io:8443/x?y", "a.io:8443", "/x?y");
	url_is("a.io/x", "a.io", "/x");
	url_is("a.io", "a.io", "");
	url_is("a.io?x", "a.io", "");
	url_is("https://a.io#x", "a.io", "");
	url_is("a.io/http://b.io/", "a.io", "/http://b.io/");
	url_is("://a.io", "a.io", "");
	url_is("https://", "", "");
	url_is("", "", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_punycode),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_authority),
		cmocka_unit_test(test_url),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
