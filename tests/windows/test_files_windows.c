/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Files of the layout on Windows: reading, replacing, appending, who may write
 * them, the lock.
 */
#include "platform/system.h"
#include "tests/windows/registry_home.h"

#define UDF ALICE

static void write_text(const char *path, const char *text)
{
    expect_ok(ctx, mesh_layout_write_file(ctx, path, text, strlen(text)));
}

static void expect_content(const char *path, const char *text)
{
    unsigned char *data;
    size_t len;

    expect_ok(ctx, mesh_layout_read_file(ctx, path, 1000, &data, &len));
    assert_string_equal((char *)data, text);
    assert_int_equal(len, strlen(text));
    OPENSSL_free(data);
}

static void expect_unreadable(const char *path, enum mesh_reason reason,
                              const char *part)
{
    unsigned char *data = (unsigned char *)"";
    size_t len = 1;

    assert_false(mesh_layout_read_file(ctx, path, 1000, &data, &len));
    assert_null(data);
    assert_int_equal(len, 0);
    expect_error(ctx, reason, part);
}

/* The access rights of a file or folder in SDDL; the caller frees. */
static char *rights_of(const char *path)
{
    wchar_t *wide = mesh_wide_path(NULL, path), *text;
    PSECURITY_DESCRIPTOR descriptor;
    char *utf8;

    assert_int_equal(GetNamedSecurityInfoW(wide, SE_FILE_OBJECT,
                                           DACL_SECURITY_INFORMATION, NULL,
                                           NULL, NULL, NULL, &descriptor),
                     0);
    assert_true(ConvertSecurityDescriptorToStringSecurityDescriptorW(
        descriptor, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &text, NULL));
    utf8 = mesh_utf8(NULL, text);
    LocalFree(text);
    LocalFree(descriptor);
    OPENSSL_free(wide);
    return utf8;
}

static void writes_and_reads(void **state)
{
    const char *path = in_folder(UDF "\\gr\xc3\xbc\xc3\x9f"
                                     "e.mmm");
    unsigned char *data;
    uint64_t size;
    size_t len;

    (void)state;
    write_text(path, "one");
    expect_content(path, "one");
    write_text(path, "");
    expect_content(path, "");
    write_text(path, "another");
    expect_content(path, "another");
    assert_int_equal(entries(in_folder(UDF)), 1); /* no temporary file */

    expect_ok(ctx, mesh_layout_read_part(ctx, path, 2, 3, &data, &len, &size));
    assert_string_equal((char *)data, "oth");
    assert_int_equal(size, 7);
    OPENSSL_free(data);
    expect_ok(ctx, mesh_layout_read_part(ctx, path, 5, 30, &data, &len, &size));
    assert_string_equal((char *)data, "er");
    OPENSSL_free(data);
    expect_ok(ctx,
              mesh_layout_read_part(ctx, path, 50, 30, &data, &len, &size));
    assert_int_equal(len, 0);
    OPENSSL_free(data);
    assert_false(mesh_layout_read_file(ctx, path, 6, &data, &len));
    expect_error(ctx, MESH_R_PROFILE_TOO_LARGE, "7 octets, at most 6");
}

/* Longer than the 260 characters of old; a name with a slash, too. */
static void long_paths(void **state)
{
    char path[1024];
    size_t len;

    (void)state;
    len = (size_t)snprintf(path, sizeof(path), "%s", folder);
    for (int i = 0; i < 5; i++)
        len += (size_t)snprintf(path + len, sizeof(path) - len, "\\%090d", i);
    snprintf(path + len, sizeof(path) - len, "\\x.mmm");
    write_text(path, "long");
    expect_content(path, "long");
    path[len] = '/';
    expect_content(path, "long");
    assert_true(mesh_file_exists(ctx, path));
    expect_ok(ctx, mesh_file_remove(ctx, path));
    assert_false(mesh_file_exists(ctx, path));
    mesh_system_append(path, "a ", 2); /* a trace */
    mesh_system_append(path, "line", 4);
    expect_content(path, "a line");
}

