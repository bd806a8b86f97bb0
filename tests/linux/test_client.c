/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The client of mesh-keyd, against a key holder that this program plays itself
 * (fake_keyd.h): started by the client as the real one would be.
 */
#include "platform/keystore.h"
#include "platform/linux/spawn.h"
#include "tests/linux/fake_keyd.h"
#include "tests/platform/capture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOBODY 65534

static struct capture capture;
static struct mesh_context *ctx;
static char folder[64]; /* of the socket, the fake's files, the program */
static char self[1024];

static char *in_folder(const char *name)
{
    static char path[4][128];
    static atomic_uint next;
    char *p = path[atomic_fetch_add(&next, 1) % 4];

    snprintf(p, sizeof(path[0]), "%s/%s", folder, name);
    return p;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
    FILE *f = fopen(in_folder(name), "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(in_folder(name), mode), 0);
}

static void behave(enum fake_behaviour behaviour)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", behaviour);
    write_file("behaviour", text, 0600);
}

static void make_context(void)
{
    memset(&capture, 0, sizeof(capture));
    ctx = mesh_context_new(NULL, capture_raise, &capture);
    assert_non_null(ctx);
    assert_true(mesh_context_configure(ctx, "keyd-socket", in_folder("sock")));
    assert_true(mesh_context_configure(ctx, "keyd-path", in_folder("keyd")));
    assert_true(mesh_context_configure(ctx, "home", in_folder("home")));
    assert_true(mesh_keystore_open(ctx));
}

static void make_folder(void)
{
    char command[1200];

    strcpy(folder, "/tmp/mesh-client-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof(command), "install -m 755 %s %s/keyd", self,
             folder);
    assert_int_equal(system(command), 0);
    behave(FAKE_NORMAL);
}

static int setup(void **state)
{
    (void)state;
    make_folder();
    make_context();
    return 0;
}

/* Ends the fake and waits until it is gone: its lock is free then. */
static void kill_fake(void)
{
    FILE *f = fopen(in_folder("lock"), "r+");
    int pid = 0, i;

    if (f == NULL)
        return;
    if (fscanf(f, "%d", &pid) == 1)
        kill(pid, SIGKILL);
    for (i = 0; i < 500 && lockf(fileno(f), F_TLOCK, 0) != 0; i++)
        usleep(10000);
    assert_true(i < 500);
    fclose(f);
}

