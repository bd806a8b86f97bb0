/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Handshakes with certificates of held keys, over every group: libssl asks the
 * provider for much more than the signature.
 */
#include "tests/keymgmt/provider_test.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

/* A certificate of the key for "localhost", that it has signed itself. */
static X509 *certificate_of(EVP_PKEY *key)
{
    X509 *x = X509_new_ex(app, NULL);
    char digest[64] = "";
    EVP_MD *md = NULL;

    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_set_pubkey(x, key);
    if (EVP_PKEY_get_default_digest_name(key, digest, sizeof(digest)) > 0
        && digest[0] != '\0' && strcmp(digest, "UNDEF") != 0)
        md = EVP_MD_fetch(app, digest, NULL);
    assert_true(X509_sign(x, key, md) > 0);
    EVP_MD_free(md);
    return x;
}

struct handshake {
    const char *key, *groups, *signatures; /* NULL: whatever libssl likes */
    int version;
};

/* Whether libssl has the groups without our provider. */
static int plain_has(const char *groups)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    int ok = groups == NULL || SSL_CTX_set1_groups_list(ctx, groups) == 1;

    SSL_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

static SSL_CTX *context(const struct handshake *how, const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new_ex(app, NULL, method);

    assert_non_null(ctx);
    SSL_CTX_set_min_proto_version(ctx, how->version);
    SSL_CTX_set_max_proto_version(ctx, how->version);
    if (how->groups != NULL)
        assert_int_equal(SSL_CTX_set1_groups_list(ctx, how->groups), 1);
    return ctx;
}

/* Moves what each side has to say to the other. */
static int shake(SSL *client, SSL *server)
{
    int i, c = 0, s = 0;

    for (i = 0; i < 20 && (c != 1 || s != 1); i++) {
        c = SSL_do_handshake(client);
        s = SSL_do_handshake(server);
    }
    return c == 1 && s == 1;
}

static int handshake(const struct handshake *how, EVP_PKEY *key, X509 *x,
                     int client_certificate)
{
    SSL_CTX *to = context(how, TLS_client_method());
    SSL_CTX *from = context(how, TLS_server_method());
    SSL *client, *server;
    BIO *a, *b;
    int ok;

    X509_STORE_add_cert(SSL_CTX_get_cert_store(to), x);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(from), x);
    SSL_CTX_set_verify(to, SSL_VERIFY_PEER, NULL);
    assert_int_equal(SSL_CTX_use_certificate(from, x), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(from, key), 1);
    assert_int_equal(SSL_CTX_check_private_key(from), 1);
    if (client_certificate) {
        SSL_CTX_set_verify(
            from, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        assert_int_equal(SSL_CTX_use_certificate(to, x), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(to, key), 1);
    }
    client = SSL_new(to);
    server = SSL_new(from);
    if (how->signatures != NULL)
        assert_int_equal(SSL_set1_sigalgs_list(client, how->signatures), 1);
    SSL_set1_host(client, "localhost");
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    BIO_new_bio_pair(&a, 0, &b, 0);
    SSL_set_bio(client, a, a);
    SSL_set_bio(server, b, b);
    ok = shake(client, server);
    if (ok)
        assert_int_equal(SSL_get_verify_result(client), X509_V_OK);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(to);
    SSL_CTX_free(from);
    return ok;
}

static void run(const struct handshake *rows, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        EVP_PKEY *key;
        X509 *x;
        unsigned before;
        int client;

        if (!have(rows[i].key))
            continue;
        if (!plain_has(rows[i].groups)) {
            print_message("           %s: not in this libssl, skipped\n",
                          rows[i].groups);
            continue;
        }
        key = held_key(rows[i].key);
        x = certificate_of(key);
        for (client = 0; client < 2; client++) {
            before = double_operations;
            if (!handshake(&rows[i], key, x, client)) {
                ERR_print_errors_fp(stderr);
                fail_msg("%s %s %s", rows[i].key,
                         rows[i].groups != NULL ? rows[i].groups : "",
                         rows[i].signatures != NULL ? rows[i].signatures : "");
            }
            /* one signature each, for all that libssl tries */
            assert_int_equal(double_operations, before + 1 + (unsigned)client);
            ERR_clear_error();
        }
        X509_free(x);
        EVP_PKEY_free(key);
    }
}
#define RUN(rows) run(rows, sizeof(rows) / sizeof(rows[0]))

