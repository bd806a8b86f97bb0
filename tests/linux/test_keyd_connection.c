/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * mesh-keyd's connections: who gets one, what ends it, adopting, the limit.
 */
#include "tests/linux/keyd_peer.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define NOBODY 65534

static void wants_hello_first(void **state)
{
    struct mesh_request request = new_request(MESH_REQ_STATUS);
    int fd = connect_to_keyd();

    (void)state;
    assert_int_equal(ask(fd, &request, NULL, 0), MESH_R_KEYD_PROTOCOL);
    expect_refusal(MESH_R_KEYD_PROTOCOL, "hello");
    expect_closed(fd);
}

static void wants_one_hello(void **state)
{
    struct mesh_request hello = new_request(MESH_REQ_HELLO);
    int fd = greeted();

    (void)state;
    assert_int_equal(ask(fd, &hello, NULL, 0), MESH_R_KEYD_PROTOCOL);
    expect_refusal(MESH_R_KEYD_PROTOCOL, "second hello");
    expect_closed(fd);
}

static void wants_its_version(void **state)
{
    struct mesh_request hello = new_request(MESH_REQ_HELLO);
    int fd = connect_to_keyd();

    (void)state;
    hello.version = MESH_MESSAGE_VERSION + 1;
    assert_int_equal(ask(fd, &hello, NULL, 0), MESH_R_KEYD_PROTOCOL);
    expect_refusal(MESH_R_KEYD_PROTOCOL, "another version");
    expect_closed(fd);
}

/* What lies about its own length, or is no request at all. */
static void closes_on_rubbish(void **state)
{
    struct {
        struct mesh_request request;
        unsigned char data[100];
    } message;
    struct mesh_request *r = &message.request;

    (void)state;
    for (int i = 0; i < 9; i++) {
        size_t len = sizeof(message);
        int fd = greeted();

        memset(&message, 0, sizeof(message));
        *r = new_request(MESH_REQ_OPERATE);
        r->data_len = sizeof(message.data);
        switch (i) {
        case 0:
            len = 1;
            break;
        case 1:
            len = sizeof(*r) - 1;
            break;
        case 2:
            r->data_len = sizeof(message.data) - 1;
            break;
        case 3:
            r->data_len = 0xffffffff;
            break;
        case 4: /* the sum is right, modulo 2^32 */
            r->label_len = 0xffffffff;
            r->data_len = sizeof(message.data) + 1;
            break;
        case 5:
            memset(r->udf, 'A', sizeof(r->udf));
            break;
        case 6:
            memset(r->digest, 'A', sizeof(r->digest));
            break;
        case 7:
            r->in_memfd = 1;
            break;
        case 8:
            r->type = 99;
            break;
        }
        assert_int_equal(send(fd, &message, len, 0), len);
        assert_int_equal(receive(fd), MESH_MESSAGE_OK);
        assert_int_equal(answer.reason, MESH_R_KEYD_PROTOCOL);
        expect_closed(fd);
    }
    assert_int_equal(atomic_load(&memory.calls), 0);
}

static void send_with_fd(int fd, struct mesh_request *request, int passed)
{
    struct iovec iov = {request, sizeof(*request)};
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = sizeof(control)};
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(cmsg), &passed, sizeof(int));
    assert_int_equal(sendmsg(fd, &msg, 0), sizeof(*request));
}

/* The peer could change it after it was checked. */
static void refuses_unsealed_memory(void **state)
{
    struct mesh_request request = new_request(MESH_REQ_OPERATE);
    int fd = greeted();
    int memfd = memfd_create("test", MFD_ALLOW_SEALING);

    (void)state;
    assert_int_equal(ftruncate(memfd, 10000), 0);
    request.data_len = 10000;
    request.in_memfd = 1;
    send_with_fd(fd, &request, memfd);
    assert_int_equal(receive(fd), MESH_MESSAGE_OK);
    assert_int_equal(answer.reason, MESH_R_KEYD_PROTOCOL);
    expect_closed(fd);
    close(memfd);
}

static void refuses_descriptors(void **state)
{
    struct mesh_request request = new_request(MESH_REQ_STATUS);
    int fd = greeted();

    (void)state;
    send_with_fd(fd, &request, STDIN_FILENO);
    assert_int_equal(receive(fd), MESH_MESSAGE_OK);
    expect_refusal(MESH_R_KEYD_PROTOCOL, "descriptor");
    expect_closed(fd);
}

