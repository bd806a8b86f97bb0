/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's private operations, each checked by a public one of libcrypto.
 */
#include "double_test.h"

#include <openssl/rsa.h>
#include <string.h>

struct signing {
    const SecKeyAlgorithm *algorithm;
    const char *digest;
    int padding;
};
#define PKCS1(name, digest)                                                    \
    {                                                                          \
        &kSecKeyAlgorithmRSASignatureDigestPKCS1v15##name, digest,             \
            RSA_PKCS1_PADDING                                                  \
    }
#define PSS(name, digest)                                                      \
    {                                                                          \
        &kSecKeyAlgorithmRSASignatureDigestPSS##name, digest,                  \
            RSA_PKCS1_PSS_PADDING                                              \
    }
static const struct signing signings[] = {
    PKCS1(SHA1, "SHA1"),     PKCS1(SHA224, "SHA224"), PKCS1(SHA256, "SHA256"),
    PKCS1(SHA384, "SHA384"), PKCS1(SHA512, "SHA512"), PSS(SHA1, "SHA1"),
    PSS(SHA224, "SHA224"),   PSS(SHA256, "SHA256"),   PSS(SHA384, "SHA384"),
    PSS(SHA512, "SHA512"),
};
#define SIGNINGS (sizeof(signings) / sizeof(signings[0]))

static const UInt8 octets[66] = "Sixty-four octets and a few, which stand for "
                                "digests of each size";

static CFDataRef data_of(size_t size)
{
    assert_true(size <= sizeof(octets));
    return CFDataCreate(NULL, octets, (CFIndex)size);
}

static void verify(EVP_PKEY *half, const struct signing *how, CFDataRef input,
                   CFDataRef signature)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(half, NULL);

    assert_int_equal(EVP_PKEY_verify_init(context), 1);
    if (how != NULL) {
        assert_int_equal(EVP_PKEY_CTX_set_signature_md(
                             context, EVP_get_digestbyname(how->digest)),
                         1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, how->padding),
                         1);
    }
    if (how != NULL && how->padding == RSA_PKCS1_PSS_PADDING)
        assert_int_equal(
            EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST),
            1);
    assert_int_equal(EVP_PKEY_verify(context, CFDataGetBytePtr(signature),
                                     (size_t)CFDataGetLength(signature),
                                     CFDataGetBytePtr(input),
                                     (size_t)CFDataGetLength(input)),
                     1);
    EVP_PKEY_CTX_free(context);
}

static void check_signing(SecKeyRef key, EVP_PKEY *half,
                          const struct signing *how)
{
    size_t size = (size_t)EVP_MD_get_size(EVP_get_digestbyname(how->digest));
    CFDataRef input = data_of(size), shorter = data_of(size - 1), signature;
    CFErrorRef error = NULL;

    assert_true(SecKeyIsAlgorithmSupported(key, kSecKeyOperationTypeSign,
                                           *how->algorithm));
    signature = SecKeyCreateSignature(key, *how->algorithm, input, &error);
    assert_non_null(signature);
    verify(half, how, input, signature);
    assert_null(SecKeyCreateSignature(key, *how->algorithm, shorter, &error));
    assert_int_equal(take_error(&error), errSecParam);
    CFRelease(signature);
    CFRelease(shorter);
    CFRelease(input);
}

static void rsa_signs(void **state)
{
    SecKeyRef key = make_key(kSecAttrKeyTypeRSA, 2048);
    EVP_PKEY *half = public_half(key);

    (void)state;
    for (size_t i = 0; i < SIGNINGS; i++)
        check_signing(key, half, &signings[i]);
    EVP_PKEY_free(half);
    CFRelease(key);
}

static void ecdsa_signs(void **state)
{
    static const int sizes[] = {256, 384, 521};
    CFDataRef input = data_of(32);

    (void)state;
    for (int i = 0; i < 3; i++) {
        SecKeyRef key = make_key(kSecAttrKeyTypeECSECPrimeRandom, sizes[i]);
        EVP_PKEY *half = public_half(key);
        CFDataRef signature = SecKeyCreateSignature(
            key, kSecKeyAlgorithmECDSASignatureDigestX962, input, NULL);

        assert_non_null(signature);
        verify(half, NULL, input, signature);
        CFRelease(signature);
        EVP_PKEY_free(half);
        CFRelease(key);
    }
    CFRelease(input);
}

/* Shorter input is filled up with zeros, to be signed; longer, or above the
 * modulus, is refused. */
