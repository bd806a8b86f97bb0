/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The client with a lane: it is used, bad ones are left alone, children and
 * closed key stores have none.
 */
#define TEST_LANE
#include "tests/linux/client_fixture.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <sched.h>

/* How many lanes are mapped here. */
static int mappings(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    char line[512];
    int n = 0;

    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL)
        n += strstr(line, "/memfd:mesh-lane") != NULL;
    fclose(f);
    return n;
}

static unsigned requests_by_lane(void)
{
    struct mesh_keystore_status status;

    expect_ok(ctx, mesh_keystore_status(ctx, &status));
    return status.cached;
}

/* Signs until so many requests went by the lane; the fake always looks there,
 * but if it runs where we do, the socket is the way. */
static void sign_by_lane(unsigned wanted)
{
    unsigned i;

    for (i = 0; i < 100000; i++) {
        expect_ok(ctx, sign(ctx, i));
        if (i % 64 == 63 && requests_by_lane() >= wanted)
            return;
    }
    fail_msg("%u of %u signatures went by the lane", requests_by_lane(), i);
}

static void signatures_go_by_the_lane(void **state)
{
    cpu_set_t set;
    int files = open_files(), maps = mappings();

    (void)state;
    expect_ok(ctx, sign(ctx, 1));
    assert_int_equal(open_files(), files + 1);
    assert_int_equal(mappings(), maps + 1);
    assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
    if (CPU_COUNT(&set) > 1)
        sign_by_lane(100);
    mesh_keystore_close(ctx);
    assert_int_equal(mappings(), maps);
    expect_ok(ctx, mesh_keystore_open(ctx));
}

/* Data of all lengths: some fit, some do not. */
static void all_lengths_arrive(void **state)
{
    static const size_t lengths[] = {1, 5000, 5639, 5640, 5641, 8192, 9000, 32};
    const struct mesh_key_name name = {.udf = "MTEST"};
    const struct mesh_private_op op = {.operation = MESH_OP_SIGN};
    unsigned char in[9000], out[9000];

    (void)state;
    memset(in, 0x3c, sizeof(in));
    for (size_t i = 0; i < 40 * sizeof(lengths) / sizeof(*lengths); i++) {
        size_t len = lengths[i % (sizeof(lengths) / sizeof(*lengths))];
        size_t out_len = sizeof(out);

        memset(out, 0, sizeof(out));
        expect_ok(ctx, mesh_keystore_operate(ctx, &name, &op, in, len, out,
                                             &out_len));
        assert_int_equal(out_len, len);
        for (size_t j = 0; j < len; j++)
            if (out[j] != 0xc3)
                fail();
    }
}

/* A file that shrinks would end us by SIGBUS: the socket is left. */
static void unsealed_memory_is_not_used(void **state)
{
    int files = open_files(), maps = mappings();

    (void)state;
    fake_lane = FAKE_LANE_UNSEALED;
    behave(FAKE_NORMAL);
    fake_lane = FAKE_LANE;
    for (unsigned i = 0; i < 100; i++)
        expect_ok(ctx, sign(ctx, i));
    assert_int_equal(mappings(), maps);
    assert_int_equal(open_files(), files + 1);
}

/* The answer before is not taken for the answer to what was asked. */
static void second_answers_are_refused(void **state)
{
    unsigned i;

    (void)state;
    fake_lane = FAKE_LANE_TWICE;
    behave(FAKE_NORMAL);
    fake_lane = FAKE_LANE;
    for (i = 0; i < 1000; i++) {
        int ok = sign(ctx, i);

        assert_true(ok >= 0);
        if (ok == 0)
            expect_error(ctx, MESH_R_KEYD_PROTOCOL, "makes no sense");
    }
}

static int child_signs(int maps)
{
    int i, before = mappings();

    for (i = 0; i < 200; i++)
        if (sign(ctx, (unsigned)i) != 1)
            return 1;
    return before != 0 || mappings() != maps;
}

static void children_have_lanes_of_their_own(void **state)
{
    pid_t pids[4];

    (void)state;
    expect_ok(ctx, sign(ctx, 1));
    assert_int_equal(mappings(), 1);
    for (int i = 0; i < 4; i++)
        if ((pids[i] = fork()) == 0)
            _exit(child_signs(1));
    for (unsigned i = 0; i < 200; i++)
        expect_ok(ctx, sign(ctx, i));
    wait_for(pids, 4);
}

static void *sign_often(void *arg)
{
    unsigned i, seed = (unsigned)(uintptr_t)arg;

    for (i = 0; i < 300; i++)
        if (sign(ctx, seed * 1000 + i) != 1)
            return arg;
    return NULL;
}

/* mesh-keyd dies while many look for its answers. */
static void keyd_is_killed_under_many(void **state)
{
    pthread_t threads[8];
    void *failed;

    (void)state;
    expect_ok(ctx, sign(ctx, 1));
    for (uintptr_t i = 0; i < 8; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, sign_often, (void *)(i + 1)), 0);
    usleep(10000);
    assert_true(fake_pid() > 0);
    kill(fake_pid(), SIGKILL); /* one of them starts it again */
    for (int i = 0; i < 8; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(signatures_go_by_the_lane),
        TEST(all_lengths_arrive),
        TEST(unsealed_memory_is_not_used),
        TEST(second_answers_are_refused),
        TEST(children_have_lanes_of_their_own),
        TEST(keyd_is_killed_under_many),
    };
    int fake = run_as_fake(argc, argv);

    return fake >= 0 ? fake : cmocka_run_group_tests(tests, NULL, NULL);
}
