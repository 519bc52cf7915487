/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/script.h"

#include <assert.h>
#include <errno.h>
#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>

#include "gnomon/limits.h"
#include "source/script_text.h"
#include "util/cleanup.h"

/* 2026-01-01T00:00:00Z: every run of a script gives the same events. */
#define SCRIPT_EPOCH_NS (1767225600ULL * NS_PER_S)
/* Far from overflow, and more than any stream carries. */
#define STREAM_LEN_MAX (1ULL << 60)

/* ---- the vocabulary ---- */

enum attribute {
	A_PID,
	A_PPID,
	A_UID,
	A_GID,
	A_COMM,
	A_FILE,
	A_START,
	A_CGROUP,
	A_STATE,
	A_COOKIE,
	A_ROLE,
	A_LOCAL,
	A_REMOTE,
	A_SENT,
	A_RECEIVED,
	A_HANDLE,
	A_GEN,
	A_DIR,
	A_OFFSET,
	A_OMITTED,
	A_MIDWAY,
	A_REPEAT,
	A_BYTES,
	A_KIND,
	A_LOSS,
	A_COUNT,
	A_LINK,
	A_WIRE,
	A_HEX,
	A_STRING,
	ATTRIBUTE_COUNT,
};

#define BIT(attribute) (1u << (attribute))

enum value_type {
	VALUE_NUMBER,
	VALUE_SECONDS,
	VALUE_TEXT,
	VALUE_ENDPOINT,
	VALUE_CHOICE,
	VALUE_HEX
};

static const struct choice socket_states[] = {{"established", SOCKET_ESTABLISHED},
					      {"closed", SOCKET_CLOSED},
					      {"listening", SOCKET_LISTENING},
					      {"found", SOCKET_FOUND},
					      {0}};
static const struct choice socket_roles[] = {
	{"connected", SOCKET_CONNECTED}, {"accepted", SOCKET_ACCEPTED}, {0}};
static const struct choice directions[] = {{"out", DIR_OUT}, {"in", DIR_IN}, {0}};
static const struct choice link_kinds[] = {
	{"none", LINK_NONE}, {"in_call", LINK_IN_CALL}, {"thread", LINK_THREAD}, {0}};
static const struct choice link_types[] = {{"raw", DLT_RAW},       {"ethernet", DLT_EN10MB},
					   {"sll", DLT_LINUX_SLL}, {"sll2", DLT_LINUX_SLL2},
					   {"null", DLT_NULL},     {0}};
static const struct choice loss_kinds[] = {{"ring", LOSS_RING},
					   {"fault", LOSS_FAULT},
					   {"table", LOSS_TABLE},
					   {"stream_budget", LOSS_STREAM_BUDGET},
					   {"share", LOSS_SHARE},
					   {"capture", LOSS_CAPTURE},
					   {"truncated", LOSS_TRUNCATED},
					   {"parse", LOSS_PARSE},
					   {"state", LOSS_STATE},
					   {"output", LOSS_OUTPUT},
					   {0}};

