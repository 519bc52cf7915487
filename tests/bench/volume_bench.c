/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How many alerts a fleet gives: a generated week of 1,000 endpoints under the built-in rules, and another one
 * under the policy that the first suggests. Promised: at most 0.2 alerts an endpoint and day in the second,
 * and each says who, what, how much, why and what to do. volume_bench [ENDPOINTS [SEED]]
 */
#include "volume/replay.h"

#define PROMISE 0.2

int main(int argc, char **argv)
{
	unsigned int endpoints = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 1000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	struct replay replay;
	int failed;

	if (!endpoints || replay_open(&replay, endpoints, seed))
		return 2;
	replay_run(&replay);
	replay_print(&replay, "");
	failed = replay.wrong || replay.lost || replay_rate(&replay, 1) > PROMISE;
	replay_close(&replay);
	return failed;
}
