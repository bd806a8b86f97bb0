/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A context whose errors a test can look at.
 */
#ifndef MESH_TESTS_PLATFORM_CAPTURE_H
#define MESH_TESTS_PLATFORM_CAPTURE_H

#include "platform/context.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

struct capture {
    enum mesh_reason reason;
    int count; /* errors since capture_take() */
    char text[MESH_ERROR_TEXT_MAX];
    char first[MESH_ERROR_TEXT_MAX];
};

static inline void capture_raise(struct mesh_context *ctx,
                                 enum mesh_reason reason, const char *file,
                                 int line, const char *func, const char *text)
{
    struct capture *capture = ctx->raise_arg;

    (void)file, (void)line, (void)func;
    capture->reason = reason;
    if (capture->count++ == 0)
        snprintf(capture->first, sizeof(capture->first), "%s", text);
    snprintf(capture->text, sizeof(capture->text), "%s", text);
}

/* Exactly one error, of this reason, whose text has this part. */
static inline void expect_error(struct mesh_context *ctx,
                                enum mesh_reason reason, const char *part)
{
    struct capture *capture = ctx->raise_arg;

    if (capture->reason != reason || strstr(capture->text, part) == NULL)
        print_error("%d errors, the last: %s: %s\n", capture->count,
                    mesh_reason_text(capture->reason), capture->text);
    assert_int_equal(capture->count, 1);
    assert_int_equal(capture->reason, reason);
    assert_non_null(strstr(capture->text, part));
    memset(capture, 0, sizeof(*capture));
}

/* Success, with nothing raised. */
static inline void expect_ok(struct mesh_context *ctx, int result)
{
    struct capture *capture = ctx->raise_arg;

    if (capture->count != 0)
        print_error("%s: %s\n", mesh_reason_text(capture->reason),
                    capture->text);
    assert_int_equal(capture->count, 0);
    assert_int_equal(result, 1);
}

#endif