/* clang-format off */
static const struct {
	const char *name;
	enum value_type type;
	uint64_t max; /* of a number */
	const struct choice *choices;
} attributes[ATTRIBUTE_COUNT] = {
	[A_PID] = {"pid", VALUE_NUMBER, UINT32_MAX},
	[A_PPID] = {"ppid", VALUE_NUMBER, UINT32_MAX},
	[A_UID] = {"uid", VALUE_NUMBER, UINT32_MAX},
	[A_GID] = {"gid", VALUE_NUMBER, UINT32_MAX},
	[A_COMM] = {"comm", VALUE_TEXT},
	[A_FILE] = {"file", VALUE_TEXT},
	[A_START] = {"start", VALUE_SECONDS},
	[A_CGROUP] = {"cgroup", VALUE_NUMBER, UINT64_MAX},
	[A_STATE] = {"", VALUE_CHOICE, 0, socket_states},
	[A_COOKIE] = {"cookie", VALUE_NUMBER, UINT64_MAX},
	[A_ROLE] = {"role", VALUE_CHOICE, 0, socket_roles},
	[A_LOCAL] = {"local", VALUE_ENDPOINT},
	[A_REMOTE] = {"remote", VALUE_ENDPOINT},
	[A_SENT] = {"sent", VALUE_NUMBER, UINT64_MAX},
	[A_RECEIVED] = {"received", VALUE_NUMBER, UINT64_MAX},
	[A_HANDLE] = {"handle", VALUE_NUMBER, UINT64_MAX},
	[A_GEN] = {"gen", VALUE_NUMBER, UINT64_MAX},
	[A_DIR] = {"dir", VALUE_CHOICE, 0, directions},
	[A_OFFSET] = {"offset", VALUE_NUMBER, STREAM_LEN_MAX},
	[A_OMITTED] = {"omitted", VALUE_NUMBER, STREAM_LEN_MAX},
	[A_MIDWAY] = {"midway", VALUE_NUMBER, 1},
	[A_REPEAT] = {"repeat", VALUE_NUMBER, SCRIPT_PAYLOAD_MAX},
	[A_BYTES] = {"bytes", VALUE_NUMBER, STREAM_LEN_MAX},
	[A_KIND] = {"kind", VALUE_CHOICE, 0, link_kinds},
	[A_LOSS] = {"kind", VALUE_CHOICE, 0, loss_kinds},
	[A_COUNT] = {"count", VALUE_NUMBER, UINT32_MAX},
	[A_LINK] = {"link", VALUE_CHOICE, 0, link_types},
	[A_WIRE] = {"wire", VALUE_NUMBER, UINT32_MAX},
	[A_HEX] = {"hex", VALUE_HEX},
	[A_STRING] = {"string", VALUE_TEXT},
};
/* clang-format on */
static_assert(ATTRIBUTE_COUNT <= 32, "a bit each");

/* One statement's attributes. */
struct values {
	size_t where; /* in the text, for messages */
	uint32_t present;
	uint64_t number[ATTRIBUTE_COUNT]; /* numbers, nanoseconds, choices */
	struct net_endpoint local, remote;
	struct buffer comm, file, payload;
};

struct stream {
	struct stream_id id;
	uint64_t cookie;
	uint64_t end[DIR_COUNT];
};

/* A vector; `size` is that of one entry. */
struct table {
	void *at;
	size_t count, cap, size;
};

struct parser {
	struct script_text text;
	uint64_t clock_ns;
	size_t payload_bytes; /* of all items */
	struct table items, processes, sockets, streams;
};

/* ---- memory ---- */

static void values_done(struct values *v)
{
	free(v->comm.at);
	free(v->file.at);
	free(v->payload.at);
}

void script_done(struct script *script)
{
	for (size_t i = 0; i < script->count; i++)
		free(script->items[i].bytes);
	free(script->items);
	*script = (struct script){0};
}

static void parser_done(struct parser *p)
{
	struct script script = {p->items.at, p->items.count};

	script_done(&script);
	free(p->processes.at);
	free(p->sockets.at);
	free(p->streams.at);
}

/* A zeroed new entry at the end of the table, or NULL when out of memory. */
static void *table_add(struct table *table)
{
	void *entry;

	if (table->count == table->cap) {
		size_t cap = table->cap ? 2 * table->cap : 16;
		void *at = reallocarray(table->at, cap, table->size);

		if (!at)
			return NULL;
		table->at = at;
		table->cap = cap;
	}
	entry = (char *)table->at + table->count++ * table->size;
	memset(entry, 0, table->size);
	return entry;
}

static int read_attribute(struct parser *p, enum attribute a, struct values *v)
{
	switch (attributes[a].type) {
	case VALUE_NUMBER:
		return script_read_number(&p->text, attributes[a].max, &v->number[a]);
	case VALUE_SECONDS:
		return script_read_seconds(&p->text, &v->number[a]);
	case VALUE_CHOICE:
		return script_read_choice(&p->text, attributes[a].choices, &v->number[a]);
	case VALUE_ENDPOINT:
		return script_read_endpoint(&p->text, a == A_LOCAL ? &v->local : &v->remote);
	case VALUE_HEX:
		return script_read_hex(&p->text, &v->payload);
	case VALUE_TEXT:
		return script_read_text(&p->text, a == A_COMM   ? &v->comm
						  : a == A_FILE ? &v->file
								: &v->payload);
	}
	return -EINVAL;
}

