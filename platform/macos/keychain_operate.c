/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What is done with a private key of the Keychain.
 *
 * It has the usual paddings with SHA-1 and SHA-2, one digest for all, a PSS
 * salt of the digest's length and no OAEP label.  RSA as it is does everything
 * else, with the padding put on or taken off here.
 */
#include "platform/macos/keychain.h"

#include "platform/algorithm.h"
#include "platform/macos/status.h"
#include "platform/padding.h"
#include "platform/pkcs1.h"
#include "platform/public_der.h"
#include "platform/rules.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

#define RSA_MAX 512 /* octets of a modulus */

/* The digests that the Keychain has; its algorithms are objects of its own. */
static const struct known {
    const char *name;
    const SecKeyAlgorithm *pkcs1, *pss, *oaep;
} digests[] = {
#define KNOWN(name, sha)                                                       \
    {                                                                          \
        name, &kSecKeyAlgorithmRSASignatureDigestPKCS1v15##sha,                \
            &kSecKeyAlgorithmRSASignatureDigestPSS##sha,                       \
            &kSecKeyAlgorithmRSAEncryptionOAEP##sha                            \
    }
    KNOWN("SHA2-256", SHA256), KNOWN("SHA2-384", SHA384),
    KNOWN("SHA2-512", SHA512), KNOWN("SHA1", SHA1),
    KNOWN("SHA2-224", SHA224),
#undef KNOWN
};

#define DIGESTS (sizeof(digests) / sizeof(digests[0]))

struct use {
    struct mesh_context *ctx;
    SecKeyRef key;
    const struct mesh_key_name *name;
    const struct mesh_private_op *op;
    const struct mesh_rule *rule; /* by which it is done */
    EVP_MD *md;                   /* NULL: none was set */
    EVP_MD *mgf1;                 /* or that of md, or NULL */
    const struct known *known;    /* of md, where all is as the Keychain has it;
                                   * else NULL */
    size_t size;                  /* RSA: octets of the modulus */
};

typedef int run_fn(const struct use *use, const unsigned char *in,
                   size_t in_len, unsigned char *out, size_t *out_len);

static int refuse(const struct use *use, const char *why)
{
    return mesh_raise(use->ctx, MESH_R_OPERATION_UNSUPPORTED,
                      "%s with a key in the Keychain: %s", use->rule->name,
                      why);
}

static int raise_undecryptable(const struct use *use)
{
    return mesh_raise(use->ctx, MESH_R_OPERATION_FAILED,
                      "%s: the data cannot be decrypted with this key",
                      use->rule->name);
}

/* A decryption that fails by its data has one text for all reasons: the
 * difference would be an oracle. */
static int failed(const struct use *use, OSStatus status)
{
    return use->op->operation == MESH_OP_DECRYPT
                   && mesh_status_is_of_data(status)
               ? raise_undecryptable(use)
               : mesh_status_raise(use->ctx, status, use->rule->name,
                                   use->name->udf);
}

static int give(const struct use *use, const unsigned char *result, size_t len,
                unsigned char *out, size_t *out_len)
{
    if (len > *out_len)
        return mesh_raise(use->ctx, MESH_R_BUFFER_TOO_SMALL,
                          "%s: the result has %zu octets, there is room for "
                          "%zu",
                          use->rule->name, len, *out_len);
    memcpy(out, result, len);
    *out_len = len;
    return 1;
}

/* Releases a result that may be secret.  Nobody else has it. */
static void wipe(CFDataRef data)
{
    OPENSSL_cleanse((void *)(uintptr_t)CFDataGetBytePtr(data),
                    (size_t)CFDataGetLength(data));
    CFRelease(data);
}

static int has(const struct use *use, SecKeyAlgorithm algorithm)
{
    SecKeyOperationType type =
        use->op->operation == MESH_OP_SIGN     ? kSecKeyOperationTypeSign
        : use->op->operation == MESH_OP_DERIVE ? kSecKeyOperationTypeKeyExchange
                                               : kSecKeyOperationTypeDecrypt;

    return SecKeyIsAlgorithmSupported(use->key, type, algorithm);
}

/* Asks the Keychain to sign or to decrypt: *result is the caller's, NULL with
 * errSecSuccess never. */
