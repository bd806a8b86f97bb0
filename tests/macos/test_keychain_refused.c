/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the Keychain refuses, and what is refused before it is asked.
 */
#include "tests/macos/keychain_test.h"

#include <Security/SecBase.h>
#include <sys/wait.h>
#include <unistd.h>

static EVP_PKEY *rsa, *ec;
static unsigned char digest[32] = {1};

static const struct mesh_private_op ecdsa = {.operation = MESH_OP_SIGN,
                                             .digest = "SHA2-256"};
static const struct mesh_private_op pkcs1 = {
    .operation = MESH_OP_SIGN, .padding = MESH_PAD_PKCS1, .digest = "SHA2-256"};
static const struct mesh_private_op oaep = {.operation = MESH_OP_DECRYPT,
                                            .padding = MESH_PAD_OAEP};
static const struct mesh_private_op raw = {.operation = MESH_OP_DECRYPT,
                                           .padding = MESH_PAD_NONE};
static const struct mesh_private_op agree = {.operation = MESH_OP_DERIVE};

static int setup_keys(void **state)
{
    if (setup(state))
        return -1;
    rsa = generate("RSA-2048");
    ec = generate("P-256");
    return 0;
}

static int teardown_keys(void **state)
{
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
    return teardown(state);
}

static int sign(void)
{
    return operate(ec, &ecdsa, digest, sizeof(digest));
}

