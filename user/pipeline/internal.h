/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "catalog/catalog.h"
#include "estimate/ciphertext.h"
#include "flow/flow.h"
#include "flow/process.h"
#include "flow/users.h"
#include "gnomon/event.h"
#include "gnomon/facts.h"
#include "gnomon/protocol.h"
#include "net/reassembly.h"
#include "pipeline/pipeline.h"
#include "protocol/tls_hello.h"
#include "util/budget.h"
#include "util/table.h"

/* Shared by the files of pipeline/ alone. */

/* What of one process was lost; pid 0: a free place. */
struct process_losses {
	uint32_t pid;
	uint64_t start_ns, sum, lost[LOSS_KIND_COUNT];
	char name[16];
};

struct pipeline {
	struct pipeline_config config;
	struct pipeline_stats stats;
	struct flows *flows;
	struct table streams;
	uint16_t streams_by_pid[STREAM_PIDS]; /* how many, by pid modulo */
	struct table listeners;               /* server.c's */
	struct table relays;                  /* relay.c's */
	struct dns_cache *names;              /* of addresses */
	size_t quic_pending;                  /* flows whose ClientHello is being put together */
	uint64_t cleartext_count;             /* numbers the streams of cleartext flows */
	struct processes *processes;
	struct users *users;
	struct policy_state *state, *own_state; /* the latter NULL when the caller has it */
	uint64_t now_ns;                        /* the latest observation's, or the tick's */
	uint64_t next_status_ns, degraded_ns;
	struct process_losses losers[LOSS_PROCESSES_MAX]; /* loss.c's */
	uint64_t lost_told[LOSS_KIND_COUNT];              /* what the last sensor-degraded knew */
	struct budget codings; /* memory of all decoders of content codings */
	uint64_t id_seed, id_count;
	char host_name[HOST_NAME_MAX_BYTES];
	char host_id[64];
};

/* Who called, as catalog/agents.h tells it. A copy, since rules are reloaded while streams are open. */
struct agent_found {
	char id[SHORT_NAME_MAX]; /* empty: cannot be told */
	uint8_t confidence, evidence;
};

struct tunnel_target;

/* Is it a second hop, and does the first client tell of it? */
enum relay_hop { RELAY_NONE, RELAY_COUNTED, RELAY_TOLD };

/* What the wire gave away of a flow; hangs behind flow.detail. */
struct wire {
	struct reassembly *direction[DIR_COUNT]; /* DIR_OUT: from the client */
	struct tls_hello_parser *parser;         /* of the hello that is to come next */
	struct tls_server_hello answer;
	bool answered; /* `answer` is filled, or will never be */
	struct tunnel_target
		*target; /* whom the client asked a proxy for, NULL: the server is its own */
	enum relay_hop relay;
	bool fetched;      /* requests were read on it, each of them a GET or the like */
	bool asked;        /* another one was, or may have been */
	bool relay_tunnel; /* its process was asked for this connection as a proxy */
	uint64_t relayed;  /* of an accepted flow: the number of its tunnel in relay.c, 0: none */
	char *beyond;      /* the host to which a relay sent on the call that is open here */
	struct quic_initials *quic;
	struct tls_hello hello;
	bool has_hello, not_tls;
	bool plaintext; /* an LLM exchange was read on it */
	bool is_quic;
	bool http;          /* it speaks HTTP without TLS */
	bool steered;       /* the kernel holds a verdict on its socket */
	bool server_side;   /* of a socket that this host accepted: not told, its client may be */
	uint64_t cleartext; /* the number of its stream, 0: none */
	bool fin[DIR_COUNT];
	char dns_name[HOST_NAME_MAX_BYTES]; /* what the server's address was the answer to; only
					     * where the handshake has no name */
	uint64_t hello_bytes;              /* the client's payload up to and with the ClientHello */
	uint64_t told_sent, told_received; /* in earlier interim events */
	uint64_t told_ns;
	struct ciphertext ciphertext; /* of captures: sizes and times since the last event */
	const char *unseen_reason;    /* overrides the configured one */
	struct catalog_match match;   /* service NULL: none */
	struct agent_found agent;     /* of a request that was read on it */
};

/* wire.c */
void wire_release(void *ctx, struct flow *flow);
void wire_packet(struct pipeline *p, const struct observation *obs);
void wire_socket(struct pipeline *p, const struct observation *obs);
/* Interim events, and the end of flows that fell silent (captures only). */
void wire_tick(struct pipeline *p);
/* The catalogue is another one: every open flow is looked up again. */
void wire_rematch(struct pipeline *p);
/* Tells how far an open flow has come, when that is due. */
void wire_interim(struct pipeline *p, struct flow *flow);
/* Tells a flow's end and removes it. */
void wire_end(struct pipeline *p, struct flow *flow);
static inline struct wire *wire_of(const struct flow *flow)
{
	return flow->detail;
}

