/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow/community_id.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct net_endpoint endpoint(const char *address, uint16_t port)
{
	struct net_endpoint e = {.port = port};

	if (inet_pton(AF_INET, address, e.address.bytes) == 1)
		e.address.family = 4;
	else if (inet_pton(AF_INET6, address, e.address.bytes) == 1)
		e.address.family = 6;
	return e;
}

/* The specification's baseline, and that of its reference implementation. */
static void published_vectors(void **state)
{
	static const struct {
		const char *source, *destination;
		uint16_t source_port, destination_port;
		uint8_t protocol;
		const char *id;
	} vectors[] = {
		{"128.232.110.120", "66.35.250.204", 34855, 80, 6,
		 "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{"192.168.1.52", "8.8.8.8", 54585, 53, 17, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
		{"2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25, 6,
		 "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct net_endpoint a = endpoint(vectors[i].source, vectors[i].source_port);
		struct net_endpoint b = endpoint(vectors[i].destination,
						 vectors[i].destination_port);
		char id[COMMUNITY_ID_MAX];

		community_id(id, &a, &b, vectors[i].protocol);
		assert_string_equal(id, vectors[i].id);
		community_id(id, &b, &a, vectors[i].protocol);
		assert_string_equal(id, vectors[i].id);
	}
}

static void ports_decide_between_equal_addresses(void **state)
{
	struct net_endpoint a = endpoint("127.0.0.1", 80), b = endpoint("127.0.0.1", 1024);
	char one[COMMUNITY_ID_MAX], other[COMMUNITY_ID_MAX];

	(void)state;
	community_id(one, &a, &b, 6);
	community_id(other, &b, &a, 6);
	assert_string_equal(one, other);
	community_id(other, &a, &b, 17);
	assert_string_not_equal(one, other);
}

static void no_id_without_addresses(void **state)
{
	struct net_endpoint a = endpoint("10.0.0.1", 1), b = endpoint("::1", 2), none = {0};
	char id[COMMUNITY_ID_MAX] = "x";

	(void)state;
	community_id(id, &a, &b, 6);
	assert_string_equal(id, "");
	community_id(id, &none, &none, 6);
	assert_string_equal(id, "");
	community_id(id, &a, &a, 1);
	assert_string_equal(id, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors),
		cmocka_unit_test(ports_decide_between_equal_addresses),
		cmocka_unit_test(no_id_without_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