/* ---- statements ---- */

static bool given(const struct values *v, enum attribute a)
{
	return v->present & BIT(a);
}

static struct process_identity *find_process(struct parser *p, uint64_t pid)
{
	struct process_identity *all = p->processes.at;

	for (size_t i = 0; i < p->processes.count; i++)
		if (all[i].pid == pid)
			return &all[i];
	return NULL;
}

/* A new item at the current time, with the identity that the statement names. */
static int add_item(struct parser *p, struct values *v, enum observation_kind kind,
		    struct script_item **out)
{
	struct process_identity *who = NULL;
	struct script_item *item;

	if (given(v, A_PID)) {
		who = find_process(p, v->number[A_PID]);
		if (!who)
			return script_fail(&p->text, v->where,
					   "no process or exec line before has this pid");
	}
	item = table_add(&p->items);
	if (!item)
		return -ENOMEM;
	item->obs = (struct observation){.kind = kind, .time_ns = SCRIPT_EPOCH_NS + p->clock_ns};
	item->has_who = who != NULL;
	if (who)
		item->who = *who;
	*out = item;
	return 0;
}

static int do_process(struct parser *p, struct values *v)
{
	struct process_identity *who = find_process(p, v->number[A_PID]);

	if (v->comm.len >= sizeof(who->comm))
		return script_fail(&p->text, v->where, "comm has more than 15 bytes");
	if (!who)
		who = table_add(&p->processes);
	if (!who)
		return -ENOMEM;
	who->pid = (uint32_t)v->number[A_PID];
	if (given(v, A_UID))
		who->uid = (uint32_t)v->number[A_UID];
	if (given(v, A_GID))
		who->gid = (uint32_t)v->number[A_GID];
	if (given(v, A_CGROUP))
		who->cgroup_id = v->number[A_CGROUP];
	if (given(v, A_START))
		who->start_ns = v->number[A_START];
	if (given(v, A_COMM))
		span_copy(who->comm, sizeof(who->comm), span_of(v->comm.at, v->comm.len));
	return 0;
}

static int do_exec(struct parser *p, struct values *v)
{
	struct script_item *item;
	int r = do_process(p, v);

	if (!r)
		r = add_item(p, v, OBS_PROCESS, &item);
	if (r)
		return r;
	item->obs.process = (struct observed_process){.change = PROCESS_EXEC,
						      .parent_pid = (uint32_t)v->number[A_PPID]};
	item->len = v->file.len;
	item->bytes = TAKE_PTR(v->file.at);
	return 0;
}

static int do_exit(struct parser *p, struct values *v)
{
	struct script_item *item;
	int r = add_item(p, v, OBS_PROCESS, &item);

	if (!r)
		item->obs.process = (struct observed_process){
			.change = PROCESS_EXIT, .parent_pid = (uint32_t)v->number[A_PPID]};
	return r;
}

/* What is remembered of a cookie. */
struct known_socket {
	struct observed_socket socket;
	uint64_t pid;
	bool has_pid;
};

static struct known_socket *know_socket(struct parser *p, uint64_t cookie)
{
	struct known_socket *all = p->sockets.at, *s;

	for (size_t i = 0; i < p->sockets.count; i++)
		if (all[i].socket.cookie == cookie)
			return &all[i];
	s = table_add(&p->sockets);
	if (s)
		s->socket.cookie = cookie;
	return s;
}

