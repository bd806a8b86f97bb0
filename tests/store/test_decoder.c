/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Key-reference files, as libcrypto's functions for key files read them.
 */
#include "tests/keymgmt/provider_test.h"
#include "tests/thread.h"

#include <openssl/core.h>
#include <openssl/decoder.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/x509.h>
#include <string.h>

OSSL_provider_init_fn OSSL_provider_init;

#define LABEL   "MESH KEY REFERENCE"
#define VERSION "mesh key reference v1"
#define MAX     200000
#define UDF     "MAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA"
#define NOSUCH  "mesh://" UDF

struct data {
    unsigned char octets[MAX];
    size_t len;
};

static void put(struct data *d, const void *octets, size_t len)
{
    assert_true(d->len + len <= sizeof(d->octets));
    memcpy(d->octets + d->len, octets, len);
    d->len += len;
}

static void put_header(struct data *d, unsigned char tag, size_t len)
{
    const unsigned char header[] = {tag, 0x83, (unsigned char)(len >> 16),
                                    (unsigned char)(len >> 8),
                                    (unsigned char)len};

    if (len < 128) {
        put(d, header, 1);
        put(d, header + 4, 1);
    } else if (len < 256) {
        const unsigned char two[] = {tag, 0x81, (unsigned char)len};

        put(d, two, sizeof(two));
    } else if (len < 65536) {
        const unsigned char three[] = {tag, 0x82, header[3], header[4]};

        put(d, three, sizeof(three));
    } else {
        put(d, header, sizeof(header));
    }
}

/* The DER, with more octets inside and behind it. */
static const struct data *der_of(const char *version, const char *uri,
                                 const char *inside, const char *behind)
{
    static struct data strings, d;

    strings.len = d.len = 0;
    put_header(&strings, 0x0c, strlen(version));
    put(&strings, version, strlen(version));
    put_header(&strings, 0x0c, strlen(uri));
    put(&strings, uri, strlen(uri));
    put(&strings, inside, strlen(inside));
    put_header(&d, 0x30, strings.len);
    put(&d, strings.octets, strings.len);
    put(&d, behind, strlen(behind));
    return &d;
}

/* The PEM of such DER; the caller's. */
static BIO *pem_of(const struct data *der)
{
    BIO *pem = BIO_new(BIO_s_mem());

    assert_true(PEM_write_bio(pem, LABEL, "", der->octets, (long)der->len) > 0);
    return pem;
}

static int no_passphrase(char *buffer, int size, int writing, void *arg)
{
    (void)buffer, (void)size, (void)writing, (void)arg;
    return -1;
}

static EVP_PKEY *read_pem(BIO *pem)
{
    return PEM_read_bio_PrivateKey_ex(pem, NULL, no_passphrase, NULL, app,
                                      NULL);
}

static EVP_PKEY *read_der(const unsigned char *der, size_t len)
{
    return d2i_AutoPrivateKey_ex(NULL, &der, (long)len, app, NULL);
}

/* As `openssl -in FILE` does; frees bio. */
static EVP_PKEY *read_store(BIO *bio, int expect)
{
    OSSL_STORE_CTX *store =
        OSSL_STORE_attach(bio, "file", app, NULL, NULL, NULL, NULL, NULL, NULL);
    EVP_PKEY *key = NULL;

    assert_non_null(store);
    assert_int_equal(OSSL_STORE_expect(store, expect), 1);
    while (key == NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info != NULL)
            key = expect == OSSL_STORE_INFO_PUBKEY
                      ? OSSL_STORE_INFO_get1_PUBKEY(info)
                      : OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    BIO_free(bio);
    return key;
}

/* The key is that of mesh://NAME, and in the key store; frees it. */
static void is_held(EVP_PKEY *key, const char *name)
{
    assert_non_null(key);
    assert_int_equal(EVP_PKEY_eq(key, double_key(name)), 1);
    assert_string_equal(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key)),
                        "mesh");
    assert_null(EVP_PKEY2PKCS8(key));
    ERR_clear_error();
    EVP_PKEY_free(key);
}