static void adopts(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256");
    struct mesh_key_name name = hold(key);
    struct mesh_request adopt = new_request(MESH_REQ_ADOPT);
    int parent = greeted(), pair[2];

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
        send_with_fd(parent, &adopt, pair[1]);
        close(pair[1]);
        assert_int_equal(receive(pair[0]), MESH_MESSAGE_OK);
        assert_int_equal(answer.serial, adopt.serial);
        assert_int_equal(answer.reason, MESH_R_NONE);
        expect_signature(pair[0], &name, key);
        if (i == 2)
            close(parent); /* the child outlives it */
        expect_signature(pair[0], &name, key);
        close(pair[0]);
    }
}

/* Other processes may use the same connection: nothing is said on it. */
static void adopts_sockets_alone(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256");
    struct mesh_key_name name = hold(key);
    struct mesh_request adopt = new_request(MESH_REQ_ADOPT);
    int fd = greeted(), pair[2];

    (void)state;
    assert_int_equal(pipe(pair), 0);
    send_with_fd(fd, &adopt, pair[0]);
    close(pair[0]);
    close(pair[1]);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    send_with_fd(fd, &adopt, pair[1]);
    close(pair[1]);
    assert_int_equal(receive(pair[0]), MESH_MESSAGE_CLOSED);
    close(pair[0]);
    assert_int_equal(mesh_message_send_request(fd, &adopt, NULL, NULL, -1),
                     MESH_MESSAGE_OK);
    expect_signature(fd, &name, key);
    close(fd);
}

static void has_a_limit(void **state)
{
    struct mesh_request hello = new_request(MESH_REQ_HELLO);
    struct mesh_request adopt = new_request(MESH_REQ_ADOPT);
    int fds[MAX_CONNECTIONS], fd, pair[2];

    (void)state;
    for (int i = 0; i < MAX_CONNECTIONS; i++)
        fds[i] = greeted();
    fd = connect_to_keyd();
    assert_int_equal(ask(fd, &hello, NULL, 0), MESH_R_KEYD_BUSY);
    expect_refusal(MESH_R_KEYD_BUSY, "max-connections");
    expect_closed(fd);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    send_with_fd(fds[0], &adopt, pair[1]);
    close(pair[1]);
    assert_int_equal(receive(pair[0]), MESH_MESSAGE_OK);
    assert_int_equal(answer.reason, MESH_R_KEYD_BUSY);
    expect_closed(pair[0]);
    close(fds[0]);
    while (atomic_load(&service.connections) == MAX_CONNECTIONS)
        usleep(1000);
    fds[0] = greeted();
    for (int i = 0; i < MAX_CONNECTIONS; i++)
        close(fds[i]);
}

static void silent_ones_make_room(void **state)
{
    int silent[3 * MAX_CONNECTIONS], fds[MAX_CONNECTIONS];

    (void)state;
    for (int i = 0; i < 3 * MAX_CONNECTIONS; i++)
        silent[i] = connect_to_keyd();
    for (int i = 0; i < MAX_CONNECTIONS; i++)
        fds[i] = greeted();
    for (int i = 0; i < 3 * MAX_CONNECTIONS; i++)
        expect_closed(silent[i]);
    for (int i = 0; i < MAX_CONNECTIONS; i++)
        close(fds[i]);
}