static int do_socket(struct parser *p, struct values *v)
{
	struct known_socket *s = know_socket(p, v->number[A_COOKIE]);
	struct script_item *item;
	int r;

	if (!s)
		return -ENOMEM;
	if (given(v, A_PID)) {
		s->has_pid = true;
		s->pid = v->number[A_PID];
	} else if (s->has_pid) {
		v->present |= BIT(A_PID);
		v->number[A_PID] = s->pid;
	}
	if (given(v, A_ROLE))
		s->socket.role = (enum socket_role)v->number[A_ROLE];
	if (given(v, A_LOCAL))
		s->socket.local = v->local;
	if (given(v, A_REMOTE))
		s->socket.remote = v->remote;
	if (given(v, A_SENT))
		s->socket.bytes_sent = v->number[A_SENT];
	if (given(v, A_RECEIVED))
		s->socket.bytes_received = v->number[A_RECEIVED];
	s->socket.state = (enum socket_state)v->number[A_STATE];
	r = add_item(p, v, OBS_SOCKET, &item);
	if (!r)
		item->obs.socket = s->socket;
	return r;
}

static struct stream *know_stream(struct parser *p, const struct values *v)
{
	struct stream_id id = {(uint32_t)v->number[A_PID], v->number[A_HANDLE], v->number[A_GEN]};
	struct stream *all = p->streams.at, *s;

	for (size_t i = 0; i < p->streams.count; i++)
		if (all[i].id.pid == id.pid && all[i].id.handle == id.handle &&
		    all[i].id.generation == id.generation)
			return &all[i];
	s = table_add(&p->streams);
	if (s)
		s->id = id;
	return s;
}

/* Moves the payload, repeated, into the item. */
static int take_payload(struct parser *p, struct values *v, struct script_item *item)
{
	size_t len = v->payload.len;
	uint64_t times = given(v, A_REPEAT) ? v->number[A_REPEAT] : 1;

	if (len && times > (SCRIPT_PAYLOAD_MAX - p->payload_bytes) / len)
		return script_fail(&p->text, v->where,
				   "all payloads together have more than %u bytes",
				   SCRIPT_PAYLOAD_MAX);
	if (len == 0 || times == 0)
		return 0;
	item->bytes = malloc(len * times);
	if (!item->bytes)
		return -ENOMEM;
	for (uint64_t i = 0; i < times; i++)
		memcpy(item->bytes + i * len, v->payload.at, len);
	item->len = len * times;
	p->payload_bytes += item->len;
	return 0;
}

static int do_segment(struct parser *p, struct values *v)
{
	enum stream_dir dir = (enum stream_dir)v->number[A_DIR];
	struct stream *s = know_stream(p, v);
	uint64_t omitted = v->number[A_OMITTED] + v->number[A_BYTES];
	struct script_item *item;
	uint64_t offset;
	int r;

	if (!s)
		return -ENOMEM;
	r = add_item(p, v, OBS_SEGMENT, &item);
	if (!r)
		r = take_payload(p, v, item);
	if (r)
		return r;
	if (given(v, A_COOKIE))
		s->cookie = v->number[A_COOKIE];
	offset = given(v, A_OFFSET) ? v->number[A_OFFSET] : s->end[dir];
	if (omitted > STREAM_LEN_MAX - offset || item->len > STREAM_LEN_MAX - offset - omitted)
		return script_fail(&p->text, v->where, "the stream is too long");
	s->end[dir] = offset + item->len + omitted;
	item->obs.segment = (struct observed_segment){.stream = s->id,
						      .cookie = s->cookie,
						      .offset = offset,
						      .omitted = omitted,
						      .midway = v->number[A_MIDWAY],
						      .dir = dir};
	return 0;
}

static int do_link(struct parser *p, struct values *v)
{
	struct stream *s = know_stream(p, v);
	struct script_item *item;
	int r;

	if (!s)
		return -ENOMEM;
	r = add_item(p, v, OBS_LINK, &item);
	if (r)
		return r;
	s->cookie = v->number[A_COOKIE];
	item->obs.link = (struct observed_link){s->id, s->cookie,
						given(v, A_KIND) ? (enum link_kind)v->number[A_KIND]
								 : LINK_IN_CALL};
	return 0;
}