static void test_every_type(void **state)
{
    const struct data *der;
    const char *name;
    EVP_PKEY *key;
    BIO *pem;

    (void)state;
    for (size_t i = 0; (name = double_name(i)) != NULL; i++) {
        if (!have(name))
            continue;
        der = der_of(VERSION, double_uri(name), "", "");
        pem = pem_of(der);
        key = read_pem(pem);
        assert_int_equal(ERR_peek_error(), 0);
        is_held(key, name);
        BIO_free(pem);
        key = read_der(der->octets, der->len);
        assert_int_equal(ERR_peek_error(), 0);
        is_held(key, name);
        is_held(read_store(pem_of(der), OSSL_STORE_INFO_PKEY), name);
        is_held(read_store(BIO_new_mem_buf(der->octets, (int)der->len),
                           OSSL_STORE_INFO_PKEY),
                name);
        /* its public half alone, for those that want no more */
        pem = pem_of(der);
        key = PEM_read_bio_PUBKEY_ex(pem, NULL, NULL, NULL, app, NULL);
        assert_int_equal(EVP_PKEY_eq(key, double_key(name)), 1);
        EVP_PKEY_free(key);
        BIO_free(pem);
        key = read_store(pem_of(der), OSSL_STORE_INFO_PUBKEY);
        assert_int_equal(EVP_PKEY_eq(key, double_key(name)), 1);
        EVP_PKEY_free(key);
        assert_int_equal(ERR_peek_error(), 0);
    }
    assert_int_equal(double_operations, 0);
}

/* Who wants a certain type gets that or nothing. */
static void test_wanted_type(void **state)
{
    static const char *const types[] = {"RSA", "EC", "ED25519"};
    static const char *const names[] = {"rsa", "ec", "ed25519"};
    static const int ids[] = {EVP_PKEY_RSA, EVP_PKEY_EC, EVP_PKEY_ED25519};

    (void)state;
    for (size_t i = 0; i < 9; i++) {
        const char *name = names[i / 3];
        const struct data *der;
        const unsigned char *p;
        OSSL_DECODER_CTX *decoder;
        EVP_PKEY *key = NULL;
        BIO *pem;

        der = der_of(VERSION, double_uri(name), "", "");
        pem = pem_of(der);
        decoder = OSSL_DECODER_CTX_new_for_pkey(&key, "PEM", NULL, types[i % 3],
                                                EVP_PKEY_KEYPAIR, app, NULL);
        assert_int_equal(OSSL_DECODER_from_bio(decoder, pem), i / 3 == i % 3);
        if (i / 3 == i % 3)
            is_held(key, name);
        else
            assert_null(key);
        OSSL_DECODER_CTX_free(decoder);
        BIO_free(pem);
        p = der->octets;
        key =
            d2i_PrivateKey_ex(ids[i % 3], NULL, &p, (long)der->len, app, NULL);
        if (i / 3 == i % 3)
            is_held(key, name);
        else
            assert_null(key);
        ERR_clear_error();
    }
}

