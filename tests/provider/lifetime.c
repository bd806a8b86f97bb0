/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * `lifetime URI`: loads the module by name into a library context without
 * configuration, signs and unloads it, a hundred times; signs in 16 threads;
 * and ends with all of it still there.
 */
#include <dirent.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS 16

static struct side {
    OSSL_LIB_CTX *libctx;
    OSSL_PROVIDER *mesh, *other;
    EVP_PKEY *key;
    EVP_MD_CTX *unfinished;
} side;

static int descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static int load(struct side *s, const char *uri)
{
    OSSL_STORE_CTX *store;
    OSSL_STORE_INFO *info;

    s->libctx = OSSL_LIB_CTX_new();
    s->other = OSSL_PROVIDER_load(s->libctx, "default");
    s->mesh = OSSL_PROVIDER_load(s->libctx, "mesh");
    store =
        OSSL_STORE_open_ex(uri, s->libctx, NULL, NULL, NULL, NULL, NULL, NULL);
    if (store == NULL)
        return 0;
    OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY);
    info = OSSL_STORE_load(store);
    if (info != NULL)
        s->key = OSSL_STORE_INFO_get1_PKEY(info);
    OSSL_STORE_INFO_free(info);
    OSSL_STORE_close(store);
    return s->key != NULL;
}

static void unload(struct side *s)
{
    EVP_PKEY_free(s->key);
    OSSL_PROVIDER_unload(s->mesh);
    OSSL_PROVIDER_unload(s->other);
    OSSL_LIB_CTX_free(s->libctx);
}

static int sign(struct side *s)
{
    unsigned char sig[1024];
    size_t len = sizeof(sig);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int ok;

    ok =
        EVP_DigestSignInit_ex(md, NULL, "SHA256", s->libctx, NULL, s->key, NULL)
            == 1
        && EVP_DigestSign(md, sig, &len, (const unsigned char *)"text", 4) == 1;
    EVP_MD_CTX_reset(md);
    ok = ok
         && EVP_DigestVerifyInit_ex(md, NULL, "SHA256", s->libctx, NULL, s->key,
                                    NULL)
                == 1
         && EVP_DigestVerify(md, sig, len, (const unsigned char *)"text", 4)
                == 1;
    EVP_MD_CTX_free(md);
    return ok;
}

static void *work(void *arg)
{
    int i;

    for (i = 0; i < 20; i++)
        if (!sign(arg))
            return NULL;
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    int i, before = 0, ok = 1;

    for (i = 0; argc == 2 && i < 100; i++) {
        struct side s = {NULL, NULL, NULL, NULL, NULL};

        if (!load(&s, argv[1]) || !sign(&s)) {
            ERR_print_errors_fp(stderr);
            return 1;
        }
        unload(&s);
        if (i == 0)
            before = descriptors();
    }
    if (argc != 2 || descriptors() != before) {
        fprintf(stderr, "%d descriptors became %d\n", before, descriptors());
        return 1;
    }
    if (!load(&side, argv[1]))
        return 1;
    for (i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, &side);
    for (i = 0; i < THREADS; i++) {
        void *result = NULL;

        pthread_join(threads[i], &result);
        ok = ok && result != NULL;
    }
    side.unfinished = EVP_MD_CTX_new();
    ok = ok
         && EVP_DigestSignInit_ex(side.unfinished, NULL, "SHA256", side.libctx,
                                  NULL, side.key, NULL)
                == 1;
    puts(ok ? "done" : "failed");
    exit(!ok);
}