/* Each status that matters has its reason and a text that says what to do. */
static void statuses_have_texts(void **state)
{
    static const struct {
        OSStatus status;
        enum mesh_reason reason;
        const char *part;
    } cases[] = {
        {errSecItemNotFound, MESH_R_KEY_NOT_HELD, "does not have it"},
        {errSecInvalidItemRef, MESH_R_KEY_NOT_HELD, "removed"},
        {errSecAuthFailed, MESH_R_LOCKED, "security unlock-keychain"},
        {errSecInteractionNotAllowed, MESH_R_LOCKED, "prompt = never"},
        {errSecInteractionRequired, MESH_R_LOCKED, "prompt = never"},
        {errSecInDarkWake, MESH_R_LOCKED, "asleep"},
        {errSecUserCanceled, MESH_R_PROMPT_DISMISSED, "refused in"},
        {errSecNoAccessForItem, MESH_R_PROMPT_DISMISSED, "Always Allow"},
        {(OSStatus)0x80010820, MESH_R_PROMPT_DISMISSED, "Always Allow"},
        {(OSStatus)0x800108e0, MESH_R_LOCKED, "prompt = never"},
        {(OSStatus)0x800108e1, MESH_R_PROMPT_DISMISSED, "refused in"},
        {errSecMissingEntitlement, MESH_R_OPERATION_UNSUPPORTED, "entitlement"},
        {errSecDuplicateItem, MESH_R_KEY_EXISTS, "already"},
        {errSecNoSuchKeychain, MESH_R_OPERATION_FAILED, "its file is gone"},
        {errSecInvalidKeychain, MESH_R_OPERATION_FAILED, "its file is gone"},
        {errSecNoDefaultKeychain, MESH_R_OPERATION_FAILED, "default-keychain"},
        {errSecNotAvailable, MESH_R_OPERATION_FAILED, "session"},
        {errSecReadOnly, MESH_R_OPERATION_FAILED, "cannot be written"},
        {errSecWrPerm, MESH_R_OPERATION_FAILED, "cannot be written"},
        {errSecIO, MESH_R_OPERATION_FAILED, "read or written"},
        {errSecKeySizeNotAllowed, MESH_R_OPERATION_UNSUPPORTED, "this length"},
        {errSecDataNotAvailable, MESH_R_NOT_EXPORTABLE, "may not leave"},
        {errSecKeyIsSensitive, MESH_R_NOT_EXPORTABLE, "may not leave"},
        {errSecUnimplemented, MESH_R_OPERATION_UNSUPPORTED, "cannot do this"},
        {errSecParam, MESH_R_OPERATION_FAILED, "did not take the data"},
        {errSecDecode, MESH_R_OPERATION_FAILED, "did not take the data"},
        {errSecUnsupportedFormat, MESH_R_KEY_MALFORMED, "form"},
        {errSecUnknownFormat, MESH_R_KEY_MALFORMED, "form"},
        {errSecInternalComponent, MESH_R_OPERATION_FAILED, "inside"},
        {errSecAllocate, MESH_R_MEMORY, "out of memory"},
        {-12345, MESH_R_OPERATION_FAILED, "it failed (macOS's status -12345)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        macos_double_reset();
        EVP_PKEY_free(ec);
        ec = generate("P-256");
        macos_double_fail("SecKeyCreateSignature", cases[i].status, 1);
        assert_false(sign());
        expect_error(ctx, cases[i].reason, cases[i].part);
        macos_double_fail("SecItemDelete", cases[i].status, 1);
        struct mesh_key_name name = name_of(ec);
        assert_false(mesh_keystore_delete(ctx, &name));
        expect_error(ctx, cases[i].reason, cases[i].part);
        expect_ok(ctx, sign());
    }
}

/* Of a decryption the data is all that one learns; of who may do it, all. */
static void decryption_tells_nothing(void **state)
{
    static const OSStatus of_data[] = {errSecParam, errSecDecode,
                                       errSecInternalComponent, -12345};
    unsigned char secret[OUT_MAX];
    size_t len =
        encrypt(rsa, RSA_PKCS1_OAEP_PADDING, NULL, NULL, NULL, "x", 1, secret);

    (void)state;
    for (size_t i = 0; i < sizeof(of_data) / sizeof(of_data[0]); i++) {
        macos_double_fail("SecKeyCreateDecryptedData", of_data[i], 1);
        assert_false(operate(rsa, &oaep, secret, len));
        expect_error(ctx, MESH_R_OPERATION_FAILED,
                     "decrypt OAEP: the data cannot be decrypted with this "
                     "key");
    }
    macos_double_fail("SecKeyCreateDecryptedData", errSecUserCanceled, 1);
    assert_false(operate(rsa, &oaep, secret, len));
    expect_error(ctx, MESH_R_PROMPT_DISMISSED, "refused");
    assert_false(operate(rsa, &raw, secret, 300));
    expect_error(ctx, MESH_R_OPERATION_FAILED, "cannot be decrypted");
    expect_ok(ctx, operate(rsa, &oaep, secret, len));
}

/* Whichever call it is that fails. */
static void every_call_may_fail(void **state)
{
    static const char *const calls[] = {"SecItemCopyMatching",
                                        "SecKeyCopyExternalRepresentation"};
    struct mesh_key_name name = name_of(ec);
    struct mesh_keystore_status status;
    struct mesh_keystore_item *items;
    EVP_PKEY *public;
    unsigned char *der;
    size_t count;
    int held;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        macos_double_fail(calls[i], errSecIO, 1);
        assert_false(mesh_keystore_holds(ctx, &name, &held));
        expect_error(ctx, MESH_R_OPERATION_FAILED, "read or written");
        macos_double_fail(calls[i], errSecIO, 1);
        assert_false(mesh_keystore_list(ctx, &items, &count));
        expect_error(ctx, MESH_R_OPERATION_FAILED, "read or written");
    }
    macos_double_fail("SecItemCopyMatching", errSecIO, 1);
    assert_false(mesh_keystore_certificate(ctx, &name, &der, &count));
    expect_error(ctx, MESH_R_OPERATION_FAILED, "read or written");
    macos_double_fail("SecKeychainCopyDefault", errSecNoDefaultKeychain, 1);
    assert_false(mesh_keystore_status(ctx, &status));
    expect_error(ctx, MESH_R_OPERATION_FAILED, "no default keychain");
    macos_double_fail("SecKeychainGetStatus", errSecNoSuchKeychain, 1);
    assert_false(mesh_keystore_status(ctx, &status));
    expect_error(ctx, MESH_R_OPERATION_FAILED, "its file is gone");
    macos_double_fail("SecKeyCreateRandomKey", errSecAuthFailed, 1);
    assert_false(mesh_keystore_generate(ctx, "P-256", &public));
    expect_error(ctx, MESH_R_LOCKED, "generate a key");
    macos_double_fail("SecKeyCopyPublicKey", errSecAllocate, 1);
    assert_false(mesh_keystore_generate(ctx, "P-256", &public));
    expect_error(ctx, MESH_R_OPERATION_FAILED, "the public half");
    macos_double_fail("SecItemUpdate", errSecIO, 1);
    assert_false(mesh_keystore_generate(ctx, "P-256", &public));
    expect_error(ctx, MESH_R_OPERATION_FAILED, "label a key");
    /* nothing half-made is left */
    expect_ok(ctx, mesh_keystore_list(ctx, &items, &count));
    assert_int_equal(count, 2);
    OPENSSL_free(items);
}

