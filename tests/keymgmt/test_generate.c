/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Generation: what goes to the key store and what stays software; which
 * parameters a key of the key store can have; what becomes of one whose
 * reference cannot be written.
 */
#include "keymgmt/key.h"
#include "tests/keymgmt/keystore_double.h"
#include "tests/keymgmt/make_key_double.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants those before it */
#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/x509.h>
#include <string.h>
#ifndef MESH_PLATFORM_WINDOWS
#include <sys/wait.h>
#include <unistd.h>
#endif

#define MESH "?provider=mesh"

OSSL_provider_init_fn OSSL_provider_init;

static OSSL_LIB_CTX *libctx;
static OSSL_PROVIDER *mesh, *other;

static int load(void **state)
{
    (void)state;
    libctx = OSSL_LIB_CTX_new();
    OSSL_PROVIDER_add_builtin(libctx, "mesh", OSSL_provider_init);
    other = OSSL_PROVIDER_load(libctx, "default");
    mesh = OSSL_PROVIDER_load(libctx, "mesh");
    memset(&double_made, 0, sizeof(double_made));
    double_make_failure = MESH_R_NONE;
    return mesh == NULL || other == NULL;
}

static int unload(void **state)
{
    (void)state;
    OSSL_PROVIDER_unload(mesh);
    OSSL_PROVIDER_unload(other);
    OSSL_LIB_CTX_free(libctx);
    ERR_clear_error();
    return 0;
}

/* Sets options as the command line does, "name:value name:value"; 0 if one is
 * refused. */
static int set_options(EVP_PKEY_CTX *gen, const char *options)
{
    char copy[256], *save = NULL, *option;
    int ok = 1;

    OPENSSL_strlcpy(copy, options, sizeof(copy));
    for (option = strtok_r(copy, " ", &save); option != NULL && ok;
         option = strtok_r(NULL, " ", &save)) {
        char *value = strchr(option, ':');

        *value++ = '\0';
        ok = EVP_PKEY_CTX_ctrl_str(gen, option, value) > 0;
    }
    return ok;
}

static EVP_PKEY *generate(EVP_PKEY_CTX *gen, const char *options)
{
    EVP_PKEY *key = NULL;

    assert_non_null(gen);
    assert_int_equal(EVP_PKEY_keygen_init(gen), 1);
    if (set_options(gen, options))
        (void)EVP_PKEY_generate(gen, &key);
    EVP_PKEY_CTX_free(gen);
    return key;
}

static EVP_PKEY *generate_type(const char *type, const char *options)
{
    return generate(EVP_PKEY_CTX_new_from_name(libctx, type, MESH), options);
}

/* Whether this libcrypto has keys of that type. */
static int there_is(const char *type)
{
    EVP_KEYMGMT *mine, *native;
    int is;

    ERR_set_mark();
    mine = EVP_KEYMGMT_fetch(libctx, type, "provider=mesh");
    native = EVP_KEYMGMT_fetch(libctx, type, "provider=default");
    ERR_pop_to_mark();
    assert_true((mine != NULL) == (native != NULL));
    is = native != NULL;
    if (!is)
        print_message("%s: not in this libcrypto, skipped\n", type);
    EVP_KEYMGMT_free(mine);
    EVP_KEYMGMT_free(native);
    return is;
}

