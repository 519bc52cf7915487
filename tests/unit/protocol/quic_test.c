/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/quic.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "quic_vectors.h"

static size_t unhex(const char *hex, char *to)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		const char byte[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		to[i] = (char)strtoul(byte, NULL, 16);
	}
	return n;
}

static void check_vector(const char *hex)
{
	struct quic_initials *q = quic_initials_new();
	struct tls_hello hello = {0};
	char datagram[1200];
	size_t n = unhex(hex, datagram);

	assert_int_equal(n, sizeof(datagram));
	assert_true(quic_starts(span_of(datagram, n)));
	assert_int_equal(quic_initials_feed(q, span_of(datagram, n), &hello), 1);
	assert_string_equal(hello.server_name, "example.com");
	assert_string_equal(hello.alpn, "alpn");
	assert_int_equal(hello.version, 0x0304);
	assert_int_equal(hello.ja4[0], 'q');
	/* whatever comes afterwards */
	hello.server_name[0] = '\0';
	assert_int_equal(quic_initials_feed(q, span_of("x", 1), &hello), 1);
	assert_string_equal(hello.server_name, "example.com");
	quic_initials_free(q);
}

static void the_examples_of_the_rfcs(void **state)
{
	(void)state;
	check_vector(rfc9001_initial);
	check_vector(rfc9369_initial);
}

/* One flipped bit anywhere in the packet: the tag does not fit, or the header is no Initial's. */
static void damaged_packets_tell_nothing(void **state)
{
	char datagram[1200];
	size_t n = unhex(rfc9001_initial, datagram);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct quic_initials *q = quic_initials_new();
		struct tls_hello hello;

		datagram[i] ^= 0x10;
		assert_int_equal(quic_initials_feed(q, span_of(datagram, n), &hello), 0);
		datagram[i] ^= 0x10;
		/* and do no harm to what comes after */
		assert_int_equal(quic_initials_feed(q, span_of(datagram, n), &hello), 1);
		quic_initials_free(q);
	}
}

static void cut_packets_tell_nothing(void **state)
{
	char datagram[1200];
	size_t n = unhex(rfc9001_initial, datagram);
	struct quic_initials *q = quic_initials_new();
	struct tls_hello hello;

	(void)state;
	for (size_t cut = 0; cut < n; cut++) {
		char *copy = malloc(cut + 1); /* of that size, for the sanitizer */

		memcpy(copy, datagram, cut);
		assert_false(quic_starts(span_of(copy, cut)));
		assert_int_equal(quic_initials_feed(q, span_of(copy, cut), &hello), 0);
		free(copy);
	}
	quic_initials_free(q);
}

static void other_versions_and_short_headers_are_not_taken(void **state)
{
	char datagram[1200];
	size_t n = unhex(rfc9001_initial, datagram);

	(void)state;
	datagram[4] = 9;
	assert_false(quic_starts(span_of(datagram, n)));
	datagram[4] = 1;
	datagram[0] &= 0x7f;
	assert_false(quic_starts(span_of(datagram, n)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_the_rfcs),
		cmocka_unit_test(damaged_packets_tell_nothing),
		cmocka_unit_test(cut_packets_tell_nothing),
		cmocka_unit_test(other_versions_and_short_headers_are_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