static void test_bad(void **state)
{
    static char long_uri[100001], longish_uri[2000], ec[100];
    const struct {
        const char *version, *uri, *inside, *behind;
        enum mesh_reason reason;
    } rows[] = {
        {"mesh key reference v2", ec, "", "", MESH_R_REFERENCE_MALFORMED},
        {VERSION, ec, "\x05", "", MESH_R_REFERENCE_MALFORMED},
        {VERSION, ec, "", "\x05", MESH_R_REFERENCE_MALFORMED},
        {VERSION, long_uri, "", "", MESH_R_REFERENCE_MALFORMED},
        {VERSION, longish_uri, "", "", MESH_R_URI_SYNTAX},
        {VERSION, "", "", "", MESH_R_URI_SYNTAX},
        {VERSION, "file:/tmp/key.pem", "", "", MESH_R_URI_SYNTAX},
        {VERSION, "/tmp/reference.pem", "", "", MESH_R_URI_SYNTAX},
        {VERSION, "pkcs11:object=key", "", "", MESH_R_URI_SYNTAX},
        {VERSION, "mesh://ec/a/b", "", "", MESH_R_URI_SYNTAX},
        {VERSION, "mesh://\xc3\xa9", "", "", MESH_R_URI_SYNTAX},
        {VERSION, NOSUCH, "", "", MESH_R_FINGERPRINT_UNKNOWN},
        {VERSION, "mesh://nosuch", "", "", MESH_R_REFERENCE_MALFORMED},
        {VERSION, "mesh://ec", "", "", MESH_R_REFERENCE_MALFORMED},
        {VERSION, "mesh://device/" UDF, "", "", MESH_R_REFERENCE_MALFORMED},
        {VERSION, NOSUCH "/sign", "", "", MESH_R_REFERENCE_MALFORMED},
        {VERSION, "mesh://a@example.net", "", "", MESH_R_REFERENCE_MALFORMED},
        {VERSION, "mesh:", "", "", MESH_R_REFERENCE_MALFORMED},
    };

    (void)state;
    strcpy(ec, double_uri("ec"));
    memset(long_uri, 'a', sizeof(long_uri) - 1);
    memcpy(long_uri, "mesh:", 5);
    memset(longish_uri, 'a', sizeof(longish_uri) - 1);
    memcpy(longish_uri, "mesh:", 5);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct data *der = der_of(rows[i].version, rows[i].uri,
                                        rows[i].inside, rows[i].behind);
        BIO *pem = pem_of(der);

        assert_null(read_pem(pem));
        expect_error(rows[i].reason);
        assert_null(read_store(pem_of(der), OSSL_STORE_INFO_PKEY));
        expect_error(rows[i].reason);
        assert_null(read_der(der->octets, der->len));
        expect_error(rows[i].reason);
        BIO_free(pem);
    }
}

static void test_bad_pem(void **state)
{
    static const char *const rows[] = {
        "-----BEGIN " LABEL "-----\n",
        "-----BEGIN " LABEL "-----\n-----END " LABEL "-----\n",
        "-----BEGIN " LABEL "-----\nMEMM\n-----END MESH KEY-----\n",
        "-----BEGIN " LABEL "-----\nMEMM!\n-----END " LABEL "-----\n",
        /* no label of ours: not taken for the next block's */
        "-----BEGIN " LABEL "----- \x01\nMEMM\n-----END " LABEL "-----\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        BIO *pem = BIO_new_mem_buf(rows[i], -1);

        assert_null(read_pem(pem));
        expect_error(MESH_R_REFERENCE_MALFORMED);
        BIO_free(pem);
    }
}

/* What is no reference gets no error of ours. */
static void test_foreign(void **state)
{
    static const char *const rows[] = {
        "",
        "\n",
        "garbage",
        "-----BEGIN",
        "-----BEGIN X-----\n",
        "-----BEGIN PRIVATE KEY-----\nMEMM\n-----END PRIVATE KEY-----\n",
        "-----BEGIN MESH KEY-----\nMEMM\n-----END MESH KEY-----\n",
        "\x30\x80\x02\x01\x01",
        "\x30\x03\x02\x01\x01",
    };
    unsigned long e;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        BIO *in = BIO_new_mem_buf(rows[i], -1);

        assert_null(read_pem(in));
        assert_null(read_store(in, OSSL_STORE_INFO_PKEY));
        assert_null(read_der((const unsigned char *)rows[i], strlen(rows[i])));
        while ((e = ERR_get_error()) != 0) {
            const char *lib = ERR_lib_error_string(e);

            assert_true(lib == NULL || strcmp(lib, "mesh") != 0);
        }
    }
}

/* Keys of files are read as ever, with no error left. */
static void test_file_keys(void **state)
{
    const char *name;

    (void)state;
    for (size_t i = 0; (name = double_name(i)) != NULL; i++) {
        unsigned char *der = NULL;
        EVP_PKEY *key = double_key(name);
        BIO *pem;
        int len;

        if (key == NULL)
            continue;
        pem = BIO_new(BIO_s_mem());
        len = i2d_PrivateKey(key, &der);
        PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL);
        for (int k = 0; k < 4; k++) {
            EVP_PKEY *again = k == 0   ? read_pem(pem)
                              : k == 1 ? read_der(der, (size_t)len)
                              : k == 2 ? read_store(BIO_new_mem_buf(der, len),
                                                    OSSL_STORE_INFO_PKEY)
                                       : public_half(key, app);

            assert_int_equal(EVP_PKEY_eq(again, key), 1);
            assert_int_equal(ERR_peek_error(), 0);
            EVP_PKEY_free(again);
        }
        OPENSSL_free(der);
        BIO_free(pem);
    }
}

