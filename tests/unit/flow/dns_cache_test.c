/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow/dns_cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "gnomon/limits.h"

#define S 1000000000ULL

static struct net_address address_of(uint32_t n)
{
	struct net_address a = {4, {0}};

	for (int i = 0; i < 4; i++)
		a.bytes[i] = (uint8_t)(n >> 8 * i);
	return a;
}

static void the_last_name_until_its_time_is_up(void **state)
{
	struct dns_cache *cache = dns_cache_new();
	struct net_address a = address_of(1), b = address_of(2);

	(void)state;
	dns_cache_add(cache, &a, "old.example", 1000, 0);
	dns_cache_add(cache, &a, "new.example", 1000, S);
	assert_string_equal(dns_cache_find(cache, &a, 1000 * S), "new.example");
	assert_null(dns_cache_find(cache, &a, 1002 * S));
	assert_null(dns_cache_find(cache, &b, S));
	assert_int_equal(dns_cache_count(cache), 0);
	/* a TTL of nothing lasts as long as a client takes to connect, an endless one a day */
	dns_cache_add(cache, &a, "a.example", 0, 0);
	dns_cache_add(cache, &b, "b.example", UINT32_MAX, 0);
	assert_string_equal(dns_cache_find(cache, &a, DNS_TTL_MIN_S * S), "a.example");
	assert_null(dns_cache_find(cache, &a, DNS_TTL_MIN_S * S + 1));
	assert_string_equal(dns_cache_find(cache, &b, DNS_TTL_MAX_S * S), "b.example");
	assert_null(dns_cache_find(cache, &b, DNS_TTL_MAX_S * S + 1));
	dns_cache_free(cache);
}

static void it_is_bounded(void **state)
{
	struct dns_cache *cache = dns_cache_new();
	struct net_address first = address_of(0), a;

	(void)state;
	for (uint32_t i = 0; i <= DNS_CACHE_MAX; i++) {
		a = address_of(i);
		dns_cache_add(cache, &a, "x.example", 60, 0);
	}
	assert_int_equal(dns_cache_count(cache), DNS_CACHE_MAX);
	assert_null(dns_cache_find(cache, &first, 0));
	assert_string_equal(dns_cache_find(cache, &a, 0), "x.example");
	dns_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_name_until_its_time_is_up),
		cmocka_unit_test(it_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