static OSStatus run(const struct use *use, SecKeyAlgorithm algorithm,
                    const unsigned char *in, size_t in_len, CFDataRef *result)
{
    CFDataRef data = CFDataCreate(kCFAllocatorDefault, in, (CFIndex)in_len);
    CFErrorRef error = NULL;

    *result = NULL;
    if (data == NULL)
        return errSecAllocate;
    *result =
        use->op->operation == MESH_OP_SIGN
            ? SecKeyCreateSignature(use->key, algorithm, data, &error)
            : SecKeyCreateDecryptedData(use->key, algorithm, data, &error);
    wipe(data);
    return *result != NULL ? errSecSuccess : mesh_status_of(&error);
}

/* The same, and gives the result out. */
static int run_whole(const struct use *use, SecKeyAlgorithm algorithm,
                     const unsigned char *in, size_t in_len, unsigned char *out,
                     size_t *out_len)
{
    CFDataRef result;
    OSStatus status = run(use, algorithm, in, in_len, &result);
    int ok;

    if (status != errSecSuccess)
        return failed(use, status);
    ok = give(use, CFDataGetBytePtr(result), (size_t)CFDataGetLength(result),
              out, out_len);
    wipe(result);
    return ok;
}

/* RSA as it is: block has a number of size octets, and then the result. */
static int rsa(const struct use *use, unsigned char block[RSA_MAX])
{
    SecKeyAlgorithm algorithm = use->op->operation == MESH_OP_SIGN
                                    ? kSecKeyAlgorithmRSASignatureRaw
                                    : kSecKeyAlgorithmRSAEncryptionRaw;
    CFDataRef result;
    OSStatus status;
    size_t len;

    if (!has(use, algorithm))
        return refuse(use, "the Keychain cannot do this with it");
    status = run(use, algorithm, block, use->size, &result);
    if (status != errSecSuccess)
        return failed(use, status);
    len = (size_t)CFDataGetLength(result);
    if (len <= use->size) {
        memset(block, 0, use->size - len);
        memcpy(block + use->size - len, CFDataGetBytePtr(result), len);
    }
    wipe(result);
    return len <= use->size || failed(use, errSecInternalComponent);
}

/* Takes a number of so many octets at most. */
static int load(const struct use *use, const unsigned char *in, size_t in_len,
                unsigned char block[RSA_MAX])
{
    if (in_len > use->size)
        return use->op->operation == MESH_OP_DECRYPT
                   ? raise_undecryptable(use)
                   : refuse(use, "needs input of the key's length");
    memset(block, 0, use->size - in_len);
    memcpy(block + use->size - in_len, in, in_len);
    return 1;
}

/* Raw signature, raw decryption, RSASVE. */
static int run_raw(const struct use *use, const unsigned char *in,
                   size_t in_len, unsigned char *out, size_t *out_len)
{
    unsigned char block[RSA_MAX];
    int ok;

    if (in_len != use->size && use->op->operation != MESH_OP_DECRYPT)
        return refuse(use, "needs input of the key's length");
    ok = load(use, in, in_len, block) && rsa(use, block)
         && give(use, block, use->size, out, out_len);
    OPENSSL_cleanse(block, sizeof(block));
    return ok;
}

/* TLS 1.0's pair of digests has no DigestInfo; nor has input without a digest.
 */
static int run_sign_pkcs1(const struct use *use, const unsigned char *in,
                          size_t in_len, unsigned char *out, size_t *out_len)
{
    unsigned char info[MESH_DIGEST_INFO_MAX], block[RSA_MAX];

    if (use->known != NULL && has(use, *use->known->pkcs1))
        return run_whole(use, *use->known->pkcs1, in, in_len, out, out_len);
    if (use->md != NULL && !EVP_MD_is_a(use->md, "MD5-SHA1")) {
        in_len =
            mesh_pkcs1_digest_info(EVP_MD_get_type(use->md), in, in_len, info);
        if (in_len == 0)
            return refuse(use, "the digest has no identifier");
        in = info;
    }
    return mesh_padding_sign_pkcs1(use->ctx, in, in_len, block, use->size)
           && rsa(use, block) && give(use, block, use->size, out, out_len);
}

