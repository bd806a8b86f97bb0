/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A library context as an application has it, with default and our provider
 * built into the program, over the key store in the process.  "Plain" is
 * libcrypto's own default library context, which knows nothing of ours.
 */
#ifndef MESH_TESTS_PROVIDER_TEST_H
#define MESH_TESTS_PROVIDER_TEST_H

#include "tests/keymgmt/keystore_double.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants those before it */
#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/evp.h>

extern OSSL_LIB_CTX *app;

/* Runs the tests three times: default first, ours first, and preferred by
 * property.  How many failed. */
int run_in_each_order(const struct CMUnitTest *tests, size_t count);
#define RUN_IN_EACH_ORDER(tests)                                               \
    run_in_each_order(tests, sizeof(tests) / sizeof(tests[0]))
/* A test; it begins with no operation done and no error. */
#define TEST(f) cmocka_unit_test_setup(f, begin_test)
int begin_test(void **state);

/* Keys of a name, the caller's: of mesh://NAME the private object, whose key is
 * held, and the public one; and the same key read from a PEM file.  NULL if
 * this libcrypto does not have the algorithm. */
EVP_PKEY *held_key(const char *name);
EVP_PKEY *public_key(const char *name);
EVP_PKEY *file_key(const char *name);

/* The public half of a key, in another library context; the caller's. */
EVP_PKEY *public_half(EVP_PKEY *key, OSSL_LIB_CTX *libctx);

#define OPTIONS_MAX 128
/* Sets options as `openssl pkeyutl -pkeyopt` takes them, "name:value
 * name:value"; whether all were taken. */
int set_options(EVP_PKEY_CTX *c, const char *options);

/* Whether libcrypto has the algorithm; says so if not. */
int have(const char *name);

/* The reason is among the errors; forgets them all.  (libcrypto may have put
 * its own on top.) */
void expect_error(enum mesh_reason reason);

#endif
