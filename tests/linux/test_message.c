/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Messages between the module and mesh-keyd: what is sent arrives, what does
 * not add up is refused, and no descriptor stays behind.
 */
#include "platform/linux/message.h"
#include "platform/posix/portable.h"
#include "tests/platform/capture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOBODY 65534
#define SEALS  (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

static int ends[2];

static int open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static int setup(void **state)
{
    *state = (void *)(intptr_t)open_files();
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
}

/* As mesh-keyd has it: each request with its sender. */
static int setup_senders(void **state)
{
    return setup(state)
           || setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &(int){1},
                         sizeof(int));
}

static int teardown(void **state)
{
    close(ends[0]);
    close(ends[1]);
    if (open_files() != (int)(intptr_t)*state)
        print_error("a descriptor stayed open\n");
    return open_files() != (int)(intptr_t)*state;
}

static struct mesh_request a_request(void)
{
    struct mesh_request r = {.version = MESH_MESSAGE_VERSION,
                             .type = MESH_REQ_OPERATE,
                             .serial = 7,
                             .salt_length = 32,
                             .udf = "MAAAA-BBBBB",
                             .digest = "SHA2-256",
                             .mgf1_digest = "SHA1"};

    memset(r.spki_sha256, 0x5a, sizeof(r.spki_sha256));
    return r;
}

static unsigned char *pattern(size_t len)
{
    unsigned char *data = malloc(len + 1);

    for (size_t i = 0; i < len; i++)
        data[i] = (unsigned char)(i * 31 + i / 251);
    return data;
}

/* Sends label and data of these lengths and compares what arrives. */
static void round_trip(size_t label_len, size_t data_len, int pass_fd)
{
    struct mesh_request sent = a_request(), got;
    unsigned char *all = pattern(label_len + data_len), *data;
    struct stat a, b;
    uid_t sender;
    size_t len;
    int fd;

    sent.label_len = (uint32_t)label_len;
    sent.data_len = (uint32_t)data_len;
    assert_int_equal(mesh_message_send_request(ends[0], &sent, all,
                                               all + label_len, pass_fd),
                     MESH_MESSAGE_OK);
    assert_int_equal(sent.in_memfd, label_len + data_len > MESH_MESSAGE_INLINE);
    assert_int_equal(mesh_message_receive_request(ends[1], 1000, &got, &data,
                                                  &len, &fd, &sender),
                     MESH_MESSAGE_OK);
    assert_memory_equal(&sent, &got, sizeof(sent));
    assert_int_equal(len, label_len + data_len);
    if (len > 0) {
        assert_memory_equal(data, all, len);
        assert_int_equal(data[len], 0);
    } else {
        assert_null(data);
    }
    if (pass_fd >= 0) {
        assert_int_equal(fstat(pass_fd, &a) | fstat(fd, &b), 0);
        assert_true(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        close(fd);
    } else {
        assert_int_equal(fd, -1);
    }
    OPENSSL_clear_free(data, len);
    free(all);
}

static void requests_arrive(void **state)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)state;
    round_trip(0, 0, -1);
    round_trip(5, 0, -1);
    round_trip(3, 32, -1);
    round_trip(0, MESH_MESSAGE_INLINE, -1);
    round_trip(0, MESH_MESSAGE_INLINE + 1, -1);
    round_trip(MESH_MESSAGE_INLINE, 1, -1);
    round_trip(1000, 5u << 20, -1);
    round_trip(0, 0, fd);
    round_trip(1, 20000, fd);
    close(fd);
}

static void answers_arrive(void **state)
{
    static const size_t lengths[] = {0, 1, MESH_MESSAGE_INLINE, 100000};

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        struct mesh_answer sent = {.version = MESH_MESSAGE_VERSION,
                                   .serial = 9,
                                   .reason = MESH_R_LOCKED,
                                   .data_len = (uint32_t)lengths[i]};
        struct mesh_answer got;
        unsigned char *all = pattern(lengths[i]), *data;
        size_t len;

        assert_int_equal(mesh_message_send_answer(ends[1], &sent, all, -1),
                         MESH_MESSAGE_OK);
        assert_int_equal(
            mesh_message_receive_answer(ends[0], -1, &got, &data, &len, NULL),
            MESH_MESSAGE_OK);
        assert_memory_equal(&sent, &got, sizeof(sent));
        assert_int_equal(len, lengths[i]);
        assert_true(len == 0 || memcmp(data, all, len) == 0);
        OPENSSL_clear_free(data, len);
        free(all);
    }
}