static void remove_folder(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

static int teardown(void **state)
{
    (void)state;
    mesh_keystore_close(ctx);
    mesh_context_free(ctx);
    kill_fake();
    remove_folder();
    return 0;
}

static int entries(const char *path)
{
    DIR *dir = opendir(path);
    int n = 0;

    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static int open_files(void)
{
    return entries("/proc/self/fd");
}

/* The fake's "signature" is the input with every octet inverted. */
static int sign(struct mesh_context *context, unsigned value)
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

static atomic_int children_that_ended;

static void on_child(int signo)
{
    (void)signo;
    children_that_ended++;
}

static void read_report(char *report, size_t size)
{
    FILE *f = fopen(in_folder("report"), "r");
    size_t n;

    assert_non_null(f);
    n = fread(report, 1, size - 1, f);
    report[n] = '\0';
    fclose(f);
}

/* What the application sees: one socket.  What keyd sees: nothing of it. */
static void started_without_a_trace(void **state)
{
    const struct sigaction count = {.sa_handler = on_child};
    char report[4096], wanted[512];
    int files, threads, leak = open("/dev/null", O_RDONLY);
    sigset_t block, mask;

    (void)state;
    setenv("HOME", "/nowhere", 1);
    setenv("XDG_RUNTIME_DIR", "/nowhere/run", 1);
    setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus", 1);
    setenv("SECRET_OF_THE_APPLICATION", "x", 1);
    sigaction(SIGCHLD, &count, NULL);
    signal(SIGUSR1, SIG_IGN);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR2);
    sigprocmask(SIG_BLOCK, &block, NULL);
    files = open_files();
    threads = entries("/proc/self/task");

    errno = 4711;
    expect_ok(ctx, sign(ctx, 1));
    assert_int_equal(errno, 4711);
    assert_int_equal(open_files(), files + 1);
    assert_int_equal(entries("/proc/self/task"), threads);
    assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
    assert_int_equal(errno, ECHILD);
    assert_int_equal(children_that_ended, 0);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    assert_int_equal(sigismember(&mask, SIGUSR2), 1);
    assert_int_equal(sigismember(&mask, SIGTERM), 0);

    read_report(report, sizeof(report));
    snprintf(wanted, sizeof(wanted),
             "--socket %s --home %s --ready-fd 3\n"
             "HOME=/nowhere\nXDG_RUNTIME_DIR=/nowhere/run\n"
             "DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere/bus\n"
             "PATH=/usr/local/bin:/usr/bin:/bin\n"
             "cwd /\nfds 0 1 2 3\nblocked 0\nignored 0\nsession own\n",
             in_folder("sock"), in_folder("home"));
    assert_string_equal(report, wanted);

    close(leak);
    sigprocmask(SIG_UNBLOCK, &block, NULL);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    unsetenv("SECRET_OF_THE_APPLICATION");
}

static void every_request_is_answered(void **state)
{
    const struct mesh_key_name name = {.udf = "MTEST"};
    struct mesh_keystore_item *items;
    struct mesh_keystore_status status;
    EVP_PKEY *key;
    size_t count;
    int held = -1;

    (void)state;
    expect_ok(ctx, mesh_keystore_holds(ctx, &name, &held));
    assert_int_equal(held, 1);
    expect_ok(ctx, mesh_keystore_generate(ctx, "ED25519", &key));
    assert_true(EVP_PKEY_is_a(key, "ED25519"));
    EVP_PKEY_free(key);
    expect_ok(ctx, mesh_keystore_import(ctx, (unsigned char *)"x", 1, &key));
    EVP_PKEY_free(key);
    expect_ok(ctx, mesh_keystore_register_file(ctx, "/a", "secret-service",
                                               "geheim", 6, &key));
    EVP_PKEY_free(key);
    expect_ok(ctx, mesh_keystore_delete(ctx, &name));
    expect_ok(ctx, mesh_keystore_list(ctx, &items, &count));
    assert_int_equal(count, 2);
    assert_string_equal(items[1].name.udf, "MSECOND");
    assert_string_equal(items[1].source, "memory");
    OPENSSL_free(items);
    expect_ok(ctx, mesh_keystore_status(ctx, &status));
    assert_string_equal(status.program, "fake");
    expect_ok(ctx, mesh_keystore_lock(ctx));
}

static void large_input_travels(void **state)
{
    const struct mesh_key_name name = {.udf = "MTEST"};
    const struct mesh_private_op op = {.operation = MESH_OP_SIGN};
    size_t len = 1u << 20, i;
    unsigned char *data = malloc(len), *out = malloc(len);

    (void)state;
    memset(data, 0x3c, len);
    expect_ok(ctx,
              mesh_keystore_operate(ctx, &name, &op, data, len, out, &len));
    assert_int_equal(len, 1u << 20);
    for (i = 0; i < len; i++)
        if (out[i] != 0xc3)
            fail();
    len = 10;
    assert_false(mesh_keystore_operate(
        ctx, &name, &op, data, (size_t)MESH_MESSAGE_MAX + 1, out, &len));
    expect_error(ctx, MESH_R_USAGE, "67108865");
    free(data);
    free(out);
}

static void a_restarted_keyd_is_found(void **state)
{
    EVP_PKEY *key;

    (void)state;
    expect_ok(ctx, sign(ctx, 1));
    kill_fake();
    expect_ok(ctx, sign(ctx, 2));
    /* nothing was sent on the dead connection, so this may be done too */
    kill_fake();
    expect_ok(ctx, mesh_keystore_generate(ctx, "ED25519", &key));
    EVP_PKEY_free(key);
}

static void killed_during_a_request(void **state)
{
    EVP_PKEY *key;

    (void)state;
    behave(FAKE_DIE_ONCE);
    expect_ok(ctx, sign(ctx, 1));
    assert_int_equal(access(in_folder("died"), F_OK), 0);
    unlink(in_folder("died"));
    assert_false(mesh_keystore_generate(ctx, "ED25519", &key));
    expect_error(ctx, MESH_R_KEYD_LOST, "meshctl list");
    assert_null(key);
    expect_ok(ctx, sign(ctx, 2));

    kill_fake();
    behave(FAKE_DIE);
    assert_false(sign(ctx, 3));
    expect_error(ctx, MESH_R_KEYD_LOST, "using a key");
}

/* A behaviour and what comes of it when something is signed. */
static const struct {
    enum fake_behaviour behaviour;
    enum mesh_reason reason;
    const char *text;
} refusals[] = {
    {FAKE_WRONG_SERIAL, MESH_R_KEYD_PROTOCOL, "makes no sense"},
    {FAKE_OTHER_VERSION, MESH_R_KEYD_PROTOCOL, "version 99"},
    {FAKE_REASON, MESH_R_LOCKED, "unlock it first"},
    {FAKE_UNKNOWN_REASON, MESH_R_KEYD_PROTOCOL, "60000"},
    {FAKE_TOO_LONG, MESH_R_KEYD_PROTOCOL, "129 octets, not 128"},
    {FAKE_BUSY, MESH_R_KEYD_BUSY, "too many"},
    {FAKE_NOT_STARTED, MESH_R_KEYD_START, "cannot do it"},
    {FAKE_ENDS_AT_ONCE, MESH_R_KEYD_START, "ended without a word"},
};

static void refusals_are_reported(void **state)
{
    int files = open_files();

    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
        behave(refusals[i].behaviour);
        assert_false(sign(ctx, 1));
        expect_error(ctx, refusals[i].reason, refusals[i].text);
        assert_true(open_files() <= files + 1);
        kill_fake();
        behave(FAKE_NORMAL);
        expect_ok(ctx, sign(ctx, 2));
        kill_fake();
    }
}

