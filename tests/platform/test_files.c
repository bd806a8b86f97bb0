/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Files of the layout: what is read, what is refused, and that a write leaves
 * the old file or the new one.
 */
#include "platform/layout.h"
#include "tests/platform/home.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define UDF "MDDK7-N6A72-7AJZN-OSTRX-XKS7D-JAFXD"

static void expect_content(const char *path, const char *text)
{
    unsigned char *data;
    size_t len;

    expect_ok(ctx, mesh_layout_read_file(ctx, path, 100, &data, &len));
    assert_int_equal(len, strlen(text));
    assert_string_equal((char *)data, text);
    OPENSSL_free(data);
}

static void expect_refused(const char *path, enum mesh_reason reason,
                           const char *part)
{
    unsigned char *data = (unsigned char *)"";
    size_t len = 1;

    assert_false(mesh_layout_read_file(ctx, path, 100, &data, &len));
    assert_null(data);
    assert_int_equal(len, 0);
    expect_error(ctx, reason, part);
}

static void reads(void **state)
{
    char big[101];

    (void)state;
    put(in_home("a"), "text", 4, 0600);
    expect_content(in_home("a"), "text");
    put(in_home("a"), "", 0, 0644);
    expect_content(in_home("a"), "");
    memset(big, 'x', sizeof(big));
    put(in_home("a"), big, 100, 0400);
    big[100] = '\0';
    expect_content(in_home("a"), big);
    unlink(in_home("a"));
    put(in_home("a"), big, 101, 0600);
    expect_refused(in_home("a"), MESH_R_PROFILE_TOO_LARGE,
                   "home/a has 101 octets, at most 100");
    expect_refused(in_home("b"), MESH_R_FILE_MISSING, "home/b: no such file");
    expect_refused(in_home("b/c"), MESH_R_FILE_MISSING, "no folder");
    expect_refused(in_home("a/c"), MESH_R_FILE_MISSING, "no folder");
    /* Only its name is needed of a folder, not its list. */
    put(in_home("a"), "text", 4, 0600);
    assert_int_equal(chmod(home, 0100), 0);
    expect_content(in_home("a"), "text");
    assert_int_equal(chmod(home, 0700), 0);
    /* From the root folder, and without a folder. */
    expect_refused("/no-such-file", MESH_R_FILE_MISSING, "no such file");
    assert_int_equal(chdir(home), 0);
    expect_content("a", "text");
    assert_int_equal(chdir("/"), 0);
}

static void refuses_what_others_may_write(void **state)
{
    (void)state;
    put(in_home("a"), "text", 4, 0660);
    expect_refused(in_home("a"), MESH_R_UNSAFE_FILE, "home/a has mode 0660");
    chmod(in_home("a"), 0602);
    expect_refused(in_home("a"), MESH_R_UNSAFE_FILE, "chmod go-w");
    chmod(in_home("a"), 0644);
    expect_content(in_home("a"), "text");

    chmod(home, 0770);
    expect_refused(in_home("a"), MESH_R_UNSAFE_FILE, "home has mode 0770");
    chmod(home, 0702);
    expect_refused(in_home("a"), MESH_R_UNSAFE_FILE, "home has mode 0702");
    chmod(home, 01777);
    expect_refused(in_home("a"), MESH_R_UNSAFE_FILE, "home has mode 1777");
    chmod(home, 0755);
    expect_content(in_home("a"), "text");
}

static void refuses_files_of_others(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("only root can give files away\n");
        skip();
    }
    put(in_home("a"), "text", 4, 0600);
    assert_int_equal(chown(in_home("a"), 12345, 12345), 0);
    expect_refused(in_home("a"), MESH_R_UNSAFE_FILE, "belongs to user 12345");
    assert_int_equal(chown(in_home("a"), 0, 12345), 0);
    expect_content(in_home("a"), "text");
    assert_int_equal(chown(home, 12345, 0), 0);
    expect_refused(in_home("a"), MESH_R_UNSAFE_FILE,
                   "home (mode 0700) belongs");
    assert_int_equal(chown(home, 0, 0), 0);
    /* A user takes root's files, as ssh does. */
    chmod(in_home("a"), 0644);
    chmod(home, 0755);
    chmod(top, 0755);
    assert_int_equal(seteuid(12345), 0);
    expect_content(in_home("a"), "text");
    assert_int_equal(seteuid(0), 0);
}

static void refuses_what_is_no_file(void **state)
{
    (void)state;
    put(in_home("a"), "text", 4, 0600);
    assert_int_equal(symlink("a", in_home("link")), 0);
    expect_refused(in_home("link"), MESH_R_UNSAFE_FILE, "symbolic link");
    assert_int_equal(symlink("nothing", in_home("dangling")), 0);
    expect_refused(in_home("dangling"), MESH_R_UNSAFE_FILE, "symbolic link");
    assert_int_equal(mkfifo(in_home("pipe"), 0600), 0);
    expect_refused(in_home("pipe"), MESH_R_UNSAFE_FILE, "device or pipe");
    assert_int_equal(mkdir(in_home("folder"), 0700), 0);
    expect_refused(in_home("folder"), MESH_R_UNSAFE_FILE, "is a folder");
    if (geteuid() != 0) {
        put(in_home("secret"), "text", 4, 0000);
        expect_refused(in_home("secret"), MESH_R_FILE_IO, "Permission denied");
    }
}