/* A new flow like that one, with a struct wire. NULL without memory. */
struct flow *wire_flow_new(struct pipeline *p, const struct flow *like);
/* The ClientHello is read: looks up the name in it, or the address's where it has none. */
void wire_name(struct pipeline *p, struct flow *flow);
/* The client asked a proxy for `target`, and said `hello` to it; NULL: nothing yet. */
void wire_proxied(struct pipeline *p, struct flow *flow, const struct tunnel_target *target,
		  const struct tls_hello *hello);
/* What the server answered a hello with. */
void wire_answered(struct flow *flow, const struct tls_server_hello *answer);
/* Whom the client talks to in the end, "" or 0 where that is not known. */
const char *wire_target_name(const struct wire *wire);
uint16_t wire_target_port(const struct flow *flow);
/* Is it a connection to an AI service? */
bool wire_is_ai(const struct wire *wire);

/* cleartext.c: HTTP without TLS */
/* May the client's first bytes be a request, or a question to a proxy? */
bool cleartext_starts(struct span first);
/* The flow's bytes go to a stream from now on. */
void cleartext_begin(struct pipeline *p, struct flow *flow);
/* False: no more bytes are wanted, and the stream is gone. */
bool cleartext_bytes(struct pipeline *p, struct flow *flow, enum stream_dir dir, struct span bytes);
void cleartext_gap(struct pipeline *p, struct flow *flow, enum stream_dir dir, uint64_t bytes);
/* Tells what is open on its stream, if it has one. */
void cleartext_end(struct pipeline *p, struct flow *flow);

/* udp.c */
struct packet;
void udp_packet(struct pipeline *p, const struct observation *obs, const struct packet *packet);
void udp_release(struct pipeline *p, struct wire *wire);

/* server.c: llm-server events */
int servers_init(struct pipeline *p);
void servers_done(struct pipeline *p);
void server_listens(struct pipeline *p, const struct observation *obs);
struct stream;
struct exchange;
/* May this accepted stream still tell something new? */
bool server_wanted(struct stream *s);
/* The process answered this call. */
void server_answered(struct stream *s, const struct exchange *e);
/* The port where this process listens, 0: it is not known, or there are several. */
uint16_t server_port(struct pipeline *p, const struct process_identity *who);

/* proxied.c: streams that begin by asking a proxy */
struct proxied;
/* The stream's first bytes, which come in this direction, do. False without memory. */
bool proxied_begin(struct stream *s, enum stream_dir dir);
/* What of the bytes is neither the asking nor TLS inside; all of a stream's bytes pass through here. */
struct span proxied_take(struct stream *s, enum stream_dir dir, struct span bytes);
/* The stream's socket has become known. */
void proxied_linked(struct stream *s);
void proxied_free(struct stream *s);

/* relay.c: processes that send on what they accept */
int relays_init(struct pipeline *p);
void relays_done(struct pipeline *p);
void relay_exit(struct pipeline *p, const struct process_identity *who);
/* The process is asked for a connection on one that it accepted, `flow` where that is known. Again, with the number
 * that it returned before, for another target; 0: the first time, or out of memory. */
uint64_t relay_tunnel(struct pipeline *p, const struct process_identity *who,
		      const struct flow *flow, uint64_t number, const struct tunnel_target *target);
/* What may be a call of an LLM's API begins on an accepted stream: its number for the others, 0: none. */
uint64_t relay_call(struct stream *s);
/* Its request is complete. */
void relay_called(struct stream *s, const struct exchange *e);
/* Was it sent on? */
bool relay_sent_on(struct stream *s, uint64_t number);
void relay_ended(struct pipeline *p, const struct process_identity *who, uint64_t number);
/* The name of a connection has become known: sets wire->relay. */
void relay_connection(struct pipeline *p, struct flow *flow);
/* A call of the process's own has ended. */
enum relay_hop relay_of_call(struct stream *s, const struct exchange *e);

/* plaintext.c */
int plaintext_init(struct pipeline *p);
void plaintext_done(struct pipeline *p);
void plaintext_segment(struct pipeline *p, const struct observation *obs);
void plaintext_link(struct pipeline *p, const struct observation *obs);
void plaintext_end(struct pipeline *p, const struct stream_id *id);
void plaintext_process_exit(struct pipeline *p, const struct process_identity *who);
void plaintext_rematch(struct pipeline *p);
void plaintext_finish(struct pipeline *p);

/* exchange.c: streams' exchanges become llm-request events */
struct api_exchange;

