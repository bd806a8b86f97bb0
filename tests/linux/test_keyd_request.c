/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every request that mesh-keyd serves, over a connection.
 */
#include "platform/linux/keyd/key_data.h"
#include "tests/linux/keyd_peer.h"

#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

static void signs(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256");
    struct mesh_key_name name = hold(key);
    int fd = greeted();

    (void)state;
    for (int i = 0; i < 3; i++)
        expect_signature(fd, &name, key);
    assert_int_equal(atomic_load(&memory.finds), 1);
    close(fd);
}

/* Messages that do not fit travel in a memfd. */
static void signs_large_messages(void **state)
{
    struct mesh_key_name name = hold(test_key(ctx, "ED25519"));
    struct mesh_request sign = sign_request(&name, "");
    unsigned char *message = OPENSSL_zalloc(1 << 20);
    int fd = greeted();

    (void)state;
    assert_int_equal(ask(fd, &sign, message, 1 << 20), MESH_R_NONE);
    assert_int_equal(result_len, 64);
    assert_int_equal(ask(fd, &sign, NULL, 0), MESH_R_NONE);
    assert_int_equal(result_len, 64);
    OPENSSL_free(message);
    close(fd);
}

/* The digest of a label and the ciphertext arrive where they belong. */
static void decrypts_with_a_label(void **state)
{
    EVP_PKEY *key = test_key(ctx, "RSA-2048");
    struct mesh_key_name name = hold(key);
    struct mesh_request decrypt = request_for(MESH_REQ_OPERATE, &name);
    EVP_PKEY_CTX *e = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, key, NULL);
    unsigned char sealed[256];
    size_t len = sizeof(sealed);
    int fd = greeted();

    (void)state;
    EVP_PKEY_encrypt_init(e);
    EVP_PKEY_CTX_set_rsa_padding(e, RSA_PKCS1_OAEP_PADDING);
    EVP_PKEY_CTX_set0_rsa_oaep_label(e, OPENSSL_strdup("LABEL"), 5);
    assert_int_equal(
        EVP_PKEY_encrypt(e, sealed, &len, (const unsigned char *)"secret", 6),
        1);
    EVP_PKEY_CTX_free(e);
    decrypt.operation = MESH_OP_DECRYPT;
    decrypt.padding = MESH_PAD_OAEP;
    decrypt.label_len = 5;
    decrypt.data_len = (uint32_t)len;
    assert_int_equal(
        mesh_message_send_request(fd, &decrypt, "LABEL", sealed, -1),
        MESH_MESSAGE_OK);
    assert_int_equal(receive(fd), MESH_MESSAGE_OK);
    assert_int_equal(answer.reason, MESH_R_NONE);
    assert_int_equal(result_len, 6);
    assert_memory_equal(result, "secret", 6);
    close(fd);
}

/* Nobody was told its name: it does not stay. */
static void keeps_no_key_for_nobody(void **state)
{
    struct mesh_request request = new_request(MESH_REQ_GENERATE);
    int fd = greeted();

    (void)state;
    request.data_len = 8;
    assert_int_equal(
        mesh_message_send_request(fd, &request, NULL, "RSA-3072", -1),
        MESH_MESSAGE_OK);
    close(fd);
    assert_true(mesh_connections_free(connections, ANSWER_MS));
    connections = NULL;
    assert_true(atomic_load(&memory.calls) > 1); /* stored, removed */
    for (size_t i = 0; i < MEMORY_KEYS_MAX; i++)
        assert_null(memory.keys[i]);
}

static void manages_keys(void **state)
{
    struct mesh_request request = new_request(MESH_REQ_GENERATE);
    const struct mesh_keystore_item *items;
    struct mesh_key_name name;
    const unsigned char *der;
    EVP_PKEY *key;
    int fd = greeted();

    (void)state;
    assert_int_equal(ask(fd, &request, "P-256", 5), MESH_R_NONE);
    der = result;
    key = d2i_PUBKEY_ex(NULL, &der, (long)result_len, ctx->libctx, NULL);
    assert_true(mesh_key_name_of(ctx, key, &name));

    request = request_for(MESH_REQ_STAT, &name);
    assert_int_equal(ask(fd, &request, NULL, 0), MESH_R_NONE);
    assert_int_equal(answer.held, 1);
    expect_signature(fd, &name, key);

    request = new_request(MESH_REQ_LIST);
    assert_int_equal(ask(fd, &request, NULL, 0), MESH_R_NONE);
    assert_int_equal(result_len, sizeof(*items));
    items = (struct mesh_keystore_item *)result;
    assert_string_equal(items[0].name.udf, name.udf);
    assert_string_equal(items[0].algorithm, "P-256");
    assert_string_equal(items[0].source, "memory");

    request = request_for(MESH_REQ_DELETE, &name);
    assert_int_equal(ask(fd, &request, NULL, 0), MESH_R_NONE);
    request = request_for(MESH_REQ_DELETE, &name);
    assert_int_equal(ask(fd, &request, NULL, 0), MESH_R_KEY_NOT_HELD);
    expect_refusal(MESH_R_KEY_NOT_HELD, name.udf);
    request = request_for(MESH_REQ_STAT, &name);
    assert_int_equal(ask(fd, &request, NULL, 0), MESH_R_NONE);
    assert_int_equal(answer.held, 0);
    request = sign_request(&name, "SHA2-256");
    assert_int_equal(ask(fd, &request, digest, 32), MESH_R_KEY_NOT_HELD);
    EVP_PKEY_free(key);

    request = new_request(MESH_REQ_GENERATE);
    assert_int_equal(ask(fd, &request, "ROT-13", 6), MESH_R_USAGE);
    expect_refusal(MESH_R_USAGE, "ROT-13");
    request = new_request(MESH_REQ_GENERATE);
    assert_int_equal(ask(fd, &request, "P-256\0x", 7), MESH_R_ALGORITHM);
    close(fd);
}

