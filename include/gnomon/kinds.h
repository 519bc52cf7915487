/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* The small enumerations that both halves use. Their values are part of the ABI: append only. Needs no
 * other header, so that the kernel half can include it. */

/* Seen from the process whose stream or socket it is. */
enum stream_dir { DIR_OUT, DIR_IN, DIR_COUNT };

enum socket_state { SOCKET_ESTABLISHED, SOCKET_CLOSED, SOCKET_LISTENING };
enum socket_role { SOCKET_CONNECTED, SOCKET_ACCEPTED };

/* How a stream was tied to its socket; gnomon.link. */
enum link_kind { LINK_NONE, LINK_IN_CALL, LINK_THREAD };

/* What a stream deserves from now on. */
enum steer_action {
	STEER_FOLLOW, /* everything, up to the budget */
	STEER_HEADS,  /* HEADS_*_BYTES after each turn of direction */
	STEER_COUNT,  /* only lengths */
	STEER_IGNORE, /* nothing at all */
	STEER_FORGET, /* the stream is gone: its entries may go too */
};

/* The roles of hooked TLS functions. */
enum tls_function {
	TLS_READ, /* int f(handle, buf, num): bytes = return value */
	TLS_WRITE,
	TLS_READ_EX, /* int f(handle, buf, num, size_t *done): bytes = *done when it returns 1 */
	TLS_WRITE_EX,
	TLS_FREE,     /* void f(handle) */
	TLS_SHUTDOWN, /* int f(handle) */
	TLS_FUNCTION_COUNT,
};