static void test_algorithms(void **state)
{
    static const struct {
        const char *type, *options, *algorithm;
    } rows[] = {
        {"RSA", "", "RSA-2048"},
        {"RSA", "rsa_keygen_bits:2048", "RSA-2048"},
        {"RSA", "rsa_keygen_bits:3072", "RSA-3072"},
        {"RSA", "rsa_keygen_bits:4096 rsa_keygen_pubexp:65537", "RSA-4096"},
        {"RSA", "rsa_keygen_primes:2", "RSA-2048"},
        {"EC", "ec_paramgen_curve:P-256", "P-256"},
        {"EC", "group:prime256v1", "P-256"},
        {"EC", "ec_paramgen_curve:secp384r1 ec_param_enc:named_curve", "P-384"},
        {"EC", "group:P-521", "P-521"},
        {"EC", "group:secp256k1", "secp256k1"},
        {"EC", "group:brainpoolP384r1", "brainpoolP384r1"},
        {"RSA-PSS", "", "RSA-PSS-2048"},
        {"RSA-PSS", "rsa_keygen_bits:4096", "RSA-PSS-4096"},
        {"ED25519", "", "ED25519"},
        {"ED448", "", "ED448"},
        {"X25519", "", "X25519"},
        {"X448", "", "X448"},
        {"ML-DSA-65", "", "ML-DSA-65"},
        {"ML-KEM-768", "", "ML-KEM-768"},
    };
    unsigned made = 0;
    char options[256];
    EVP_PKEY *key;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!there_is(rows[i].type))
            continue;
        snprintf(options, sizeof(options), "profile:device %s",
                 rows[i].options);
        key = generate_type(rows[i].type, options);
        assert_non_null(key);
        assert_int_equal(double_made.made, ++made);
        assert_int_equal(ERR_peek_error(), 0);
        assert_string_equal(double_made.algorithm, rows[i].algorithm);
        assert_string_equal(double_made.profile, "device");
        assert_string_equal(double_made.role, "-");
        /* It is the provider's, has both halves, and gives out one. */
        assert_string_equal(
            OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key)), "mesh");
        assert_int_equal(EVP_PKEY_eq(key, key), 1);
        assert_null(EVP_PKEY2PKCS8(key));
        ERR_clear_error();
        EVP_PKEY_free(key);
    }
    assert_int_equal(double_made.unmade, 0); /* whoever wants it has the URI */
}

static void test_profile_and_role(void **state)
{
    EVP_PKEY *key = generate_type("ED25519", "role:vpn");

    (void)state;
    assert_non_null(key);
    assert_string_equal(double_made.profile, "-");
    assert_string_equal(double_made.role, "vpn");
    EVP_PKEY_free(key);
    key = generate_type("ED25519", "role:vpn profile:mesh://web");
    assert_non_null(key);
    assert_string_equal(double_made.profile, "mesh://web");
    EVP_PKEY_free(key);
}

/* Refused by name, and nothing is made. */
static void test_refused(void **state)
{
    static const struct {
        const char *type, *options, *text;
    } rows[] = {
        {"RSA", "rsa_keygen_bits:1024", "RSA of 1024 bits"},
        {"RSA", "rsa_keygen_bits:2056", "RSA-2048, RSA-3072, RSA-4096"},
        {"RSA", "rsa_keygen_pubexp:3", "\"e\""},
        {"RSA", "rsa_keygen_bits:3072 rsa_keygen_primes:3", "\"primes\""},
        {"RSA-PSS", "rsa_pss_keygen_md:sha256", "\"digest\""},
        {"RSA-PSS", "rsa_pss_keygen_saltlen:32", "\"saltlen\""},
        {"EC", "group:secp224r1", "secp224r1"},
        {"EC", "", "group not named"},
        {"EC", "group:P-256 ec_param_enc:explicit", "\"encoding\""},
        {"EC", "group:P-256 point-format:compressed", "\"point-format\""},
    };
    char options[256];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *data = NULL;
        unsigned long e;
        int flags = 0, found = 0;

        snprintf(options, sizeof(options), "%s role:vpn", rows[i].options);
        assert_null(generate_type(rows[i].type, options));
        while ((e = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0)
            found |= data != NULL && strstr(data, rows[i].text) != NULL;
        if (!found)
            fail_msg("%s %s: not %s", rows[i].type, options, rows[i].text);
        assert_int_equal(double_made.made, 0);
    }
}

/* A number where a text is wanted is no reason to take the default. */
static void test_wrong_type(void **state)
{
    EVP_PKEY_CTX *gen = EVP_PKEY_CTX_new_from_name(libctx, "ED25519", MESH);
    EVP_PKEY *key = NULL;
    int number = 1;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_int("profile", &number),
        OSSL_PARAM_END,
    };

    (void)state;
    assert_int_equal(EVP_PKEY_keygen_init(gen), 1);
    if (EVP_PKEY_CTX_set_params(gen, params) == 1)
        assert_int_not_equal(EVP_PKEY_generate(gen, &key), 1);
    assert_null(key);
    assert_int_equal(double_made.made, 0);
    EVP_PKEY_CTX_free(gen);
}