static void senseless_answers_are_refused(void **state)
{
    struct mesh_keystore_item *items;
    struct mesh_keystore_status status;
    EVP_PKEY *key;
    size_t count;

    (void)state;
    behave(FAKE_GARBAGE);
    assert_false(mesh_keystore_generate(ctx, "ED25519", &key));
    expect_error(ctx, MESH_R_KEYD_PROTOCOL, "no public key");
    assert_null(key);
    assert_false(mesh_keystore_list(ctx, &items, &count));
    expect_error(ctx, MESH_R_KEYD_PROTOCOL, "list");
    assert_null(items);
    assert_false(mesh_keystore_status(ctx, &status));
    expect_error(ctx, MESH_R_KEYD_PROTOCOL, "status");
}

static void programs_that_are_not_started(void **state)
{
    (void)state;
    write_file("text", "nothing to execute", 0644);
    write_file("writable", "#!/bin/sh\n", 0775);
    write_file("broken", "\177ELF and no more", 0755);
    static const struct {
        const char *name, *text;
    } programs[] = {{"missing", "No such file"},
                    {"text", "may run"},
                    {"home", "No such file"},
                    {"writable", "mode 0775"},
                    {"broken", "cannot be started: Exec format"}};

    for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
        assert_true(mesh_context_configure(ctx, "keyd-path",
                                           in_folder(programs[i].name)));
        assert_false(sign(ctx, 1));
        assert_non_null(strstr(capture.text, in_folder(programs[i].name)));
        expect_error(ctx, MESH_R_KEYD_START, programs[i].text);
    }
    assert_true(mesh_context_configure(ctx, "keyd-path", "/tmp"));
    assert_false(sign(ctx, 1));
    expect_error(ctx, MESH_R_KEYD_START, "no program");
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(in_folder("keyd"), NOBODY, NOBODY), 0);
    assert_true(mesh_context_configure(ctx, "keyd-path", in_folder("keyd")));
    assert_false(sign(ctx, 1));
    expect_error(ctx, MESH_R_KEYD_START, "owner 65534");
}

/* The folder of the socket is nobody else's to write. */
static void unsafe_folders_are_refused(void **state)
{
    (void)state;
    assert_int_equal(chmod(folder, 0722), 0);
    assert_false(sign(ctx, 1));
    expect_error(ctx, MESH_R_UNSAFE_FILE, "mode 0722");
    assert_int_equal(chmod(folder, 0700), 0);
    assert_int_equal(symlink(folder, in_folder("link")), 0);
    assert_true(
        mesh_context_configure(ctx, "keyd-socket", in_folder("link/sock")));
    assert_false(sign(ctx, 1));
    expect_error(ctx, MESH_R_UNSAFE_FILE, "is a link");
}

/* Serves our socket as somebody else: listening is what counts. */
static pid_t serve_as_nobody(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), ready[2];
    pid_t pid;
    char c;

    strcpy(address.sun_path, in_folder("sock"));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        close(ready[0]);
        if (setuid(NOBODY) != 0 || listen(fd, 5) != 0)
            _exit(1);
        close(ready[1]);
        pause();
        _exit(0);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &c, 1), 0);
    close(ready[0]);
    close(fd);
    return pid;
}

