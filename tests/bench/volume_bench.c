/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How many alerts a fleet gives: a generated week of 1,000 endpoints under the built-in rules, and another one
 * under the policy that the first suggests. Promised: at most 0.2 alerts an endpoint and day in the second,
 * and each says who, what, how much, why and what to do. volume_bench [ENDPOINTS [SEED]]
 */
#include "volume/replay.h"

#define PROMISE 0.2

/* false: a promise is broken. */
static bool measure(unsigned int endpoints, uint64_t seed, unsigned int spread)
{
	struct replay replay;
	bool good;

	if (replay_open(&replay, endpoints, seed, spread))
		exit(2);
	replay_run(&replay);
	if (spread > 1)
		printf("the same with every habit %u times as widespread\n", spread);
	replay_print(&replay, "");
	good = !replay.wrong && !replay.lost && replay_rate(&replay, 1) <= PROMISE;
	replay_close(&replay);
	return good;
}

int main(int argc, char **argv)
{
	unsigned int endpoints = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 1000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	bool good;

	if (!endpoints)
		return 2;
	good = measure(endpoints, seed, 1);
	good &= measure(endpoints, seed, 2);
	return !good;
}
