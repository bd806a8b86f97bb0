/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A double of store/make_key.h, which gives keys of the key store's double.
 */
#include "tests/keymgmt/make_key_double.h"

#include "platform/algorithm.h"
#include "store/make_key.h"
#include "tests/keymgmt/keystore_double.h"

#include <openssl/crypto.h>
#include <openssl/x509.h>
#include <string.h>

struct double_made double_made;
enum mesh_reason double_make_failure;

static void keep(char *copy, size_t size, const char *text)
{
    OPENSSL_strlcpy(copy, text != NULL ? text : "-", size);
}

int mesh_make_key(struct mesh_context *ctx, const char *algorithm,
                  const char *profile, const char *role, EVP_PKEY **public,
                  char **uri)
{
    const char *type = mesh_algorithm_find(algorithm)->keytype;
    unsigned char *der = NULL;
    const unsigned char *p;
    char name[32];
    int len;

    double_made.made++;
    keep(double_made.algorithm, sizeof(double_made.algorithm), algorithm);
    keep(double_made.profile, sizeof(double_made.profile), profile);
    keep(double_made.role, sizeof(double_made.role), role);
    if (double_make_failure != MESH_R_NONE)
        return mesh_raise(ctx, double_make_failure, "as the test wants");
    OPENSSL_strlcpy(name, type, sizeof(name));
    for (char *c = name; *c != '\0'; c++)
        *c |= 0x20;
    len = i2d_PUBKEY(double_key(name), &der);
    p = der;
    *public = d2i_PUBKEY_ex(NULL, &p, len, ctx->libctx, NULL);
    OPENSSL_free(der);
    *uri = OPENSSL_strdup("mesh://made");
    return *public != NULL;
}

int mesh_unmake_key(struct mesh_context *ctx, EVP_PKEY *public, const char *uri)
{
    (void)ctx;
    double_made.unmade += public != NULL && strcmp(uri, "mesh://made") == 0;
    return 1;
}
