/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A crowd of clients: `handshakes HOST:PORT NAME CAFILE COUNT THREADS
 * [OPTION...]` asks a web server COUNT times for "/", each time by a new TLS
 * connection and session, and verifies its certificate and name.  The options
 * are those of s_client (SSL_CONF_cmd).  All must get an answer.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char request[] = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n";

static SSL_CTX *ctx;
static const char *address, *host;
static atomic_long left, bad;

/* One connection; NULL, or the step that failed. */
static const char *ask(void)
{
    BIO *bio = BIO_new_ssl_connect(ctx);
    const char *failed = NULL;
    char answer[5] = "";
    SSL *ssl = NULL;

    if (bio == NULL || BIO_set_conn_hostname(bio, address) != 1
        || BIO_get_ssl(bio, &ssl) != 1 || SSL_set1_host(ssl, host) != 1
        || SSL_set_tlsext_host_name(ssl, host) != 1)
        failed = "set up";
    else if (BIO_do_connect(bio) != 1)
        failed = "connect";
    else if (BIO_do_handshake(bio) != 1)
        failed = "handshake";
    else if (BIO_write(bio, request, sizeof(request) - 1) <= 0
             || BIO_read(bio, answer, sizeof(answer)) != sizeof(answer)
             || memcmp(answer, "HTTP/", sizeof(answer)) != 0)
        failed = "answer";
    BIO_free_all(bio);
    return failed;
}

static void *clients(void *unused)
{
    while (atomic_fetch_sub(&left, 1) > 0) {
        const char *failed = ask();

        if (failed != NULL && atomic_fetch_add(&bad, 1) < 5) {
            fprintf(stderr, "FAILED: %s\n", failed);
            ERR_print_errors_fp(stderr);
        }
        ERR_clear_error();
    }
    OPENSSL_thread_stop();
    return unused;
}

static int configure(const char *ca, char **options)
{
    SSL_CONF_CTX *conf = SSL_CONF_CTX_new();
    int ok = 1;

    SSL_CONF_CTX_set_flags(conf, SSL_CONF_FLAG_CMDLINE | SSL_CONF_FLAG_CLIENT
                                     | SSL_CONF_FLAG_SHOW_ERRORS);
    SSL_CONF_CTX_set_ssl_ctx(conf, ctx);
    while (ok && *options != NULL) {
        int used = SSL_CONF_cmd(conf, options[0], options[1]);

        ok = used > 0;
        options += used;
    }
    ok = ok && SSL_CONF_CTX_finish(conf) == 1
         && SSL_CTX_load_verify_file(ctx, ca) == 1;
    SSL_CONF_CTX_free(conf);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    return ok;
}

int main(int argc, char **argv)
{
    pthread_t threads[64];
    long count, n, i;

    if (argc < 6 || (count = strtol(argv[4], NULL, 10)) < 1
        || (n = strtol(argv[5], NULL, 10)) < 1 || n > 64)
        return 2;
    address = argv[1];
    host = argv[2];
    atomic_store(&left, count);
    if ((ctx = SSL_CTX_new(TLS_client_method())) == NULL
        || !configure(argv[3], argv + 6)) {
        ERR_print_errors_fp(stderr);
        return 2;
    }
    for (i = 0; i < n; i++)
        if (pthread_create(&threads[i], NULL, clients, NULL) != 0)
            return 2;
    for (i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    SSL_CTX_free(ctx);
    printf("%ld of %ld good\n", count - atomic_load(&bad), count);
    return atomic_load(&bad) == 0 ? 0 : 1;
}
