/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The layout that is kept: opened again without reading, and never when the
 * file is another one.
 */
#include "platform/layout.h"
#include "tests/platform/home.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <time.h>

#define ALICE        "MAY7L-S6SMQ-7LR3U-U6X5N-4N2BG-6EMNH"
#define PHONE        "MAJBM-WHBCU-IVXPI-VI7YZ-7WX2E-OBDPI"
#define FILE_OF(udf) "{\"DeviceProfiles\": {\"" udf "\": {}}}"

static void put_layout(const char *text)
{
    put(in_home("profiles.json"), text, strlen(text), 0600);
}

static struct mesh_layout *opened(const char *name)
{
    struct mesh_layout *layout;

    expect_ok(ctx, mesh_layout_open(ctx, &layout));
    assert_int_equal(mesh_layout_count(layout), 1);
    assert_string_equal(mesh_layout_entry(layout, 0)->name, name);
    return layout;
}

/* Opens it and frees it again. */
static const struct mesh_layout *seen(const char *name)
{
    struct mesh_layout *layout = opened(name);

    mesh_layout_free(layout);
    return layout;
}

static int begin(void **state)
{
    if (make_home(state) != 0)
        return 1;
    mesh_layout_keep(ctx);
    put_layout(FILE_OF(ALICE));
    return 0;
}

static int end(void **state)
{
    mesh_layout_forget(ctx);
    return remove_home(state);
}

/* Until a change of the file must show in its times. */
static void settle(void)
{
    sleep(3);
}

static void the_same_file_is_not_read_again(void **state)
{
    const struct mesh_layout *first;
    struct mesh_layout *one, *two;

    (void)state;
    settle();
    first = seen(ALICE);
    assert_ptr_equal(seen(ALICE), first);
    one = opened(ALICE);
    two = opened(ALICE); /* who comes meanwhile has his own */
    assert_ptr_equal(one, first);
    assert_ptr_not_equal(two, first);
    mesh_layout_free(two);
    mesh_layout_free(one);
    assert_ptr_equal(seen(ALICE), two);
    assert_int_equal(chmod(in_home("profiles.json"), 0620), 0);
    assert_false(mesh_layout_open(ctx, &one));
    expect_error(ctx, MESH_R_UNSAFE_FILE, "0620");
}

static void another_file_is_read(void **state)
{
    struct mesh_layout *layout;

    (void)state;
    settle();
    (void)seen(ALICE);
    expect_ok(ctx,
              mesh_layout_write_file(ctx, in_home("profiles.json"),
                                     FILE_OF(PHONE), strlen(FILE_OF(PHONE))));
    (void)seen(PHONE);
    put_layout(FILE_OF(ALICE)); /* in its place, of the same length */
    (void)seen(ALICE);
    put_layout(FILE_OF(PHONE)); /* in the same second */
    (void)seen(PHONE);
    settle();
    (void)seen(PHONE);
    unlink(in_home("profiles.json"));
    expect_ok(ctx, mesh_layout_open(ctx, &layout));
    assert_int_equal(mesh_layout_count(layout), 0);
    mesh_layout_free(layout);
}

static void another_home_is_another(void **state)
{
    char other[100];

    (void)state;
    settle();
    (void)seen(ALICE);
    snprintf(other, sizeof(other), "%s/other", top);
    assert_int_equal(mkdir(other, 0700), 0);
    /* the same file by another path */
    strcat(other, "/profiles.json");
    assert_int_equal(link(in_home("profiles.json"), other), 0);
    settle();
    (void)seen(ALICE);
    *strrchr(other, '/') = '\0';
    assert_true(mesh_context_configure(ctx, "home", other));
    (void)seen(ALICE);
}

static void *open_often(void *arg)
{
    for (int i = 0; i < 300; i++) {
        struct mesh_layout *layout;

        if (!mesh_layout_open(arg, &layout) || mesh_layout_count(layout) != 1)
            return NULL;
        mesh_layout_free(layout);
    }
    return arg;
}

static void threads_open_it(void **state)
{
    pthread_t threads[8];
    void *result;

    (void)state;
    settle();
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_often, ctx), 0);
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], &result);
        assert_non_null(result);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_same_file_is_not_read_again),
        TEST(another_file_is_read),
        TEST(another_home_is_another),
        TEST(threads_open_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
