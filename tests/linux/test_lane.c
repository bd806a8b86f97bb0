/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The lane: what one end puts into it the other one takes, nothing stays in it,
 * and whatever a peer writes there, nobody reads beyond it or looks for ever.
 */
#include "platform/linux/lane.c" /* a hostile peer knows the layout */
#include "tests/platform/capture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define LONG_US 60000000u /* a message comes before */

static struct mesh_lane *keyd, *client; /* the two ends, mapped twice */
static int memory;

/* One thread is both ends: each must seem to run elsewhere. */
static void be_elsewhere(void)
{
    keyd->request.cpu = keyd->answer.cpu = -1;
}

static int setup(void **state)
{
    (void)state;
    keyd = mesh_lane_new(&memory);
    client = keyd != NULL ? mesh_lane_map(memory) : NULL;
    return client == NULL || client == keyd;
}

static int teardown(void **state)
{
    (void)state;
    mesh_lane_free(keyd);
    mesh_lane_free(client);
    close(memory);
    return 0;
}

static struct mesh_request a_request(size_t label_len, size_t data_len)
{
    return (struct mesh_request){.version = MESH_MESSAGE_VERSION,
                                 .type = MESH_REQ_OPERATE,
                                 .serial = 7,
                                 .udf = "MAAAA-BBBBB",
                                 .digest = "SHA2-256",
                                 .label_len = (uint32_t)label_len,
                                 .data_len = (uint32_t)data_len};
}

static struct mesh_answer an_answer(size_t data_len)
{
    return (struct mesh_answer){.version = MESH_MESSAGE_VERSION,
                                .serial = 7,
                                .data_len = (uint32_t)data_len};
}

static void promise(void)
{
    be_elsewhere();
    mesh_lane_promise(keyd, 1, LONG_US);
    be_elsewhere();
}

static struct mesh_request got_request;
static struct mesh_answer got_answer;
static unsigned char *got;
static size_t got_len;
static enum mesh_message_result result;

static int receive_request(unsigned us)
{
    return mesh_lane_receive_request(keyd, us, &result, &got_request, &got,
                                     &got_len);
}

static int receive_answer(void)
{
    return mesh_lane_receive_answer(client, &result, &got_answer, &got,
                                    &got_len);
}

static unsigned char secret[2 * SLOT_SIZE];

/* Nothing of the secret is in the lane. */
static void expect_clean(void)
{
    assert_null(memmem(keyd, sizeof(*keyd), secret, 4));
}

static void expect_data(size_t len)
{
    assert_int_equal(result, MESH_MESSAGE_OK);
    assert_int_equal(got_len, len);
    if (len > 0) {
        assert_memory_equal(got, secret, len);
        assert_int_equal(got[len], 0);
    } else {
        assert_null(got);
    }
    OPENSSL_clear_free(got, got_len);
    expect_clean();
}

static void messages_pass(void **state)
{
    static const size_t lengths[] = {0, 1, 32, 1000,
                                     SLOT_SIZE - sizeof(struct mesh_request)};
    size_t i, len;

    (void)state;
    for (i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        struct mesh_request request;
        struct mesh_answer answer;

        len = lengths[i];
        request = a_request(len / 2, len - len / 2);
        promise();
        assert_true(
            mesh_lane_send_request(client, &request, secret, secret + len / 2));
        be_elsewhere();
        assert_true(receive_request(LONG_US));
        assert_memory_equal(&got_request, &request, sizeof(request));
        expect_data(len);
        promise();
        answer = an_answer(len);
        assert_true(mesh_lane_send_answer(keyd, &answer, secret));
        assert_true(receive_answer());
        assert_memory_equal(&got_answer, &answer, sizeof(answer));
        expect_data(len);
    }
}

/* Whoever looks is told at once that a message goes by the socket. */
static void what_is_too_long_goes_by_the_socket(void **state)
{
    size_t room = SLOT_SIZE - sizeof(struct mesh_request);
    struct mesh_request request = a_request(room, 1);
    struct mesh_answer answer =
        an_answer(SLOT_SIZE - sizeof(struct mesh_answer) + 1);

    (void)state;
    promise();
    assert_false(mesh_lane_send_request(client, &request, secret, secret));
    assert_false(receive_request(LONG_US));
    assert_false(mesh_lane_send_answer(keyd, &answer, secret));
    assert_false(receive_answer());
    request = a_request(UINT32_MAX, UINT32_MAX);
    promise();
    assert_false(mesh_lane_send_request(client, &request, secret, secret));
    expect_clean();
}

