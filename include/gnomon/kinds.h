/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* The small enumerations that both halves use. Their values are part of the ABI: append only. Needs no
 * other header, so that the kernel half can include it. */

/* Seen from the process whose stream or socket it is. */
enum stream_dir { DIR_OUT, DIR_IN, DIR_COUNT };

/* SAMPLED: still open, and this is how much it has carried so far. FOUND: it was connected before the source was. */
enum socket_state {
	SOCKET_ESTABLISHED,
	SOCKET_CLOSED,
	SOCKET_LISTENING,
	SOCKET_SAMPLED,
	SOCKET_FOUND,
};
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
	STEER_ARM, /* not a stream: the process's TLS is to be read, where only chosen ones' is */
};

/* The roles of hooked TLS functions. */
enum tls_function {
	TLS_READ, /* int f(handle, buf, num): bytes = return value */
	TLS_WRITE,
	TLS_READ_EX, /* int f(handle, buf, num, size_t *done): bytes = *done when it returns 1 */
	TLS_WRITE_EX,
	TLS_FREE,     /* void f(handle) */
	TLS_SHUTDOWN, /* int f(handle) */
	/* int f(handle, buf, num, uint64_t flags, size_t *done): bytes = *done when it returns 1
	 * (ssl_write_internal of OpenSSL 3.3 and later) */
	TLS_WRITE_EX2,
	/* Go's register ABI: handle in AX, buf in BX, len in CX; the count comes back in AX. A return is
	 * its own hook, on every RET: Go moves stacks, return probes would crash it. */
	TLS_GO_READ,
	TLS_GO_READ_RETURN,
	TLS_GO_WRITE,
	TLS_GO_CLOSE,
	/* AWS-LC, one call per TLS record, handle = the EVP_AEAD_CTX of one direction:
	 * seal(ctx, out, out_len, max_out, nonce, nonce_len, in, in_len, ad, ad_len)
	 * seal_scatter(ctx, out, out_tag, out_tag_len, max_tag, nonce, nonce_len, in, in_len, ...)
	 * open(ctx, out, out_len, max_out, nonce, nonce_len, in, in_len, ad, ad_len): out after
	 * return, *out_len of it
	 * open_gather(ctx, out, nonce, nonce_len, in, in_len, in_tag, ...): out after return, in_len */
	TLS_AEAD_SEAL,
	TLS_AEAD_SEAL_SCATTER,
	TLS_AEAD_OPEN,
	TLS_AEAD_OPEN_GATHER,
	/* ring, AES-GCM: several calls per TLS record, see bpf/tls_ring.bpf.c. Where a hook of the first two
	 * sits, the arguments are still in their registers, even if it is not the first instruction.
	 * seal(in, out, len, key, counter), open(the same), multiply(state), hash(state, table, in),
	 * counter(in, out, blocks, key, counter) */
	TLS_RING_SEAL,
	TLS_RING_OPEN,
	TLS_RING_MULTIPLY,
	TLS_RING_HASH,
	TLS_RING_COUNTER,
	TLS_FUNCTION_COUNT,
};
