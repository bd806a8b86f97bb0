/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the client's tests share: a context whose mesh-keyd is this very program
 * (fake_keyd.h), copied into a folder of its own, where its socket is too.
 */
#ifndef MESH_TESTS_LINUX_CLIENT_FIXTURE_H
#define MESH_TESTS_LINUX_CLIENT_FIXTURE_H

#include "platform/keystore.h"
#include "tests/linux/fake_keyd.h"
#include "tests/platform/capture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static struct capture capture;
static struct mesh_context *ctx;
static char folder[64]; /* of the socket, the fake's files, the program */
static char self[1024];

static inline char *in_folder(const char *name)
{
    static char path[4][128];
    static atomic_uint next;
    char *p = path[atomic_fetch_add(&next, 1) % 4];

    snprintf(p, sizeof(path[0]), "%s/%s", folder, name);
    return p;
}

static inline void write_file(const char *name, const char *text, mode_t mode)
{
    FILE *f = fopen(in_folder(name), "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(in_folder(name), mode), 0);
}

/* The tests of a program are also those of one whose mesh-keyd has lanes. */
#ifdef TEST_LANE
static enum fake_lane fake_lane = FAKE_LANE;
#else
static enum fake_lane fake_lane = FAKE_NO_LANE;
#endif

static inline void behave(enum fake_behaviour behaviour)
{
    char text[32];

    snprintf(text, sizeof(text), "%d %d", behaviour, fake_lane);
    write_file("behaviour", text, 0600);
}

static inline void make_context(void)
{
    memset(&capture, 0, sizeof(capture));
    ctx = mesh_context_new(NULL, capture_raise, &capture);
    assert_non_null(ctx);
    assert_true(mesh_context_configure(ctx, "keyd-socket", in_folder("sock")));
    assert_true(mesh_context_configure(ctx, "keyd-path", in_folder("keyd")));
    assert_true(mesh_context_configure(ctx, "home", in_folder("home")));
    assert_true(mesh_keystore_open(ctx));
}

static inline void make_folder(void)
{
    char command[1200];

    strcpy(folder, "/tmp/mesh-client-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof(command), "install -m 755 %s %s/keyd", self,
             folder);
    assert_int_equal(system(command), 0);
    behave(FAKE_NORMAL);
}

static inline int setup(void **state)
{
    (void)state;
    make_folder();
    make_context();
    return 0;
}

static inline int fake_pid(void)
{
    FILE *f = fopen(in_folder("lock"), "r");
    int pid = 0;

    if (f == NULL || fscanf(f, "%d", &pid) != 1)
        pid = 0;
    if (f != NULL)
        fclose(f);
    return pid;
}

/* Ends the fake and waits until it is gone: its lock is free then. */
static inline void kill_fake(void)
{
    int pid = fake_pid(), i;
    FILE *f;

    if (pid == 0)
        return;
    kill(pid, SIGKILL);
    f = fopen(in_folder("lock"), "r+");
    for (i = 0; i < 500 && lockf(fileno(f), F_TLOCK, 0) != 0; i++)
        usleep(10000);
    assert_true(i < 500);
    fclose(f);
}

static inline void remove_folder(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

static inline int teardown(void **state)
{
    (void)state;
    mesh_keystore_close(ctx);
    mesh_context_free(ctx);
    kill_fake();
    remove_folder();
    return 0;
}

static inline int entries(const char *path)
{
    DIR *dir = opendir(path);
    int n = 0;

    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static inline int open_files(void)
{
    return entries("/proc/self/fd");
}

/* The fake's "signature" is the input with every octet inverted. */
static inline int sign(struct mesh_context *context, unsigned value)
{
    const struct mesh_key_name name = {.udf = "MTEST"};
    const struct mesh_private_op op = {.operation = MESH_OP_SIGN,
                                       .digest = "SHA2-256"};
    unsigned in[8], out[32], i;
    size_t len = sizeof(out);

    for (i = 0; i < 8; i++)
        in[i] = value * 8 + i;
    if (!mesh_keystore_operate(context, &name, &op, (unsigned char *)in,
                               sizeof(in), (unsigned char *)out, &len))
        return 0;
    if (len != sizeof(in))
        return -1;
    for (i = 0; i < 8; i++)
        if (out[i] != ~in[i])
            return -1;
    return 1;
}

static inline void wait_for(pid_t *pids, size_t n)
{
    int status;

    while (n-- > 0) {
        assert_int_equal(waitpid(pids[n], &status, 0), pids[n]);
        assert_int_equal(status, 0);
    }
}

/* main() of a test program that is the fake too. */
static inline int run_as_fake(int argc, char **argv)
{
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    self[n > 0 ? n : 0] = '\0';
    return argc > 1 && strcmp(argv[1], "--socket") == 0 ? fake_keyd(argc, argv)
                                                        : -1;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