static void imports(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256");
    struct mesh_request request = new_request(MESH_REQ_IMPORT);
    unsigned char *der;
    size_t len;
    int fd = greeted();

    (void)state;
    assert_true(mesh_key_encode_pkcs8(ctx, key, &der, &len));
    assert_int_equal(ask(fd, &request, der, len - 1), MESH_R_KEY_MALFORMED);
    expect_refusal(MESH_R_KEY_MALFORMED, "PKCS#8");
    assert_null(memory.keys[0]);
    request = new_request(MESH_REQ_IMPORT);
    assert_int_equal(ask(fd, &request, der, len), MESH_R_NONE);
    assert_int_equal(EVP_PKEY_eq(memory.keys[0], key), 1);
    request = new_request(MESH_REQ_IMPORT);
    assert_int_equal(ask(fd, &request, der, len), MESH_R_KEY_EXISTS);
    /* refused by name: nothing without data goes further */
    request = new_request(MESH_REQ_REGISTER);
    assert_int_equal(ask(fd, &request, "/path", 6), MESH_R_KEYD_PROTOCOL);
    OPENSSL_clear_free(der, len);
    expect_closed(fd);
}

static void locks_and_reports(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256");
    struct mesh_key_name name = hold(key);
    struct mesh_request status = new_request(MESH_REQ_STATUS);
    struct mesh_request lock = new_request(MESH_REQ_LOCK);
    struct mesh_keystore_status *said;
    int fd = greeted();

    (void)state;
    expect_signature(fd, &name, key);
    assert_int_equal(ask(fd, &status, NULL, 0), MESH_R_NONE);
    said = (struct mesh_keystore_status *)result;
    assert_int_equal(result_len, sizeof(*said));
    assert_int_equal(said->cached, 1);
    assert_int_equal(said->connections, 1);
    assert_int_equal(said->pid, getpid());
    assert_string_equal(said->program, "mesh-keyd " MESH_VERSION);
    assert_int_equal(ask(fd, &lock, NULL, 0), MESH_R_NONE);
    assert_int_equal(ask(fd, &status, NULL, 0), MESH_R_NONE);
    said = (struct mesh_keystore_status *)result;
    assert_int_equal(said->cached, 0);
    close(fd);
}

/* Nothing is asked of a key store, nobody is asked to unlock it. */
static void refuses_before_the_key(void **state)
{
    struct mesh_key_name name = hold(test_key(ctx, "P-256"));
    struct mesh_request request;
    int fd = greeted();

    (void)state;
    request = sign_request(&name, "SHA99");
    request.flags = MESH_FLAG_PROMPT;
    assert_int_equal(ask(fd, &request, digest, 32),
                     MESH_R_OPERATION_UNSUPPORTED);
    expect_refusal(MESH_R_OPERATION_UNSUPPORTED, "\"SHA99\"");
    request = sign_request(&name, "SHA2-256");
    request.padding = 17;
    assert_int_equal(ask(fd, &request, digest, 32),
                     MESH_R_OPERATION_UNSUPPORTED);
    request = sign_request(&name, "SHA2-256");
    request.padding = MESH_PAD_PSS;
    request.salt_length = 0xffffffff;
    assert_int_equal(ask(fd, &request, digest, 32),
                     MESH_R_OPERATION_UNSUPPORTED);
    request = sign_request(&name, "SHA2-256");
    request.operation = 0x80000001;
    assert_int_equal(ask(fd, &request, digest, 32),
                     MESH_R_OPERATION_UNSUPPORTED);
    assert_int_equal(atomic_load(&memory.calls), 0);
    request = sign_request(&name, "SHA2-256");
    request.out_max = 10;
    assert_int_equal(ask(fd, &request, digest, 32), MESH_R_BUFFER_TOO_SMALL);
    assert_int_equal(result_len, strlen((char *)result)); /* no signature */
    close(fd);
}

