/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>

#include "gnomon/event.h"

/* Room for a field's value as people read it; longer ones end with an ellipsis. */
#define EVENT_VALUE_TEXT_MAX 160

/* Writes the value of a field that the event has, for people and fit for a terminal: strings in quotes,
 * the items of lists one after the other, times and addresses as in the events. */
void event_value_text(char to[static EVENT_VALUE_TEXT_MAX], const struct event *event,
		      enum field field);