static void a_foreign_keyd_is_refused(void **state)
{
    pid_t pid;

    (void)state;
    if (geteuid() != 0)
        skip();
    pid = serve_as_nobody();
    assert_false(sign(ctx, 1));
    expect_error(ctx, MESH_R_KEYD_FOREIGN, "user 65534");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* The path is out of reach, as in a chroot: only adoption can help. */
static void lose_the_path(void)
{
    assert_true(mesh_context_configure(ctx, "keyd-socket", "/nowhere/x"));
    assert_true(mesh_context_configure(ctx, "keyd-path", "/nowhere/y"));
}

static void wait_for(pid_t *pids, size_t n)
{
    int status;

    while (n-- > 0) {
        assert_int_equal(waitpid(pids[n], &status, 0), pids[n]);
        assert_int_equal(status, 0);
    }
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
    int i, files;

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
        waitpid(grandchild, &files, 0);
        mesh_keystore_close(ctx);
        _exit(files == 0 ? 0 : 6);
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

/* The connection: the only socket that was not there before. */
static int find_socket(void)
{
    struct stat st;
    int fd;

    for (fd = 3; fd < 64; fd++)
        if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
            return fd;
    fail_msg("no socket");
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
    dup2(null, ours);
    expect_ok(ctx, sign(ctx, 2));
    assert_int_equal(fstat(ours, &st), 0);
    assert_true(S_ISCHR(st.st_mode));
    close(ours);
    close(null);

    /* and now a socket of the application's in the place of ours */
    ours = find_socket();
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    dup2(pair[0], ours);
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

/*
 * What takes long by its nature runs in the background, one process each.
 */
static const struct {
    enum fake_behaviour behaviour;
    enum mesh_reason reason;
    const char *text;
    int at_least, at_most; /* seconds */
} slow[] = {
    {FAKE_SILENT_HELLO, MESH_R_TIMEOUT, "10 seconds", 9, 12},
    {FAKE_SILENT, MESH_R_TIMEOUT, "31 seconds", 30, 33},
    {FAKE_NEVER_READY, MESH_R_KEYD_START, "10 seconds", 9, 12},
};
#define SLOW_COUNT (sizeof(slow) / sizeof(*slow))
static pid_t slow_pids[SLOW_COUNT];

static int be_slow(size_t i)
{
    time_t start = time(NULL), took;
    int ok;

    make_folder();
    behave(slow[i].behaviour);
    make_context();
    ok = mesh_context_configure(ctx, "prompt-timeout", "1") && !sign(ctx, 1);
    took = time(NULL) - start;
    ok = ok && capture.count == 1 && capture.reason == slow[i].reason
         && strstr(capture.text, slow[i].text) != NULL
         && took >= slow[i].at_least && took <= slow[i].at_most;
    if (!ok)
        print_error("behaviour %d: %d s, %d errors, %s: %s\n",
                    slow[i].behaviour, (int)took, capture.count,
                    mesh_reason_text(capture.reason), capture.text);
    teardown(NULL);
    return ok;
}

static void begin_slow_ones(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < SLOW_COUNT; i++)
        if ((slow_pids[i] = fork()) == 0)
            _exit(be_slow(i) ? 0 : 1);
}

static void a_silent_keyd_ends_in_time(void **state)
{
    (void)state;
    wait_for(slow_pids, SLOW_COUNT);
}

int main(int argc, char **argv)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(started_without_a_trace), /* while there are no children */
        cmocka_unit_test(begin_slow_ones),
        TEST(every_request_is_answered),
        TEST(large_input_travels),
        TEST(a_restarted_keyd_is_found),
        TEST(killed_during_a_request),
        TEST(refusals_are_reported),
        TEST(senseless_answers_are_refused),
        TEST(programs_that_are_not_started),
        TEST(unsafe_folders_are_refused),
        TEST(a_foreign_keyd_is_refused),
        TEST(children_are_adopted),
        TEST(a_child_made_during_a_request),
        TEST(a_child_whose_keyd_is_gone),
        TEST(threads_sign),
        TEST(the_application_closed_our_socket),
        TEST(one_of_many_starts_is_enough),
        cmocka_unit_test(a_silent_keyd_ends_in_time),
    };
    ssize_t n;

    if (argc > 1 && strcmp(argv[1], "--socket") == 0)
        return fake_keyd(argc, argv);
    n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (n < 0)
        return 1;
    self[n] = '\0';
    return cmocka_run_group_tests(tests, NULL, NULL);
}
