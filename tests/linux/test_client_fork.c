/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The client's connections when the application forks, starts threads, changes
 * its user, or closes what it does not know.
 */
#include "tests/linux/client_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>

/* The path is out of reach, as in a chroot: only adoption can help. */
static void lose_the_path(void)
{
    assert_true(mesh_context_configure(ctx, "keyd-socket", "/nowhere/x"));
    assert_true(mesh_context_configure(ctx, "keyd-path", "/nowhere/y"));
}

static int sign_often(unsigned seed, unsigned times)
{
    unsigned i;

    for (i = 0; i < times; i++)
        if (sign(ctx, seed * 100000 + i) != 1)
            return 0;
    return 1;
}

static void children_are_adopted(void **state)
{
    pid_t pids[4], grandchild;
    int i, files, status;

    (void)state;
    expect_ok(ctx, sign(ctx, 1));
    lose_the_path();
    files = open_files();
    for (i = 0; i < 4; i++) {
        pids[i] = fork();
        if (pids[i] != 0)
            continue;
        if (geteuid() == 0
            && (chroot(folder) < 0 || chdir("/") < 0 || setgid(NOBODY) < 0
                || setuid(NOBODY) < 0))
            _exit(2);
        if (!sign_often(i + 1u, 200))
            _exit(3);
        grandchild = fork();
        if (grandchild == 0)
            _exit(sign_often(i + 10u, 50) ? 0 : 4);
        if (!sign_often(i + 20u, 50))
            _exit(5);
        waitpid(grandchild, &status, 0);
        mesh_keystore_close(ctx);
        _exit(status == 0 ? 0 : 6);
    }
    assert_true(sign_often(9, 200));
    wait_for(pids, 4);
    expect_ok(ctx, sign(ctx, 2));
    assert_int_equal(open_files(), files);
}

static void *sign_slowly(void *arg)
{
    return (void *)(intptr_t)sign(arg, FAKE_SLOW_VALUE);
}

/* The only connection is in use when the child is made. */
static void a_child_made_during_a_request(void **state)
{
    pthread_t thread;
    void *result;
    pid_t pid;

    (void)state;
    expect_ok(ctx, sign(ctx, 1));
    lose_the_path();
    assert_int_equal(pthread_create(&thread, NULL, sign_slowly, ctx), 0);
    usleep(100000);
    pid = fork();
    if (pid == 0)
        _exit(sign_often(3, 20) ? 0 : 1);
    wait_for(&pid, 1);
    pthread_join(thread, &result);
    expect_ok(ctx, (int)(intptr_t)result);
}

static void *sign_with_prompt(void *arg)
{
    return (void *)(intptr_t)sign(arg, FAKE_PROMPT_VALUE);
}

/* A thread of the parent has a connection on which nobody answers for long.
 * Its child goes by another one, or by the path. */
static int child_passes_over(int by_path)
{
    pthread_t thread;
    void *result;
    pid_t pid;
    int status = 1;

    if (pthread_create(&thread, NULL, sign_with_prompt, ctx) != 0)
        return 0;
    usleep(500000);
    if (!by_path && sign(ctx, 1) != 1)
        return 0;
    pid = fork();
    if (pid == 0) {
        if (!by_path)
            lose_the_path();
        _exit(sign_often(3, 20) && capture.count == 0 ? 0 : 1);
    }
    return waitpid(pid, &status, 0) == pid && status == 0
           && pthread_join(thread, &result) == 0 && result == (void *)1;
}

/* In the background, a process each; which connection a child finds first is
 * chance. */
static struct {
    pid_t pid;
    char folder[sizeof(folder)];
} background[4];

static void begin_slow_ones(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        setup(NULL);
        background[i].pid = fork();
        if (background[i].pid == 0)
            _exit(!child_passes_over(i == 0));
        strcpy(background[i].folder, folder);
        mesh_keystore_close(ctx);
        mesh_context_free(ctx);
    }
}

static void silent_parents_are_passed_over(void **state)
{
    int status, failed = 0;

    (void)state;
    for (int i = 0; i < 4; i++) {
        waitpid(background[i].pid, &status, 0);
        failed |= status;
        strcpy(folder, background[i].folder);
        kill_fake();
        remove_folder();
    }
    assert_int_equal(failed, 0);
}

/* A child, the first process of a PID namespace of its own. */
static pid_t fork_as_first(void)
{
    return unshare(CLONE_NEWPID) == 0 ? fork() : -1;
}

/* Process 1 and its child, which is process 1 too, sign at the same time. */
static int sign_with_our_pid(void)
{
    pid_t pid;
    int status = 1, ok;

    if (getpid() != 1 || !sign_often(1, 1))
        return 0;
    pid = fork_as_first();
    if (pid == 0)
        _exit(getpid() == 1 && sign_often(2, 500) ? 0 : 1);
    ok = sign_often(3, 500);
    return waitpid(pid, &status, 0) == pid && status == 0 && ok;
}