/* A message is never left where nobody comes. */
static void who_is_away_gets_nothing(void **state)
{
    struct mesh_request request = a_request(0, 32);
    struct mesh_answer answer = an_answer(32);

    (void)state;
    /* in the beginning */
    assert_false(receive_request(LONG_US));
    assert_false(receive_answer());
    assert_false(mesh_lane_send_answer(keyd, &answer, secret));
    assert_false(mesh_lane_send_request(client, &request, NULL, secret));
    /* after having looked and napped in vain */
    promise();
    assert_false(receive_request(10));
    assert_false(mesh_lane_send_request(client, &request, NULL, secret));
    mesh_lane_promise(keyd, 1, 10);
    assert_false(receive_answer());
    assert_false(mesh_lane_send_answer(keyd, &answer, secret));
    /* if the client went to the socket */
    promise();
    mesh_lane_leave(client);
    assert_false(receive_request(LONG_US));
    assert_false(mesh_lane_send_answer(keyd, &answer, secret));
    assert_false(receive_answer());
    expect_clean();
}

/* Looking would keep the other end from working. */
static void nobody_looks_for_who_is_on_the_same_processor(void **state)
{
    struct mesh_request request = a_request(0, 32);
    cpu_set_t before, one;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
    CPU_ZERO(&one);
    CPU_SET((unsigned)sched_getcpu(), &one);
    if (sched_setaffinity(0, sizeof(one), &one) != 0)
        skip();
    promise();
    assert_int_equal(keyd->request.state, SLOT_LOOKING);
    assert_true(mesh_lane_send_request(client, &request, NULL, secret));
    assert_int_equal(keyd->answer.state, SLOT_LOOKING);
    assert_int_equal(mesh_lane_client_cpu(keyd), sched_getcpu());
    assert_true(receive_request(LONG_US));
    OPENSSL_free(got);
    mesh_lane_promise(keyd, 1, LONG_US);
    assert_int_equal(keyd->request.state, SLOT_NAPPING);
    assert_true(mesh_lane_send_request(client, &request, NULL, secret));
    assert_int_equal(keyd->answer.state, SLOT_NAPPING);
    /* one that comes there later */
    promise();
    keyd->request.cpu = sched_getcpu();
    assert_false(receive_request(LONG_US));
    sched_setaffinity(0, sizeof(before), &before);
}

/* mesh-keyd may say what it likes: nobody waits at the lane for long. */
static void nobody_looks_for_ever(void **state)
{
    int64_t start = now_us();

    (void)state;
    be_elsewhere();
    mesh_lane_promise(keyd, 1, 30000000);
    be_elsewhere();
    client->answer.state = SLOT_LOOKING;
    assert_false(receive_answer());
    assert_true(now_us() - start < 15000000);
}

static void *send_later(void *arg)
{
    struct mesh_request request = a_request(0, 32);

    usleep(1000); /* it is asleep */
    if (arg == NULL)
        (void)mesh_lane_send_request(client, &request, NULL, secret);
    else
        mesh_lane_leave(client);
    return NULL;
}

/* Whoever naps is woken by a message, and by one that goes another way. */
static void naps_end(void **state)
{
    pthread_t thread;
    int by_lane = 0;

    (void)state;
    for (int i = 0; i < 50; i++) {
        promise();
        keyd->request.state = SLOT_NAPPING;
        assert_int_equal(pthread_create(&thread, NULL, send_later, NULL), 0);
        if (receive_request(0)) {
            by_lane++;
            expect_data(32);
        }
        pthread_join(thread, NULL); /* the nap may have been too short */
    }
    assert_true(by_lane > 0);
    promise();
    keyd->request.state = SLOT_NAPPING;
    assert_int_equal(pthread_create(&thread, NULL, send_later, &got_len), 0);
    assert_false(receive_request(0));
    pthread_join(thread, NULL);
}

