/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The digests that Windows has, and DigestInfo for the others.
 */
#include "platform/windows/digest.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <string.h>

static const struct {
    const char *name;
    struct mesh_digest digest;
} digests[] = {
    {"SHA2-256", {BCRYPT_SHA256_ALGORITHM, CALG_SHA_256, 0, 32, NID_sha256}},
    {"SHA2-384", {BCRYPT_SHA384_ALGORITHM, CALG_SHA_384, 0, 48, NID_sha384}},
    {"SHA2-512", {BCRYPT_SHA512_ALGORITHM, CALG_SHA_512, 0, 64, NID_sha512}},
    {"SHA1", {BCRYPT_SHA1_ALGORITHM, CALG_SHA1, 0, 20, NID_sha1}},
    {"MD5", {BCRYPT_MD5_ALGORITHM, CALG_MD5, 0, 16, NID_md5}},
    {"MD5-SHA1", {NULL, CALG_SSL3_SHAMD5, 1, 36, NID_undef}},
};

#define DIGESTS (sizeof(digests) / sizeof(digests[0]))

int mesh_digest_find(struct mesh_context *ctx, const char *name,
                     struct mesh_digest *digest)
{
    EVP_MD *md;
    size_t i = 0;
    int size;

    ERR_set_mark();
    md = EVP_MD_fetch(ctx->libctx, name, NULL);
    ERR_pop_to_mark();
    size = md != NULL && (EVP_MD_get_flags(md) & EVP_MD_FLAG_XOF) == 0
               ? EVP_MD_get_size(md)
               : 0;
    while (size > 0 && i < DIGESTS && !EVP_MD_is_a(md, digests[i].name))
        i++;
    memset(digest, 0, sizeof(*digest));
    if (i < DIGESTS) {
        *digest = digests[i].digest;
    } else if (size > 0) {
        digest->size = (size_t)size;
        digest->nid = EVP_MD_get_type(md);
    }
    EVP_MD_free(md);
    return size > 0
           || mesh_raise(ctx, MESH_R_OPERATION_UNSUPPORTED,
                         "\"%.32s\" is not a digest that libcrypto has", name);
}

struct mesh_digest mesh_digest_of_size(size_t size)
{
    struct mesh_digest none = {0};

    for (size_t i = 0; i < DIGESTS; i++)
        if (digests[i].digest.size == size)
            return digests[i].digest;
    return none;
}

int mesh_digest_unwrap(const unsigned char *der, size_t len,
                       struct mesh_digest *digest, const unsigned char **value)
{
    unsigned char info[MESH_DIGEST_INFO_MAX];

    /* the value is its end; all else is known once the digest is */
    for (size_t i = 0; i < DIGESTS; i++) {
        const struct mesh_digest *row = &digests[i].digest;
        size_t head = len - row->size;

        if (len <= row->size
            || mesh_pkcs1_digest_info(row->nid, der + head, row->size, info)
                   != len
            || memcmp(info, der, len) != 0)
            continue;
        *digest = *row;
        *value = der + head;
        return 1;
    }
    return 0;
}