static void appends_and_cuts(void **state)
{
    const char *path = in_folder(UDF "\\a.all.mmm");
    uint64_t before;

    (void)state;
    expect_ok(ctx, mesh_layout_append_file(ctx, path, "one\n", 4, &before));
    assert_true(before == MESH_LAYOUT_NO_FILE);
    expect_ok(ctx, mesh_layout_append_file(ctx, path, "two", 3, &before));
    assert_int_equal(before, 4);
    expect_ok(ctx, mesh_layout_append_file(ctx, path, "three\n", 6, &before));
    assert_int_equal(before, 7);
    expect_content(path, "one\ntwo\nthree\n");
    expect_ok(ctx, mesh_layout_cut_file(ctx, path, before));
    expect_content(path, "one\ntwo");
    expect_ok(ctx, mesh_layout_cut_file(ctx, path, 100));
    expect_content(path, "one\ntwo");
    expect_ok(ctx, mesh_layout_cut_file(ctx, path, MESH_LAYOUT_NO_FILE));
    assert_false(mesh_file_exists(ctx, path));
    expect_ok(ctx, mesh_layout_cut_file(ctx, path, MESH_LAYOUT_NO_FILE));
}

/* What is no file: each has a text of its own. */
static void not_a_file(void **state)
{
    wchar_t *link, *target;
    char missing[] = "?:\\x\\y.mmm";
    uint64_t before;

    (void)state;
    write_text(in_folder("a\\b\\c"), "c");
    expect_unreadable(in_folder("a\\b"), MESH_R_UNSAFE_FILE,
                      "b is a folder, not a regular file");
    expect_unreadable(in_folder("a\\b\\"), MESH_R_UNSAFE_FILE, "is a folder");
    expect_unreadable(in_folder("a\\x"), MESH_R_FILE_MISSING,
                      "x: no such file");
    expect_unreadable(in_folder("x\\b"), MESH_R_FILE_MISSING, "no folder ");
    expect_unreadable(in_folder("a\\b\\c\\d"), MESH_R_FILE_MISSING,
                      "no folder ");
    expect_unreadable(in_folder("a\\b<"), MESH_R_FILE_IO, "cannot open it");
    assert_false(mesh_layout_write_file(ctx, in_folder("a\\b"), "x", 1));
    expect_error(ctx, MESH_R_FILE_IO, "stays as it is");
    assert_false(
        mesh_layout_append_file(ctx, in_folder("a\\b"), "x", 1, &before));
    expect_error(ctx, MESH_R_UNSAFE_FILE, "is a folder");

    for (missing[0] = 'D'; GetLogicalDrives() >> (missing[0] - 'A') & 1;)
        missing[0]++;
    snprintf(missing + 1, sizeof(missing) - 1, ":\\x\\y.mmm");
    expect_unreadable(missing, MESH_R_FILE_MISSING, "there is no drive ");
    assert_true(mesh_file_exists(ctx, missing)); /* not known */

    link = mesh_wide_path(NULL, in_folder("a\\link"));
    target = mesh_wide_path(NULL, in_folder("a\\b\\c"));
    /* Wine 8 says that it made one */
    if (CreateSymbolicLinkW(link, target, 0)
        && GetFileAttributesW(link) != INVALID_FILE_ATTRIBUTES) {
        expect_unreadable(in_folder("a\\link"), MESH_R_UNSAFE_FILE,
                          "symbolic link");
        assert_false(mesh_layout_write_file(ctx, in_folder("a\\link"), "x", 1));
        expect_error(ctx, MESH_R_FILE_IO, "stays as it is");
    } else {
        print_message("no symbolic links here\n");
    }
    OPENSSL_free(link);
    OPENSSL_free(target);
    expect_content(in_folder("a\\b\\c"), "c");
}

#define OWN  "(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)"
#define READ "(A;;FR;;;WD)"