static int run_sign_pss(const struct use *use, const unsigned char *in,
                        size_t in_len, unsigned char *out, size_t *out_len)
{
    unsigned char block[RSA_MAX];

    if (use->known != NULL && use->op->salt_length == EVP_MD_get_size(use->md)
        && has(use, *use->known->pss))
        return run_whole(use, *use->known->pss, in, in_len, out, out_len);
    return mesh_padding_sign_pss(use->ctx, use->md, use->mgf1,
                                 (size_t)use->op->salt_length, in, block,
                                 use->name->bits)
           && rsa(use, block) && give(use, block, use->size, out, out_len);
}

static int run_decrypt_oaep(const struct use *use, const unsigned char *in,
                            size_t in_len, unsigned char *out, size_t *out_len)
{
    unsigned char block[RSA_MAX], message[RSA_MAX];
    size_t len;
    int ok;

    if (use->known != NULL && use->op->label_len == 0 && in_len == use->size
        && has(use, *use->known->oaep))
        return run_whole(use, *use->known->oaep, in, in_len, out, out_len);
    ok = load(use, in, in_len, block) && rsa(use, block)
         && (mesh_padding_open_oaep(use->md, use->mgf1, use->op->label,
                                    use->op->label_len, block, use->size,
                                    message, &len)
             || raise_undecryptable(use))
         && give(use, message, len, out, out_len);
    OPENSSL_cleanse(block, sizeof(block));
    OPENSSL_cleanse(message, sizeof(message));
    return ok;
}

/* What is in block, or, if its padding is wrong, a message made of it that is
 * always the same: nobody learns which. */
static int reject_implicitly(const struct use *use, const unsigned char *in,
                             const unsigned char block[RSA_MAX],
                             unsigned char *message, size_t *len)
{
    unsigned char power[RSA_MAX], secret[32];
    int ok;

    mesh_pkcs1_question(power, use->size);
    ok = rsa(use, power)
         && mesh_pkcs1_secret(use->ctx, power, use->size, secret)
         && mesh_pkcs1_implicit(use->ctx, block, use->size, secret, in,
                                use->size, message, len);
    OPENSSL_cleanse(power, sizeof(power));
    OPENSSL_cleanse(secret, sizeof(secret));
    return ok;
}

static int run_decrypt_pkcs1(const struct use *use, const unsigned char *in,
                             size_t in_len, unsigned char *out, size_t *out_len)
{
    unsigned char number[RSA_MAX], block[RSA_MAX], message[RSA_MAX];
    size_t len;
    int ok;

    if (!load(use, in, in_len, number))
        return 0;
    if (use->op->implicit_rejection == 0)
        return has(use, kSecKeyAlgorithmRSAEncryptionPKCS1)
                   ? run_whole(use, kSecKeyAlgorithmRSAEncryptionPKCS1, number,
                               use->size, out, out_len)
                   : refuse(use, "the Keychain cannot do this with it");
    memcpy(block, number, use->size);
    ok = rsa(use, block) && reject_implicitly(use, number, block, message, &len)
         && give(use, message, len, out, out_len);
    OPENSSL_cleanse(block, sizeof(block));
    OPENSSL_cleanse(message, sizeof(message));
    return ok;
}

static int run_decrypt_tls(const struct use *use, const unsigned char *in,
                           size_t in_len, unsigned char *out, size_t *out_len)
{
    unsigned char block[RSA_MAX], secret[MESH_TLS_SECRET];
    int ok = load(use, in, in_len, block) && rsa(use, block)
             && mesh_pkcs1_tls(use->ctx, block, use->size,
                               use->op->tls_client_version,
                               use->op->tls_negotiated_version, secret)
             && give(use, secret, sizeof(secret), out, out_len);

    OPENSSL_cleanse(block, sizeof(block));
    OPENSSL_cleanse(secret, sizeof(secret));
    return ok;
}

static int run_sign_ecdsa(const struct use *use, const unsigned char *in,
                          size_t in_len, unsigned char *out, size_t *out_len)
{
    size_t whole = use->name->bits / 8;

    if (use->op->deterministic != 0)
        return refuse(use, "the Keychain has no deterministic form");
    /* of a longer one ECDSA takes the front; P-521's has no whole octets */
    if (in_len > whole && use->name->bits % 8 != 0)
        return refuse(use, "takes 65 octets at most");
    if (in_len > whole)
        in_len = whole;
    return has(use, kSecKeyAlgorithmECDSASignatureDigestX962)
               ? run_whole(use, kSecKeyAlgorithmECDSASignatureDigestX962, in,
                           in_len, out, out_len)
               : refuse(use, "the Keychain cannot do this with it");
}

