/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The provider comes and goes, many threads use a key, and a process ends with
 * all of it still there.
 */
#include "tests/keymgmt/provider_test.h"
#include "tests/thread.h"

#include <openssl/provider.h>
#include <openssl/store.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef MESH_PLATFORM_WINDOWS
#include <process.h>
#else
#include <sys/wait.h>
#include <unistd.h>
#endif

#define THREADS 16
#define TURNS   20

OSSL_provider_init_fn OSSL_provider_init;

static const unsigned char message[] = "a message to be signed";

static const struct use {
    const char *name, *digest;
} uses[] = {{"rsa", "SHA256"}, {"ec", "SHA256"}, {"ed25519", NULL}};
#define USES (sizeof(uses) / sizeof(uses[0]))

static int sign_and_verify(OSSL_LIB_CTX *libctx, EVP_PKEY *key,
                           const char *digest)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned char sig[512];
    size_t len = sizeof(sig);
    int ok;

    ok = EVP_DigestSignInit_ex(md, NULL, digest, libctx, NULL, key, NULL) == 1
         && EVP_DigestSign(md, sig, &len, message, sizeof(message)) == 1;
    EVP_MD_CTX_reset(md);
    ok = ok
         && EVP_DigestVerifyInit_ex(md, NULL, digest, libctx, NULL, key, NULL)
                == 1
         && EVP_DigestVerify(md, sig, len, message, sizeof(message)) == 1;
    EVP_MD_CTX_free(md);
    return ok;
}

struct shared {
    EVP_PKEY *keys[USES], *files[USES], *agree, *peer;
};

static void *work(void *arg)
{
    const struct shared *shared = arg;
    int turn, ok = 1;
    size_t i;

    for (turn = 0; ok && turn < TURNS; turn++) {
        EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(app, shared->agree, NULL);
        unsigned char secret[64];
        size_t len = sizeof(secret);

        for (i = 0; ok && i < USES; i++) {
            EVP_PKEY *copy = EVP_PKEY_dup(shared->keys[i]);

            ok = sign_and_verify(app, shared->keys[i], uses[i].digest)
                 && EVP_PKEY_eq(shared->keys[i], shared->files[i]) == 1
                 && EVP_PKEY_eq(shared->files[i], copy) == 1;
            EVP_PKEY_free(copy);
        }
        ok = ok && EVP_PKEY_derive_init(c) == 1
             && EVP_PKEY_derive_set_peer(c, shared->peer) == 1
             && EVP_PKEY_derive(c, secret, &len) == 1;
        EVP_PKEY_CTX_free(c);
    }
    return ok ? arg : NULL;
}

static void test_threads(void **state)
{
    struct thread threads[THREADS];
    struct shared shared;
    EVP_PKEY *other = double_new_key("x25519");
    size_t i;

    (void)state;
    for (i = 0; i < USES; i++) {
        shared.keys[i] = held_key(uses[i].name);
        shared.files[i] = file_key(uses[i].name);
    }
    shared.agree = held_key("x25519");
    shared.peer = public_half(other, app);
    for (i = 0; i < THREADS; i++)
        assert_true(start_thread(&threads[i], work, &shared));
    for (i = 0; i < THREADS; i++)
        assert_non_null(join_thread(&threads[i]));
    assert_int_equal(double_operations, THREADS * TURNS * (USES + 1));
    for (i = 0; i < USES; i++) {
        EVP_PKEY_free(shared.keys[i]);
        EVP_PKEY_free(shared.files[i]);
    }
    EVP_PKEY_free(shared.agree);
    EVP_PKEY_free(shared.peer);
    EVP_PKEY_free(other);
}

/* The first object of the URI, which is the private key. */
static EVP_PKEY *load(OSSL_LIB_CTX *libctx, const char *uri)
{
    OSSL_STORE_CTX *store =
        OSSL_STORE_open_ex(uri, libctx, NULL, NULL, NULL, NULL, NULL, NULL);
    OSSL_STORE_INFO *info = OSSL_STORE_load(store);
    EVP_PKEY *key = OSSL_STORE_INFO_get1_PKEY(info);

    OSSL_STORE_INFO_free(info);
    OSSL_STORE_close(store);
    return key;
}

/* A library context without configuration, as programs make that load providers
 * by name; once the key goes before the provider, once after it. */
static void test_load_and_unload(void **state)
{
    int i;

    (void)state;
    assert_non_null(double_key("ec"));
    for (i = 0; i < 100; i++) {
        OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();
        OSSL_PROVIDER *mesh, *other;
        EVP_PKEY *key;

        OSSL_PROVIDER_add_builtin(libctx, "mesh", OSSL_provider_init);
        other = OSSL_PROVIDER_load(libctx, "default");
        mesh = OSSL_PROVIDER_load(libctx, "mesh");
        assert_non_null(mesh);
        key = load(libctx, "mesh://ec");
        assert_non_null(key);
        assert_int_equal(sign_and_verify(libctx, key, "SHA256"), 1);
        if (i % 2 == 0)
            EVP_PKEY_free(key);
        assert_int_equal(OSSL_PROVIDER_unload(mesh), 1);
        if (i % 2 != 0)
            EVP_PKEY_free(key);
        assert_int_equal(OSSL_PROVIDER_unload(other), 1);
        OSSL_LIB_CTX_free(libctx);
    }
}

/* Reachable, so that a leak check is content; but never freed. */
static EVP_PKEY *left[2];
static EVP_MD_CTX *signing;

/* What the other process does: 2, or the keys are there as it ends. */
static int leave_keys(void)
{
    if (double_key("ec") == NULL
        || !OSSL_PROVIDER_add_builtin(NULL, "mesh", OSSL_provider_init))
        return 2;
    signing = EVP_MD_CTX_new();
    return OSSL_PROVIDER_load(NULL, "default") == NULL
                   || OSSL_PROVIDER_load(NULL, "mesh") == NULL
                   || (left[0] = load(NULL, "mesh://ec")) == NULL
                   || (left[1] = EVP_PKEY_dup(left[0])) == NULL
                   || !EVP_DigestSignInit(signing, NULL, EVP_sha256(), NULL,
                                          left[0])
                   || !EVP_DigestSignUpdate(signing, message, sizeof(message))
               ? 2
               : 0;
}

static void test_exit_with_keys(void **state)
{
    (void)state;
#ifdef MESH_PLATFORM_WINDOWS
    assert_int_equal(
        _spawnl(_P_WAIT, _pgmptr, "test_lifetime", "leave-keys", NULL), 0);
#else
    int status;
    pid_t pid;

    assert_non_null(double_key("ec"));
    pid = fork();
    if (pid == 0) {
        if (leave_keys() != 0)
            _exit(2);
        fclose(stdout);
        exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
#endif
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(test_threads),
        TEST(test_load_and_unload),
        TEST(test_exit_with_keys),
    };

    if (argc == 2 && strcmp(argv[1], "leave-keys") == 0)
        return leave_keys();
    return RUN_IN_EACH_ORDER(tests);
}