static void silence_ends(void **state)
{
    int fd = connect_to_keyd();

    (void)state;
    expect_closed(fd); /* after HELLO_MS */
    fd = greeted();
    usleep(2 * HELLO_MS * 1000); /* after hello one may be silent */
    assert_int_equal(
        recv(fd, &(char){0}, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN, 1);
    close(fd);
}

static void *sign_slowly(void *arg)
{
    struct mesh_request sign = sign_request(arg, "SHA2-256");
    int fd = greeted();

    sign.data_len = 32;
    (void)mesh_message_send_request(fd, &sign, NULL, digest, -1);
    return (void *)(intptr_t)fd;
}

/* A prompt that takes its time blocks nobody else. */
static void slow_ones_block_nobody(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256");
    struct mesh_key_name slow = hold(test_key(ctx, "ED25519"));
    struct mesh_key_name name = hold(key);
    int fd = greeted(), slow_fd;

    (void)state;
    expect_signature(fd, &name, key);
    atomic_store(&memory.delay_ms, 1000);
    slow_fd = (int)(intptr_t)sign_slowly(&slow);
    while (atomic_load(&memory.finds) < 2)
        usleep(1000);
    for (int i = 0; i < 20; i++)
        expect_signature(fd, &name, key);
    assert_true(recv(slow_fd, &(char){0}, 1, MSG_DONTWAIT | MSG_PEEK) < 0);
    assert_int_equal(receive(slow_fd), MESH_MESSAGE_OK);
    close(slow_fd);
    close(fd);
}

/* The end waits for an answer under way, but not for ever. */
static void ends_in_order(void **state)
{
    struct mesh_key_name name = hold(test_key(ctx, "P-256"));
    int fd, idle = greeted();

    (void)state;
    atomic_store(&memory.delay_ms, 600);
    fd = (int)(intptr_t)sign_slowly(&name);
    while (atomic_load(&memory.finds) < 1)
        usleep(1000);
    assert_false(mesh_connections_free(connections, 100));
    assert_true(mesh_connections_free(connections, 5000));
    connections = NULL;
    assert_int_equal(receive(fd), MESH_MESSAGE_OK);
    assert_int_equal(answer.reason, MESH_R_NONE);
    expect_closed(fd);
    expect_closed(idle);
}

/* What the owner alone may ask for. */
static const enum mesh_request_type owners[] = {
    MESH_REQ_GENERATE, MESH_REQ_IMPORT, MESH_REQ_REGISTER, MESH_REQ_DELETE,
    MESH_REQ_LOCK};

/* A connection of another user, if this is root's test. */
static int connect_as(uid_t uid, gid_t gid)
{
    int pair[2];

    assert_int_equal(setegid(gid), 0);
    assert_int_equal(seteuid(uid), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(setegid(0), 0);
    mesh_connection_start(connections, pair[1]);
    return pair[0];
}

static void serves_its_user_and_group(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256");
    struct mesh_key_name name = hold(key);
    struct mesh_request hello = new_request(MESH_REQ_HELLO);
    struct mesh_request adopt = new_request(MESH_REQ_ADOPT);
    int fd, pair[2];

    (void)state;
    if (geteuid() != 0)
        skip();
    fd = connect_as(NOBODY, NOBODY);
    assert_int_equal(ask(fd, &hello, NULL, 0), MESH_R_KEYD_FOREIGN);
    expect_closed(fd);
    mesh_connections_free(connections, 1000);
    connections =
        mesh_connections_new(&service, MAX_CONNECTIONS, 1234, HELLO_MS);
    fd = connect_as(NOBODY, NOBODY);
    assert_int_equal(ask(fd, &hello, NULL, 0), MESH_R_KEYD_FOREIGN);
    expect_closed(fd);
    fd = connect_as(NOBODY, 1234);
    assert_int_equal(ask(fd, &hello, NULL, 0), MESH_R_NONE);
    expect_signature(fd, &name, key);
    for (size_t i = 0; i < sizeof(owners) / sizeof(*owners); i++) {
        struct mesh_request request = request_for(owners[i], &name);

        assert_int_equal(ask(fd, &request, "data", 4), MESH_R_USAGE);
        expect_refusal(MESH_R_USAGE, "own user");
    }
    /* who is adopted has the rights of the connection, not of the process */
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    send_with_fd(fd, &adopt, pair[1]);
    close(pair[1]);
    assert_int_equal(receive(pair[0]), MESH_MESSAGE_OK);
    expect_signature(pair[0], &name, key);
    adopt = request_for(MESH_REQ_DELETE, &name);
    assert_int_equal(ask(pair[0], &adopt, NULL, 0), MESH_R_USAGE);
    close(pair[0]);
    close(fd);
}

/* In a child there is no assert. */
static int answered(int fd, struct mesh_request *request, const void *data,
                    size_t len)
{
    request->data_len = (uint32_t)len;
    return mesh_message_send_request(fd, request, NULL, data, -1)
               == MESH_MESSAGE_OK
           && receive(fd) == MESH_MESSAGE_OK
           && answer.serial == request->serial;
}

/* What a process that was its user may still do. */
static int may_use_keys_alone(int fd, const struct mesh_key_name *name)
{
    struct mesh_request sign = sign_request(name, "SHA2-256");

    for (size_t i = 0; i < sizeof(owners) / sizeof(*owners); i++) {
        struct mesh_request request = request_for(owners[i], name);

        if (!answered(fd, &request, "data", 4) || answer.reason != MESH_R_USAGE
            || strstr((char *)result, "has given up") == NULL)
            return 0;
    }
    return answered(fd, &sign, digest, sizeof(digest))
           && answer.reason == MESH_R_NONE && result_len > 0;
}

static int child_is_nobody(int inherited, const struct mesh_key_name *name)
{
    struct mesh_request adopt = new_request(MESH_REQ_ADOPT);
    int pair[2];

    if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0
        || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0
        || mesh_message_send_request(inherited, &adopt, NULL, NULL, pair[1])
               != MESH_MESSAGE_OK
        || receive(pair[0]) != MESH_MESSAGE_OK || answer.reason != MESH_R_NONE)
        return 0;
    return may_use_keys_alone(pair[0], name)
           && may_use_keys_alone(inherited, name);
}

static void rights_end_with_the_user(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256");
    struct mesh_key_name name = hold(key);
    struct mesh_request request = request_for(MESH_REQ_DELETE, &name);
    int status, fd = greeted();
    pid_t pid;

    (void)state;
    if (geteuid() != 0)
        skip();
    expect_signature(fd, &name, key);
    pid = fork();
    if (pid == 0)
        _exit(!child_is_nobody(fd, &name));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    /* and not those of who stayed */
    expect_signature(fd, &name, key);
    assert_int_equal(ask(fd, &request, NULL, 0), MESH_R_NONE);
    close(fd);
}

struct signer {
    struct mesh_key_name name;
    int failed;
};

static void *sign_many(void *arg)
{
    struct signer *signer = arg;
    struct mesh_answer own;
    unsigned char *out;
    size_t len;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0)
        return NULL;
    mesh_connection_start(connections, pair[1]);
    for (int i = 0; i < 200; i++) {
        struct mesh_request request =
            i == 0 ? (struct mesh_request){.version = MESH_MESSAGE_VERSION,
                                           .type = MESH_REQ_HELLO}
                   : (struct mesh_request){.version = MESH_MESSAGE_VERSION,
                                           .type = MESH_REQ_OPERATE,
                                           .operation = MESH_OP_SIGN,
                                           .digest = "SHA2-256",
                                           .out_max = 200,
                                           .data_len = 32};

        memcpy(request.udf, signer->name.udf, sizeof(request.udf));
        memcpy(request.spki_sha256, signer->name.spki_sha256, 32);
        if (mesh_message_send_request(pair[0], &request, NULL, digest, -1)
                != MESH_MESSAGE_OK
            || mesh_message_receive_answer(pair[0], ANSWER_MS, &own, &out, &len,
                                           NULL)
                   != MESH_MESSAGE_OK
            || own.reason != MESH_R_NONE)
            signer->failed++;
        else
            OPENSSL_free(out);
        if (i % 50 == 0)
            mesh_keys_forget(service.keys);
    }
    close(pair[0]);
    return NULL;
}

static void serves_many_at_once(void **state)
{
    struct signer signers[MAX_CONNECTIONS];
    pthread_t threads[MAX_CONNECTIONS];
    struct mesh_key_name name = hold(test_key(ctx, "P-256"));

    (void)state;
    for (int i = 0; i < MAX_CONNECTIONS; i++) {
        signers[i] = (struct signer){.name = name};
        pthread_create(&threads[i], NULL, sign_many, &signers[i]);
    }
    for (int i = 0; i < MAX_CONNECTIONS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(signers[i].failed, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(wants_hello_first),
        CASE(wants_one_hello),
        CASE(wants_its_version),
        CASE(closes_on_rubbish),
        CASE(refuses_unsealed_memory),
        CASE(refuses_descriptors),
        CASE(adopts),
        CASE(adopts_sockets_alone),
        CASE(has_a_limit),
        CASE(silent_ones_make_room),
        CASE(silence_ends),
        CASE(slow_ones_block_nobody),
        CASE(ends_in_order),
        CASE(serves_its_user_and_group),
        CASE(rights_end_with_the_user),
        CASE(serves_many_at_once),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