static void test_failure(void **state)
{
    (void)state;
    double_make_failure = MESH_R_LOCKED;
    assert_null(generate_type("ED25519", "role:vpn"));
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), MESH_R_LOCKED);
    assert_int_equal(double_made.made, 1);
}

/* Without the options it is a file's key. */
static void test_software(void **state)
{
    EVP_PKEY *key = generate_type("EC", "group:P-256");
    unsigned char *der = NULL;

    (void)state;
    assert_non_null(key);
    assert_int_equal(double_made.made, 0);
    assert_true(i2d_PrivateKey(key, &der) > 0);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    /* default knows nothing of them, so nobody gets the wrong kind of key */
    assert_null(generate(EVP_PKEY_CTX_new_from_name(libctx, "EC", NULL),
                         "group:P-256 role:vpn"));
}

/* Parameters stay software; a key of the key store takes its group from them,
 * or from another key. */
static void test_template(void **state)
{
    EVP_PKEY_CTX *gen = EVP_PKEY_CTX_new_from_name(libctx, "EC", MESH);
    const OSSL_PARAM role[] = {
        OSSL_PARAM_utf8_string("role", (char[]){"vpn"}, 3), OSSL_PARAM_END};
    EVP_PKEY *group = NULL, *none = NULL, *key;

    (void)state;
    assert_int_equal(EVP_PKEY_paramgen_init(gen), 1);
    assert_int_equal(set_options(gen, "role:vpn"), 0);
    assert_int_equal(set_options(gen, "group:P-384"), 1);
    assert_int_equal(EVP_PKEY_paramgen(gen, &group), 1);
    /* Whoever asks for a group alone gets no key. */
    assert_int_equal(EVP_PKEY_CTX_set_params(gen, role), 1);
    assert_int_equal(EVP_PKEY_paramgen(gen, &none), 0);
    assert_null(none);
    EVP_PKEY_CTX_free(gen);
    key = generate(EVP_PKEY_CTX_new_from_pkey(libctx, group, MESH), "");
    assert_non_null(key);
    assert_int_equal(double_made.made, 0);
    assert_int_equal(EVP_PKEY_get_bits(key), 384);
    EVP_PKEY_free(key);
    key = generate(EVP_PKEY_CTX_new_from_pkey(libctx, group, MESH), "role:vpn");
    assert_non_null(key);
    assert_string_equal(double_made.algorithm, "P-384");
    EVP_PKEY_free(key);
    key = generate(EVP_PKEY_CTX_new_from_pkey(libctx, group, MESH),
                   "role:vpn group:P-521");
    assert_non_null(key);
    assert_string_equal(double_made.algorithm, "P-521");
    EVP_PKEY_free(key);
    EVP_PKEY_free(group);
}

/* `openssl list` asks without a generation. */
static void test_list(void **state)
{
    EVP_KEYMGMT *rsa = EVP_KEYMGMT_fetch(libctx, "RSA", "provider=mesh");
    const OSSL_PARAM *settable = EVP_KEYMGMT_gen_settable_params(rsa);

    (void)state;
    assert_non_null(OSSL_PARAM_locate_const(settable, "profile"));
    assert_non_null(OSSL_PARAM_locate_const(settable, "role"));
    EVP_KEYMGMT_free(rsa);
}

static unsigned unmade;

static int count_unmade(struct mesh_context *ctx, EVP_PKEY *public,
                        const char *uri)
{
    (void)ctx;
    assert_non_null(public);
    assert_string_equal(uri, "mesh://a/b");
    unmade++;
    return 1;
}

static void no_error(struct mesh_context *ctx, enum mesh_reason reason,
                     const char *file, int line, const char *func,
                     const char *text)
{
    (void)ctx;
    (void)reason;
    (void)file;
    (void)line;
    (void)func;
    fail_msg("%s", text);
}

/* A child that frees the key, too, does not unmake it. */
static void free_in_child(struct mesh_key *key)
{
#ifdef MESH_PLATFORM_WINDOWS
    (void)key; /* has no fork() */
#else
    int status;
    pid_t child = fork();

    if (child == 0) {
        mesh_key_free(key);
        _exit((int)unmade);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 1);
#endif
}