static void raw_rsa_signs(void **state)
{
    SecKeyRef key = make_key(kSecAttrKeyTypeRSA, 1024);
    EVP_PKEY *half = public_half(key);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(half, NULL);
    CFDataRef input = data_of(40), signature, bad;
    unsigned char back[128], expected[128] = {0}, high[129];
    size_t size = sizeof(back);

    (void)state;
    memcpy(expected + 88, octets, 40);
    signature = SecKeyCreateSignature(key, kSecKeyAlgorithmRSASignatureRaw,
                                      input, NULL);
    assert_non_null(signature);
    assert_int_equal(EVP_PKEY_verify_recover_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING), 1);
    assert_int_equal(EVP_PKEY_verify_recover(
                         context, back, &size, CFDataGetBytePtr(signature),
                         (size_t)CFDataGetLength(signature)),
                     1);
    assert_int_equal(size, 128);
    assert_memory_equal(back, expected, 128);
    assert_null(SecKeyCreateDecryptedData(key, kSecKeyAlgorithmRSAEncryptionRaw,
                                          input, NULL));
    memset(high, 0xff, sizeof(high));
    for (CFIndex length = 128; length <= 129; length++) {
        bad = CFDataCreate(NULL, high, length);
        assert_null(SecKeyCreateSignature(key, kSecKeyAlgorithmRSASignatureRaw,
                                          bad, NULL));
        CFRelease(bad);
    }
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(half);
    CFRelease(signature);
    CFRelease(input);
    CFRelease(key);
}

static CFDataRef encrypt(EVP_PKEY *half, int padding, const char *digest)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(half, NULL);
    unsigned char out[256];
    size_t size = sizeof(out);

    assert_int_equal(EVP_PKEY_encrypt_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, padding), 1);
    if (digest != NULL)
        assert_int_equal(
            EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_get_digestbyname(digest)),
            1);
    assert_int_equal(EVP_PKEY_encrypt(context, out, &size, octets, 16), 1);
    EVP_PKEY_CTX_free(context);
    return CFDataCreate(NULL, out, (CFIndex)size);
}

static const struct {
    const SecKeyAlgorithm *algorithm;
    const char *digest;
} decryptions[] = {{&kSecKeyAlgorithmRSAEncryptionPKCS1, NULL},
                   {&kSecKeyAlgorithmRSAEncryptionOAEPSHA1, "SHA1"},
                   {&kSecKeyAlgorithmRSAEncryptionOAEPSHA224, "SHA224"},
                   {&kSecKeyAlgorithmRSAEncryptionOAEPSHA256, "SHA256"},
                   {&kSecKeyAlgorithmRSAEncryptionOAEPSHA384, "SHA384"},
                   {&kSecKeyAlgorithmRSAEncryptionOAEPSHA512, "SHA512"}};
#define DECRYPTIONS (sizeof(decryptions) / sizeof(decryptions[0]))

static void rsa_decrypts(void **state)
{
    SecKeyRef key = make_key(kSecAttrKeyTypeRSA, 2048);
    EVP_PKEY *half = public_half(key);

    (void)state;
    for (size_t i = 0; i < DECRYPTIONS; i++) {
        const char *digest = decryptions[i].digest;
        CFDataRef input = encrypt(
            half, digest == NULL ? RSA_PKCS1_PADDING : RSA_PKCS1_OAEP_PADDING,
            digest);
        CFDataRef output = SecKeyCreateDecryptedData(
            key, *decryptions[i].algorithm, input, NULL);

        assert_non_null(output);
        assert_int_equal(CFDataGetLength(output), 16);
        assert_memory_equal(CFDataGetBytePtr(output), octets, 16);
        /* The same octets, raw, are the padded ones. */
        CFRelease(output);
        output = SecKeyCreateDecryptedData(
            key, kSecKeyAlgorithmRSAEncryptionRaw, input, NULL);
        assert_int_equal(CFDataGetLength(output), 256);
        assert_int_equal(CFDataGetBytePtr(output)[0], 0);
        CFRelease(output);
        CFRelease(input);
    }
    EVP_PKEY_free(half);
    CFRelease(key);
}

static void bad_padding_is_an_error(void **state)
{
    SecKeyRef key = make_key(kSecAttrKeyTypeRSA, 1024);
    unsigned char bytes[128] = {0, 2, 3};
    CFDataRef input = CFDataCreate(NULL, bytes, sizeof(bytes));
    CFErrorRef error = NULL;

    (void)state;
    for (size_t i = 0; i < DECRYPTIONS; i++) {
        assert_null(SecKeyCreateDecryptedData(key, *decryptions[i].algorithm,
                                              input, &error));
        assert_int_equal(take_error(&error), errSecParam);
    }
    CFRelease(input);
    CFRelease(key);
}