static int do_end(struct parser *p, struct values *v)
{
	struct stream *s = know_stream(p, v);
	struct script_item *item;
	int r;

	if (!s)
		return -ENOMEM;
	r = add_item(p, v, OBS_STREAM_END, &item);
	if (r)
		return r;
	item->obs.stream_end = (struct observed_stream_end){
		.stream = s->id, .total = {s->end[DIR_OUT], s->end[DIR_IN]}};
	*s = (struct stream){.id = s->id};
	return 0;
}

static int do_loss(struct parser *p, struct values *v)
{
	struct script_item *item;
	int r = add_item(p, v, OBS_LOSS, &item);

	if (!r)
		item->obs.loss = (struct observed_loss){(enum loss_kind)v->number[A_LOSS],
							given(v, A_COUNT) ? v->number[A_COUNT] : 1};
	return r;
}

static int do_packet(struct parser *p, struct values *v)
{
	struct script_item *item;
	int r = add_item(p, v, OBS_PACKET, &item);

	if (!r)
		r = take_payload(p, v, item);
	if (r)
		return r;
	item->obs.packet = (struct observed_packet){
		.cookie = v->number[A_COOKIE],
		.link_type = given(v, A_LINK) ? (uint32_t)v->number[A_LINK] : DLT_RAW,
		.wire_len = given(v, A_WIRE) ? (uint32_t)v->number[A_WIRE] : (uint32_t)item->len,
		.dir = (enum stream_dir)v->number[A_DIR],
	};
	return 0;
}

/* clang-format off */
#define IDENTITY (BIT(A_PID) | BIT(A_UID) | BIT(A_GID) | BIT(A_COMM) | BIT(A_START) | BIT(A_CGROUP))
#define STREAM (BIT(A_PID) | BIT(A_HANDLE) | BIT(A_GEN))

static const struct statement {
	const char *name;
	uint32_t required, allowed; /* the second may leave the first out */
	int (*run)(struct parser *p, struct values *v);
} statements[] = {
	{"process", BIT(A_PID), IDENTITY, do_process},
	{"exec", BIT(A_PID), IDENTITY | BIT(A_PPID) | BIT(A_FILE), do_exec},
	{"exit", BIT(A_PID), BIT(A_PPID), do_exit},
	{"socket", BIT(A_STATE) | BIT(A_COOKIE), BIT(A_PID) | BIT(A_ROLE) | BIT(A_LOCAL) |
	 BIT(A_REMOTE) | BIT(A_SENT) | BIT(A_RECEIVED), do_socket},
	{"segment", BIT(A_PID) | BIT(A_HANDLE) | BIT(A_DIR) | BIT(A_STRING), STREAM |
	 BIT(A_COOKIE) | BIT(A_OFFSET) | BIT(A_OMITTED) | BIT(A_MIDWAY) | BIT(A_REPEAT),
	 do_segment},
	{"gap", BIT(A_PID) | BIT(A_HANDLE) | BIT(A_DIR) | BIT(A_BYTES), STREAM | BIT(A_COOKIE) |
	 BIT(A_OFFSET), do_segment},
	{"link", BIT(A_PID) | BIT(A_HANDLE) | BIT(A_COOKIE), STREAM | BIT(A_KIND), do_link},
	{"end", BIT(A_PID) | BIT(A_HANDLE), STREAM, do_end},
	{"loss", BIT(A_LOSS), BIT(A_COUNT), do_loss},
	{"packet", BIT(A_HEX), BIT(A_COOKIE) | BIT(A_DIR) | BIT(A_LINK) | BIT(A_WIRE) | BIT(A_PID),
	 do_packet},
};
/* clang-format on */

static int find_attribute(const struct statement *statement, struct span name)
{
	for (int a = 0; a < ATTRIBUTE_COUNT; a++)
		if (a != A_STATE && a != A_STRING &&
		    (statement->required | statement->allowed) & BIT(a) &&
		    span_eq(name, span_str(attributes[a].name)))
			return a;
	return -ENOENT;
}

