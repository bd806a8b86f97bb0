/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The context: settings, environment, errors, traces.
 */
#include "tests/platform/home.h"

#include <errno.h>
#include <openssl/evp.h>

#ifdef MESH_PLATFORM_WINDOWS
#define HOME       "SOFTWARE\\Somewhere"
#define OTHER_HOME "SOFTWARE\\Elsewhere"
#define PROGRAM    "C:\\Mesh\\meshctl.exe"
#define NO_VALUE   "\\" /* for any setting */
#else
#define HOME       "/some/where"
#define OTHER_HOME "/else/where"
#define PROGRAM    "/usr/bin/meshctl"
#define NO_VALUE   "?"
#endif

static void settings(void **state)
{
    static const char *const right[][2] = {
        {"home", HOME},
        {"keystore", "auto"},
#ifdef MESH_PLATFORM_LINUX
        {"keyd-socket", "/run/s"},
        {"keyd-path", "/usr/libexec/mesh-keyd"},
#elif defined(MESH_PLATFORM_WINDOWS)
        {"keystore", "tpm"},
        {"keystore", "cng"},
#endif
        {"prompt", "never"},
        {"prompt", "at-use"},
        {"prompt-timeout", "1"},
        {"prompt-timeout", "3600"},
        {"refresh", "never"},
        {"refresh", "on-missing"},
        {"meshctl-path", PROGRAM},
    };
    static const char *const wrong[][2] = {
#ifdef MESH_PLATFORM_WINDOWS
        {"home", "C:\\some\\where"},
        {"home", "\\SOFTWARE\\Somewhere"},
        {"keystore", "keyd"},
#else
        {"home", "some/where"},
        {"keystore", "tpm"},
#endif
        {"home", ""},
        {"keyd-socket", "s"},
        {"keyd-path", "mesh-keyd"},
        {"prompt", "NEVER"},
        {"prompt", ""},
        {"prompt-timeout", "0"},
        {"prompt-timeout", "3601"},
        {"prompt-timeout", "-1"},
        {"prompt-timeout", "1s"},
        {"prompt-timeout", ""},
        {"prompt-timeout", " 1"},
        {"prompt-timeout", "99999999999999999999"},
        {"refresh", "always"},
        {"meshctl-path", "meshctl"},
        {"Home", HOME},
        {"hom", HOME},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
        expect_ok(ctx, mesh_context_configure(ctx, right[i][0], right[i][1]));
    assert_string_equal(ctx->config.home, HOME);
#ifdef MESH_PLATFORM_LINUX
    assert_string_equal(ctx->config.keyd_socket, "/run/s");
    assert_string_equal(ctx->config.keyd_path, "/usr/libexec/mesh-keyd");
#endif
    assert_int_equal(ctx->config.prompt, MESH_PROMPT_AT_USE);
    assert_int_equal(ctx->config.prompt_timeout, 3600);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(mesh_context_configure(ctx, wrong[i][0], wrong[i][1]));
        expect_error(ctx, MESH_R_CONFIGURATION, wrong[i][0]);
    }
    assert_string_equal(ctx->config.home, HOME);
    assert_int_equal(ctx->config.prompt, MESH_PROMPT_AT_USE);
    assert_int_equal(ctx->config.prompt_timeout, 3600);
    for (size_t i = 0; mesh_context_setting(i) != NULL; i++) {
        assert_false(
            mesh_context_configure(ctx, mesh_context_setting(i), NO_VALUE));
        expect_error(ctx, MESH_R_CONFIGURATION, " = " NO_VALUE ": ");
    }
}

static void environment(void **state)
{
    struct mesh_context *other;

    (void)state;
    set_variable("CRYPTOMESH_HOME", OTHER_HOME);
    set_variable("MESH_KEYD_SOCKET", "");
    other = mesh_context_new(OSSL_LIB_CTX_new(), capture_raise, &capture);
    set_variable("CRYPTOMESH_HOME", NULL);
    set_variable("MESH_KEYD_SOCKET", NULL);
    assert_non_null(other);
    assert_string_equal(other->config.home, OTHER_HOME);
    assert_null(other->config.keyd_socket); /* empty is unset */
    expect_ok(other, mesh_context_configure(other, "home", HOME));
    assert_string_equal(other->config.home, HOME);
    mesh_context_free(other);
    mesh_context_free(NULL);
}

/* A context of its own has the algorithms, whatever the program configured. */
static void algorithms(void **state)
{
    EVP_MD *md = EVP_MD_fetch(ctx->libctx, "SHA3-512", "provider=default");

    (void)state;
    assert_non_null(md);
    EVP_MD_free(md);
}