static void more_than_the_limit_is_not_sent(void **state)
{
    struct mesh_request request = a_request();

    (void)state;
    request.label_len = 1;
    request.data_len = MESH_MESSAGE_MAX;
    assert_int_equal(mesh_message_send_request(ends[0], &request, "x", "x", -1),
                     MESH_MESSAGE_ERROR);
    assert_int_equal(errno, EMSGSIZE);
}

static void send_raw(const void *data, size_t len, const int *fds, size_t n)
{
    union {
        struct cmsghdr align;
        char octets[CMSG_SPACE(8 * sizeof(int))];
    } control = {.octets = {0}};
    struct iovec iov = {(void *)data, len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    struct cmsghdr *cmsg;

    if (n > 0) {
        msg.msg_control = control.octets;
        msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
        cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(cmsg), fds, n * sizeof(int));
    }
    assert_int_equal(sendmsg(ends[0], &msg, 0), len);
}

static int memfd(size_t size, int seals)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

/* What somebody who does not keep to the rules might send. */
struct forgery {
    struct mesh_request request;
    unsigned char data[MESH_MESSAGE_INLINE + 1];
};

static void expect_malformed(const char *what, const struct forgery *f,
                             size_t len, const int *fds, size_t n)
{
    struct mesh_request got;
    unsigned char *data = (unsigned char *)"x";
    size_t data_len = 1;
    int fd = 1, before = open_files();
    enum mesh_message_result result;
    uid_t sender;

    send_raw(f, len, fds, n);
    result = mesh_message_receive_request(ends[1], 1000, &got, &data, &data_len,
                                          &fd, &sender);
    if (result != MESH_MESSAGE_MALFORMED || open_files() != before)
        print_error("%s: result %d, %d files more\n", what, result,
                    open_files() - before);
    assert_int_equal(result, MESH_MESSAGE_MALFORMED);
    assert_int_equal(open_files(), before);
    assert_null(data);
    assert_int_equal(data_len, 0);
    assert_int_equal(fd, -1);
}

/* Sends one request, and says who the other end hears it is from. */
static uid_t heard_sender(void)
{
    struct mesh_request request = a_request();
    unsigned char *data;
    uid_t sender = 77;
    size_t len;
    int fd;

    (void)mesh_message_send_request(ends[0], &request, NULL, NULL, -1);
    assert_int_equal(mesh_message_receive_request(ends[1], 1000, &request,
                                                  &data, &len, &fd, &sender),
                     MESH_MESSAGE_OK);
    return sender;
}

static void senders_are_known_by_each_message(void **state)
{
    struct mesh_request request = a_request();
    pid_t pid;

    (void)state;
    assert_int_equal(heard_sender(), getuid());
    if (geteuid() != 0)
        skip();
    pid = fork();
    if (pid == 0)
        _exit(setuid(NOBODY) != 0
              || mesh_message_send_request(ends[0], &request, NULL, NULL, -1)
                     != MESH_MESSAGE_OK);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(heard_sender(), NOBODY); /* the child's: it came first */
    assert_int_equal(heard_sender(), 0);
}

static void senders_are_unknown_to_who_did_not_ask(void **state)
{
    (void)state;
    assert_int_equal(heard_sender(), MESH_SENDER_UNKNOWN);
}