static void prompts_only_if_it_may(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256");
    struct mesh_key_name name = hold(key);
    struct mesh_request request = sign_request(&name, "SHA2-256");
    int fd = greeted();

    (void)state;
    atomic_store(&memory.locked, 1);
    assert_int_equal(ask(fd, &request, digest, 32), MESH_R_LOCKED);
    request = request_for(MESH_REQ_STAT, &name);
    assert_int_equal(ask(fd, &request, NULL, 0), MESH_R_NONE);
    assert_int_equal(answer.held, 1);
    request = sign_request(&name, "SHA2-256");
    request.flags = MESH_FLAG_PROMPT;
    assert_int_equal(ask(fd, &request, digest, 32), MESH_R_NONE);
    close(fd);
}

/* What stands in the log of a test, which ends with it. */
static char *logged(const char *path)
{
    static char text[4096];
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    unlink(path);
    mesh_log_close();
    assert_true(mesh_log_open(ctx, "/dev/null", 0));
    return text;
}

static void start_log(char path[])
{
    close(mkstemp(path));
    mesh_log_close();
    assert_true(mesh_log_open(ctx, path, 0));
}

/* The log has the fingerprint of the key that was used, not what a program
 * says. */
static void logs_what_was_used(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256");
    struct mesh_key_name name = hold(key), other = name;
    struct mesh_request request;
    char path[] = "/tmp/mesh-log-XXXXXX", *text, word[160];
    int fd = greeted();

    (void)state;
    assert_true(mesh_key_name_of(ctx, test_key(ctx, "RSA-2048"), &other));
    start_log(path);
    expect_signature(fd, &name, key);
    request = sign_request(&name, "SHA2-256");
    strcpy(request.udf, other.udf);
    assert_int_equal(ask(fd, &request, digest, 32), MESH_R_KEY_MISMATCH);
    expect_refusal(MESH_R_KEY_MISMATCH, name.udf);
    strcpy(request.udf, "MFORGED sign SHA2-256: done");
    assert_int_equal(ask(fd, &request, digest, 32), MESH_R_FINGERPRINT_SYNTAX);
    strcpy(request.udf, name.udf);
    strcpy(request.digest, "FORGED: done");
    assert_int_equal(ask(fd, &request, digest, 32),
                     MESH_R_OPERATION_UNSUPPORTED);
    /* found by its digest and never looked into: both stand there */
    request = request_for(MESH_REQ_DELETE, &name);
    strcpy(request.udf, other.udf);
    assert_int_equal(ask(fd, &request, NULL, 0), MESH_R_NONE);
    text = logged(path);
    snprintf(word, sizeof(word), " key=%s sign SHA2-256: done\n", name.udf);
    assert_non_null(strstr(text, word));
    snprintf(word, sizeof(word), " key=%s sign SHA2-256: done", other.udf);
    assert_null(strstr(text, word));
    assert_null(strstr(text, "MFORGED"));
    assert_null(strstr(text, " FORGED: done"));
    snprintf(word, sizeof(word), " key=%s spki-sha256=%02X%02X", other.udf,
             name.spki_sha256[0], name.spki_sha256[1]);
    assert_non_null(strstr(text, word));
    close(fd);
}

static void logs_new_keys(void **state)
{
    struct mesh_request request = new_request(MESH_REQ_GENERATE);
    char path[] = "/tmp/mesh-log-XXXXXX", word[160];
    int fd = greeted();

    (void)state;
    start_log(path);
    assert_int_equal(ask(fd, &request, "P-256", 5), MESH_R_NONE);
    snprintf(word, sizeof(word), " key=%s generate: done\n",
             memory.names[0].udf);
    assert_non_null(strstr(logged(path), word));
    close(fd);
}

/* An empty result without a reason would pass for a signature. */
static int fails_silently(struct mesh_key_source *source,
                          struct mesh_context *c, const struct mesh_key_name *n,
                          EVP_PKEY *key, const struct mesh_patience *patience)
{
    (void)source, (void)c, (void)n, (void)key, (void)patience;
    return 0;
}

static void always_has_a_reason(void **state)
{
    struct mesh_request request = new_request(MESH_REQ_GENERATE);
    int fd = greeted();

    (void)state;
    memory.source.store = fails_silently;
    assert_int_equal(ask(fd, &request, "P-256", 5), MESH_R_INTERNAL);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(signs),
        CASE(signs_large_messages),
        CASE(decrypts_with_a_label),
        CASE(keeps_no_key_for_nobody),
        CASE(manages_keys),
        CASE(imports),
        CASE(locks_and_reports),
        CASE(refuses_before_the_key),
        CASE(prompts_only_if_it_may),
        CASE(logs_what_was_used),
        CASE(logs_new_keys),
        CASE(always_has_a_reason),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