static void reasons(void **state)
{
    (void)state;
    for (int i = 0; i < MESH_R_END; i++) {
        const char *text = mesh_reason_text((enum mesh_reason)i);

        assert_non_null(text);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(text,
                                    mesh_reason_text((enum mesh_reason)j));
    }
    assert_string_equal(mesh_reason_text(MESH_R_END), "unknown reason");
    assert_string_equal(mesh_reason_text((enum mesh_reason) - 1),
                        "unknown reason");
}

static void errors(void **state)
{
    struct mesh_context quiet = mesh_context_quiet(ctx);
    char big[2000];

    (void)state;
    assert_false(mesh_raise(ctx, MESH_R_USAGE, "%s is %d", "x", 5));
    expect_error(ctx, MESH_R_USAGE, "x is 5");
    memset(big, 'y', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    assert_false(mesh_raise(ctx, MESH_R_USAGE, "%s", big));
    assert_in_range(strlen(capture.text), 200, sizeof(capture.text) - 1);
    expect_error(ctx, MESH_R_USAGE, "yyy");
    /* Without a trace a quiet error is nowhere. */
    assert_false(mesh_raise(&quiet, MESH_R_USAGE, "x"));
    expect_ok(ctx, 1);
}

static size_t trace_text(const char *path, char text[4096])
{
    FILE *file = fopen(path, "r");
    size_t len;

    assert_non_null(file);
    len = fread(text, 1, 4095, file);
    text[len] = '\0';
    fclose(file);
    return len;
}

static int exists(const char *path)
{
    FILE *file = fopen(path, "rb");

    return file != NULL && fclose(file) == 0;
}

#ifndef MESH_PLATFORM_WINDOWS
static void expect_only_ours(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

/* What cannot be written is not, and stops nobody. */
static void odd_files(struct mesh_context *traced, const char *path)
{
    assert_int_equal(mkfifo(path, 0600), 0);
    mesh_trace(traced, "lost");
    unlink(path);
    assert_int_equal(symlink("target", path), 0);
    mesh_trace(traced, "lost");
    assert_false(exists(in_home("target")));
    unlink(path);
}
#endif

static void traces(void **state)
{
    struct mesh_context *traced, quiet;
    char text[4096], path[512], big[2000];
    size_t len;

    (void)state;
    snprintf(path, sizeof(path), "%s", in_home("trace"));
    set_variable("MESH_PROVIDER_TRACE", path);
    traced = mesh_context_new(NULL, capture_raise, &capture);
    set_variable("MESH_PROVIDER_TRACE", NULL);
    assert_false(exists(path)); /* nothing yet, so no file */
    quiet = mesh_context_quiet(traced);
    errno = ENOTTY;
    mesh_trace(traced, "one %d", 1);
    assert_int_equal(errno, ENOTTY);
    mesh_raise(&quiet, MESH_R_FILE_LOCKED, "two %d", 2);
    expect_ok(traced, 1);
    len = trace_text(path, text);
    assert_non_null(strstr(text, " one 1\n20"));
    assert_non_null(strstr(text, mesh_reason_text(MESH_R_FILE_LOCKED)));
    assert_non_null(strstr(text, ": two 2 ("));
    assert_int_equal(text[len - 1], '\n');
#ifndef MESH_PLATFORM_WINDOWS
    expect_only_ours(path);
#endif

    memset(big, 'y', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    mesh_trace(traced, "%s", big);
    len = trace_text(path, text);
    assert_in_range(len, 300, 300 + MESH_ERROR_TEXT_MAX);
    assert_int_equal(text[len - 1], '\n');

    remove(path);
#ifndef MESH_PLATFORM_WINDOWS
    odd_files(traced, path);
#endif
    mesh_trace(ctx, "no trace at all");
    assert_int_equal(entries(home), 0);
    mesh_context_free(traced);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(settings, make_home, remove_home),
        cmocka_unit_test_setup_teardown(environment, make_home, remove_home),
        cmocka_unit_test_setup_teardown(algorithms, make_home, remove_home),
        cmocka_unit_test_setup_teardown(reasons, make_home, remove_home),
        cmocka_unit_test_setup_teardown(errors, make_home, remove_home),
        cmocka_unit_test_setup_teardown(traces, make_home, remove_home),
    };

#ifndef MESH_PLATFORM_WINDOWS
    umask(022);
#endif
    set_variable("CRYPTOMESH_HOME", NULL);
    set_variable("MESH_KEYD_SOCKET", NULL);
    set_variable("MESH_PROVIDER_TRACE", NULL);
    return cmocka_run_group_tests_name("context", tests, NULL, NULL);
}
