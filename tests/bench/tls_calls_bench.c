/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a hooked call costs the program that makes it: SSL_write and SSL_read of 1 KB over a pair of
 * memory BIOs in one thread, so that nothing but TLS and the probes is measured. `tests/bench/run`
 * starts it without and with the sensor. Usage: tls_calls_bench binary|http|burst [ROUNDS]. `burst` is one request of
 * so many writes and no reads, as fast as they go (tests/live/loss_test).
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#define PAYLOAD 1024

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what)
{
	fprintf(stderr, "tls_calls_bench: %s\n", what);
	exit(1);
}

static SSL_CTX *server_context(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();

	if (!context || !key || !certificate)
		fail("out of memory");
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	if (!X509_sign(certificate, key, EVP_sha256()) ||
	    SSL_CTX_use_certificate(context, certificate) != 1 ||
	    SSL_CTX_use_PrivateKey(context, key) != 1)
		fail("no certificate");
	X509_free(certificate);
	EVP_PKEY_free(key);
	return context;
}

static void connect_pair(SSL *client, SSL *server)
{
	BIO *a, *b;

	if (!BIO_new_bio_pair(&a, 65536, &b, 65536))
		fail("no BIO pair");
	SSL_set_bio(client, a, a);
	SSL_set_bio(server, b, b);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	for (int i = 0; i < 10; i++) {
		SSL_do_handshake(client);
		SSL_do_handshake(server);
	}
	if (!SSL_is_init_finished(client) || !SSL_is_init_finished(server))
		fail("the handshake does not finish");
}

static void round_trip(SSL *client, SSL *server, const char *payload)
{
	char buffer[PAYLOAD];

	if (SSL_write(client, payload, PAYLOAD) != PAYLOAD ||
	    SSL_read(server, buffer, PAYLOAD) != PAYLOAD)
		fail("a call moved fewer bytes");
}

/* Nobody decrypts what is written: the writer is as fast as it can be. */
static void burst(SSL *client, SSL *server, const char *payload, long rounds)
{
	double start = now_s();
	char drop[65536];

	for (long n = 0; n < rounds; n++) {
		if (SSL_write(client, payload, PAYLOAD) != PAYLOAD)
			fail("a call moved fewer bytes");
		while (BIO_read(SSL_get_rbio(server), drop, sizeof(drop)) > 0)
			;
	}
	printf("burst  %7.0f ns for an SSL_write of %d bytes\n",
	       (now_s() - start) / (double)rounds * 1e9, PAYLOAD);
}

int main(int argc, char **argv)
{
	bool bursts = argc > 1 && strcmp(argv[1], "burst") == 0;
	bool http = bursts || (argc > 1 && strcmp(argv[1], "http") == 0);
	long rounds = argc > 2 ? atol(argv[2]) : 100000;
	SSL *client = SSL_new(SSL_CTX_new(TLS_client_method()));
	SSL *server = SSL_new(server_context());
	char payload[PAYLOAD];
	double start, best = 0;

	memset(payload, http ? 'x' : 1, sizeof(payload));
	if (http) /* a request whose body is the rest: an LLM call, so that the stream is followed */
		memcpy(payload,
		       "POST /v1/chat/completions HTTP/1.1\r\nHost: api.openai.com\r\n"
		       "Content-Length: 999999999999\r\n\r\n{\"model\":\"bench\",\"messages\":[\"",
		       sizeof("POST /v1/chat/completions HTTP/1.1\r\nHost: api.openai.com\r\n"
			      "Content-Length: "
			      "999999999999\r\n\r\n{\"model\":\"bench\",\"messages\":[\"") -
			       1);
	connect_pair(client, server);
	round_trip(client, server, payload);
	memset(payload, http ? 'x' : 1, sizeof(payload));
	/* the verdict on the first bytes takes a moment to come down */
	nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
	if (bursts) {
		burst(client, server, payload, rounds);
		SSL_free(client);
		return 0;
	}
	for (int i = 0; i < 3; i++) {
		double took;

		start = now_s();
		for (long n = 0; n < rounds; n++)
			round_trip(client, server, payload);
		took = now_s() - start;
		best = best == 0 || took < best ? took : best;
	}
	printf("%-6s %7.0f ns for an SSL_write and an SSL_read of %d bytes\n",
	       argc > 1 ? argv[1] : "", best / (double)rounds * 1e9, PAYLOAD);
	return 0;
}
