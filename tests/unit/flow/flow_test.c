/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow/flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "gnomon/limits.h"

static void count_release(void *ctx, struct flow *flow)
{
	(void)flow;
	++*(unsigned int *)ctx;
}

static struct net_endpoint endpoint(uint8_t last, uint16_t port)
{
	return (struct net_endpoint){.address = {4, {10, 0, 0, last}}, .port = port};
}

static void cookie_and_pair_are_separate_worlds(void **state)
{
	unsigned int released = 0;
	struct flows *flows = flows_new(count_release, &released);
	struct flow like = {
		.client = endpoint(1, 40000), .server = endpoint(2, 443), .transport = 6};
	struct flow *captured, *live;

	(void)state;
	captured = flows_add(flows, &like);
	like.cookie = 77;
	live = flows_add(flows, &like);
	assert_ptr_equal(flows_find_cookie(flows, 77), live);
	assert_ptr_equal(flows_find_pair(flows, &like.client, &like.server, 6), captured);
	assert_null(flows_find_cookie(flows, 0));
	assert_null(flows_find_cookie(flows, 78));
	flows_free(flows);
	assert_int_equal(released, 2);
}

static void a_pair_is_found_from_both_sides_but_not_by_halves(void **state)
{
	unsigned int released = 0;
	struct flows *flows = flows_new(count_release, &released);
	struct flow like = {
		.client = endpoint(9, 40000), .server = endpoint(2, 443), .transport = 6};
	struct net_endpoint other = endpoint(9, 40001);
	struct flow *flow = flows_add(flows, &like);

	(void)state;
	assert_ptr_equal(flows_find_pair(flows, &like.server, &like.client, 6), flow);
	assert_null(flows_find_pair(flows, &other, &like.server, 6));
	assert_null(flows_find_pair(flows, &like.client, &like.server, 17));
	flows_remove(flows, flow);
	assert_int_equal(released, 1);
	assert_null(flows_find_pair(flows, &like.client, &like.server, 6));
	flows_free(flows);
}

static void a_full_table_gives_up_the_least_recently_used(void **state)
{
	unsigned int released = 0;
	struct flows *flows = flows_new(count_release, &released);

	(void)state;
	for (uint64_t i = 1; i <= FLOWS_MAX; i++)
		assert_non_null(flows_add(flows, &(struct flow){.cookie = i}));
	assert_int_equal(flows_count(flows), FLOWS_MAX);
	assert_non_null(flows_find_cookie(flows, 1)); /* now the newest */
	assert_non_null(flows_add(flows, &(struct flow){.cookie = FLOWS_MAX + 1}));
	assert_int_equal(flows_count(flows), FLOWS_MAX);
	assert_int_equal(flows_evicted(flows), 1);
	assert_int_equal(released, 1);
	assert_non_null(flows_find_cookie(flows, 1));
	assert_null(flows_find_cookie(flows, 2));
	flows_free(flows);
	assert_int_equal(released, FLOWS_MAX + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cookie_and_pair_are_separate_worlds),
		cmocka_unit_test(a_pair_is_found_from_both_sides_but_not_by_halves),
		cmocka_unit_test(a_full_table_gives_up_the_least_recently_used),
	};

	return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