static void a_child_with_our_pid(void **state)
{
    pid_t pid;
    int status = 1;

    (void)state;
    expect_ok(ctx, sign(ctx, 1));
    lose_the_path();
    pid = fork();
    if (pid == 0) {
        pid = fork_as_first();
        if (pid == 0)
            _exit(sign_with_our_pid() ? 0 : 1);
        if (pid < 0 && errno == EPERM)
            _exit(77);
        _exit(waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip(); /* it takes root's rights */
    assert_int_equal(status, 0);
}

/* A child whose inherited mesh-keyd is gone goes by the path. */
static void a_child_whose_keyd_is_gone(void **state)
{
    pid_t pid;

    (void)state;
    expect_ok(ctx, sign(ctx, 1));
    kill_fake();
    pid = fork();
    if (pid == 0) {
        int files = open_files();

        _exit(sign_often(3, 20) && open_files() == files ? 0 : 1);
    }
    wait_for(&pid, 1);
    expect_ok(ctx, sign(ctx, 2));
}

/* One that cannot go by the path is told why first, each time; the process that
 * inherited nothing is not. */
static void a_child_that_is_orphaned(void **state)
{
    static const char why[] = "the mesh-keyd that served this process has "
                              "ended, and user ";
    pid_t pid;
    int i;

    (void)state;
    expect_ok(ctx, sign(ctx, 1));
    kill_fake();
    lose_the_path();
    pid = fork();
    for (i = 0; pid == 0 && i < 2; i++) {
        memset(&capture, 0, sizeof(capture));
        if (sign(ctx, 2) || capture.count != 2
            || strstr(capture.first, why) == NULL
            || capture.reason != MESH_R_KEYD_START)
            _exit(1 + i);
    }
    if (pid == 0)
        _exit(0);
    wait_for(&pid, 1);
    assert_int_equal(sign(ctx, 2), 0);
    assert_null(strstr(capture.first, why));
}

static void *sign_in_thread(void *arg)
{
    return (void *)(intptr_t)sign_often((unsigned)(intptr_t)arg, 500);
}

static void threads_sign(void **state)
{
    pthread_t threads[8];
    void *result;
    int i, files = open_files();

    (void)state;
    for (i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_in_thread,
                                        (void *)(intptr_t)(i + 1)),
                         0);
    for (i = 0; i < 8; i++) {
        pthread_join(threads[i], &result);
        expect_ok(ctx, (int)(intptr_t)result);
    }
    assert_in_range(open_files(), files + 1, files + 8);
    mesh_keystore_close(ctx);
    assert_int_equal(open_files(), files);
    expect_ok(ctx, mesh_keystore_open(ctx));
}

/* More at once than the pool keeps. */
static void the_pool_is_bounded(void **state)
{
    pthread_t threads[80];
    void *result;
    int i, files = open_files();

    (void)state;
    for (i = 0; i < 80; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_slowly, ctx),
                         0);
    for (i = 0; i < 80; i++) {
        pthread_join(threads[i], &result);
        expect_ok(ctx, (int)(intptr_t)result);
    }
    assert_in_range(open_files(), files + 1, files + 64);
    expect_ok(ctx, sign(ctx, 1));
}

/* The connection: the only socket that was not there before. */
static int find_socket(void)
{
    struct stat st;
    int fd;

    for (fd = 3; fd < 64; fd++)
        if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
            return fd;
    return -1;
}

/* As daemons do: close all, then open files of their own on these numbers. */
static void the_application_closed_our_socket(void **state)
{
    struct stat st;
    int pair[2], ours, null = open("/dev/null", O_RDONLY);

    (void)state;
    expect_ok(ctx, sign(ctx, 1));
    ours = find_socket();
    assert_true(ours >= 0);
    dup2(null, ours);
    do { /* a lane serves on for a moment */
        usleep(60000);
        expect_ok(ctx, sign(ctx, 2));
    } while (find_socket() < 0);
    assert_int_equal(fstat(ours, &st), 0);
    assert_true(S_ISCHR(st.st_mode));
    close(ours);
    close(null);

    /* and now a socket of the application's in the place of ours */
    ours = find_socket();
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    dup2(pair[0], ours);
    usleep(100000);
    expect_ok(ctx, sign(ctx, 3));
    assert_int_equal(write(pair[1], "x", 1), 1);
    assert_int_equal(read(ours, &st, sizeof(st)), 1);
    close(ours);
    close(pair[0]);
    close(pair[1]);
}

static void one_of_many_starts_is_enough(void **state)
{
    pid_t pids[20];
    size_t i;

    (void)state;
    for (i = 0; i < 20; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(sign_often((unsigned)i, 5) ? 0 : 1);
    }
    wait_for(pids, 20);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begin_slow_ones),
        TEST(children_are_adopted),
        TEST(a_child_made_during_a_request),
        TEST(a_child_with_our_pid),
        TEST(a_child_whose_keyd_is_gone),
        TEST(a_child_that_is_orphaned),
        TEST(threads_sign),
        TEST(the_pool_is_bounded),
        TEST(the_application_closed_our_socket),
        TEST(one_of_many_starts_is_enough),
        cmocka_unit_test(silent_parents_are_passed_over),
    };
    int fake = run_as_fake(argc, argv);

    return fake >= 0 ? fake : cmocka_run_group_tests(tests, NULL, NULL);
}