/* One HTTP request that an API family claims, and its response. */
struct exchange {
	struct exchange *next;
	uint32_t number;
	struct api_exchange *api;
	struct catalog_match match; /* service NULL: not in the catalogue */
	uint64_t started_ns;
	uint64_t relayed;          /* relay.c's number of an accepted one */
	uint64_t bytes[DIR_COUNT]; /* of the stream, by message: requests DIR_OUT */
	int status;
	bool host_asked; /* the request named its host, not the handshake */
	struct key_facts key;
	struct agent_found agent;
	char method[16], version[4];
	char host[HOST_NAME_MAX_BYTES];
	char path[URL_PATH_MAX];
	char user_agent[USER_AGENT_MAX];
};

/* A TLS stream whose plaintext is read, or a flow without TLS. */
struct stream {
	struct table_link link;
	struct pipeline *pipeline;
	struct stream_id id;
	struct process_identity who;
	uint64_t cookie;
	struct flow *flow; /* of cleartext: lives longer than the stream; NULL: TLS */
	enum link_kind kind;
	enum steer_action steered;
	uint64_t copied, budget_from; /* bytes seen in all, and when the budget was last renewed */
	uint64_t next_offset[DIR_COUNT];
	struct proxied *proxied;             /* NULL: it does not begin so */
	const struct protocol_ops *protocol; /* NULL: not decided */
	void *state;
	bool is_client, joined_midway;
	bool fetched, asked; /* as of struct wire */
	bool handed_over;    /* to another protocol, by an upgrade or CONNECT */
	unsigned int tries;  /* segments looked at without a decision */
	char first[DIR_COUNT][STREAM_FIRST_BYTES];
	size_t first_len[DIR_COUNT];
	struct exchange *exchanges;
	unsigned int exchange_count;
};

extern const struct exchange_listener exchange_listener; /* ctx: the struct stream */
void exchange_free_all(struct stream *stream);
/* plaintext.c */
/* The stream of that id, made if need be; NULL without memory. */
struct stream *stream_open(struct pipeline *p, const struct stream_id *id,
			   const struct process_identity *who);
/* Bytes that follow those before; or bytes that will never come. */
void stream_take(struct stream *stream, enum stream_dir dir, struct span bytes);
void stream_gap(struct stream *stream, enum stream_dir dir, uint64_t bytes);
void stream_steer(struct stream *stream, enum steer_action action);
/* Tells the stream's connection, where that is known, what has been asked on it. */
void stream_note(const struct stream *stream);

/* compose.c */
void compose_base(struct pipeline *p, struct event *event, const char *action, uint64_t time_ns);
void compose_process(struct pipeline *p, struct event *event, const struct process_identity *who);
void compose_flow(struct pipeline *p, struct event *event, const struct flow *flow);
void compose_service(struct event *event, const struct service *service);
/* Who, for messages: "python3 (alice)", or the client's address. The buffer holds 96 bytes. */
void compose_who(const struct event *event, char *to, size_t cap);
/* Judges and delivers, and with `alerts` delivers what the rules make of it (presence never alerts).
 * `by_name`: the event's service is what a host's name alone tells, by this match; NULL: more is known. */
void compose_conclude(struct pipeline *p, struct event *event, const struct catalog_match *by_name,
		      bool alerts);

/* alert.c */
struct finding;
/* The alert (or what a rule in mode observe would have said) of a finding on `trigger`, which it lends
 * its strings from. */
void alert_compose(struct pipeline *p, struct event *alert, const struct event *trigger,
		   const struct finding *finding);

/* agent.c */
/* `head` NULL: no request was seen. */
void agent_find(struct pipeline *p, const struct process_identity *who,
		const struct http_head *head, struct agent_found *found);
/* Where only chosen processes' TLS is read: this one's is to be. */
void process_arm(struct pipeline *p, const struct process_identity *who);
/* The same, if it is an agent or was started by one. */
void agent_arm(struct pipeline *p, const struct process_identity *who);
void agent_set(struct event *event, const struct agent_found *found);

/* loss.c */
/* Some of the losses were this process's. */
void loss_of(struct pipeline *p, const struct process_identity *who,
	     const struct observed_loss *loss);
/* The processes that lost most, and what. */
void loss_tell(const struct pipeline *p, struct event *event);

/* cost.c */
/* Room for the longest of cost_text() with its NUL. */
#define COST_TEXT_MAX 32
/* Sets gnomon.cost.* by the list price; `service` NULL: not in the catalogue. `prices` may be NULL. `key`:
 * what paid for it. */
void cost_set(struct event *event, const struct prices *prices, const struct service *service,
	      const struct key_facts *key, const struct llm_facts *facts);
/* ", $0.0067" for messages, or nothing. */
void cost_text(const struct event *event, char to[static COST_TEXT_MAX]);

/* url_path.c */
/* The path of a request target without its query, with what looks like an id replaced by "{id}". Writes
 * at most cap bytes with the NUL. */
void url_path_template(struct span target, char *to, size_t cap);