/* A first line that is not quite ours: the next block is not taken for it. */
static void test_almost_label(void **state)
{
    const struct data *der = der_of(VERSION, double_uri("ec"), "", "");
    BIO *pem = BIO_new(BIO_s_mem());

    (void)state;
    BIO_puts(pem, "-----BEGIN " LABEL "----- x\nMEMM\n");
    PEM_write_bio(pem, "OTHER", "", der->octets, (long)der->len);
    assert_null(read_pem(pem));
    expect_error(MESH_R_REFERENCE_MALFORMED);
    BIO_free(pem);
}

/* Cut anywhere, or with any octet changed, it is no key or the same one. */
static void try_all_of(const unsigned char *octets, size_t len, int is_pem)
{
    static const unsigned char masks[] = {0x01, 0x20, 0x80, 0xff};
    unsigned char copy[512];

    assert_true(len <= sizeof(copy));
    for (size_t cut = 0; cut < len; cut++) {
        BIO *in = BIO_new_mem_buf(octets, (int)cut);
        EVP_PKEY *key = is_pem ? read_pem(in) : read_der(octets, cut);

        /* PEM is whole without its last line feed. */
        assert_true(key == NULL || (is_pem && cut == len - 1));
        EVP_PKEY_free(key);
        BIO_free(in);
    }
    for (size_t i = 0; i < len * sizeof(masks); i++) {
        EVP_PKEY *key;
        BIO *in;

        memcpy(copy, octets, len);
        copy[i / sizeof(masks)] ^= masks[i % sizeof(masks)];
        in = BIO_new_mem_buf(copy, (int)len);
        key = is_pem ? read_pem(in) : read_der(copy, len);
        assert_true(key == NULL || EVP_PKEY_eq(key, double_key("p384")) == 1);
        EVP_PKEY_free(key);
        BIO_free(in);
    }
    ERR_clear_error();
}

static void test_damaged(void **state)
{
    const struct data *der = der_of(VERSION, double_uri("p384"), "", "");
    BIO *pem = pem_of(der);
    unsigned char *text;
    long len = BIO_get_mem_data(pem, &text);

    (void)state;
    try_all_of(der->octets, der->len, 0);
    try_all_of(text, (size_t)len, 1);
    BIO_free(pem);
}

static void put_certificate(BIO *bio)
{
    X509 *x = X509_new();

    X509_set_pubkey(x, double_key("ec"));
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_sign(x, double_key("ec"), EVP_sha256());
    assert_int_equal(PEM_write_bio_X509(bio, x), 1);
    X509_free(x);
}

static void put_reference(BIO *bio, const char *uri)
{
    const struct data *der = der_of(VERSION, uri, "", "");

    assert_true(PEM_write_bio(bio, LABEL, "", der->octets, (long)der->len) > 0);
}