/* What was taken is gone, also if nobody promised to come again. */
static void nothing_is_taken_twice(void **state)
{
    struct mesh_request request = a_request(0, 32);
    struct mesh_answer answer = an_answer(32);

    (void)state;
    promise();
    assert_true(mesh_lane_send_request(client, &request, NULL, secret));
    be_elsewhere();
    assert_true(receive_request(LONG_US));
    expect_data(32);
    assert_false(receive_request(LONG_US));
    assert_true(mesh_lane_send_answer(keyd, &answer, secret));
    assert_true(receive_answer());
    expect_data(32);
    assert_false(receive_answer());
}

/* Writes a request as a hostile client would; the octets after it are ours. */
static void forge_request(const struct mesh_request *request)
{
    memcpy(client->request.octets, request, sizeof(*request));
    client->request.state = SLOT_FULL;
}

static void forged_requests_are_refused(void **state)
{
    const size_t room = SLOT_SIZE - sizeof(struct mesh_request);
    struct mesh_request bad[8];
    size_t i;

    (void)state;
    for (i = 0; i < 8; i++)
        bad[i] = a_request(0, 32);
    bad[0].version++;
    bad[1].reserved = 1;
    bad[2].in_memfd = 1;
    memset(bad[3].udf, 'A', sizeof(bad[3].udf));
    memset(bad[4].digest, 'A', sizeof(bad[4].digest));
    bad[5].data_len = (uint32_t)room + 1;
    bad[6].data_len = UINT32_MAX;
    bad[7].label_len = UINT32_MAX; /* the sum is right, modulo 2^32 */
    bad[7].data_len = 33;
    for (i = 0; i < 8; i++) {
        forge_request(&bad[i]);
        assert_true(receive_request(LONG_US));
        assert_int_equal(result, MESH_MESSAGE_MALFORMED);
        assert_null(got);
    }
}

/* A descriptor comes beside adopt, and the sender's user beside others: the
 * lane has neither. */
static void other_types_are_refused(void **state)
{
    (void)state;
    for (uint32_t type = 0; type <= MESH_REQ_ADOPT + 1; type++) {
        struct mesh_request request = a_request(0, 32);
        int goes = type == MESH_REQ_STAT || type == MESH_REQ_OPERATE;

        request.type = type;
        forge_request(&request);
        assert_true(receive_request(LONG_US));
        assert_int_equal(result,
                         goes ? MESH_MESSAGE_OK : MESH_MESSAGE_MALFORMED);
        OPENSSL_free(got);
        assert_false(receive_request(LONG_US));
    }
}

static void forged_answers_are_refused(void **state)
{
    struct mesh_answer bad[6];
    size_t i;

    (void)state;
    for (i = 0; i < 6; i++)
        bad[i] = an_answer(32);
    bad[0].version++;
    bad[1].reserved = 1;
    bad[2].in_memfd = 1;
    bad[3].lane = 1;
    bad[4].data_len = SLOT_SIZE - sizeof(struct mesh_answer) + 1;
    bad[5].data_len = UINT32_MAX;
    for (i = 0; i < 6; i++) {
        memcpy(keyd->answer.octets, &bad[i], sizeof(bad[i]));
        keyd->answer.state = SLOT_FULL;
        assert_true(receive_answer());
        assert_int_equal(result, MESH_MESSAGE_MALFORMED);
        assert_null(got);
    }
}

static void other_states_mean_the_socket(void **state)
{
    static const uint32_t states[] = {4, 77, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        keyd->request.state = keyd->answer.state = states[i];
        assert_false(receive_request(LONG_US));
        assert_false(receive_answer());
    }
}

static atomic_int running;

/* Lengths, texts and states change all the time. */
static void *change(void *arg)
{
    struct mesh_lane *lane = arg;
    struct mesh_request *request = (void *)lane->request.octets;
    struct mesh_answer *answer = (void *)lane->answer.octets;
    uint32_t n;

    for (n = 0; atomic_load(&running); n++) {
        *(volatile uint32_t *)&request->data_len = n % 3 == 0 ? UINT32_MAX : 40;
        *(volatile uint32_t *)&request->label_len = n % 5 == 0 ? 7000 : 20;
        *(volatile char *)&request->udf[MESH_UDF_TEXT_MAX - 1] = n % 7 == 0;
        *(volatile uint32_t *)&answer->data_len = n % 3 == 0 ? 6000 : 60;
        lane->request.state = n % 11 % 5;
        lane->answer.state = n % 13 % 5;
    }
    return NULL;
}

