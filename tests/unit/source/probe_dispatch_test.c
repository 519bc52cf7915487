/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/probe_dispatch.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* clang-format off: cmocka.h needs those above */
#include <cmocka.h>
/* clang-format on */

#include "util/cleanup.h"

/* The kernel's maps, and programs that are their own descriptors: these stand in front of libbpf's functions. */
enum { PLACES = 1, PROGRAMS };

static uint32_t places[PLACES_PER_PAGE];
static int programs[DISPATCHED_PROGRAMS_MAX];
static bool refuse;

int bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	uint32_t at = *(const uint32_t *)key;

	assert_int_equal(flags, BPF_ANY);
	if (refuse) {
		errno = EPERM;
		return -EPERM;
	}
	if (fd == PLACES) {
		assert_true(at < ARRAY_SIZE(places));
		memcpy(&places[at], value, sizeof(places[at]));
	} else {
		assert_true(fd == PROGRAMS && at < ARRAY_SIZE(programs));
		memcpy(&programs[at], value, sizeof(programs[at]));
	}
	return 0;
}

int bpf_program__fd(const struct bpf_program *program)
{
	return (int)(intptr_t)program;
}

static const struct bpf_program *program(int fd)
{
	return (const struct bpf_program *)(intptr_t)fd;
}

static void start(struct probe_dispatch *dispatch)
{
	memset(places, 0, sizeof(places));
	memset(programs, 0, sizeof(programs));
	refuse = false;
	probe_dispatch_init(dispatch, program(99), PLACES, PROGRAMS);
}

/* What the kernel half would run there. */
static int runs_at(unsigned long address)
{
	return programs[places[address % PLACES_PER_PAGE]];
}

static void a_place_runs_its_program(void **state)
{
	static struct probe_dispatch d;

	(void)state;
	start(&d);
	assert_true(probe_dispatch_take(&d, 0x12345, program(10)));
	assert_true(probe_dispatch_take(&d, 0x12400, program(11)));
	assert_true(probe_dispatch_take(&d, 0x7000, program(11)));
	assert_int_equal(runs_at(0x7f0000012345), 10);
	assert_int_equal(runs_at(0x12400), 11);
	assert_int_equal(runs_at(0), 11);
	assert_int_equal(runs_at(1), 0);
}

/* Of two files: the address of one is where the other wants another program. */
static void a_place_is_one_programs(void **state)
{
	static struct probe_dispatch d;

	(void)state;
	start(&d);
	assert_true(probe_dispatch_take(&d, 0x1abc, program(10)));
	assert_true(probe_dispatch_take(&d, 0x2abc, program(10)));
	assert_false(probe_dispatch_take(&d, 0x3abc, program(11)));
	assert_int_equal(runs_at(0xabc), 10);
	probe_dispatch_release(&d, 0x1abc);
	assert_false(probe_dispatch_take(&d, 0x3abc, program(11)));
	probe_dispatch_release(&d, 0x2abc);
	assert_true(probe_dispatch_take(&d, 0x3abc, program(11)));
	assert_int_equal(runs_at(0xabc), 11);
}

static void programs_are_limited(void **state)
{
	static struct probe_dispatch d;
	const int first = 100;

	(void)state;
	start(&d);
	for (int i = 1; i < DISPATCHED_PROGRAMS_MAX; i++)
		assert_true(probe_dispatch_take(&d, (unsigned long)i, program(first + i)));
	assert_false(probe_dispatch_take(&d, 500, program(first)));
	assert_true(probe_dispatch_take(&d, 500, program(first + 1)));
	assert_int_equal(runs_at(DISPATCHED_PROGRAMS_MAX - 1), first + DISPATCHED_PROGRAMS_MAX - 1);
}

static void a_refusal_takes_nothing(void **state)
{
	static struct probe_dispatch d;

	(void)state;
	start(&d);
	refuse = true;
	assert_false(probe_dispatch_take(&d, 8, program(10)));
	refuse = false;
	assert_true(probe_dispatch_take(&d, 8, program(11)));
	assert_int_equal(runs_at(8), 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_place_runs_its_program),
		cmocka_unit_test(a_place_is_one_programs),
		cmocka_unit_test(programs_are_limited),
		cmocka_unit_test(a_refusal_takes_nothing),
	};

	return cmocka_run_group_tests_name("probe_dispatch", tests, NULL, NULL);
}