static void import_may_fail(void **state)
{
    static const struct {
        const char *call;
        OSStatus status;
        enum mesh_reason reason;
    } cases[] = {
        {"SecKeychainCopyDefault", errSecNoDefaultKeychain,
         MESH_R_OPERATION_FAILED},
        {"SecItemImport", errSecAuthFailed, MESH_R_LOCKED},
        {"SecItemImport", errSecDuplicateItem, MESH_R_KEY_EXISTS},
        {"SecItemUpdate", errSecItemNotFound, MESH_R_KEY_NOT_HELD},
        {"SecItemCopyMatching", errSecIO, MESH_R_OPERATION_FAILED},
    };
    EVP_PKEY *key = software_key("EC", "P-256"), *public;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        macos_double_fail(cases[i].call, cases[i].status, 1);
        assert_false(import_key(key, &public));
        assert_null(public);
        expect_error(ctx, cases[i].reason, "");
        assert_int_equal(holds(key), 0);
    }
    assert_false(mesh_keystore_import(ctx, digest, sizeof(digest), &public));
    expect_error(ctx, MESH_R_KEY_MALFORMED, "not PKCS#8");
    /* without the public half the key is as good */
    macos_double_fail("SecItemImport", errSecIO, 2);
    expect_ok(ctx, import_key(key, &public));
    assert_int_equal(holds(key), 1);
    EVP_PKEY_free(public);
    EVP_PKEY_free(key);
}

static void locked_without_prompts(void **state)
{
    (void)state;
    expect_ok(ctx, mesh_context_configure(ctx, "prompt", "never"));
    macos_double_answer(MACOS_ANSWER_ALLOW);
    macos_double_lock(true);
    /* where they cannot be forbidden, nothing is done that might ask */
    macos_double_fail("SecKeychainSetUserInteractionAllowed",
                      errSecNotAvailable, 1);
    assert_false(sign());
    expect_error(ctx, MESH_R_OPERATION_FAILED, "forbid prompts");
    assert_false(sign());
    expect_error(ctx, MESH_R_LOCKED, "unlock");
    assert_int_equal(macos_double_prompts(), 0);
}

static void asks_if_it_may(void **state)
{
    (void)state;
    macos_double_answer(MACOS_ANSWER_ALLOW);
    macos_double_lock(true);
    expect_ok(ctx, sign());
    assert_true(macos_double_prompts() > 0);
}

static void cancelled_and_denied(void **state)
{
    (void)state;
    macos_double_program("/usr/bin/another");
    macos_double_answer(MACOS_ANSWER_CANCEL);
    assert_false(sign());
    expect_error(ctx, MESH_R_PROMPT_DISMISSED, "");
    macos_double_answer(MACOS_ANSWER_DENY);
    assert_false(sign());
    assert_int_equal(capture.count, 1);
    assert_true(capture.reason == MESH_R_PROMPT_DISMISSED
                || capture.reason == MESH_R_LOCKED);
    memset(&capture, 0, sizeof(capture));
    macos_double_answer(MACOS_ANSWER_NONE);
    assert_false(sign());
    expect_error(ctx, MESH_R_LOCKED, "");
}

static void found_twice(void **state)
{
    EVP_PKEY *key = software_key("EC", "P-256");
    struct mesh_key_name name = name_of(key);
    int held;

    (void)state;
    put_private("one.private", key);
    put_private("two.private", key);
    assert_false(mesh_keystore_holds(ctx, &name, &held));
    expect_error(ctx, MESH_R_KEY_DUPLICATE, "is 2 times in the Keychain");
    assert_false(operate(key, &ecdsa, digest, sizeof(digest)));
    expect_error(ctx, MESH_R_KEY_DUPLICATE, name.udf);
    assert_false(mesh_keystore_delete(ctx, &name));
    expect_error(ctx, MESH_R_KEY_DUPLICATE, "leave one");
    EVP_PKEY_free(key);
}