/* What goes with its last reference, and what stays. */
static void test_unwritten(void **state)
{
    struct mesh_context *ctx = mesh_context_new(NULL, no_error, NULL);
    EVP_PKEY *native = double_key("ec");
    struct mesh_key *key;

    (void)state;
    ctx->unmake_key = count_unmade;
    mesh_key_free(mesh_key_new_made(ctx, native, "mesh://a/b"));
    assert_int_equal(unmade, 0); /* nobody wrote it, nobody failed to */

    key = mesh_key_new_made(ctx, native, "mesh://a/b");
    mesh_key_unwritten(key);
    mesh_key_free(mesh_key_up_ref(key));
    assert_int_equal(unmade, 0); /* the application still has it */
    mesh_key_free(key);
    assert_int_equal(unmade, 1);

    key = mesh_key_new_made(ctx, native, "mesh://a/b");
    mesh_key_settle(key); /* there is a file already */
    mesh_key_unwritten(key);
    mesh_key_free(key);
    key = mesh_key_new_made(ctx, native, "mesh://a/b");
    mesh_key_unwritten(key);
    mesh_key_settle(key); /* the second try */
    mesh_key_free(key);
    key = mesh_key_new(ctx, native, "mesh://a/b", MESH_KEY_HELD);
    mesh_key_unwritten(key); /* it was there before */
    mesh_key_free(key);
    assert_int_equal(unmade, 1);

    key = mesh_key_new_made(ctx, native, "mesh://a/b");
    mesh_key_unwritten(key);
    free_in_child(key);
    mesh_key_free(key);
    assert_int_equal(unmade, 2);
    mesh_context_free(ctx);
}

/* Where nothing can be written. */
static BIO *full_disk(void)
{
#ifdef MESH_PLATFORM_WINDOWS
    return BIO_new_mem_buf("", 0); /* read only */
#else
    return BIO_new_file("/dev/full", "w");
#endif
}

/* The same through libcrypto: a disk that is full, a file that is encrypted. */
static void test_lost_reference(void **state)
{
    static const struct {
        int full; /* 0: in memory */
        const char *cipher;
        int again, sign;
        unsigned unmade;
    } rows[] = {
        {0, NULL, 0, 0, 0}, {1, NULL, 0, 0, 1},          {1, NULL, 1, 0, 0},
        {1, NULL, 0, 1, 0}, {0, "AES-256-CBC", 0, 0, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        EVP_PKEY *key = generate_type("ED25519", "role:vpn");
        EVP_CIPHER *cipher =
            rows[i].cipher != NULL
                ? EVP_CIPHER_fetch(libctx, rows[i].cipher, NULL)
                : NULL;
        BIO *full = rows[i].full ? full_disk() : BIO_new(BIO_s_mem());
        BIO *memory = BIO_new(BIO_s_mem());
        EVP_MD_CTX *sign = EVP_MD_CTX_new();
        unsigned char signature[64];
        size_t len = sizeof(signature);

        double_made.unmade = 0;
        assert_non_null(key);
        assert_int_equal(PEM_write_bio_PrivateKey(full, key, cipher, NULL, 0,
                                                  NULL, (void *)"abcd"),
                         !rows[i].full && cipher == NULL);
        if (rows[i].again)
            assert_int_equal(PEM_write_bio_PrivateKey(memory, key, NULL, NULL,
                                                      0, NULL, NULL),
                             1);
        if (rows[i].sign) {
            assert_int_equal(EVP_DigestSignInit_ex(sign, NULL, NULL, libctx,
                                                   NULL, key, NULL),
                             1);
            assert_int_equal(EVP_DigestSign(sign, signature, &len,
                                            (const unsigned char *)"x", 1),
                             1);
        }
        EVP_MD_CTX_free(sign);
        assert_int_equal(double_made.unmade, 0);
        EVP_PKEY_free(key);
        assert_int_equal(double_made.unmade, rows[i].unmade);
        BIO_free(full);
        BIO_free(memory);
        EVP_CIPHER_free(cipher);
        ERR_clear_error();
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, load, unload)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_algorithms), TEST(test_profile_and_role),
        TEST(test_refused),    TEST(test_wrong_type),
        TEST(test_failure),    TEST(test_software),
        TEST(test_template),   TEST(test_list),
        TEST(test_unwritten),  TEST(test_lost_reference),
    };
    int failed;

    failed = cmocka_run_group_tests(tests, NULL, NULL);
    double_free_keys();
    return failed;
}
