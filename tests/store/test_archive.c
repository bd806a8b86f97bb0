/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Archives: what is appended is read again from the end, whatever else is in
 * the file.
 */
#include "store/archive.h"
#include "tests/platform/home.h"

#include <openssl/crypto.h>
#ifndef MESH_PLATFORM_WINDOWS
#include <signal.h>
#include <sys/resource.h>
#endif

#define ARCHIVE in_home("a/a.all.mmm")

/* Appends {"n": n}. */
static int append(int n, uint64_t *before)
{
    json_t *document = json_pack("{si}", "n", n);
    int ok = mesh_archive_append(ctx, ARCHIVE, document, before);

    json_decref(document);
    return ok;
}

static void append_all(int from, int to)
{
    uint64_t before;

    for (int n = from; n <= to; n++)
        expect_ok(ctx, append(n, &before));
}

/* Appends octets as they are. */
static void add(const char *text, size_t len)
{
    FILE *file = fopen(ARCHIVE, "ab");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/* As append_all(), but not each on the disk at once. */
static void add_many(int from, int to)
{
    FILE *file = fopen(ARCHIVE, "ab");

    assert_non_null(file);
    for (int n = from; n <= to; n++)
        fprintf(file, "{\"n\":%d}\n", n);
    assert_int_equal(fclose(file), 0);
}

/* What the next one says; -1 at the end. */
static int previous(struct mesh_archive *archive)
{
    json_t *document;
    int n;

    expect_ok(ctx, mesh_archive_previous(archive, &document));
    n = document != NULL
            ? (int)json_integer_value(json_object_get(document, "n"))
            : -1;
    json_decref(document);
    return n;
}

static struct mesh_archive *open_archive(uint64_t most)
{
    struct mesh_archive *archive;

    expect_ok(ctx, mesh_archive_open(ctx, ARCHIVE, most, &archive));
    return archive;
}

static void expect_versions(int from, int to)
{
    struct mesh_archive *archive = open_archive(0);

    for (int n = to; n >= from; n--)
        assert_int_equal(previous(archive), n);
    assert_int_equal(previous(archive), -1);
    assert_int_equal(previous(archive), -1);
    mesh_archive_close(archive);
}

static void newest_first(void **state)
{
    (void)state;
    append_all(1, 1);
    expect_versions(1, 1);
    add_many(2, 20000); /* several blocks */
    expect_versions(1, 20000);
}

static void the_same_again_is_not_appended(void **state)
{
    uint64_t before;

    (void)state;
    expect_ok(ctx, append(1, &before));
    assert_true(before == MESH_LAYOUT_NO_FILE);
    expect_ok(ctx, append(1, &before));
    assert_true(before == MESH_LAYOUT_UNCHANGED);
    expect_ok(ctx, append(2, &before));
    assert_true(before == strlen("{\"n\":1}\n"));
    expect_ok(ctx, append(1, &before));
    expect_ok(ctx, mesh_layout_cut_file(ctx, ARCHIVE, before));
    expect_versions(1, 2);
    expect_ok(ctx, mesh_layout_cut_file(ctx, ARCHIVE, MESH_LAYOUT_NO_FILE));
    assert_null(fopen(ARCHIVE, "rb"));
}

/* A crash while a version was appended. */
static void a_torn_line_is_passed_over(void **state)
{
    (void)state;
    append_all(1, 2);
    add("{\"n\":3", 6);
    expect_versions(1, 2);
    append_all(3, 4); /* on a line of its own */
    expect_versions(1, 4);
}

static void so_is_what_is_no_object(void **state)
{
    static const char rubbish[] = "\n\n[]\n\"x\"\n\xff\xfe\n{\"n\":}\n\0\0\n";

    (void)state;
    append_all(1, 1);
    add(rubbish, sizeof(rubbish) - 1);
    append_all(2, 2);
    expect_versions(1, 2);
}

static void so_is_a_line_that_is_too_long(void **state)
{
    static char part[1 << 20];

    (void)state;
    memset(part, 'x', sizeof(part));
    append_all(1, 2);
    for (int i = 0; i < 40; i++)
        add(part, sizeof(part));
    add("\n", 1);
    append_all(3, 4);
    expect_versions(1, 4);
    /* nor is one, of which nothing else is left */
    expect_ok(ctx, mesh_layout_cut_file(ctx, ARCHIVE, 0));
    for (int i = 0; i < 17; i++)
        add(part, sizeof(part));
    expect_versions(1, 0);
}

static void the_longest_is_read(void **state)
{
    size_t len = MESH_ARCHIVE_LINE_MAX;
    char *line = OPENSSL_malloc(len);

    (void)state;
    append_all(1, 1);
    memset(line, ' ', len);
    memcpy(line, "{\"n\":2}", 7);
    line[len - 1] = '\n';
    add(line, len);
    append_all(3, 3);
    expect_versions(1, 3);
    OPENSSL_free(line);
}

static void the_log_form_is_unwrapped(void **state)
{
    static const char log[] =
        "{\"DataItem\":{\"Action\":\"New\",\"Text\":\"{\\\"n\\\":\\n2}\"}}\n"
        "{\"DataItem\":{\"Text\":\"{\"}}\n"
        "{\"DataItem\":{\"Text\":7},\"n\":3}\n";

    (void)state;
    append_all(1, 1);
    add(log, sizeof(log) - 1);
    expect_versions(1, 3);
}

/* Loading must not take as long as somebody makes an archive. */
static void no_more_is_read_than_allowed(void **state)
{
    struct mesh_archive *archive;

    (void)state;
    append_all(1, 9);
    archive = open_archive(20); /* two lines and a piece */
    assert_int_equal(previous(archive), 9);
    assert_int_equal(previous(archive), 8);
    assert_int_equal(previous(archive), -1);
    assert_int_equal(mesh_archive_lines(archive), 3);
    mesh_archive_close(archive);
}

static void what_is_missing_or_unsafe_is_refused(void **state)
{
    struct mesh_archive *archive;
    uint64_t before;

    (void)state;
    assert_false(mesh_archive_open(ctx, ARCHIVE, 0, &archive));
    assert_null(archive);
    expect_error(ctx, MESH_R_FILE_MISSING, "a.all.mmm");
    append_all(1, 1);
    share(ARCHIVE, 1);
    assert_false(mesh_archive_open(ctx, ARCHIVE, 0, &archive));
    expect_error(ctx, MESH_R_UNSAFE_FILE, SHARED_SAYS);
    assert_false(append(2, &before));
    expect_error(ctx, MESH_R_UNSAFE_FILE, SHARED_SAYS);
    share(ARCHIVE, 0);
    expect_versions(1, 1);
}

#ifndef MESH_PLATFORM_WINDOWS
/* A full disk, as far as a process can have one to itself. */
static void what_does_not_fit_is_taken_back(void **state)
{
    struct rlimit old, small;
    uint64_t before;

    (void)state;
    append_all(1, 1);
    add("{", 1);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 12;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_false(append(2, &before));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    expect_error(ctx, MESH_R_FILE_IO, "it is as it was");
    append_all(2, 2);
    expect_versions(1, 2);
}
#endif

static void it_may_become_shorter(void **state)
{
    struct mesh_archive *archive;
    json_t *document;

    (void)state;
    append_all(1, 1);
    add_many(2, 20000);
    archive = open_archive(0);
    assert_int_equal(previous(archive), 20000);
    expect_ok(ctx, mesh_layout_cut_file(ctx, ARCHIVE, 8));
    while (mesh_archive_previous(archive, &document) && document != NULL)
        json_decref(document);
    expect_error(ctx, MESH_R_FILE_IO, "became shorter");
    mesh_archive_close(archive);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_home, remove_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(newest_first),
        TEST(the_same_again_is_not_appended),
        TEST(a_torn_line_is_passed_over),
        TEST(so_is_what_is_no_object),
        TEST(so_is_a_line_that_is_too_long),
        TEST(the_longest_is_read),
        TEST(the_log_form_is_unwrapped),
        TEST(no_more_is_read_than_allowed),
        TEST(what_is_missing_or_unsafe_is_refused),
#ifndef MESH_PLATFORM_WINDOWS
        TEST(what_does_not_fit_is_taken_back),
#endif
        TEST(it_may_become_shorter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