static SecKeyRef peer_of(EVP_PKEY *pkey)
{
    CFMutableDictionaryRef all = new_dictionary();
    unsigned char *bytes = NULL;
    size_t size = EVP_PKEY_get1_encoded_public_key(pkey, &bytes);
    CFDataRef data = CFDataCreate(NULL, bytes, (CFIndex)size);
    SecKeyRef peer;

    CFDictionarySetValue(all, kSecAttrKeyType, kSecAttrKeyTypeECSECPrimeRandom);
    CFDictionarySetValue(all, kSecAttrKeyClass, kSecAttrKeyClassPublic);
    peer = SecKeyCreateWithData(data, all, NULL);
    assert_non_null(peer);
    CFRelease(data);
    CFRelease(all);
    OPENSSL_free(bytes);
    return peer;
}

static void check_exchange(int bits, const char *curve)
{
    SecKeyRef key = make_key(kSecAttrKeyTypeECSECPrimeRandom, bits), peer;
    EVP_PKEY *mine = new_pkey("EC", 0, curve), *half = public_half(key);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(mine, NULL);
    CFMutableDictionaryRef none = new_dictionary();
    unsigned char expected[66];
    size_t size = sizeof(expected);
    CFDataRef secret;

    peer = peer_of(mine);
    secret = SecKeyCopyKeyExchangeResult(
        key, kSecKeyAlgorithmECDHKeyExchangeStandard, peer, none, NULL);
    assert_non_null(secret);
    assert_int_equal(EVP_PKEY_derive_init(context), 1);
    assert_int_equal(EVP_PKEY_derive_set_peer(context, half), 1);
    assert_int_equal(EVP_PKEY_derive(context, expected, &size), 1);
    assert_int_equal(CFDataGetLength(secret), size);
    assert_memory_equal(CFDataGetBytePtr(secret), expected, size);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(mine);
    EVP_PKEY_free(half);
    CFRelease(secret);
    CFRelease(none);
    CFRelease(peer);
    CFRelease(key);
}

static void secrets_are_exchanged(void **state)
{
    EVP_PKEY *other = new_pkey("EC", 0, "P-384");
    SecKeyRef key = make_key(kSecAttrKeyTypeECSECPrimeRandom, 256);
    SecKeyRef peer = peer_of(other);
    CFMutableDictionaryRef none = new_dictionary();
    CFErrorRef error = NULL;

    (void)state;
    check_exchange(256, "P-256");
    check_exchange(384, "P-384");
    check_exchange(521, "P-521");
    /* A peer on another curve. */
    assert_null(SecKeyCopyKeyExchangeResult(
        key, kSecKeyAlgorithmECDHKeyExchangeStandard, peer, none, &error));
    assert_int_equal(take_error(&error), errSecParam);
    CFRelease(none);
    CFRelease(peer);
    CFRelease(key);
    EVP_PKEY_free(other);
}

static void refuse(SecKeyRef key, SecKeyOperationType operation,
                   SecKeyAlgorithm algorithm)
{
    CFDataRef input = data_of(32);
    CFErrorRef error = NULL;

    assert_false(SecKeyIsAlgorithmSupported(key, operation, algorithm));
    if (operation == kSecKeyOperationTypeSign)
        assert_null(SecKeyCreateSignature(key, algorithm, input, &error));
    else
        assert_null(SecKeyCreateDecryptedData(key, algorithm, input, &error));
    assert_int_equal(take_error(&error), errSecParam);
    CFRelease(input);
}

static void algorithms_fit_keys(void **state)
{
    SecKeyRef rsa = make_key(kSecAttrKeyTypeRSA, 1024);
    SecKeyRef ec = make_key(kSecAttrKeyTypeECSECPrimeRandom, 256);
    SecKeyRef public = SecKeyCopyPublicKey(rsa);

    (void)state;
    refuse(rsa, kSecKeyOperationTypeSign,
           kSecKeyAlgorithmECDSASignatureDigestX962);
    refuse(ec, kSecKeyOperationTypeSign, kSecKeyAlgorithmRSASignatureRaw);
    refuse(rsa, kSecKeyOperationTypeDecrypt, kSecKeyAlgorithmRSASignatureRaw);
    refuse(rsa, kSecKeyOperationTypeSign, kSecKeyAlgorithmRSAEncryptionRaw);
    refuse(public, kSecKeyOperationTypeSign, kSecKeyAlgorithmRSASignatureRaw);
    CFRelease(public);
    CFRelease(ec);
    CFRelease(rsa);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DOUBLE_TEST(rsa_signs),
        DOUBLE_TEST(ecdsa_signs),
        DOUBLE_TEST(raw_rsa_signs),
        DOUBLE_TEST(rsa_decrypts),
        DOUBLE_TEST(bad_padding_is_an_error),
        DOUBLE_TEST(secrets_are_exchanged),
        DOUBLE_TEST(algorithms_fit_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