static void rights(void **state)
{
    /* Wine knows no other users */
    static const char *const writing[] = {
        "(A;;FA;;;WD)",
        "(A;;FW;;;WD)",
        "(A;;0x2;;;WD)",
        "(A;;GW;;;WD)",
    };
    const char *path = in_folder(UDF "\\a");
    char sddl[256], *is;

    (void)state;
    write_text(path, "a");
    is = rights_of(path);
    assert_null(strstr(is, ";;;WD)")); /* nobody else, not even to read */
    assert_null(strstr(is, ";;;BU)"));
    OPENSSL_free(is);
    is = rights_of(in_folder(UDF));
    assert_null(strstr(is, ";;;WD)"));
    OPENSSL_free(is);

    set_rights(path, "D:P" OWN READ);
    expect_content(path, "a");
    for (size_t i = 0; i < sizeof(writing) / sizeof(writing[0]); i++) {
        snprintf(sddl, sizeof(sddl), "D:P" OWN "%s", writing[i]);
        set_rights(path, sddl);
        expect_unreadable(path, MESH_R_UNSAFE_FILE, "/remove:g *S-1-");
    }
    set_rights(path, "D:P" OWN "(A;;FA;;;WD)");
    expect_unreadable(path, MESH_R_UNSAFE_FILE, "Everyone may write it: ");
    set_rights(path, "D:P" OWN);
    expect_content(path, "a");

    /* The folder, too; then nothing in it is read or written. */
    set_rights(in_folder(UDF), "D:P" OWN "(A;;FA;;;WD)");
    expect_unreadable(path, MESH_R_UNSAFE_FILE, UDF ": Everyone may write it");
    assert_false(mesh_layout_write_file(ctx, path, "b", 1));
    expect_error(ctx, MESH_R_UNSAFE_FILE, UDF ": Everyone may write it");
    set_rights(in_folder(UDF), "D:P" OWN READ);
    expect_content(path, "a");
}

/* A list of rights in memory, as no file system of Wine's keeps it. */
static int check_list(const char *sddl)
{
    struct mesh_context copy = *ctx;
    PSECURITY_DESCRIPTOR descriptor;
    wchar_t text[MAX_PATH * 2];
    int ok;

    to_wide(sddl, text);
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorW(
        text, SDDL_REVISION_1, &descriptor, NULL));
    ok = mesh_access_check_descriptor(&copy, descriptor, "C:\\x", 0);
    LocalFree(descriptor);
    return ok;
}

