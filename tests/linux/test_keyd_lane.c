/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * mesh-keyd's connections with a lane: it is given to who asks for one, used by
 * who calls often, and no client gains by what it writes there.
 */
#include "platform/linux/lane.c" /* a hostile client knows the layout */
#include "tests/linux/keyd_peer.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>

#define SOON_MS 3000 /* it takes a few, on a machine that others use, too */

/* A client that runs elsewhere than mesh-keyd's thread will. */
struct peer {
    int fd;
    struct mesh_lane *lane;
    unsigned by_lane; /* requests that went that way */
};

static int processors(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

static int open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

/* Takes the answer to hello or adopt. */
static struct peer welcomed(int fd)
{
    struct peer peer = {.fd = fd};
    int shared;

    OPENSSL_free(result);
    assert_int_equal(mesh_message_receive_answer(fd, ANSWER_MS, &answer,
                                                 &result, &result_len, &shared),
                     MESH_MESSAGE_OK);
    assert_int_equal(answer.reason, MESH_R_NONE);
    assert_int_equal(answer.lane, 1);
    peer.lane = mesh_lane_map(shared);
    assert_non_null(peer.lane);
    close(shared);
    return peer;
}

static struct peer with_lane(void)
{
    struct mesh_request hello = new_request(MESH_REQ_HELLO);
    int fd = connect_to_keyd();

    hello.flags = MESH_FLAG_LANE;
    assert_int_equal(mesh_message_send_request(fd, &hello, NULL, NULL, -1),
                     MESH_MESSAGE_OK);
    return welcomed(fd);
}

static void leave(struct peer *peer)
{
    mesh_lane_free(peer->lane);
    close(peer->fd);
}

/* As the module does it. */
static enum mesh_message_result call(struct peer *peer,
                                     struct mesh_request *request,
                                     const void *data, size_t len)
{
    enum mesh_message_result got = MESH_MESSAGE_OK;
    int by_lane;

    request->data_len = (uint32_t)len;
    by_lane = mesh_lane_send_request(peer->lane, request, NULL, data);
    peer->by_lane += (unsigned)by_lane;
    if (!by_lane)
        got = mesh_message_send_request(peer->fd, request, NULL, data, -1);
    if (got != MESH_MESSAGE_OK)
        return got;
    OPENSSL_free(result);
    result = NULL;
    if (!mesh_lane_receive_answer(peer->lane, &got, &answer, &result,
                                  &result_len))
        got = mesh_message_receive_answer(peer->fd, ANSWER_MS, &answer, &result,
                                          &result_len, NULL);
    return got;
}

static int signature_is_good(EVP_PKEY *key)
{
    EVP_PKEY_CTX *verify = EVP_PKEY_CTX_new_from_pkey(ctx->libctx, key, NULL);
    int ok =
        EVP_PKEY_verify_init(verify) == 1
        && EVP_PKEY_verify(verify, result, result_len, digest, sizeof(digest))
               == 1;

    EVP_PKEY_CTX_free(verify);
    return ok;
}

static void sign_once(struct peer *peer, const struct mesh_key_name *name,
                      EVP_PKEY *key, int verifies)
{
    struct mesh_request sign = sign_request(name, "SHA2-256");

    assert_int_equal(call(peer, &sign, digest, sizeof(digest)),
                     MESH_MESSAGE_OK);
    assert_int_equal(answer.serial, sign.serial);
    assert_int_equal(answer.reason, MESH_R_NONE);
    assert_true(!verifies || signature_is_good(key));
}

/* Calls often until mesh-keyd looks at the lane; it need not on one processor,
 * or while others want them all. */
static int until_it_looks(struct peer *peer, const struct mesh_key_name *name)
{
    for (int i = 0; i < 200000 && processors() > 1; i++) {
        sign_once(peer, name, NULL, 0);
        if (peer->lane->request.state == SLOT_LOOKING)
            return 1;
    }
    print_message("it never looked at the lane\n");
    return 0;
}

static void who_asks_gets_a_lane(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256");
    struct mesh_key_name name = hold(key);
    int fd, files = open_files();
    struct peer peer = with_lane();

    (void)state;
    for (int i = 0; i < 200; i++)
        sign_once(&peer, &name, key, 1);
    assert_int_equal(open_files(), files + 2); /* the two ends of the socket */
    leave(&peer);
    fd = greeted(); /* and who does not, does without */
    assert_int_equal(answer.lane, 0);
    expect_signature(fd, &name, key);
    close(fd);
}

static void who_calls_often_is_looked_for(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256");
    struct mesh_key_name name = hold(key);
    struct peer peer = with_lane();

    (void)state;
    while (peer.by_lane < 50 && until_it_looks(&peer, &name))
        sign_once(&peer, &name, key, 1);
    leave(&peer);
}

static void requests_that_do_not_fit_go_by_the_socket(void **state)
{
    EVP_PKEY *key = test_key(ctx, "ED25519");
    struct mesh_key_name name = hold(key);
    struct peer peer = with_lane();
    static unsigned char message[20000];

    (void)state;
    for (int i = 0; i < 300; i++) {
        struct mesh_request sign = sign_request(&name, "");

        assert_int_equal(
            call(&peer, &sign, message, i % 4 == 0 ? sizeof(message) : 32),
            MESH_MESSAGE_OK);
        assert_int_equal(answer.reason, MESH_R_NONE);
        assert_int_equal(result_len, 64);
    }
    leave(&peer);
}

static struct mesh_request forgery(int i, const struct mesh_key_name *name)
{
    struct mesh_request request = sign_request(name, "SHA2-256");

    request.data_len = 32;
    switch (i) {
    case 0:
        request.version++;
        break;
    case 1:
        request.in_memfd = 1;
        break;
    case 2:
        request.data_len = SLOT_SIZE;
        break;
    case 3:
        request.label_len = UINT32_MAX;
        request.data_len = 33;
        break;
    case 4:
        memset(request.udf, 'A', sizeof(request.udf));
        break;
    case 5:
        request.type = 99;
        break;
    case 6:
        request.type = 0;
        break;
    default:
        request.type = (uint32_t)(i - 6);
        break;
    }
    return request;
}

/* The connection ends, as it does on the socket, and mesh-keyd lives. */
static void forged_requests_end_the_connection(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256");
    struct mesh_key_name name = hold(key);

    (void)state;
    for (int i = 0; i < 7 + MESH_REQ_ADOPT; i++) {
        struct mesh_request request = forgery(i, &name);
        struct peer peer;
        uint32_t looking = SLOT_LOOKING;

        if (i > 6 && mesh_message_goes_by_lane(request.type))
            continue;
        peer = with_lane();
        do {
            if (!until_it_looks(&peer, &name))
                skip();
            memcpy(peer.lane->request.octets, &request, sizeof(request));
        } while (!atomic_compare_exchange_strong(&peer.lane->request.state,
                                                 &looking, SLOT_FULL)
                 && (looking = SLOT_LOOKING));
        peer.lane->answer.state = SLOT_AWAY;
        assert_int_equal(receive(peer.fd), MESH_MESSAGE_OK);
        assert_int_equal(answer.reason, MESH_R_KEYD_PROTOCOL);
        expect_closed(peer.fd);
        mesh_lane_free(peer.lane);
    }
}

static atomic_int running;

/* As in test_lane.c, and all that tells mesh-keyd about the client. */
static void *scribble(void *arg)
{
    struct mesh_lane *lane = arg;
    struct mesh_request *request = (void *)lane->request.octets;
    uint32_t n;

    for (n = 0; atomic_load(&running); n++) {
        *(volatile uint32_t *)&request->data_len = n % 3 == 0 ? UINT32_MAX : 32;
        *(volatile uint32_t *)&request->type = n % (MESH_REQ_ADOPT + 1);
        *(volatile char *)&request->udf[MESH_UDF_TEXT_MAX - 1] = n % 7 == 0;
        lane->request.state = n % 11 % 5;
        lane->answer.state = n % 13 % 5;
        lane->request.cpu = (int32_t)(n % 17 == 0 ? n * 97 : n % 4 - 1);
    }
    return NULL;
}

static void scribbling_harms_nobody_else(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256");
    struct mesh_key_name name = hold(key);
    struct peer hostile = with_lane(), peer = with_lane();
    struct mesh_request sign = sign_request(&name, "SHA2-256");
    pthread_t thread;

    (void)state;
    atomic_store(&running, 1);
    assert_int_equal(pthread_create(&thread, NULL, scribble, hostile.lane), 0);
    for (int i = 0; i < 300; i++) {
        if (mesh_message_send_request(hostile.fd, &sign, NULL, digest, -1)
            != MESH_MESSAGE_OK) {
            close(hostile.fd); /* it was thrown out, and comes again */
            hostile.fd = connect_to_keyd();
        }
        sign_once(&peer, &name, key, 1);
    }
    atomic_store(&running, 0);
    pthread_join(thread, NULL);
    leave(&hostile);
    leave(&peer);
}

/* A client that goes leaves nothing behind, wherever it was. */
static void who_goes_away_is_noticed(void **state)
{
    struct mesh_key_name name = hold(test_key(ctx, "P-256"));
    int files = open_files();

    (void)state;
    for (int i = 0; i < 6; i++) {
        struct mesh_request sign = sign_request(&name, "SHA2-256");
        struct peer peer = with_lane();

        sign.data_len = 32;
        for (int j = 0; j < 30; j++)
            sign_once(&peer, &name, NULL, 0);
        if (i % 3 == 1) /* with a request under way */
            (void)mesh_lane_send_request(peer.lane, &sign, NULL, digest);
        if (i % 3 == 2) /* and not even the half of one */
            peer.lane->request.state = SLOT_FULL;
        leave(&peer);
        while (atomic_load(&service.connections) > 0)
            usleep(1000);
    }
    while (open_files() > files) /* removed under the mutex, closed after */
        usleep(1000);
}

static void the_end_waits_for_nobody_who_looks(void **state)
{
    struct mesh_key_name name = hold(test_key(ctx, "P-256"));
    struct peer peer = with_lane();

    (void)state;
    (void)until_it_looks(&peer, &name);
    assert_true(mesh_connections_free(connections, 5000));
    connections = NULL;
    expect_closed(peer.fd);
    mesh_lane_free(peer.lane);
}

static void send_with_fd(int fd, struct mesh_request *request, int passed)
{
    assert_int_equal(mesh_message_send_request(fd, request, NULL, NULL, passed),
                     MESH_MESSAGE_OK);
    close(passed);
}

/* A child's lane is not its parent's. */
static void who_is_adopted_gets_a_lane_too(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256");
    struct mesh_key_name name = hold(key);
    struct mesh_request adopt = new_request(MESH_REQ_ADOPT);
    struct peer parent = with_lane(), child;
    int pair[2];

    (void)state;
    adopt.flags = MESH_FLAG_LANE;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    send_with_fd(parent.fd, &adopt, pair[1]);
    child = welcomed(pair[0]);
    child.lane->request.octets[SLOT_SIZE - 1] = 0x77;
    assert_int_equal(parent.lane->request.octets[SLOT_SIZE - 1], 0);
    for (int i = 0; i < 100; i++) {
        sign_once(&parent, &name, key, 1);
        sign_once(&child, &name, key, 1);
    }
    leave(&parent);
    sign_once(&child, &name, key, 1);
    leave(&child);
    /* who does not ask gets none */
    parent = with_lane();
    adopt.flags = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    send_with_fd(parent.fd, &adopt, pair[1]);
    assert_int_equal(receive(pair[0]), MESH_MESSAGE_OK);
    assert_int_equal(answer.lane, 0);
    expect_signature(pair[0], &name, key);
    close(pair[0]);
    leave(&parent);
}

struct signer {
    const struct mesh_key_name *name;
    EVP_PKEY *key;
    struct peer peer;
    unsigned failed;
};

/* As the module does it, and in threads. */
static enum mesh_message_result sign_as(struct signer *signer, uint32_t serial,
                                        struct mesh_answer *own,
                                        unsigned char **out, size_t *len)
{
    struct mesh_request sign = {.version = MESH_MESSAGE_VERSION,
                                .type = MESH_REQ_OPERATE,
                                .serial = serial,
                                .operation = MESH_OP_SIGN,
                                .digest = "SHA2-256",
                                .out_max = 200,
                                .data_len = 32};
    enum mesh_message_result got = MESH_MESSAGE_OK;
    int by_lane;

    *out = NULL;
    memcpy(sign.udf, signer->name->udf, sizeof(sign.udf));
    memcpy(sign.spki_sha256, signer->name->spki_sha256, 32);
    by_lane = mesh_lane_send_request(signer->peer.lane, &sign, NULL, digest);
    signer->peer.by_lane += (unsigned)by_lane;
    if (!by_lane)
        got =
            mesh_message_send_request(signer->peer.fd, &sign, NULL, digest, -1);
    if (got == MESH_MESSAGE_OK
        && !mesh_lane_receive_answer(signer->peer.lane, &got, own, out, len))
        got = mesh_message_receive_answer(signer->peer.fd, ANSWER_MS, own, out,
                                          len, NULL);
    return got;
}

static void *sign_many(void *arg)
{
    struct signer *signer = arg;
    EVP_PKEY_CTX *verify =
        EVP_PKEY_CTX_new_from_pkey(ctx->libctx, signer->key, NULL);
    struct mesh_answer own;
    unsigned char *out;
    size_t len;

    signer->failed = EVP_PKEY_verify_init(verify) != 1;
    for (uint32_t i = 0; i < 500; i++) {
        signer->failed +=
            sign_as(signer, i, &own, &out, &len) != MESH_MESSAGE_OK
            || own.serial != i
            || EVP_PKEY_verify(verify, out, len, digest, sizeof(digest)) != 1;
        OPENSSL_free(out);
        if (i % 100 == 0)
            mesh_keys_forget(service.keys);
    }
    EVP_PKEY_CTX_free(verify);
    return NULL;
}

/* More callers than processors, and never another's answer. */
static void many_sign_at_once(void **state)
{
    EVP_PKEY *key = test_key(ctx, "P-256");
    struct mesh_key_name name = hold(key);
    struct signer signers[MAX_CONNECTIONS];
    pthread_t threads[MAX_CONNECTIONS];

    (void)state;
    for (int i = 0; i < MAX_CONNECTIONS; i++) {
        signers[i] =
            (struct signer){.name = &name, .key = key, .peer = with_lane()};
        assert_int_equal(
            pthread_create(&threads[i], NULL, sign_many, &signers[i]), 0);
    }
    for (int i = 0; i < MAX_CONNECTIONS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(signers[i].failed, 0);
        leave(&signers[i].peer);
    }
}

static void *sign_without_pause(void *arg)
{
    struct signer *signer = arg;
    struct mesh_answer own;
    unsigned char *out;
    size_t len;

    for (uint32_t i = 0; atomic_load(&running); i++) {
        if (sign_as(signer, i, &own, &out, &len) != MESH_MESSAGE_OK)
            break;
        OPENSSL_free(out);
    }
    return NULL;
}

/* Starts a thread whose requests go by the lane, one after the other. */
static pthread_t make_busy(struct signer *signer)
{
    pthread_t thread;

    (void)until_it_looks(&signer->peer, signer->name);
    atomic_store(&running, 1);
    assert_int_equal(pthread_create(&thread, NULL, sign_without_pause, signer),
                     0);
    usleep(20000);
    return thread;
}

/* A child whose parent's other thread has the lane. */
static int child_signs(int inherited, const struct mesh_key_name *name)
{
    struct mesh_request adopt = new_request(MESH_REQ_ADOPT);
    struct mesh_request sign = sign_request(name, "SHA2-256");
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0
        || mesh_message_send_request(inherited, &adopt, NULL, NULL, pair[1])
               != MESH_MESSAGE_OK)
        return 0;
    close(pair[1]);
    sign.data_len = sizeof(digest);
    return mesh_message_receive_answer(pair[0], SOON_MS, &answer, &result,
                                       &result_len, NULL)
               == MESH_MESSAGE_OK
           && mesh_message_send_request(pair[0], &sign, NULL, digest, -1)
                  == MESH_MESSAGE_OK
           && mesh_message_receive_answer(pair[0], SOON_MS, &answer, &result,
                                          &result_len, NULL)
                  == MESH_MESSAGE_OK
           && answer.reason == MESH_R_NONE && result_len > 0;
}

