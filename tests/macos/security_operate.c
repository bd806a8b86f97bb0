/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's private operations: sign, decrypt, exchange.
 */
#include "internal.h"

#include <Security/SecItem.h>
#include <Security/SecKey.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

enum mechanism_kind { RAW, PKCS1, PKCS1_RAW, PSS, OAEP, ECDSA, ECDH };

struct mechanism {
    const SecKeyAlgorithm *algorithm;
    SecKeyOperationType operation;
    enum mechanism_kind kind;
    const char *digest;
};

#define SIGN_WITH(padding, name, kind, digest)                                 \
    {                                                                          \
        &kSecKeyAlgorithmRSASignatureDigest##padding##name,                    \
            kSecKeyOperationTypeSign, kind, digest                             \
    }
#define DECRYPT_OAEP(name, digest)                                             \
    {                                                                          \
        &kSecKeyAlgorithmRSAEncryptionOAEP##name, kSecKeyOperationTypeDecrypt, \
            OAEP, digest                                                       \
    }

static const struct mechanism mechanisms[] = {
    {&kSecKeyAlgorithmRSASignatureRaw, kSecKeyOperationTypeSign, RAW, NULL},
    SIGN_WITH(PKCS1v15, Raw, PKCS1_RAW, NULL),
    SIGN_WITH(PKCS1v15, SHA1, PKCS1, "SHA1"),
    SIGN_WITH(PKCS1v15, SHA224, PKCS1, "SHA224"),
    SIGN_WITH(PKCS1v15, SHA256, PKCS1, "SHA256"),
    SIGN_WITH(PKCS1v15, SHA384, PKCS1, "SHA384"),
    SIGN_WITH(PKCS1v15, SHA512, PKCS1, "SHA512"),
    SIGN_WITH(PSS, SHA1, PSS, "SHA1"),
    SIGN_WITH(PSS, SHA224, PSS, "SHA224"),
    SIGN_WITH(PSS, SHA256, PSS, "SHA256"),
    SIGN_WITH(PSS, SHA384, PSS, "SHA384"),
    SIGN_WITH(PSS, SHA512, PSS, "SHA512"),
    {&kSecKeyAlgorithmECDSASignatureDigestX962, kSecKeyOperationTypeSign, ECDSA,
     NULL},
    {&kSecKeyAlgorithmRSAEncryptionRaw, kSecKeyOperationTypeDecrypt, RAW, NULL},
    {&kSecKeyAlgorithmRSAEncryptionPKCS1, kSecKeyOperationTypeDecrypt, PKCS1,
     NULL},
    DECRYPT_OAEP(SHA1, "SHA1"),
    DECRYPT_OAEP(SHA224, "SHA224"),
    DECRYPT_OAEP(SHA256, "SHA256"),
    DECRYPT_OAEP(SHA384, "SHA384"),
    DECRYPT_OAEP(SHA512, "SHA512"),
    {&kSecKeyAlgorithmECDHKeyExchangeStandard, kSecKeyOperationTypeKeyExchange,
     ECDH, NULL},
};
#define MECHANISMS (sizeof(mechanisms) / sizeof(mechanisms[0]))

/* NULL if the key cannot do it. */
static const struct mechanism *mechanism_of(SecKeyRef key,
                                            SecKeyOperationType operation,
                                            SecKeyAlgorithm algorithm)
{
    bool rsa = EVP_PKEY_is_a(key->key, "RSA") == 1;

    double_checked(algorithm, OBJECT_STRING);
    for (size_t i = 0; i < MECHANISMS; i++) {
        const struct mechanism *one = &mechanisms[i];

        if (one->operation == operation && CFEqual(*one->algorithm, algorithm)
            && rsa == (one->kind != ECDSA && one->kind != ECDH))
            return key->private ? one : NULL;
    }
    return NULL;
}

Boolean SecKeyIsAlgorithmSupported(SecKeyRef key, SecKeyOperationType operation,
                                   SecKeyAlgorithm algorithm)
{
    double_checked(key, OBJECT_KEY);
    if (double_enter(__func__) != errSecSuccess)
        return false;
    return mechanism_of(key, operation, algorithm) != NULL;
}

