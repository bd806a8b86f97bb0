/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of store/ share: a context and the real files.
 */
#ifndef MESH_TESTS_STORE_TEST_H
#define MESH_TESTS_STORE_TEST_H

#include "tests/platform/own_home.h"

#include <openssl/crypto.h>
#include <stdlib.h>

static struct capture captured;

#define SKIPPED 77 /* as ctest has it */
static int fixtures_absent;

/* The status of a program whose tests were run: passing without the real files
 * is not passing. */
static inline int test_status(int failed)
{
    return failed == 0 && fixtures_absent ? SKIPPED : failed;
}

/* The setup of each test: an error left by the one before is not its fault. */
static inline int forget_errors(void **state)
{
    (void)state;
    memset(&captured, 0, sizeof(captured));
    return 0;
}

static inline struct mesh_context *test_context(void)
{
    struct mesh_context *ctx = mesh_context_new(NULL, capture_raise, &captured);

    assert_non_null(ctx);
    return ctx;
}

#define STORE_TEST(name) cmocka_unit_test_setup(name, forget_errors)

/* A file of MESH_FIXTURES/mesh-2017; skips the test without them.  The caller
 * frees. */
static inline char *fixture(const char *name)
{
    const char *folder = getenv("MESH_FIXTURES");
    char path[512], *text;
    FILE *file;
    long len;

    snprintf(path, sizeof(path), "%s/mesh-2017/%s",
             folder != NULL ? folder : "", name);
    file = fopen(path, "rb");
    if (file == NULL) {
        print_message("%s is absent: skipped\n", path);
        fixtures_absent = 1;
        skip();
        return NULL;
    }
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    len = ftell(file);
    rewind(file);
    text = malloc((size_t)len + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)len, file), (size_t)len);
    text[len] = '\0';
    fclose(file);
    return text;
}

#endif