static void a_busy_lane_keeps_no_child_waiting(void **state)
{
    struct mesh_key_name name = hold(test_key(ctx, "P-256"));
    struct signer signer = {.name = &name, .peer = with_lane()};
    pthread_t thread = make_busy(&signer);
    int status, failed = 0;

    (void)state;
    for (int i = 0; i < 20; i++) {
        pid_t pid = fork();

        if (pid == 0)
            _exit(!child_signs(signer.peer.fd, &name));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        failed |= status;
    }
    atomic_store(&running, 0);
    pthread_join(thread, NULL);
    assert_int_equal(failed, 0);
    leave(&signer.peer);
}

static void the_end_waits_for_no_busy_lane(void **state)
{
    struct mesh_key_name name = hold(test_key(ctx, "P-256"));
    struct signer signer = {.name = &name, .peer = with_lane()};
    pthread_t thread = make_busy(&signer);
    int ended = mesh_connections_free(connections, SOON_MS);

    (void)state;
    atomic_store(&running, 0);
    pthread_join(thread, NULL);
    assert_true(ended);
    connections = NULL;
    leave(&signer.peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(who_asks_gets_a_lane),
        CASE(who_calls_often_is_looked_for),
        CASE(requests_that_do_not_fit_go_by_the_socket),
        CASE(forged_requests_end_the_connection),
        CASE(scribbling_harms_nobody_else),
        CASE(who_goes_away_is_noticed),
        CASE(the_end_waits_for_nobody_who_looks),
        CASE(who_is_adopted_gets_a_lane_too),
        CASE(many_sign_at_once),
        CASE(a_busy_lane_keeps_no_child_waiting),
        CASE(the_end_waits_for_no_busy_lane),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
