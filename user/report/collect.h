/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gnomon/event.h"
#include "gnomon/finding.h"

/* What report_add() gathers and the printers read. All text is clean for a terminal. */

/* Distinct names: the first few as text, the others as a count. */
#define NAMES_SHOWN 4

struct report_names {
	char shown[NAMES_SHOWN][REPORT_NAME_MAX];
	uint64_t hash[REPORT_CLIENTS_MAX];
	size_t count;
	bool more; /* than REPORT_CLIENTS_MAX */
};

struct report_service {
	uint64_t key;
	char service[REPORT_NAME_MAX], verdict[REPORT_NAME_MAX];
	uint64_t connections, requests;
	uint64_t bytes_up, bytes_down;
	uint64_t input_tokens, output_tokens;
	bool estimated; /* at least some of the tokens */
	bool used;      /* not only gnomon.activity "presence" */
	struct report_names clients;
};

struct report_finding {
	uint64_t key;
	enum severity severity;
	char rule[REPORT_NAME_MAX], message[REPORT_MESSAGE_MAX];
	uint64_t count;
};

struct report_server {
	uint64_t key;
	char service[REPORT_NAME_MAX], address[REPORT_NAME_MAX], process[REPORT_NAME_MAX];
};

struct report {
	struct report_service services[REPORT_SERVICES_MAX];
	struct report_finding findings[REPORT_FINDINGS_MAX];
	struct report_server servers[REPORT_SERVERS_MAX];
	size_t service_count, finding_count, server_count;
	/* past the tables' ends */
	struct report_service other_services;
	uint64_t other_findings[SEVERITY_COUNT];
	bool other_servers;

	uint64_t other_connections; /* to anything but AI services */
	bool status_seen;
	/* The sensor's counters by enum loss_kind: as told last, and what was told before the sensor
	 * started again at 0. */
	uint64_t lost[LOSS_KIND_COUNT], lost_before[LOSS_KIND_COUNT];
};