/* One string or name=value. */
static int parse_pair(struct parser *p, const struct statement *statement, struct values *v)
{
	size_t begin = p->text.at;
	struct span name;
	int a;

	if (script_peek(&p->text, 0) == '"' && statement->required & BIT(A_STRING)) {
		v->present |= BIT(A_STRING);
		return script_read_string(&p->text, &v->payload);
	}
	name = script_read_name(&p->text);
	a = find_attribute(statement, name);
	if (a < 0 || script_peek(&p->text, 0) != '=')
		return script_fail(&p->text, begin, "\"%.*s\" is no attribute of %s",
				   (int)(name.len < 32 ? name.len : 32), name.at, statement->name);
	if (given(v, (enum attribute)a))
		return script_fail(&p->text, begin, "%s is given twice", attributes[a].name);
	v->present |= BIT(a);
	p->text.at++;
	return read_attribute(p, (enum attribute)a, v);
}

static int parse_pairs(struct parser *p, const struct statement *statement, size_t where)
{
	_cleanup_(values_done) struct values v = {.where = where, .number[A_GEN] = 1};
	uint32_t missing;
	int r = 0;

	if (statement->required & BIT(A_STATE)) {
		if (!script_next_word(&p->text))
			return script_fail(&p->text, p->text.at, "the state is missing");
		v.present |= BIT(A_STATE);
		r = read_attribute(p, A_STATE, &v);
	}
	while (!r && script_next_word(&p->text))
		r = parse_pair(p, statement, &v);
	if (r)
		return r;
	missing = statement->required & ~v.present;
	if (missing)
		return script_fail(&p->text, p->text.at, "%s needs %s", statement->name,
				   attributes[__builtin_ctz(missing)].name);
	return statement->run(p, &v);
}

static int parse_at(struct parser *p)
{
	uint64_t ns, base = 0;
	size_t begin;
	int r;

	if (!script_next_word(&p->text))
		return script_fail(&p->text, p->text.at, "at needs a number of seconds");
	begin = p->text.at;
	if (script_peek(&p->text, 0) == '+') {
		base = p->clock_ns;
		p->text.at++;
	}
	r = script_read_seconds(&p->text, &ns);
	if (r)
		return r;
	if (script_next_word(&p->text))
		return script_fail(&p->text, p->text.at, "nothing more may follow");
	if (base + ns < p->clock_ns || base + ns > SCRIPT_SECONDS_MAX * NS_PER_S)
		return script_fail(&p->text, begin, "the clock cannot go there");
	p->clock_ns = base + ns;
	return 0;
}

static int parse_statement(struct parser *p)
{
	size_t begin = p->text.at;
	struct span name = script_read_name(&p->text);

	if (script_word_ends(&p->text)) {
		if (span_eq(name, SPAN_LITERAL("at")))
			return parse_at(p);
		for (size_t i = 0; i < ARRAY_SIZE(statements); i++)
			if (span_eq(name, span_str(statements[i].name)))
				return parse_pairs(p, &statements[i], begin);
	}
	return script_fail(&p->text, begin, "unknown statement");
}

int script_parse(struct span text, const char *name, struct script *script, struct diag *diag)
{
	static const struct span first_line = SPAN_LITERAL("#gnomon-script 1\n");
	_cleanup_(parser_done) struct parser p = {
		.text = {.text = text, .name = name, .diag = diag},
		.items.size = sizeof(struct script_item),
		.processes.size = sizeof(struct process_identity),
		.sockets.size = sizeof(struct known_socket),
		.streams.size = sizeof(struct stream),
	};

	if (!span_starts(text, first_line))
		return script_fail(&p.text, 0, "the first line is not \"#gnomon-script 1\"");
	while (p.text.at < text.len) {
		int r;

		if (!script_next_word(&p.text)) {
			p.text.at++;
			continue;
		}
		r = parse_statement(&p);
		if (r)
			return r;
	}
	*script = (struct script){TAKE_PTR(p.items.at), p.items.count};
	p.items.count = 0;
	return 0;
}