/* ------------------------------------------------- may it be used just now */

static OSStatus permit_item(SecKeyRef key, struct items *items)
{
    OSStatus status;

    for (size_t i = 0; i < items->count; i++) {
        if (strcmp(items->list[i].file, key->file) != 0)
            continue;
        status = double_unlock();
        return status == errSecSuccess ? double_permit(&items->list[i])
                                       : status;
    }
    return errSecInvalidItemRef;
}

static OSStatus permit(SecKeyRef key)
{
    struct items items;
    OSStatus status;
    int lock;

    if (key->file[0] == 0)
        return errSecSuccess;
    status = keychain_enter(&lock);
    if (status != errSecSuccess)
        return status;
    status = keychain_read(&items);
    if (status == errSecSuccess) {
        status = permit_item(key, &items);
        keychain_free(&items);
    }
    keychain_leave(lock);
    return status;
}

/* -------------------------------------------------------------- operations */

#define RESULT_MAX 1024

struct operation {
    SecKeyRef key;
    const struct mechanism *mechanism;
    const unsigned char *input;
    size_t input_len;
    EVP_PKEY *peer;
    unsigned char padded[RESULT_MAX];
    unsigned char result[RESULT_MAX];
    size_t result_len;
};

static int rsa_padding(enum mechanism_kind kind)
{
    return kind == RAW    ? RSA_NO_PADDING
           : kind == PSS  ? RSA_PKCS1_PSS_PADDING
           : kind == OAEP ? RSA_PKCS1_OAEP_PADDING
                          : RSA_PKCS1_PADDING;
}

static bool sign(struct operation *operation, EVP_PKEY_CTX *context)
{
    const struct mechanism *how = operation->mechanism;

    if (EVP_PKEY_sign_init(context) != 1)
        return false;
    if (how->kind != ECDSA
        && EVP_PKEY_CTX_set_rsa_padding(context, rsa_padding(how->kind)) != 1)
        return false;
    if (how->digest != NULL
        && EVP_PKEY_CTX_set_signature_md(context,
                                         EVP_get_digestbyname(how->digest))
               != 1)
        return false;
    if (how->kind == PSS
        && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST)
               != 1)
        return false;
    return EVP_PKEY_sign(context, operation->result, &operation->result_len,
                         operation->input, operation->input_len)
           == 1;
}

/* A wrong padding is an error there, not a random answer as OpenSSL 3.2 has. */
static void refuse_bad_padding(EVP_PKEY_CTX *context)
{
    unsigned int no = 0;
    OSSL_PARAM parameters[2] = {
        OSSL_PARAM_construct_uint("implicit-rejection", &no), OSSL_PARAM_END};

    EVP_PKEY_CTX_set_params(context, parameters);
}

static bool decrypt(struct operation *operation, EVP_PKEY_CTX *context)
{
    const struct mechanism *how = operation->mechanism;

    if (EVP_PKEY_decrypt_init(context) != 1
        || EVP_PKEY_CTX_set_rsa_padding(context, rsa_padding(how->kind)) != 1)
        return false;
    if (how->kind == OAEP
        && EVP_PKEY_CTX_set_rsa_oaep_md(context,
                                        EVP_get_digestbyname(how->digest))
               != 1)
        return false;
    if (how->kind == PKCS1)
        refuse_bad_padding(context);
    return EVP_PKEY_decrypt(context, operation->result, &operation->result_len,
                            operation->input, operation->input_len)
           == 1;
}

static bool exchange(struct operation *operation, EVP_PKEY_CTX *context)
{
    return EVP_PKEY_derive_init(context) == 1
           && EVP_PKEY_derive_set_peer(context, operation->peer) == 1
           && EVP_PKEY_derive(context, operation->result,
                              &operation->result_len)
                  == 1;
}