static void malformed_requests_are_refused(void **state)
{
    const size_t fixed = sizeof(struct mesh_request);
    const struct forgery good = {.request = a_request()};
    struct forgery f;

    (void)state;
    expect_malformed("one octet", &good, 1, NULL, 0);
    expect_malformed("short", &good, fixed - 1, NULL, 0);
    expect_malformed("data that is not announced", &good, fixed + 1, NULL, 0);
    expect_malformed("longer than any", &good, fixed + MESH_MESSAGE_INLINE + 1,
                     NULL, 0);
#define FORGE(len, ...)                                                        \
    (f = good, __VA_ARGS__, expect_malformed(#__VA_ARGS__, &f, len, NULL, 0))
    FORGE(fixed, f.request.version = 0);
    FORGE(fixed, f.request.version = MESH_MESSAGE_VERSION + 1);
    FORGE(fixed, f.request.reserved = 1);
    FORGE(fixed, memset(f.request.udf, 'A', sizeof(f.request.udf)));
    FORGE(fixed, memset(f.request.digest, 'A', sizeof(f.request.digest)));
    FORGE(fixed,
          memset(f.request.mgf1_digest, 'A', sizeof(f.request.mgf1_digest)));
    FORGE(fixed, f.request.data_len = 1);
    FORGE(fixed, f.request.label_len = 1);
    FORGE(fixed + 1, f.request.data_len = 2);
    FORGE(fixed, f.request.data_len = UINT32_MAX);
    /* their sum as 32 bits is 0, and then 1 */
    FORGE(fixed, f.request.data_len = 0x80000000,
          f.request.label_len = 0x80000000);
    FORGE(fixed + 1, f.request.data_len = UINT32_MAX, f.request.label_len = 2);
    FORGE(fixed + 1, f.request.data_len = 1, f.request.in_memfd = 2);
    FORGE(fixed, f.request.data_len = 1, f.request.in_memfd = 1);
#undef FORGE
}

static void bad_descriptors_are_refused(void **state)
{
    const size_t fixed = sizeof(struct mesh_request);
    struct forgery f = {.request = a_request()};
    struct {
        const char *what;
        int fd;
    } bad[] = {
        {"no seals", memfd(10000, 0)},
        {"may shrink", memfd(10000, SEALS & ~F_SEAL_SHRINK)},
        {"may be written", memfd(10000, SEALS & ~F_SEAL_WRITE)},
        {"may grow", memfd(10000, SEALS & ~F_SEAL_GROW)},
        {"too short", memfd(9999, SEALS)},
        {"too long", memfd(10001, SEALS)},
        {"empty", memfd(0, SEALS)},
        {"a device", open("/dev/zero", O_RDONLY | O_CLOEXEC)},
        {"a socket", socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)},
    };
    int good = memfd(10000, SEALS), large;
    int many[] = {good, good, good, good, good, good, good, good};

    (void)state;
    f.request.in_memfd = 1;
    f.request.data_len = 10000;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        expect_malformed(bad[i].what, &f, fixed, &bad[i].fd, 1);
        close(bad[i].fd);
    }
    expect_malformed("data at both places", &f, fixed + 10, &good, 1);
    for (size_t n = 3; n <= 8; n++)
        expect_malformed("many descriptors", &f, fixed, many, n);
    f.request.data_len = 0;
    expect_malformed("a memfd for nothing", &f, fixed, &good, 1);
    f.request.data_len = MESH_MESSAGE_MAX + 1;
    large = memfd(MESH_MESSAGE_MAX + 1, SEALS);
    expect_malformed("more than the limit", &f, fixed, &large, 1);
    close(large);
    f.request.data_len = f.request.in_memfd = 0;
    expect_malformed("two descriptors and no data", &f, fixed, many, 2);
    close(good);
}

