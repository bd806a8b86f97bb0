/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The client of mesh-keyd: what is asked is answered, what goes wrong is named,
 * and the application notices nothing.
 */
#include "tests/linux/client_fixture.h"

#include <openssl/crypto.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

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
    setenv("XDG_RUNTIME_DIR", folder, 1);
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
             "HOME=/nowhere\nXDG_RUNTIME_DIR=%s\n"
             "DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere/bus\n"
             "PATH=/usr/local/bin:/usr/bin:/bin\n"
             "cwd /\nfds 0 1 2 3\nblocked 0\nignored 0\nsession own\n",
             in_folder("sock"), in_folder("home"), folder);
    assert_string_equal(report, wanted);

    close(leak);
    sigprocmask(SIG_UNBLOCK, &block, NULL);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    unsetenv("SECRET_OF_THE_APPLICATION");
}

static void a_foreign_runtime_folder_is_not_passed_on(void **state)
{
    char report[4096];

    (void)state;
    setenv("XDG_RUNTIME_DIR", "/nowhere/run", 1);
    expect_ok(ctx, sign(ctx, 1));
    read_report(report, sizeof(report));
    assert_null(strstr(report, "/nowhere/run"));
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
    {FAKE_EMPTY, MESH_R_KEYD_PROTOCOL, "empty"},
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

/* A plaintext may have no octets, a signature or a secret has some. */
static void empty_plaintexts_arrive(void **state)
{
    const struct mesh_key_name name = {.udf = "MTEST"};
    struct mesh_private_op op = {.operation = MESH_OP_DERIVE};
    unsigned char out[32];
    size_t len = sizeof(out);

    (void)state;
    behave(FAKE_EMPTY);
    for (int i = 0; i < 2; i++) {
        op.operation = i == 0 ? MESH_OP_DERIVE : MESH_OP_DECAPSULATE;
        assert_false(mesh_keystore_operate(
            ctx, &name, &op, (const unsigned char *)"x", 1, out, &len));
        expect_error(ctx, MESH_R_KEYD_PROTOCOL, "empty");
    }
    op.operation = MESH_OP_DECRYPT;
    op.padding = MESH_PAD_PKCS1;
    expect_ok(ctx,
              mesh_keystore_operate(ctx, &name, &op, (const unsigned char *)"x",
                                    1, out, &len));
    assert_int_equal(len, 0);
}

static void senseless_answers_are_refused(void **state)
{
    static const enum fake_behaviour senseless[] = {FAKE_GARBAGE, FAKE_SHORT};
    struct mesh_keystore_item *items;
    struct mesh_keystore_status status;
    EVP_PKEY *key;
    size_t count, i;

    (void)state;
    for (i = 0; i < 2; i++) {
        behave(senseless[i]);
        assert_false(mesh_keystore_generate(ctx, "ED25519", &key));
        expect_error(ctx, MESH_R_KEYD_PROTOCOL, "no public key");
        assert_null(key);
        assert_false(mesh_keystore_list(ctx, &items, &count));
        expect_error(ctx, MESH_R_KEYD_PROTOCOL, "list");
        assert_null(items);
        assert_false(mesh_keystore_status(ctx, &status));
        expect_error(ctx, MESH_R_KEYD_PROTOCOL, "status");
        kill_fake();
    }
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
        alarm(60); /* if nobody ends it */
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

/* Opens all descriptors that the limit allows; returns the last one. */
static int open_all(void)
{
    const struct rlimit limit = {32, 32};
    int fd, last = -1;

    setrlimit(RLIMIT_NOFILE, &limit);
    while ((fd = open("/dev/null", O_RDONLY)) >= 0)
        last = fd;
    return last;
}

/* A new connection gets its folder, but no socket; an adopted one gets its
 * pair, but the end that is 0, the application's, cannot be moved. */
static int refused_for_descriptors(int inherited)
{
    int last;

    if (!inherited) {
        mesh_keystore_close(ctx);
        if (!mesh_keystore_open(ctx))
            return 0;
    }
    last = open_all();
    close(last);
    if (inherited)
        close(STDIN_FILENO);
    return !sign(ctx, 1) && capture.reason == MESH_R_KEYD_START
           && strstr(capture.text, "Too many open files") != NULL
           && fcntl(last, F_GETFD) < 0
           && (fcntl(STDIN_FILENO, F_GETFD) < 0) == inherited;
}

static void without_descriptors(void **state)
{
    pid_t pids[2];
    int i;

    (void)state;
    expect_ok(ctx, sign(ctx, 1));
    for (i = 0; i < 2; i++)
        if ((pids[i] = fork()) == 0)
            _exit(refused_for_descriptors(i) ? 0 : 1);
    wait_for(pids, 2);
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
    {FAKE_SILENT, MESH_R_TIMEOUT, "31 seconds", 30, 60},
    {FAKE_NEVER_READY, MESH_R_KEYD_START, "10 seconds", 9, 12},
};
#define SLOW_COUNT (sizeof(slow) / sizeof(*slow))
static struct {
    pid_t pid;
    char folder[sizeof(folder)];
} background[SLOW_COUNT];

static int is_slow(size_t i)
{
    time_t start = time(NULL), took;
    int ok = !sign(ctx, 1);

    took = time(NULL) - start;
    ok = ok && capture.count == 1 && capture.reason == slow[i].reason
         && strstr(capture.text, slow[i].text) != NULL
         && took >= slow[i].at_least && took <= slow[i].at_most;
    if (!ok)
        print_error("behaviour %d: %d s, %d errors, %s: %s\n",
                    slow[i].behaviour, (int)took, capture.count,
                    mesh_reason_text(capture.reason), capture.text);
    return ok;
}

static void begin_slow_ones(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < SLOW_COUNT; i++) {
        setup(NULL);
        behave(slow[i].behaviour);
        assert_true(mesh_context_configure(ctx, "prompt-timeout", "1"));
        background[i].pid = fork();
        if (background[i].pid == 0)
            _exit(is_slow(i) ? 0 : 1);
        strcpy(background[i].folder, folder);
        mesh_keystore_close(ctx);
        mesh_context_free(ctx);
    }
}

static void a_silent_keyd_ends_in_time(void **state)
{
    int status, failed = 0;
    size_t i;

    (void)state;
    for (i = 0; i < SLOW_COUNT; i++) {
        waitpid(background[i].pid, &status, 0);
        failed |= status;
        strcpy(folder, background[i].folder);
        kill_fake();
        remove_folder();
    }
    assert_int_equal(failed, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(started_without_a_trace), /* while there are no children */
        cmocka_unit_test(begin_slow_ones),
        TEST(a_foreign_runtime_folder_is_not_passed_on),
        TEST(every_request_is_answered),
        TEST(large_input_travels),
        TEST(a_restarted_keyd_is_found),
        TEST(killed_during_a_request),
        TEST(refusals_are_reported),
        TEST(empty_plaintexts_arrive),
        TEST(senseless_answers_are_refused),
        TEST(programs_that_are_not_started),
        TEST(unsafe_folders_are_refused),
        TEST(a_foreign_keyd_is_refused),
        TEST(without_descriptors),
        cmocka_unit_test(a_silent_keyd_ends_in_time),
    };
    int fake = run_as_fake(argc, argv);

    return fake >= 0 ? fake : cmocka_run_group_tests(tests, NULL, NULL);
}