/* The label of one key, and the fingerprint of another. */
static void another_key_under_the_label(void **state)
{
    struct mesh_key_name name = name_of(ec), other = name_of(rsa);
    int held;

    (void)state;
    memcpy(name.spki_sha256, other.spki_sha256, sizeof(name.spki_sha256));
    assert_false(mesh_keystore_holds(ctx, &name, &held));
    expect_error(ctx, MESH_R_KEY_MISMATCH, name.udf);
    out_len = sizeof(out);
    assert_false(mesh_keystore_operate(ctx, &name, &ecdsa, digest,
                                       sizeof(digest), out, &out_len));
    expect_error(ctx, MESH_R_KEY_MISMATCH, "another key");
}

static void gone_between_two_calls(void **state)
{
    struct mesh_key_name name = name_of(ec);
    char command[1024];
    int held;

    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", macos_double_folder());
    assert_int_equal(system(command), 0);
    assert_false(sign());
    expect_error(ctx, MESH_R_OPERATION_FAILED, "its file is gone");
    assert_false(mesh_keystore_holds(ctx, &name, &held));
    expect_error(ctx, MESH_R_OPERATION_FAILED, "its file is gone");
}

/* Before anything is asked: a call would fail. */
static void not_available(void **state)
{
    static const char *const algorithms[] = {"ED25519",   "X25519",
                                             "ED448",     "RSA-PSS-2048",
                                             "secp256k1", "brainpoolP256r1"};
    EVP_PKEY *public, *key = software_key("ED25519", NULL);
    EVP_PKEY *odd = software_key("EC", "brainpoolP256r1");
    EVP_PKEY *small = software_key("RSA", "768");

    (void)state;
    macos_double_fail("SecItemCopyMatching", errSecIO, 0);
    macos_double_fail("SecKeyCreateRandomKey", errSecIO, 0);
    macos_double_fail("SecItemImport", errSecIO, 0);
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        assert_false(mesh_keystore_generate(ctx, algorithms[i], &public));
        expect_error(ctx, MESH_R_ALGORITHM, "not available in the Keychain");
        assert_null(public);
    }
    assert_false(mesh_keystore_generate(ctx, "RSA-1", &public));
    expect_error(ctx, MESH_R_USAGE, "RSA-1");
    assert_false(import_key(key, &public));
    expect_error(ctx, MESH_R_ALGORITHM, "not available in the Keychain");
    assert_false(import_key(odd, &public));
    expect_error(ctx, MESH_R_ALGORITHM, "not available in the Keychain");
    assert_false(import_key(small, &public));
    expect_error(ctx, MESH_R_ALGORITHM, "RSA of 768 bits");
    assert_int_equal(holds(key), 0);
    assert_int_equal(holds(odd), 0);
    assert_int_equal(holds(small), 0);
    assert_false(operate(key, &ecdsa, digest, sizeof(digest)));
    expect_error(ctx, MESH_R_KEY_NOT_HELD, "does not have it");
    EVP_PKEY_free(small);
    EVP_PKEY_free(odd);
    EVP_PKEY_free(key);
}