/* A peer's point, which libcrypto has found to be on the curve.  NULL with the
 * error raised. */
static SecKeyRef make_peer(const struct use *use, EVP_PKEY *peer)
{
    unsigned char *point = NULL;
    size_t len = EVP_PKEY_get1_encoded_public_key(peer, &point);
    CFDataRef data = NULL;
    CFDictionaryRef attributes = NULL;
    CFErrorRef error = NULL;
    SecKeyRef made = NULL;

    if (len > 0)
        data = mesh_keychain_data(use->ctx, point, len);
    else
        mesh_raise(use->ctx, MESH_R_MEMORY, "derive");
    OPENSSL_free(point);
    if (data != NULL)
        attributes = mesh_keychain_dictionary(
            use->ctx,
            (const struct mesh_keychain_pair[]){
                {kSecAttrKeyType, kSecAttrKeyTypeECSECPrimeRandom},
                {kSecAttrKeyClass, kSecAttrKeyClassPublic},
            },
            2);
    if (attributes != NULL
        && (made = SecKeyCreateWithData(data, attributes, &error)) == NULL)
        mesh_status_raise(use->ctx, mesh_status_of(&error), "derive: the peer",
                          "");
    mesh_keychain_release(attributes);
    mesh_keychain_release(data);
    return made;
}

static int agree(const struct use *use, SecKeyRef peer, unsigned char *out,
                 size_t *out_len)
{
    CFDictionaryRef none = mesh_keychain_dictionary(use->ctx, NULL, 0);
    CFErrorRef error = NULL;
    CFDataRef secret;
    int ok;

    if (none == NULL)
        return 0;
    secret = SecKeyCopyKeyExchangeResult(
        use->key, kSecKeyAlgorithmECDHKeyExchangeStandard, peer, none, &error);
    CFRelease(none);
    if (secret == NULL)
        return failed(use, mesh_status_of(&error));
    ok = give(use, CFDataGetBytePtr(secret), (size_t)CFDataGetLength(secret),
              out, out_len);
    wipe(secret);
    return ok;
}

static int run_derive(const struct use *use, const unsigned char *in,
                      size_t in_len, unsigned char *out, size_t *out_len)
{
    EVP_PKEY *peer = mesh_public_read(use->ctx, in, in_len);
    SecKeyRef made = NULL;
    int ok = 0;

    if (!has(use, kSecKeyAlgorithmECDHKeyExchangeStandard))
        refuse(use, "the Keychain cannot do this with it");
    else if (peer == NULL || mesh_algorithm_family(peer) != MESH_FAMILY_EC
             || (unsigned)EVP_PKEY_get_bits(peer) != use->name->bits
             || strncmp(mesh_algorithm_of(peer), "P-", 2) != 0)
        mesh_raise(use->ctx, MESH_R_KEY_MALFORMED,
                   "derive: the peer's public key is not one of the same "
                   "curve");
    else if ((made = make_peer(use, peer)) != NULL)
        ok = agree(use, made, out, out_len);
    mesh_keychain_release(made);
    EVP_PKEY_free(peer);
    return ok;
}

static const struct {
    enum mesh_operation operation;
    enum mesh_padding padding;
    unsigned families;
    run_fn *run;
} methods[] = {
    {MESH_OP_SIGN, MESH_PAD_DEFAULT, MESH_FAMILY_EC, run_sign_ecdsa},
    {MESH_OP_SIGN, MESH_PAD_PKCS1, MESH_FAMILY_RSA, run_sign_pkcs1},
    {MESH_OP_SIGN, MESH_PAD_PSS, MESH_FAMILY_RSA, run_sign_pss},
    {MESH_OP_SIGN, MESH_PAD_NONE, MESH_FAMILY_RSA, run_raw},
    {MESH_OP_DECRYPT, MESH_PAD_NONE, MESH_FAMILY_RSA, run_raw},
    {MESH_OP_DECRYPT, MESH_PAD_PKCS1, MESH_FAMILY_RSA, run_decrypt_pkcs1},
    {MESH_OP_DECRYPT, MESH_PAD_PKCS1_TLS, MESH_FAMILY_RSA, run_decrypt_tls},
    {MESH_OP_DECRYPT, MESH_PAD_OAEP, MESH_FAMILY_RSA, run_decrypt_oaep},
    {MESH_OP_DERIVE, MESH_PAD_DEFAULT, MESH_FAMILY_EC, run_derive},
    {MESH_OP_DECAPSULATE, MESH_PAD_DEFAULT, MESH_FAMILY_RSA, run_raw},
};