/* What was checked is what is used: the copy. */
static void a_change_midway_does_no_harm(void **state)
{
    struct mesh_request request = a_request(20, 40);
    struct mesh_answer answer = an_answer(60);
    struct mesh_lane *hostile = mesh_lane_map(memory);
    pthread_t thread;

    (void)state;
    forge_request(&request);
    memcpy(client->answer.octets, &answer, sizeof(answer));
    client->answer.client_us = 10;
    atomic_store(&running, 1);
    assert_int_equal(pthread_create(&thread, NULL, change, hostile), 0);
    for (int i = 0; i < 20000; i++) {
        if (receive_request(10) && result == MESH_MESSAGE_OK) {
            assert_int_equal(got_request.label_len + got_request.data_len,
                             got_len);
            assert_true(mesh_message_request_fits(&got_request));
        }
        OPENSSL_free(got);
        if (receive_answer() && result == MESH_MESSAGE_OK)
            assert_int_equal(got_answer.data_len, got_len);
        OPENSSL_free(got);
    }
    atomic_store(&running, 0);
    pthread_join(thread, NULL);
    mesh_lane_free(hostile);
}

static void only_sealed_memory_of_its_size_is_mapped(void **state)
{
    static const struct {
        off_t size;
        int seals;
    } bad[] = {
        {sizeof(struct mesh_lane), 0},
        {sizeof(struct mesh_lane), F_SEAL_GROW | F_SEAL_SEAL},
        {sizeof(struct mesh_lane), F_SEAL_SHRINK | F_SEAL_SEAL},
        {sizeof(struct mesh_lane) - 1, SEALS},
        {sizeof(struct mesh_lane) + 1, SEALS},
        {0, SEALS},
        /* writing is what it is for */
        {sizeof(struct mesh_lane), SEALS | F_SEAL_WRITE},
    };
    int pair[2];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        int fd = memfd_create("test", MFD_ALLOW_SEALING);

        assert_int_equal(ftruncate(fd, bad[i].size), 0);
        assert_int_equal(fcntl(fd, F_ADD_SEALS, bad[i].seals), 0);
        assert_null(mesh_lane_map(fd));
        close(fd);
    }
    assert_int_equal(pipe(pair), 0);
    assert_null(mesh_lane_map(pair[0]));
    close(pair[0]);
    close(pair[1]);
    assert_null(mesh_lane_map(-1));
    /* and the real one cannot be made so afterwards */
    assert_int_equal(ftruncate(memory, 0), -1);
    assert_int_equal(ftruncate(memory, 1 << 20), -1);
    assert_int_equal(fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE), -1);
}

/* The line VmFlags of the mapping at an address. */
static void find_flags(const void *at, char flags[256])
{
    FILE *f = fopen("/proc/self/smaps", "r");
    unsigned long start, end;
    char line[512];
    int here = 0;

    flags[0] = '\0';
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
            here = start == (unsigned long)at;
        else if (here && strncmp(line, "VmFlags:", 8) == 0)
            OPENSSL_strlcpy(flags, line, 256);
    }
    fclose(f);
}

static void children_and_core_dumps_have_none(void **state)
{
    const struct mesh_lane *ends[] = {keyd, client};
    unsigned char resident[4];
    char flags[256];
    int status;
    pid_t pid;

    (void)state;
    for (int i = 0; i < 2; i++) {
        find_flags(ends[i], flags);
        assert_non_null(strstr(flags, " dd")); /* not dumped */
        pid = fork();
        if (pid == 0)
            _exit(mincore((void *)ends[i], sizeof(**ends), resident) == 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_pass, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_too_long_goes_by_the_socket,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(who_is_away_gets_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            nobody_looks_for_who_is_on_the_same_processor, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_looks_for_ever, setup, teardown),
        cmocka_unit_test_setup_teardown(naps_end, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_taken_twice, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(forged_requests_are_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(other_types_are_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(forged_answers_are_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(other_states_mean_the_socket, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_change_midway_does_no_harm, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            only_sealed_memory_of_its_size_is_mapped, setup, teardown),
        cmocka_unit_test_setup_teardown(children_and_core_dumps_have_none,
                                        setup, teardown),
    };

    memset(secret, 0x5e, sizeof(secret));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
