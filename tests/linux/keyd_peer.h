/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * mesh-keyd's end of socket pairs in this process, with keys in memory, and the
 * peer's end for the tests.
 */
#ifndef MESH_TESTS_LINUX_KEYD_PEER_H
#define MESH_TESTS_LINUX_KEYD_PEER_H

#include "platform/linux/keyd/connection.h"
#include "platform/linux/keyd/log.h"
#include "tests/linux/memory_source.h"
#include "tests/platform/capture.h"

#include <openssl/crypto.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CONNECTIONS 4
#define HELLO_MS        400
#define ANSWER_MS       20000

static struct capture capture;
static struct mesh_context *ctx;
static struct memory_source memory;
static struct mesh_service service;
static struct mesh_connections *connections;

static inline int set_up(void **state)
{
    (void)state;
    memory_source_init(&memory);
    memset(&service, 0, sizeof(service));
    service.ctx = ctx;
    service.keys = mesh_keys_new(100, 100);
    mesh_keys_add_source(service.keys, &memory.source);
    connections =
        mesh_connections_new(&service, MAX_CONNECTIONS, (gid_t)-1, HELLO_MS);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    if (connections != NULL)
        assert_true(mesh_connections_free(connections, 5000));
    mesh_keys_free(service.keys);
    memory_source_clear(&memory);
    assert_int_equal(capture.count, 0); /* errors go into answers alone */
    return 0;
}

/* Our end of a new connection. */
static inline int connect_to_keyd(void)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    mesh_connection_start(connections, pair[1]);
    return pair[0];
}

static inline struct mesh_request new_request(enum mesh_request_type type)
{
    static uint32_t serial = 100;

    return (struct mesh_request){.version = MESH_MESSAGE_VERSION,
                                 .type = type,
                                 .serial = serial++,
                                 .timeout = 5,
                                 .out_max = 4096};
}

static struct mesh_answer answer;
static unsigned char *result;
static size_t result_len;

static inline enum mesh_message_result receive(int fd)
{
    OPENSSL_free(result);
    return mesh_message_receive_answer(fd, ANSWER_MS, &answer, &result,
                                       &result_len, NULL);
}

/* Sends, and receives the answer to just that. */
static inline enum mesh_reason ask(int fd, struct mesh_request *request,
                                   const void *data, size_t len)
{
    request->data_len = (uint32_t)len;
    assert_int_equal(mesh_message_send_request(fd, request, NULL, data, -1),
                     MESH_MESSAGE_OK);
    assert_int_equal(receive(fd), MESH_MESSAGE_OK);
    assert_int_equal(answer.serial, request->serial);
    return (enum mesh_reason)answer.reason;
}

static inline void expect_refusal(enum mesh_reason reason, const char *part)
{
    if (answer.reason != reason || result == NULL
        || strstr((char *)result, part) == NULL)
        print_error("%s: %s\n", mesh_reason_text(answer.reason),
                    result != NULL ? (char *)result : "");
    assert_int_equal(answer.reason, reason);
    assert_non_null(strstr((char *)result, part));
}

static inline void expect_closed(int fd)
{
    assert_int_equal(receive(fd), MESH_MESSAGE_CLOSED);
    close(fd);
}

static inline int greeted(void)
{
    int fd = connect_to_keyd();
    struct mesh_request hello = new_request(MESH_REQ_HELLO);

    assert_int_equal(ask(fd, &hello, NULL, 0), MESH_R_NONE);
    return fd;
}

static inline struct mesh_key_name hold(EVP_PKEY *key)
{
    struct mesh_key_name name;

    assert_true(mesh_key_name_of(ctx, key, &name));
    memory_source_put(&memory, &name, key);
    return name;
}

static inline struct mesh_request request_for(enum mesh_request_type type,
                                              const struct mesh_key_name *name)
{
    struct mesh_request request = new_request(type);

    memcpy(request.udf, name->udf, sizeof(request.udf));
    memcpy(request.spki_sha256, name->spki_sha256, 32);
    return request;
}

static inline struct mesh_request sign_request(const struct mesh_key_name *name,
                                               const char *digest)
{
    struct mesh_request request = request_for(MESH_REQ_OPERATE, name);

    request.operation = MESH_OP_SIGN;
    strcpy(request.digest, digest);
    return request;
}

static const unsigned char digest[32] = {1, 2, 3};

static inline void expect_signature(int fd, const struct mesh_key_name *name,
                                    EVP_PKEY *key)
{
    struct mesh_request sign = sign_request(name, "SHA2-256");
    EVP_PKEY_CTX *verify = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, key, NULL);

    assert_int_equal(ask(fd, &sign, digest, sizeof(digest)), MESH_R_NONE);
    assert_int_equal(EVP_PKEY_verify_init(verify), 1);
    assert_int_equal(
        EVP_PKEY_verify(verify, result, result_len, digest, sizeof(digest)), 1);
    EVP_PKEY_CTX_free(verify);
}

static inline int set_up_all(void **state)
{
    (void)state;
    ctx = mesh_context_new(NULL, capture_raise, &capture);
    return ctx == NULL || !mesh_log_open(ctx, "/dev/null", 0);
}

static inline int tear_down_all(void **state)
{
    (void)state;
    OPENSSL_free(result);
    test_key(NULL, NULL);
    mesh_context_free(ctx);
    mesh_log_close();
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