static run_fn *find_method(const struct use *use)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (methods[i].operation == use->op->operation
            && methods[i].padding == use->op->padding
            && (methods[i].families & use->name->family) != 0)
            return methods[i].run;
    return NULL;
}

static EVP_MD *find_digest(const struct use *use, const char *name)
{
    EVP_MD *md;

    ERR_set_mark();
    md = EVP_MD_fetch(use->ctx->libctx, name, NULL);
    ERR_pop_to_mark();
    if (md != NULL
        && ((EVP_MD_get_flags(md) & EVP_MD_FLAG_XOF) != 0
            || EVP_MD_get_size(md) <= 0)) {
        EVP_MD_free(md);
        md = NULL;
    }
    if (md == NULL)
        mesh_raise(use->ctx, MESH_R_OPERATION_UNSUPPORTED,
                   "\"%.32s\" is not a digest that libcrypto has", name);
    return md;
}

static int find_digests(struct use *use)
{
    const struct mesh_private_op *op = use->op;
    const char *digest = op->digest[0] != '\0'          ? op->digest
                         : op->padding == MESH_PAD_OAEP ? "SHA1"
                                                        : NULL;

    if (digest == NULL)
        return 1;
    if ((use->md = find_digest(use, digest)) == NULL)
        return 0;
    use->mgf1 =
        find_digest(use, op->mgf1_digest[0] != '\0' ? op->mgf1_digest : digest);
    if (use->mgf1 == NULL)
        return 0;
    for (size_t i = 0; i < DIGESTS; i++)
        if (EVP_MD_is_a(use->md, digests[i].name)
            && EVP_MD_is_a(use->mgf1, digests[i].name))
            use->known = &digests[i];
    return 1;
}

/* Everything is refused here that can be, before the Keychain is asked. */
static int check(struct use *use, size_t in_len)
{
    const char *against;

    use->rule = mesh_rule_find(use->op, use->name->family, in_len, &against);
    if (use->rule == NULL)
        use->rule = mesh_rule_find(use->op, 0, in_len, &against);
    if (use->rule == NULL)
        return mesh_raise(use->ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "operation %d with padding %d",
                          (int)use->op->operation, (int)use->op->padding);
    if ((use->rule->families & use->name->family) == 0)
        return refuse(use, "it is of a type that cannot do this");
    if (against != NULL)
        return mesh_raise(use->ctx, MESH_R_OPERATION_UNSUPPORTED, "%s %s",
                          use->rule->name, against);
    if (!find_digests(use))
        return 0;
    if (use->op->operation == MESH_OP_SIGN && use->md != NULL
        && in_len != (size_t)EVP_MD_get_size(use->md))
        return mesh_raise(use->ctx, MESH_R_OPERATION_UNSUPPORTED,
                          "%s needs input of the digest's length",
                          use->rule->name);
    return 1;
}

int mesh_keychain_operate(struct mesh_context *ctx, SecKeyRef key,
                          const struct mesh_key_name *name,
                          const struct mesh_private_op *op,
                          const unsigned char *in, size_t in_len,
                          unsigned char *out, size_t *out_len)
{
    struct use use = {.ctx = ctx, .key = key, .name = name, .op = op};
    run_fn *method = find_method(&use);
    int ok;

    if (name->family == MESH_FAMILY_RSA)
        use.size = (name->bits + 7) / 8;
    ok = check(&use, in_len)
         && (method != NULL ? method(&use, in, in_len, out, out_len)
                            : refuse(&use, "the Keychain cannot do this"));
    EVP_MD_free(use.md);
    EVP_MD_free(use.mgf1);
    return ok;
}