/* What no key can do, what the Keychain cannot, and input that does not fit. */
static void operations_are_refused(void **state)
{
    static const struct {
        int with_rsa;
        struct mesh_private_op op;
        size_t len;
        enum mesh_reason reason;
        const char *part;
    } cases[] = {
        {1,
         {.operation = MESH_OP_SIGN, .digest = "SHA2-256"},
         32,
         MESH_R_OPERATION_UNSUPPORTED,
         "of a type that cannot"},
        {0,
         {.operation = MESH_OP_SIGN, .padding = MESH_PAD_PKCS1},
         32,
         MESH_R_OPERATION_UNSUPPORTED,
         "of a type that cannot"},
        {0,
         {.operation = (enum mesh_operation)77},
         32,
         MESH_R_OPERATION_UNSUPPORTED,
         "operation 77"},
        {0,
         {.operation = MESH_OP_SIGN, .deterministic = 1, .digest = "SHA2-256"},
         32,
         MESH_R_OPERATION_UNSUPPORTED,
         "no deterministic form"},
        {0,
         {.operation = MESH_OP_SIGN, .digest = "SHA2-256"},
         31,
         MESH_R_OPERATION_UNSUPPORTED,
         "the digest's length"},
        {0,
         {.operation = MESH_OP_SIGN, .digest = "SHAKE-128"},
         32,
         MESH_R_OPERATION_UNSUPPORTED,
         "not a digest"},
        {0,
         {.operation = MESH_OP_SIGN, .digest = "nonsense"},
         32,
         MESH_R_OPERATION_UNSUPPORTED,
         "not a digest"},
        {0,
         {.operation = MESH_OP_DECAPSULATE, .variant = "DHKEM"},
         65,
         MESH_R_OPERATION_UNSUPPORTED,
         "the Keychain cannot do this"},
        {0,
         {.operation = MESH_OP_SIGN, .variant = "Ed25519ph"},
         32,
         MESH_R_OPERATION_UNSUPPORTED,
         "variants"},
        {1,
         {.operation = MESH_OP_SIGN,
          .padding = MESH_PAD_PSS,
          .digest = "SHA2-256",
          .salt_length = 223},
         32,
         MESH_R_OPERATION_UNSUPPORTED,
         "too long for a key of 2048 bits"},
        {1,
         {.operation = MESH_OP_SIGN,
          .padding = MESH_PAD_PSS,
          .digest = "SHA2-256",
          .mgf1_digest = "no"},
         32,
         MESH_R_OPERATION_UNSUPPORTED,
         "not a digest"},
        {1,
         {.operation = MESH_OP_SIGN, .padding = MESH_PAD_PKCS1},
         246,
         MESH_R_OPERATION_UNSUPPORTED,
         "246 octets are too many"},
        {1,
         {.operation = MESH_OP_SIGN, .padding = MESH_PAD_PKCS1},
         300,
         MESH_R_OPERATION_UNSUPPORTED,
         "300 octets are too many"},
        {1,
         {.operation = MESH_OP_SIGN,
          .padding = MESH_PAD_PKCS1,
          .digest = "SM3"},
         32,
         MESH_R_NONE,
         ""},
        {1,
         {.operation = MESH_OP_SIGN, .padding = MESH_PAD_NONE},
         255,
         MESH_R_OPERATION_UNSUPPORTED,
         "of the key's length"},
        {1,
         {.operation = MESH_OP_DECRYPT,
          .padding = MESH_PAD_PKCS1,
          .implicit_rejection = 1},
         300,
         MESH_R_OPERATION_FAILED,
         "cannot be decrypted"},
        {0,
         {.operation = MESH_OP_DERIVE},
         40,
         MESH_R_KEY_MALFORMED,
         "one of the same curve"},
    };
    static const unsigned char zeros[512];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int ok = operate(cases[i].with_rsa ? rsa : ec, &cases[i].op, zeros,
                         cases[i].len);

        if (cases[i].reason == MESH_R_NONE) {
            expect_ok(ctx, ok);
            continue;
        }
        assert_false(ok);
        expect_error(ctx, cases[i].reason, cases[i].part);
    }
}

static void a_peer_of_another_curve(void **state)
{
    static const char *const curves[] = {"P-384", "brainpoolP256r1"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        EVP_PKEY *peer = software_key("EC", curves[i]);
        unsigned char *spki = NULL;
        int len = i2d_PUBKEY(peer, &spki);

        assert_false(operate(ec, &agree, spki, (size_t)len));
        expect_error(ctx, MESH_R_KEY_MALFORMED, "one of the same curve");
        OPENSSL_free(spki);
        EVP_PKEY_free(peer);
    }
}