static void test_several_in_a_file(void **state)
{
    BIO *bio = BIO_new(BIO_s_mem());
    OSSL_STORE_CTX *store;
    int certificates = 0, keys = 0;

    (void)state;
    /* certificates before and after it */
    put_certificate(bio);
    put_certificate(bio);
    put_reference(bio, double_uri("ec"));
    put_certificate(bio);
    store =
        OSSL_STORE_attach(bio, "file", app, NULL, NULL, NULL, NULL, NULL, NULL);
    while (!OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info != NULL
            && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_CERT)
            certificates++;
        if (info != NULL
            && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
            keys++;
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    BIO_free(bio);
    assert_int_equal(certificates, 3);
    assert_int_equal(keys, 1);
    /* of two keys the first one, be it a reference or not */
    bio = BIO_new(BIO_s_mem());
    put_certificate(bio);
    put_reference(bio, double_uri("ec"));
    put_reference(bio, double_uri("rsa"));
    PEM_write_bio_PrivateKey(bio, double_key("ed25519"), NULL, NULL, 0, NULL,
                             NULL);
    is_held(read_pem(bio), "ec");
    is_held(read_pem(bio), "rsa");
    EVP_PKEY *key = read_pem(bio);
    assert_int_equal(EVP_PKEY_eq(key, double_key("ed25519")), 1);
    EVP_PKEY_free(key);
    BIO_free(bio);
    bio = BIO_new(BIO_s_mem());
    put_certificate(bio);
    PEM_write_bio_PrivateKey(bio, double_key("ed25519"), NULL, NULL, 0, NULL,
                             NULL);
    put_reference(bio, double_uri("ec"));
    key = read_pem(bio);
    assert_int_equal(EVP_PKEY_eq(key, double_key("ed25519")), 1);
    EVP_PKEY_free(key);
    is_held(read_pem(bio), "ec");
    assert_null(read_pem(bio));
    BIO_free(bio);
    ERR_clear_error();
}

/* Listed after default our decoder is asked before its. */
static void test_listed_last(void **state)
{
    static const char headers[] =
        "Proc-Type: 4,ENCRYPTED\n"
        "DEK-Info: AES-128-CBC,00000000000000000000000000000000\n";
    const struct data *der;
    OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *providers[2];
    BIO *bio = BIO_new(BIO_s_mem());
    EVP_PKEY *key;

    (void)state;
    OSSL_PROVIDER_add_builtin(libctx, "mesh", OSSL_provider_init);
    providers[0] = OSSL_PROVIDER_load(libctx, "default");
    providers[1] = OSSL_PROVIDER_load(libctx, "mesh");
    /* A program that has read certificates until there was none has left "no
     * start line" in the queue; libcrypto would give up at the first of them.
     */
    put_certificate(bio);
    put_certificate(bio);
    put_reference(bio, double_uri("ec"));
    ERR_raise(ERR_LIB_PEM, PEM_R_NO_START_LINE);
    key = PEM_read_bio_PrivateKey_ex(bio, NULL, NULL, NULL, libctx, NULL);
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), PEM_R_NO_START_LINE);
    is_held(key, "ec");
    BIO_free(bio);
    /* Nobody is asked for a passphrase. */
    bio = BIO_new(BIO_s_mem());
    der = der_of(VERSION, double_uri("ec"), "", "");
    PEM_write_bio(bio, LABEL, headers, der->octets, (long)der->len);
    assert_null(
        PEM_read_bio_PrivateKey_ex(bio, NULL, NULL, NULL, libctx, NULL));
    expect_error(MESH_R_REFERENCE_MALFORMED);
    BIO_free(bio);
    OSSL_PROVIDER_unload(providers[1]);
    OSSL_PROVIDER_unload(providers[0]);
    OSSL_LIB_CTX_free(libctx);
}

struct reader {
    const char *name, *type;
    char pem[512];
};

static void *read_often(void *arg)
{
    const struct reader *t = arg;
    size_t read = 0;

    for (int i = 0; i < 50; i++) {
        BIO *bio = BIO_new_mem_buf(t->pem, -1);
        EVP_PKEY *key = read_pem(bio);

        read += key != NULL && EVP_PKEY_is_a(key, t->type);
        EVP_PKEY_free(key);
        BIO_free(bio);
    }
    ERR_clear_error();
    return (void *)read;
}

/* What one thread finds is for no other. */
static void test_threads(void **state)
{
    static struct reader readers[] = {
        {"rsa", "RSA", ""},
        {"ec", "EC", ""},
    };
    struct thread threads[4];
    size_t i;

    (void)state;
    for (i = 0; i < 2; i++) {
        BIO *pem = pem_of(der_of(VERSION, double_uri(readers[i].name), "", ""));

        memset(readers[i].pem, 0, sizeof(readers[i].pem));
        BIO_read(pem, readers[i].pem, sizeof(readers[i].pem) - 1);
        BIO_free(pem);
    }
    for (i = 0; i < 4; i++)
        assert_true(start_thread(&threads[i], read_often, &readers[i % 2]));
    for (i = 0; i < 4; i++)
        assert_int_equal((size_t)join_thread(&threads[i]), 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_type),
        TEST(test_wanted_type),
        TEST(test_bad),
        TEST(test_bad_pem),
        TEST(test_foreign),
        TEST(test_damaged),
        TEST(test_file_keys),
        TEST(test_almost_label),
        TEST(test_several_in_a_file),
        TEST(test_listed_last),
        TEST(test_threads),
    };

    return RUN_IN_EACH_ORDER(tests);
}
