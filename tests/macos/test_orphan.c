/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A program that is started as nobody's child, on macOS.
 */
#include "platform/posix/launch.h"
#include "tests/platform/capture.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct mesh_context *ctx;
static struct capture capture;

static int setup(void **state)
{
    (void)state;
    ctx = mesh_context_new(NULL, capture_raise, &capture);
    return ctx == NULL;
}

static int teardown(void **state)
{
    (void)state;
    mesh_context_free(ctx);
    return 0;
}

/* Runs a line of shell; what comes over the pipe. */
static ssize_t run(char *line, char *word, size_t size)
{
    static const char *const more[] = {"MESH_TEST", NULL};
    struct mesh_launch launch = {.program = "/bin/sh",
                                 .argv = {"/bin/sh", "-c", line}};
    ssize_t got;
    int fd;

    expect_ok(ctx, mesh_launch_start(ctx, &launch, more, &fd));
    got = mesh_launch_read(fd, word, size - 1, 10, '.');
    close(fd);
    word[got > 0 ? got : 0] = '\0';
    return got;
}

static void it_runs_alone(void **state)
{
    char word[256], expected[256];

    (void)state;
    setenv("MESH_TEST", "passed on", 1);
    setenv("MESH_OTHER", "kept back", 1);
    assert_true(run("printf '%s/%s/%s/%s' \"$MESH_TEST\" \"$MESH_OTHER\" "
                    "\"$PWD\" \"$HOME\" >&3",
                    word, sizeof(word))
                > 0);
    snprintf(expected, sizeof(expected), "passed on////%s", getenv("HOME"));
    assert_string_equal(word, expected);
    /* no child is left to wait for, and its end closes the pipe */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    assert_int_equal(run("exit 3", word, sizeof(word)), 0);
    assert_true(run("echo . >&3; sleep 5", word, sizeof(word)) > 0);
}

static void its_descriptors_are_known(void **state)
{
    char word[256];

    (void)state;
    assert_true(
        run("all=$(for fd in 0 1 2; do readlink /proc/$$/fd/$fd; done)\n"
            "echo \"$all\" >&3",
            word, sizeof(word))
        > 0);
    assert_string_equal(word, "/dev/null\n/dev/null\n/dev/null\n");
}

static void a_program_that_is_missing(void **state)
{
    static const char *const more[] = {NULL};
    struct mesh_launch launch = {.program = "/no/such",
                                 .argv = {"/no/such", "x"}};
    char word[8];
    int fd;

    (void)state;
    assert_false(mesh_launch_check(ctx, "/no/such", "meshctl", "meshctl-path"));
    expect_error(ctx, MESH_R_KEYD_START, "set meshctl-path");
    expect_ok(ctx, mesh_launch_start(ctx, &launch, more, &fd));
    assert_int_equal(mesh_launch_read(fd, word, sizeof(word), 10, 0), 0);
    close(fd);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_runs_alone),
        TEST(its_descriptors_are_known),
        TEST(a_program_that_is_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