static void derivation_may_fail(void **state)
{
    static const char *const calls[] = {"SecKeyCreateWithData",
                                        "SecKeyCopyKeyExchangeResult"};
    EVP_PKEY *peer = software_key("EC", "P-256");
    unsigned char *spki = NULL;
    int len = i2d_PUBKEY(peer, &spki);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        macos_double_fail(calls[i], errSecInternalComponent, 1);
        assert_false(operate(ec, &agree, spki, (size_t)len));
        expect_error(ctx, MESH_R_OPERATION_FAILED, "derive");
    }
    expect_ok(ctx, operate(ec, &agree, spki, (size_t)len));
    OPENSSL_free(spki);
    EVP_PKEY_free(peer);
}

/* A key that the Keychain has, and lets nobody use for this. */
static void algorithms_may_be_missing(void **state)
{
    static const struct mesh_private_op decrypt = {.operation = MESH_OP_DECRYPT,
                                                   .padding = MESH_PAD_PKCS1};
    EVP_PKEY *peer = software_key("EC", "P-256");
    unsigned char *spki = NULL, block[256] = {0, 1};
    int len = i2d_PUBKEY(peer, &spki);

    (void)state;
    macos_double_fail("SecKeyIsAlgorithmSupported", errSecUnimplemented, 0);
    assert_false(sign());
    expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED, "cannot do this with it");
    assert_false(operate(rsa, &pkcs1, digest, sizeof(digest)));
    expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED, "cannot do this with it");
    assert_false(operate(rsa, &decrypt, block, sizeof(block)));
    expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED, "cannot do this with it");
    assert_false(operate(ec, &agree, spki, (size_t)len));
    expect_error(ctx, MESH_R_OPERATION_UNSUPPORTED, "cannot do this with it");
    OPENSSL_free(spki);
    EVP_PKEY_free(peer);
}

static void results_must_fit(void **state)
{
    struct mesh_key_name name = name_of(ec);

    (void)state;
    out_len = 8;
    assert_false(mesh_keystore_operate(ctx, &name, &ecdsa, digest,
                                       sizeof(digest), out, &out_len));
    expect_error(ctx, MESH_R_BUFFER_TOO_SMALL, "there is room for 8");
}

/* Whether a call has been refused, with one error. */
static int refused(int done)
{
    int right = !done && capture.count == 1
                && capture.reason == MESH_R_OPERATION_UNSUPPORTED
                && strstr(capture.text, "was forked from it") != NULL;

    memset(&capture, 0, sizeof(capture));
    return right;
}

/* All of it: nothing may reach the frameworks there, or the double aborts. */
static int is_refused_in_child(void)
{
    struct mesh_key_name name = name_of(ec);
    struct mesh_keystore_status status;
    struct mesh_keystore_item *items;
    EVP_PKEY *public, *key = software_key("EC", "P-256");
    unsigned char *der;
    size_t count;
    int held, right;

    right = refused(mesh_keystore_holds(ctx, &name, &held)) && refused(sign())
            && refused(mesh_keystore_list(ctx, &items, &count))
            && refused(mesh_keystore_status(ctx, &status))
            && refused(mesh_keystore_delete(ctx, &name))
            && refused(mesh_keystore_certificate(ctx, &name, &der, &count))
            && refused(mesh_keystore_generate(ctx, "P-256", &public))
            && refused(import_key(key, &public));
    EVP_PKEY_free(key);
    return right;
}

static void a_forked_child_is_refused(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    if (child == 0)
        _exit(!is_refused_in_child());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    expect_ok(ctx, sign());
}

#define TEST(test)                                                             \
    cmocka_unit_test_setup_teardown(test, setup_keys, teardown_keys)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(statuses_have_texts),
        TEST(decryption_tells_nothing),
        TEST(every_call_may_fail),
        TEST(import_may_fail),
        TEST(asks_if_it_may),
        TEST(cancelled_and_denied),
        TEST(found_twice),
        TEST(another_key_under_the_label),
        TEST(gone_between_two_calls),
        TEST(not_available),
        TEST(operations_are_refused),
        TEST(a_peer_of_another_curve),
        TEST(derivation_may_fail),
        TEST(algorithms_may_be_missing),
        TEST(results_must_fit),
        TEST(a_forked_child_is_refused),
        TEST(locked_without_prompts), /* for the process: the last one */
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