static void test_certificates(void **state)
{
    static const struct handshake rows[] = {
        {"rsa", NULL, NULL, TLS1_3_VERSION},
        {"rsa", NULL, NULL, TLS1_2_VERSION},
        {"rsa", NULL, "RSA+SHA384", TLS1_2_VERSION},
        {"rsa", NULL, "RSA-PSS+SHA512", TLS1_2_VERSION},
        {"rsa-pss", NULL, NULL, TLS1_3_VERSION},
        {"rsa-pss", NULL, "rsa_pss_pss_sha384", TLS1_3_VERSION},
        {"rsa-pss", NULL, NULL, TLS1_2_VERSION},
        {"rsa-pss-sha256", NULL, NULL, TLS1_3_VERSION},
        {"rsa-pss-sha256", NULL, "rsa_pss_pss_sha512:rsa_pss_pss_sha256",
         TLS1_2_VERSION},
        {"ec", NULL, NULL, TLS1_3_VERSION},
        {"ec", NULL, "ECDSA+SHA512", TLS1_2_VERSION},
        {"p384", NULL, NULL, TLS1_3_VERSION},
        {"p521", NULL, NULL, TLS1_2_VERSION},
        {"brainpool", "P-256:brainpoolP256r1", "ECDSA+SHA256", TLS1_2_VERSION},
        {"ed25519", NULL, NULL, TLS1_3_VERSION},
        {"ed25519", NULL, NULL, TLS1_2_VERSION},
        {"ed448", NULL, NULL, TLS1_3_VERSION},
        {"ml-dsa-44", NULL, NULL, TLS1_3_VERSION},
        {"ml-dsa-65", NULL, "mldsa65", TLS1_3_VERSION},
        {"ml-dsa-87", NULL, NULL, TLS1_3_VERSION},
    };

    (void)state;
    RUN(rows);
}

/* The ephemeral keys are the application's, whosever provider is first. */
static void test_groups(void **state)
{
    static const struct handshake rows[] = {
        {"ec", "X25519", NULL, TLS1_3_VERSION},
        {"ec", "X25519:P-256", NULL, TLS1_2_VERSION},
        {"ec", "X448", NULL, TLS1_3_VERSION},
        {"ec", "P-256", NULL, TLS1_3_VERSION},
        {"ec", "P-384:P-256", NULL, TLS1_2_VERSION},
        {"ec", "P-521", NULL, TLS1_3_VERSION},
        {"ec", "ffdhe2048", NULL, TLS1_3_VERSION},
        {"ec", "MLKEM512", NULL, TLS1_3_VERSION},
        {"ec", "MLKEM768", NULL, TLS1_3_VERSION},
        {"ec", "MLKEM1024", NULL, TLS1_3_VERSION},
        {"ec", "X25519MLKEM768", NULL, TLS1_3_VERSION},
        {"ec", "SecP256r1MLKEM768", NULL, TLS1_3_VERSION},
        {"ec", "brainpoolP256r1tls13", NULL, TLS1_3_VERSION},
    };

    (void)state;
    RUN(rows);
}

/* RSA key exchange, RFC 5246, 7.4.7.1: the premaster secret is decrypted where
 * the key is. */
static void test_rsa_key_exchange(void **state)
{
    EVP_PKEY *key = held_key("rsa");
    X509 *x = certificate_of(key);
    SSL_CTX *to = SSL_CTX_new_ex(app, NULL, TLS_client_method());
    SSL_CTX *from = SSL_CTX_new_ex(app, NULL, TLS_server_method());
    SSL *client, *server;
    BIO *a, *b;

    (void)state;
    SSL_CTX_set_max_proto_version(to, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(to, "AES128-GCM-SHA256");
    SSL_CTX_use_certificate(from, x);
    SSL_CTX_use_PrivateKey(from, key);
    client = SSL_new(to);
    server = SSL_new(from);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    BIO_new_bio_pair(&a, 0, &b, 0);
    SSL_set_bio(client, a, a);
    SSL_set_bio(server, b, b);
    double_operations = 0;
    assert_int_equal(shake(client, server), 1);
    assert_int_equal(double_operations, 1);
    assert_int_equal(double_last.operation, MESH_OP_DECRYPT);
    assert_int_equal(double_last.padding, MESH_PAD_PKCS1_TLS);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(to);
    SSL_CTX_free(from);
    X509_free(x);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_certificates),
        TEST(test_groups),
        TEST(test_rsa_key_exchange),
    };

    return RUN_IN_EACH_ORDER(tests);
}
