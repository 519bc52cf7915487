/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/event.h"

/*
 * An event made of arbitrary bytes: for each field a choice of present or not, and a value. Strings
 * point into `data`, which must outlive the event.
 */

struct byte_source {
	const uint8_t *at;
	size_t left;
};

static inline uint64_t take_bytes(struct byte_source *from, size_t count)
{
	uint64_t value = 0;

	for (; count > 0 && from->left > 0; count--, from->left--)
		value = value << 8 | *from->at++;
	return value;
}

/* Up to 4095 bytes; runs over the end of the data's part are cut. */
static inline struct span take_span(struct byte_source *from)
{
	size_t len = take_bytes(from, 2) & 0xfff;
	struct span span;

	if (len > from->left)
		len = from->left;
	span = span_of((const char *)from->at, len);
	/* Leave half of it to the next: large events are what is interesting. */
	from->at += len / 2;
	from->left -= len / 2;
	return span;
}

static inline void random_value(struct event *event, enum field field, struct byte_source *from)
{
	struct net_address ip = {0};
	uint64_t bits;
	double real;

	switch (field_table[field].type) {
	case FIELD_STRING:
		event_set_string(event, field, take_span(from));
		break;
	case FIELD_INT:
		event_set_int(event, field, (int64_t)take_bytes(from, 8));
		break;
	case FIELD_DOUBLE:
		bits = take_bytes(from, 8);
		memcpy(&real, &bits, sizeof(real));
		event_set_double(event, field, real);
		break;
	case FIELD_BOOL:
		event_set_bool(event, field, take_bytes(from, 1) & 1);
		break;
	case FIELD_TIME:
		event_set_time(event, field, take_bytes(from, 8));
		break;
	case FIELD_IP:
		ip.family = (uint8_t)(take_bytes(from, 1) % 8);
		for (size_t i = 0; i < sizeof(ip.bytes); i++)
			ip.bytes[i] = (uint8_t)take_bytes(from, 1);
		event_set_ip(event, field, &ip);
		break;
	case FIELD_LIST:
		for (uint64_t n = take_bytes(from, 1) % 16; n > 0; n--)
			event_append(event, field, take_span(from));
		break;
	}
}

/* The first byte chooses how many fields are present. */
static inline void random_event(struct event *event, struct byte_source *from)
{
	uint8_t rare = (uint8_t)take_bytes(from, 1);

	event_init(event);
	for (size_t i = 0; i < FIELD_COUNT && from->left > 0; i++)
		if (take_bytes(from, 1) >= rare)
			random_value(event, (enum field)i, from);
}