static void writes(void **state)
{
    struct stat st;
    char *file = mesh_layout_standard_file(ctx, UDF);

    (void)state;
    assert_non_null(file);
    rmdir(home);
    expect_ok(ctx, mesh_layout_write_file(ctx, file, "one", 3));
    expect_content(file, "one");
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(home, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(in_home(UDF), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);

    expect_ok(ctx, mesh_layout_write_file(ctx, file, "", 0));
    expect_content(file, "");
    assert_int_equal(entries(in_home(UDF)), 1);

    /* A link is replaced, not written through. */
    put(in_home("a"), "text", 4, 0600);
    unlink(file);
    assert_int_equal(symlink("../a", file), 0);
    expect_ok(ctx, mesh_layout_write_file(ctx, file, "two", 3));
    expect_content(file, "two");
    expect_content(in_home("a"), "text");

    chmod(in_home(UDF), 0777);
    assert_false(mesh_layout_write_file(ctx, file, "three", 5));
    expect_error(ctx, MESH_R_UNSAFE_FILE, "mode 0777");
    chmod(in_home(UDF), 0700);
    expect_content(file, "two");
    assert_int_equal(entries(in_home(UDF)), 1);

    assert_int_equal(mkdir(in_home("folder"), 0700), 0);
    assert_false(mesh_layout_write_file(ctx, in_home("folder"), "", 0));
    expect_error(ctx, MESH_R_FILE_IO, "not a regular file");
    assert_false(mesh_layout_write_file(ctx, in_home("a/b"), "", 0));
    expect_error(ctx, MESH_R_FILE_MISSING, "no folder");
    assert_int_equal(entries(home), 3);
    OPENSSL_free(file);
}

/* The disk is full: in a child, with a limit for the size of files. */
static void full_disk(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    put(in_home("a"), "old", 3, 0600);
    if ((pid = fork()) == 0) {
        struct rlimit limit = {.rlim_cur = 4096, .rlim_max = 4096};
        static char big[8192];
        int bad;

        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        bad = mesh_layout_write_file(ctx, in_home("a"), big, sizeof(big))
              || capture.reason != MESH_R_FILE_IO
              || strstr(capture.text, "File too large") == NULL
              || mesh_layout_write_file(ctx, in_home("new/b"), big, sizeof(big))
              || mesh_layout_add(ctx, MESH_PROFILE_DEVICE, UDF, NULL) != 1;
        _exit(bad);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    expect_content(in_home("a"), "old");
    /* a, profiles.json and the lock: no temporary file, no folder "new" */
    assert_int_equal(entries(home), 3);
}

/* The same on a real full file system, where the test may mount one. */
static void full_file_system(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    if ((pid = fork()) == 0) {
        static char big[131072];
        char path[256];

        if (unshare(CLONE_NEWNS) != 0
            || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0
            || mount("tmpfs", home, "tmpfs", 0, "size=64k,mode=700") != 0)
            _exit(77);
        snprintf(path, sizeof(path), "%s", in_home("a"));
        if (!mesh_layout_write_file(ctx, path, "old", 3)
            || mesh_layout_write_file(ctx, path, big, sizeof(big))
            || capture.reason != MESH_R_FILE_IO
            || strstr(capture.text, "No space left") == NULL
            || entries(home) != 1)
            _exit(1);
        memset(&capture, 0, sizeof(capture));
        expect_content(path, "old");
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("no file system can be mounted here\n");
        skip();
    }
    assert_int_equal(status, 0);
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* Killed at any time: the file is wholly the old one or the new one. */
static void killed_while_writing(void **state)
{
    enum { SIZE = 1 << 20 };
    static char data[SIZE];

    (void)state;
    memset(data, 'a', SIZE);
    expect_ok(ctx, mesh_layout_write_file(ctx, in_home("a"), data, SIZE));
    for (int round = 0; round < 25; round++) {
        unsigned char *got;
        size_t len;
        int report[2];
        pid_t pid;

        assert_int_equal(pipe(report), 0);
        if ((pid = fork()) == 0)
            for (char c = 'b';; c = (char)('b' + (c - 'b' + 1) % 25)) {
                memset(data, c, SIZE);
                if (!mesh_layout_write_file(ctx, in_home("a"), data, SIZE)
                    || write(report[1], "x", 1) != 1)
                    _exit(1);
            }
        assert_int_equal(read(report[0], data, 1), 1);
        sleep_ms(1 + round);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        expect_ok(ctx,
                  mesh_layout_read_file(ctx, in_home("a"), SIZE, &got, &len));
        assert_int_equal(len, SIZE);
        assert_memory_equal(got, got + 1, SIZE - 1);
        assert_int_not_equal(got[0], 'a');
        OPENSSL_free(got);
        close(report[0]);
        close(report[1]);
    }
}

static void locks(void **state)
{
    struct timespec before, after;
    mesh_lock lock, second;
    int ready[2];
    char c = 0;
    pid_t pid;

    (void)state;
    rmdir(home);
    expect_ok(ctx, mesh_layout_lock(ctx, &lock));
    expect_ok(ctx, mesh_layout_add(ctx, MESH_PROFILE_DEVICE, UDF, NULL));
    clock_gettime(CLOCK_MONOTONIC, &before);
    assert_false(mesh_layout_lock(ctx, &second));
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(second == MESH_LOCK_NONE);
    expect_error(ctx, MESH_R_FILE_LOCKED, in_home(".lock"));
    assert_in_range(after.tv_sec - before.tv_sec, 5, 6);

    /* A child that has the descriptor does not keep the lock. */
    assert_int_equal(pipe(ready), 0);
    if ((pid = fork()) == 0) {
        pause();
        _exit(0);
    }
    mesh_layout_unlock(lock);
    expect_ok(ctx, mesh_layout_lock(ctx, &lock));
    mesh_layout_unlock(lock);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);

    /* Nor does a killed one. */
    if ((pid = fork()) == 0) {
        if (mesh_layout_lock(ctx, &lock) && write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    expect_ok(ctx, mesh_layout_lock(ctx, &lock));
    mesh_layout_unlock(lock);
    mesh_layout_unlock(MESH_LOCK_NONE);
    close(ready[0]);
    close(ready[1]);

    /* Nobody may put the lock elsewhere. */
    unlink(in_home(".lock"));
    assert_int_equal(symlink("../elsewhere", in_home(".lock")), 0);
    assert_false(mesh_layout_lock(ctx, &lock));
    expect_error(ctx, MESH_R_FILE_IO, ".lock");
    chmod(home, 0777);
    assert_false(mesh_layout_lock(ctx, &lock));
    expect_error(ctx, MESH_R_UNSAFE_FILE, "mode 0777");
}

static char *without_config(const char *value)
{
    struct mesh_context copy = *ctx;

    copy.config.home = NULL;
    if (value == NULL)
        unsetenv("HOME");
    else
        setenv("HOME", value, 1);
    return mesh_layout_home(&copy);
}

static void homes(void **state)
{
    struct mesh_context copy = *ctx;
    char *path = mesh_layout_home(ctx), long_udf[200];

    (void)state;
    assert_string_equal(path, home);
    OPENSSL_free(path);
    copy.config.home = (char *)"/some/where//";
    path = mesh_layout_home(&copy);
    assert_string_equal(path, "/some/where");
    OPENSSL_free(path);
    copy.config.home = (char *)"some/where";
    assert_null(mesh_layout_home(&copy));
    expect_error(ctx, MESH_R_CONFIGURATION, "some/where: an absolute path");

    path = without_config("/home/someone");
    assert_string_equal(path, "/home/someone/.cryptomesh");
    OPENSSL_free(path);
    path = without_config(NULL); /* what the system says of the user */
    if (path != NULL)
        assert_non_null(strstr(path, "/.cryptomesh"));
    OPENSSL_free(path);
    memset(&capture, 0, sizeof(capture));

    path = mesh_layout_standard_file(ctx, UDF);
    assert_string_equal(path, in_home(UDF "/" UDF ".mmm"));
    OPENSSL_free(path);
    assert_null(mesh_layout_standard_file(ctx, "../../../etc/passwd"));
    expect_error(ctx, MESH_R_FINGERPRINT_SYNTAX, "../../../etc/passwd");
    memset(long_udf, 'M', sizeof(long_udf) - 1);
    long_udf[sizeof(long_udf) - 1] = '\0';
    assert_null(mesh_layout_standard_file(ctx, long_udf));
    expect_error(ctx, MESH_R_FINGERPRINT_SYNTAX, "MMMM");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads, make_home, remove_home),
        cmocka_unit_test_setup_teardown(refuses_what_others_may_write,
                                        make_home, remove_home),
        cmocka_unit_test_setup_teardown(refuses_files_of_others, make_home,
                                        remove_home),
        cmocka_unit_test_setup_teardown(refuses_what_is_no_file, make_home,
                                        remove_home),
        cmocka_unit_test_setup_teardown(writes, make_home, remove_home),
        cmocka_unit_test_setup_teardown(full_disk, make_home, remove_home),
        cmocka_unit_test_setup_teardown(full_file_system, make_home,
                                        remove_home),
        cmocka_unit_test_setup_teardown(killed_while_writing, make_home,
                                        remove_home),
        cmocka_unit_test_setup_teardown(locks, make_home, remove_home),
        cmocka_unit_test_setup_teardown(homes, make_home, remove_home),
    };

    umask(022);
    return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