static bool perform(struct operation *operation)
{
    EVP_PKEY_CTX *context =
        EVP_PKEY_CTX_new_from_pkey(double_library(), operation->key->key, NULL);
    bool ok = false;

    operation->result_len = sizeof(operation->result);
    if (operation->mechanism->operation == kSecKeyOperationTypeSign)
        ok = sign(operation, context);
    else if (operation->mechanism->operation == kSecKeyOperationTypeDecrypt)
        ok = decrypt(operation, context);
    else
        ok = exchange(operation, context);
    EVP_PKEY_CTX_free(context);
    return ok;
}

/* Raw RSA fills up what is to be signed, with zeros; nothing else. */
static OSStatus fit_input(struct operation *operation)
{
    size_t block = (size_t)EVP_PKEY_get_size(operation->key->key);
    size_t size = operation->input_len;

    if (operation->mechanism->kind != RAW || size >= block)
        return errSecSuccess;
    if (operation->mechanism->operation != kSecKeyOperationTypeSign)
        return errSecParam;
    memcpy(operation->padded + block - size, operation->input, size);
    operation->input = operation->padded;
    operation->input_len = block;
    return errSecSuccess;
}

static OSStatus run(struct operation *operation, SecKeyOperationType type,
                    SecKeyAlgorithm algorithm)
{
    OSStatus status;

    operation->mechanism = mechanism_of(operation->key, type, algorithm);
    if (operation->mechanism == NULL)
        return errSecParam;
    status = fit_input(operation);
    if (status == errSecSuccess)
        status = permit(operation->key);
    if (status != errSecSuccess)
        return status;
    return perform(operation) ? errSecSuccess : errSecParam;
}

static CFDataRef finish(struct operation *operation, OSStatus status,
                        CFErrorRef *error)
{
    CFDataRef data = NULL;

    if (status == errSecSuccess) {
        data = CFDataCreate(NULL, operation->result,
                            (CFIndex)operation->result_len);
        status = errSecAllocate;
    }
    OPENSSL_cleanse(operation->result, sizeof(operation->result));
    if (data == NULL)
        double_set_error(error, status);
    return data;
}

static CFDataRef operate(const char *function, SecKeyRef key,
                         SecKeyOperationType type, SecKeyAlgorithm algorithm,
                         CFDataRef input, CFErrorRef *error)
{
    OSStatus status = double_enter(function);
    struct operation operation = {.key = double_checked(key, OBJECT_KEY)};

    operation.input = CFDataGetBytePtr(input);
    operation.input_len = (size_t)CFDataGetLength(input);
    ERR_set_mark();
    if (status == errSecSuccess)
        status = run(&operation, type, algorithm);
    ERR_pop_to_mark();
    return finish(&operation, status, error);
}

CFDataRef SecKeyCreateSignature(SecKeyRef key, SecKeyAlgorithm algorithm,
                                CFDataRef input, CFErrorRef *error)
{
    return operate(__func__, key, kSecKeyOperationTypeSign, algorithm, input,
                   error);
}

CFDataRef SecKeyCreateDecryptedData(SecKeyRef key, SecKeyAlgorithm algorithm,
                                    CFDataRef input, CFErrorRef *error)
{
    return operate(__func__, key, kSecKeyOperationTypeDecrypt, algorithm, input,
                   error);
}

CFDataRef SecKeyCopyKeyExchangeResult(SecKeyRef key, SecKeyAlgorithm algorithm,
                                      SecKeyRef peer,
                                      CFDictionaryRef parameters,
                                      CFErrorRef *error)
{
    OSStatus status = double_enter(__func__);
    struct operation operation = {.key = double_checked(key, OBJECT_KEY)};

    /* None is known for the standard exchange; NULL would crash. */
    double_only(__func__, parameters, NULL, 0);
    operation.peer = ((SecKeyRef)double_checked(peer, OBJECT_KEY))->key;
    ERR_set_mark();
    if (status == errSecSuccess)
        status = run(&operation, kSecKeyOperationTypeKeyExchange, algorithm);
    ERR_pop_to_mark();
    return finish(&operation, status, error);
}
