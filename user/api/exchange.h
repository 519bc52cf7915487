/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "gnomon/facts.h"
#include "gnomon/protocol.h"

struct budget;
struct fleet_salt;

/*
 * One HTTP request and its response, decoded as far as it is an LLM call: chooses the family, undoes
 * the bodies' content codings and framings (one JSON document, several as framing.h says, a
 * WebSocket's messages), scans them, and keeps the facts. Bounded memory whatever the bodies' sizes.
 *
 * A request whose path is not known (an HTTP/2 connection that was joined midway, or lost bytes) is a call
 * when its body has the shape of an API that the service is known to speak.
 */
struct api_exchange;
struct catalog_match;
struct service;

/* A request head was seen; `service` is what the catalogue knows of its host, or NULL, and need not
 * outlive the call. NULL with errno ENOENT: no family claims this request, which is the normal case
 * for ordinary traffic; NULL with ENOMEM. */
struct api_exchange *api_exchange_new(const struct http_head *request,
				      const struct service *service);
/* The same; decoders of content codings draw on `budget`, which must outlive it. */
struct api_exchange *api_exchange_new_within(const struct http_head *request,
					     const struct service *service, struct budget *budget);
void api_exchange_free(struct api_exchange *exchange);

void api_exchange_response(struct api_exchange *exchange, const struct http_head *response);
void api_exchange_body(struct api_exchange *exchange, enum stream_dir message, struct span bytes);
void api_exchange_gap(struct api_exchange *exchange, enum stream_dir message, uint64_t bytes);
/* No more bytes come. The facts are final after it. */
void api_exchange_end(struct api_exchange *exchange, enum exchange_end how);

/* After a 101 response the bodies are a WebSocket's messages, a JSON document each. One begins,
 * perhaps compressed (RFC 7692). */
void api_exchange_message_begin(struct api_exchange *exchange, enum stream_dir message,
				bool compressed);
/* One has ended. true: the model's last word on what was asked has come, so that the call can be
 * ended though the exchange goes on. */
bool api_exchange_message_end(struct api_exchange *exchange, enum stream_dir message);
/* Has anything been asked on the WebSocket since the last call? */
bool api_exchange_asked(const struct api_exchange *exchange);
/* After api_exchange_end(): begins the next call on the WebSocket with all that the heads told. */
void api_exchange_again(struct api_exchange *exchange);

const struct llm_facts *api_exchange_facts(const struct api_exchange *exchange);
/* Both path and request body had the shape of the family, and where such paths are common the
 * response too: enough to call the host an LLM service when the catalogue does not know it. */
bool api_exchange_shape(const struct api_exchange *exchange);
/* All in all, is it a call? A name in the catalogue or the shape of the API must say so; a path alone
 * is everybody's. */
bool api_exchange_is_call(const struct api_exchange *exchange, const struct catalog_match *match);

/* The kind of credential in a request's head (by header and prefix) and of account; kind NULL when there is
 * none. Without a salt fingerprints stay empty. */
void api_key_facts(const struct http_head *request, const struct fleet_salt *salt,
		   struct key_facts *key);
/* What a response's head adds: services name the account that pays. */
void api_key_response(const struct http_head *response, const struct fleet_salt *salt,
		      struct key_facts *key);
