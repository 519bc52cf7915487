/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/probe_dispatch.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

void probe_dispatch_init(struct probe_dispatch *dispatch, const struct bpf_program *program,
			 int places, int programs)
{
	*dispatch =
		(struct probe_dispatch){.program = program, .places = places, .programs = programs};
}

/* The program's index, told to the kernel half when it is new; 0: there is no room, or it refuses. */
static uint16_t index_of(struct probe_dispatch *dispatch, const struct bpf_program *program)
{
	int fd = bpf_program__fd(program);
	uint32_t i = 1;

	while (i < DISPATCHED_PROGRAMS_MAX && dispatch->known[i] && dispatch->known[i] != program)
		i++;
	if (i == DISPATCHED_PROGRAMS_MAX)
		return 0;
	if (!dispatch->known[i]) {
		if (bpf_map_update_elem(dispatch->programs, &i, &fd, BPF_ANY))
			return 0;
		dispatch->known[i] = program;
	}
	return (uint16_t)i;
}

bool probe_dispatch_take(struct probe_dispatch *dispatch, unsigned long offset,
			 const struct bpf_program *wanted)
{
	uint32_t place = offset % PLACES_PER_PAGE;
	uint32_t index = index_of(dispatch, wanted);

	if (!index || (dispatch->slots[place].users && dispatch->slots[place].index != index))
		return false;
	if (!dispatch->slots[place].users &&
	    bpf_map_update_elem(dispatch->places, &place, &index, BPF_ANY))
		return false;
	dispatch->slots[place].index = (uint16_t)index;
	dispatch->slots[place].users++;
	return true;
}

void probe_dispatch_release(struct probe_dispatch *dispatch, unsigned long offset)
{
	/* what is left in the map is written anew by whoever takes the place next */
	dispatch->slots[offset % PLACES_PER_PAGE].users--;
}