static void malformed_answers_are_refused(void **state)
{
    const struct mesh_answer good = {.version = MESH_MESSAGE_VERSION};
    struct mesh_answer bad[5] = {good, good, good, good, good}, got;
    unsigned char *data;
    size_t len;
    int fd = memfd(10, SEALS);

    (void)state;
    bad[0].version = MESH_MESSAGE_VERSION + 1;
    bad[1].lane = 1;
    bad[2].reserved = 1;
    bad[3].data_len = 1;
    bad[4].in_memfd = 2;
    for (size_t i = 0; i < 5; i++) {
        send_raw(&bad[i], sizeof(good), NULL, 0);
        assert_int_equal(
            mesh_message_receive_answer(ends[1], 1000, &got, &data, &len, NULL),
            MESH_MESSAGE_MALFORMED);
        assert_int_equal(got.version, bad[i].version);
        assert_null(data);
    }
    /* a descriptor that nobody asked for */
    send_raw(&good, sizeof(good), &fd, 1);
    assert_int_equal(
        mesh_message_receive_answer(ends[1], 1000, &got, &data, &len, NULL),
        MESH_MESSAGE_MALFORMED);
    send_raw(&good, sizeof(good) - 1, NULL, 0);
    assert_int_equal(
        mesh_message_receive_answer(ends[1], 1000, &got, &data, &len, NULL),
        MESH_MESSAGE_MALFORMED);
    assert_int_equal(got.version, 0);
    close(fd);
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void on_alarm(int signo)
{
    (void)signo;
}

/* Also when signals interrupt the waiting again and again. */
static void waiting_ends_in_time(void **state)
{
    const struct sigaction act = {.sa_handler = on_alarm};
    const struct itimerval often = {{0, 7000}, {0, 7000}}, never = {{0}, {0}};
    struct mesh_answer answer;
    struct sigaction before;
    unsigned char *data;
    size_t len;
    int64_t start = now_ms(), took;

    (void)state;
    sigaction(SIGALRM, &act, &before);
    setitimer(ITIMER_REAL, &often, NULL);
    assert_int_equal(
        mesh_message_receive_answer(ends[0], 100, &answer, &data, &len, NULL),
        MESH_MESSAGE_TIMEOUT);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    took = now_ms() - start;
    assert_in_range(took, 95, 1000);
    assert_null(data);
}

static void send_on_alarm(int signo)
{
    static int alarms;

    (void)signo;
    if (++alarms == 5)
        (void)!write(ends[1], "x", 1);
}

/* Without a limit neither signals nor a socket that does not block make it
 * spin. */
static void waiting_for_ever(void **state)
{
    const struct sigaction act = {.sa_handler = send_on_alarm};
    const struct itimerval often = {{0, 7000}, {0, 7000}}, never = {{0}, {0}};
    struct mesh_answer answer;
    struct sigaction before;
    unsigned char *data;
    size_t len;

    (void)state;
    sigaction(SIGALRM, &act, &before);
    setitimer(ITIMER_REAL, &often, NULL);
    assert_int_equal(
        mesh_message_receive_answer(ends[0], -1, &answer, &data, &len, NULL),
        MESH_MESSAGE_MALFORMED);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    assert_int_equal(
        mesh_message_receive_answer(ends[0], -1, &answer, &data, &len, NULL),
        MESH_MESSAGE_TIMEOUT);
}

static void a_full_socket_ends_in_time(void **state)
{
    const struct timeval limit = {.tv_usec = 50000};
    struct mesh_request request = a_request();
    enum mesh_message_result result;

    (void)state;
    setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    do {
        result = mesh_message_send_request(ends[0], &request, NULL, NULL, -1);
    } while (result == MESH_MESSAGE_OK);
    assert_int_equal(result, MESH_MESSAGE_TIMEOUT);
}

static void a_closed_peer_is_noticed(void **state)
{
    struct mesh_request request = a_request();
    struct mesh_answer answer;
    unsigned char *data;
    size_t len;

    (void)state;
    close(ends[1]);
    assert_int_equal(
        mesh_message_receive_answer(ends[0], -1, &answer, &data, &len, NULL),
        MESH_MESSAGE_CLOSED);
    /* SIGPIPE would end this program */
    assert_int_equal(
        mesh_message_send_request(ends[0], &request, NULL, NULL, -1),
        MESH_MESSAGE_CLOSED);
    ends[1] = -1;
}

/* With standard input closed, no descriptor of ours takes its place. */
static void standard_descriptors_are_left_alone(void **state)
{
    int saved = dup(STDIN_FILENO), fd;

    (void)state;
    close(STDIN_FILENO);
    fd = mesh_descriptor_above_standard(open("/dev/null", O_RDONLY));
    assert_true(fd > STDERR_FILENO);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), -1);
    close(fd);
    dup2(saved, STDIN_FILENO);
    close(saved);
    assert_int_equal(mesh_descriptor_above_standard(-1), -1);
}

int main(void)
{
#define TEST(f)    cmocka_unit_test_setup_teardown(f, setup, teardown)
#define SENDERS(f) cmocka_unit_test_setup_teardown(f, setup_senders, teardown)
    const struct CMUnitTest tests[] = {
        TEST(requests_arrive),
        SENDERS(requests_arrive),
        TEST(answers_arrive),
        SENDERS(senders_are_known_by_each_message),
        TEST(senders_are_unknown_to_who_did_not_ask),
        TEST(more_than_the_limit_is_not_sent),
        TEST(malformed_requests_are_refused),
        TEST(bad_descriptors_are_refused),
        SENDERS(bad_descriptors_are_refused),
        TEST(malformed_answers_are_refused),
        TEST(waiting_ends_in_time),
        TEST(waiting_for_ever),
        TEST(a_full_socket_ends_in_time),
        TEST(a_closed_peer_is_noticed),
        TEST(standard_descriptors_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
