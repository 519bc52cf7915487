/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/dns.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* The bytes of a record a line. */
/* clang-format off */
#define HEADER "\x00\x07\x81\x80\x00\x01"
#define REST   "\x00\x00\x00\x00"
#define OPENAI "\x03" "API" "\x06" "openai" "\x03" "com" "\x00"
#define A_IN   "\x00\x01\x00\x01"
#define AAAA_IN "\x00\x1c\x00\x01"
#define MESSAGE(text) span_of(text, sizeof(text) - 1)

struct heard {
	char text[512];
};

static void hear(void *ctx, const struct dns_answer *a)
{
	struct heard *h = ctx;
	size_t used = strlen(h->text);

	snprintf(h->text + used, sizeof(h->text) - used, "%s %u:%u.%u %u%s;", a->name,
		 a->address.family, a->address.bytes[0], a->address.bytes[3], a->ttl_s,
		 a->ech ? " ech" : "");
}

static const char two_addresses[] = HEADER "\x00\x02" REST OPENAI A_IN
	"\xc0\x0c" A_IN "\x00\x00\x00\x3c\x00\x04\x01\x02\x03\x04"
	"\xc0\x0c" A_IN "\x00\x00\x00\x1e\x00\x04\x05\x06\x07\x08";
static const char alias[] = HEADER "\x00\x03" REST OPENAI AAAA_IN
	"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x14\x00\x05\x01" "e" "\x01" "f" "\x00"
	"\x01" "e" "\x01" "f" "\x00" AAAA_IN "\x00\x00\x00\x3c\x00\x10"
	"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
	/* of somebody else: not told */
	"\x01" "x" "\x00" A_IN "\x00\x00\x00\x3c\x00\x04\x09\x09\x09\x09";
static const char https[] = HEADER "\x00\x01" REST OPENAI "\x00\x41\x00\x01"
	"\xc0\x0c\x00\x41\x00\x01\x00\x00\x00\x3c\x00\x0f\x00\x01\x00"
	"\x00\x01\x00\x03\x02" "h2" "\x00\x05\x00\x01" "k";

/* clang-format on */
static void addresses_of_the_question(void **state)
{
	struct heard h = {0};

	(void)state;
	assert_int_equal(dns_read(MESSAGE(two_addresses), hear, &h), 2);
	assert_string_equal(h.text, "api.openai.com 4:1.4 60;api.openai.com 4:5.8 30;");
}

static void aliases_are_followed(void **state)
{
	struct heard h = {0};

	(void)state;
	assert_int_equal(dns_read(MESSAGE(alias), hear, &h), 1);
	assert_string_equal(h.text, "api.openai.com 6:32.184 20;");
}

static void https_records_tell_of_ech(void **state)
{
	struct heard h = {0};

	(void)state;
	assert_int_equal(dns_read(MESSAGE(https), hear, &h), 1);
	assert_string_equal(h.text, "api.openai.com 0:0.0 60 ech;");
}

static void what_is_no_answer(void **state)
{
	struct heard h = {0};
	char message[sizeof(two_addresses)];

	(void)state;
	memcpy(message, two_addresses, sizeof(message));
	message[2] = 1; /* a query */
	assert_int_equal(dns_read(MESSAGE(message), hear, &h), -ENOMSG);
	message[2] = (char)0x83; /* cut */
	assert_int_equal(dns_read(MESSAGE(message), hear, &h), -ENOMSG);
	message[2] = (char)0x81;
	message[3] = (char)0x83; /* no such name */
	assert_int_equal(dns_read(MESSAGE(message), hear, &h), -ENOMSG);
	assert_string_equal(h.text, "");
}

static void pointers_that_go_round_are_malformed(void **state)
{
	static const char self[] = HEADER "\x00\x01" REST "\xc0\x0c" A_IN;
	static const char forward[] = HEADER "\x00\x01" REST "\xc0\x12" A_IN "\x01"
					     "a"
					     "\x00";
	struct heard h = {0};

	(void)state;
	assert_int_equal(dns_read(MESSAGE(self), hear, &h), -EBADMSG);
	assert_int_equal(dns_read(MESSAGE(forward), hear, &h), -EBADMSG);
}

static void cut_anywhere_is_malformed(void **state)
{
	struct span whole = MESSAGE(alias);

	(void)state;
	for (size_t cut = 0; cut < whole.len; cut++) {
		struct heard h = {0};
		char *copy = malloc(cut + 1);

		memcpy(copy, whole.at, cut);
		assert_int_equal(dns_read(span_of(copy, cut), hear, &h), -EBADMSG);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_the_question),
		cmocka_unit_test(aliases_are_followed),
		cmocka_unit_test(https_records_tell_of_ech),
		cmocka_unit_test(what_is_no_answer),
		cmocka_unit_test(pointers_that_go_round_are_malformed),
		cmocka_unit_test(cut_anywhere_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