static void lists_of_rights(void **state)
{
    static const char *const good[] = {
        "O:SYD:(A;;FA;;;SY)",
        "O:BAD:P(A;;FA;;;BA)(A;;FR;;;WD)(A;;FX;;;BU)",
        "O:SYD:",                         /* nobody */
        "O:SYD:(A;OICIIO;FA;;;WD)",       /* for what comes below alone */
        "O:SYD:(A;OICIIO;FA;;;CO)",       /* the owner of what comes below */
        "O:SYD:(D;;FA;;;WD)(A;;FA;;;OW)", /* OWNER RIGHTS */
        "O:S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
        "D:(A;;FA;;;S-1-5-80-956008885-3418522649-1831038044-1853292631-"
        "2271478464)",
    };
    static const struct {
        const char *sddl, *part;
    } bad[] = {
        {"O:SYD:(A;;FA;;;WD)", "icacls \"C:\\x\" /remove:g *S-1-1-0"},
        {"O:SYD:(A;ID;FA;;;WD)", "/inheritance:r /grant:r *S-1-5-"},
        {"O:SYD:(A;;FR;;;WD)(A;;0x4;;;BU)", "*S-1-5-32-545"},
        {"O:SYD:(A;;SD;;;BU)", "*S-1-5-32-545"},
        {"O:SYD:(A;;WO;;;BU)", "*S-1-5-32-545"},
        {"O:SYD:(A;;GA;;;AU)", "*S-1-5-11"},
        {"O:SYD:(A;;FA;;;S-1-5-21-1-2-3-1001)", "S-1-5-21-1-2-3-1001 may"},
        {"O:SYD:(D;;FW;;;WD)(A;;FW;;;WD)", "*S-1-1-0"},
        {"O:SY", "no access rights, so everybody may write it"},
        {"O:WDD:(A;;FA;;;SY)", "belongs to Everyone, neither to "},
        {"O:S-1-5-21-1-2-3-1001D:(A;;FA;;;SY)", "/setowner *S-1-5-"},
        {"D:(A;;FA;;;SY)", "belongs to nobody"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        expect_ok(ctx, check_list(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(check_list(bad[i].sddl));
        expect_error(ctx, MESH_R_UNSAFE_FILE, bad[i].part);
    }
}

/* Somebody has the file open and does not share it. */
static void cannot_be_replaced(void **state)
{
    const char *path = in_folder(UDF "\\a");
    wchar_t *wide;
    HANDLE file;

    (void)state;
    write_text(path, "old");
    wide = mesh_wide_path(NULL, path);
    file = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING,
                       0, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    OPENSSL_free(wide);
    assert_false(mesh_layout_write_file(ctx, path, "new", 3));
    expect_error(ctx, MESH_R_FILE_IO, "the old file is as it was");
    CloseHandle(file);
    expect_content(path, "old");
    assert_int_equal(entries(in_folder(UDF)), 1);
}

static void looks(void **state)
{
    FILETIME time = {0, 0x01d00000};
    wchar_t *wide;
    HANDLE file;
    char *real;

    (void)state;
    write_text(in_folder("a\\old"), "1");
    write_text(in_folder("a\\new"), "2");
    wide = mesh_wide_path(NULL, in_folder("a\\old"));
    file = CreateFileW(wide, FILE_WRITE_ATTRIBUTES, 0, NULL, OPEN_EXISTING, 0,
                       NULL);
    assert_true(SetFileTime(file, NULL, NULL, &time));
    CloseHandle(file);
    OPENSSL_free(wide);
    assert_true(
        mesh_layout_are_apart(ctx, in_folder("a\\new"), in_folder("a\\old")));
    assert_true(
        mesh_layout_are_apart(ctx, in_folder("a\\old"), in_folder("a\\new")));
    assert_false(
        mesh_layout_are_apart(ctx, in_folder("a\\new"), in_folder("a\\new")));
    assert_true(
        mesh_layout_are_apart(ctx, in_folder("a\\old"), in_folder("a\\x")));
    assert_false(
        mesh_layout_are_apart(ctx, in_folder("a\\x"), in_folder("a\\old")));

    assert_true(mesh_file_is_regular(ctx, in_folder("a\\old")));
    assert_false(mesh_file_is_regular(ctx, in_folder("a")));
    assert_false(mesh_file_is_regular(ctx, in_folder("x")));
    assert_true(mesh_file_exists(ctx, in_folder("a")));
    assert_false(mesh_file_exists(ctx, in_folder("x\\y")));
    real = mesh_file_real_path(ctx, in_folder("a/../a\\.\\old"));
    assert_non_null(real);
    assert_string_equal(real, in_folder("a\\old"));
    OPENSSL_free(real);
    assert_null(mesh_file_real_path(ctx, in_folder("x")));
    expect_error(ctx, MESH_R_FILE_IO, "cannot find it");

    mesh_file_remove_folder(ctx, in_folder("a\\old")); /* not empty */
    expect_ok(ctx, mesh_file_remove(ctx, in_folder("a\\old")));
    expect_ok(ctx, mesh_file_remove(ctx, in_folder("a\\old")));
    expect_ok(ctx, mesh_file_remove(ctx, in_folder("a\\new")));
    mesh_file_remove_folder(ctx, in_folder("a\\old"));
    assert_false(mesh_file_exists(ctx, in_folder("a")));
    expect_ok(ctx, mesh_layout_write_file(ctx, in_folder("a\\b\\c"), "c", 1));
    assert_false(mesh_file_remove(ctx, in_folder("a\\b")));
    expect_error(ctx, MESH_R_FILE_IO, "cannot remove it");
}

static void standard_places(void **state)
{
    char *path = mesh_layout_standard_file(ctx, UDF);

    (void)state;
    assert_string_equal(path, in_folder(UDF "\\" UDF ".mmm"));
    OPENSSL_free(path);
    path = mesh_layout_standard_archive(ctx, UDF);
    assert_string_equal(path, in_folder(UDF "\\" UDF ".all.mmm"));
    OPENSSL_free(path);
    assert_null(mesh_layout_standard_file(ctx, "..\\" UDF));
    expect_error(ctx, MESH_R_FINGERPRINT_SYNTAX, "..");
}

static void locks(void **state)
{
    mesh_lock lock, second;
    char line[128];
    ULONGLONG start;
    HANDLE other;

    (void)state;
    expect_ok(ctx, mesh_layout_lock(ctx, &lock));
    /* a change of the layout has a lock of its own */
    expect_ok(ctx, mesh_layout_add(ctx, MESH_PROFILE_DEVICE, UDF, NULL));
    start = GetTickCount64();
    assert_false(mesh_layout_lock(ctx, &second));
    assert_in_range(GetTickCount64() - start, 5000, 8000);
    assert_true(second == MESH_LOCK_NONE);
    expect_error(ctx, MESH_R_FILE_LOCKED, in_folder(".lock"));
    mesh_layout_unlock(lock);
    expect_ok(ctx, mesh_layout_lock(ctx, &lock));
    mesh_layout_unlock(lock);
    mesh_layout_unlock(MESH_LOCK_NONE);

    /* One that is killed does not keep it. */
    snprintf(line, sizeof(line), "lock %s", root);
    other = run_again(line);
    for (int i = 0; !mesh_file_exists(ctx, in_folder("locked")); i++) {
        assert_true(i < 200);
        Sleep(50);
    }
    assert_false(mesh_layout_lock(ctx, &lock));
    expect_error(ctx, MESH_R_FILE_LOCKED, ".lock");
    TerminateProcess(other, 3);
    assert_int_equal(wait_for(other), 3);
    expect_ok(ctx, mesh_layout_lock(ctx, &lock));
    mesh_layout_unlock(lock);

    /* Nobody may put something else there. */
    expect_ok(ctx, mesh_file_remove(ctx, in_folder(".lock")));
    expect_ok(ctx, mesh_layout_write_file(ctx, in_folder(".lock\\x"), "", 0));
    assert_false(mesh_layout_lock(ctx, &lock));
    expect_error(ctx, MESH_R_UNSAFE_FILE, ".lock is a folder");
}

/* Sets when a file was written last, so many minutes from now. */
static void set_age(const char *path, long long minutes)
{
    wchar_t *wide = mesh_wide_path(NULL, path);
    HANDLE file = CreateFileW(wide, FILE_WRITE_ATTRIBUTES, 0, NULL,
                              OPEN_EXISTING, 0, NULL);
    ULARGE_INTEGER time;
    FILETIME written;

    GetSystemTimeAsFileTime(&written);
    time.LowPart = written.dwLowDateTime;
    time.HighPart = written.dwHighDateTime;
    time.QuadPart += (ULONGLONG)(minutes * 600000000);
    written.dwLowDateTime = time.LowPart;
    written.dwHighDateTime = time.HighPart;
    assert_true(SetFileTime(file, NULL, NULL, &written));
    CloseHandle(file);
    OPENSSL_free(wide);
}

static void leftovers(void **state)
{
    static const struct {
        const char *name;
        int minutes;
        int goes;
    } files[] = {
        {".tmp-0123456789ABCDEF", -61, 1},
        {UDF "\\.tmp-0123456789ABCDEF", -100000, 1},
        {".tmp-FEDCBA9876543210", -59, 0},
        {".tmp-future", 61, 0},
        {UDF "\\.tmp-FEDCBA9876543210", 0, 0},
        {UDF "\\folder\\.tmp-0123456789ABCDEF", -100000, 0},
        {UDF "\\other.tmp-0123456789ABCDEF", -100000, 0},
        {"settings", -100000, 0},
    };
    const size_t count = sizeof(files) / sizeof(files[0]);

    (void)state;
    assert_int_equal(mesh_layout_remove_leftovers(ctx), 0); /* no folder */
    for (size_t i = 0; i < count; i++) {
        write_text(in_folder(files[i].name), "text");
        set_age(in_folder(files[i].name), files[i].minutes);
    }
    assert_int_equal(mesh_layout_remove_leftovers(ctx), 2);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(mesh_file_exists(ctx, in_folder(files[i].name)),
                         !files[i].goes);
}

static int hold_lock(const char *name)
{
    mesh_lock lock;

    if (open_home(name) != 0 || !mesh_layout_lock(ctx, &lock)
        || !mesh_layout_write_file(ctx, in_folder("locked"), "", 0))
        return 1;
    Sleep(60000);
    return 2;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_home, remove_home)

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        TEST(writes_and_reads),
        TEST(long_paths),
        TEST(appends_and_cuts),
        TEST(not_a_file),
        TEST(rights),
        TEST(lists_of_rights),
        TEST(cannot_be_replaced),
        TEST(looks),
        TEST(standard_places),
        TEST(locks),
        TEST(leftovers),
    };

    if (argc == 3 && strcmp(argv[1], "lock") == 0)
        return hold_lock(argv[2]);
    return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
