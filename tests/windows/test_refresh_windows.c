/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Letting meshctl ask for a missing profile: this program is its own meshctl,
 * which writes down how it was started.
 */
#include "platform/refresh.h"

#include "tests/windows/registry_home.h"

#define SLOW  "MDDK7-N6A72-7AJZN-OSTRX-XKS7D-JAFXI"
#define NOTES "notes.txt"
#define END   "end" /* of the slow one */

/* This program under the name of meshctl, in a folder of ours. */
static const char *program_path(void)
{
    static char path[1024];

    snprintf(path, sizeof(path), "%s", in_folder("b in\\meshctl.exe"));
    return path;
}

static int make_program(void **state)
{
    wchar_t own[MAX_PATH], *copy;
    int ok;

    if (make_home(state) != 0
        || !mesh_layout_write_file(ctx, program_path(), "", 0)
        || GetModuleFileNameW(NULL, own, MAX_PATH) == 0)
        return 1;
    copy = mesh_wide_path(NULL, program_path());
    ok = CopyFileW(own, copy, FALSE)
         && mesh_context_configure(ctx, "refresh", "on-missing")
         && mesh_context_configure(ctx, "meshctl-path", program_path());
    OPENSSL_free(copy);
    return !ok;
}

static char *notes(void)
{
    unsigned char *data;
    size_t len;

    if (!mesh_file_exists(ctx, in_folder(NOTES)))
        return NULL;
    expect_ok(
        ctx, mesh_layout_read_file(ctx, in_folder(NOTES), 100000, &data, &len));
    return (char *)data;
}

static void is_started_once(void **state)
{
    char *text, expected[256];

    (void)state;
    SetEnvironmentVariableW(L"HTTPS_PROXY", L"http://proxy");
    SetEnvironmentVariableW(L"OPENSSL_CONF", L"C:\\evil");
    expect_ok(ctx, mesh_refresh_missing(ctx, ALICE));
    text = notes();
    assert_non_null(text);
    snprintf(expected, sizeof(expected),
             "[--home][HKEY_CURRENT_USER\\%s][refresh][--timeout][15][" ALICE
             "]\n",
             root);
    assert_memory_equal(text, expected, strlen(expected));
    assert_non_null(strstr(text, "\nHTTPS_PROXY=http://proxy\n"));
    assert_null(strstr(text, "OPENSSL_CONF"));
    OPENSSL_free(text);
    expect_ok(ctx, mesh_file_remove(ctx, in_folder(NOTES)));
    assert_false(mesh_refresh_missing(ctx, ALICE));
    assert_null(notes());
}

static void is_not_started(void **state)
{
    const char *unsafe[] = {"meshctl.exe", "C:\\no folder\\meshctl.exe",
                            "\\\\?\\C:\\windows", "C:\\windows"};

    (void)state;
    for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++) {
        char name[40];

        snprintf(name, sizeof(name), "MDDK7-N6A72-7AJZN-OSTR%c",
                 (char)('A' + i));
        OPENSSL_free(ctx->config.meshctl_path);
        ctx->config.meshctl_path = OPENSSL_strdup(unsafe[i]);
        assert_false(mesh_refresh_missing(ctx, name));
    }
    expect_ok(ctx, mesh_context_configure(ctx, "meshctl-path", program_path()));
    set_rights(in_folder("b in"), "D:P(A;;FA;;;SY)(A;;FA;;;OW)(A;;FA;;;WD)");
    assert_false(mesh_refresh_missing(ctx, "MDDK7-N6A72-7AJZN-OSTR2"));
    assert_null(notes());
    set_rights(in_folder("b in"), "D:P(A;;FA;;;SY)(A;;FA;;;OW)");
    expect_ok(ctx, mesh_context_configure(ctx, "refresh", "never"));
    assert_false(mesh_refresh_missing(ctx, WEB));
    assert_null(notes());
    /* whoever acts for another user */
    expect_ok(ctx, mesh_context_configure(ctx, "refresh", "on-missing"));
    assert_true(ImpersonateSelf(SecurityImpersonation));
    assert_false(mesh_refresh_missing(ctx, WEB));
    assert_true(RevertToSelf());
    assert_null(notes());
    expect_ok(ctx, mesh_refresh_missing(ctx, WEB));
    assert_non_null(notes());
}

/* Beside this program, where there is none. */
static void has_a_default(void **state)
{
    const char *path = in_folder("trace");
    wchar_t own[MAX_PATH];
    unsigned char *data;
    char *expected;
    size_t len;

    (void)state;
    GetModuleFileNameW(NULL, own, MAX_PATH);
    wcscpy(wcsrchr(own, L'\\') + 1, L"meshctl.exe: no such file");
    expected = mesh_utf8(NULL, own);
    OPENSSL_free(ctx->config.meshctl_path);
    ctx->config.meshctl_path = NULL;
    ctx->trace = OPENSSL_strdup(path);
    assert_false(mesh_refresh_missing(ctx, "MDDK7-N6A72-7AJZN-OSTR7"));
    expect_ok(ctx, mesh_layout_read_file(ctx, path, 10000, &data, &len));
    if (strstr((char *)data, expected) == NULL)
        print_error("%s in\n%s", expected, (char *)data);
    assert_non_null(strstr((char *)data, expected));
    OPENSSL_free(data);
    OPENSSL_free(expected);
}

static void is_waited_for_20_seconds(void **state)
{
    ULONGLONG start = GetTickCount64();
    char *text;

    (void)state;
    expect_ok(ctx, mesh_refresh_missing(ctx, SLOW));
    assert_in_range(GetTickCount64() - start, 20000, 25000);
    text = notes();
    assert_non_null(text); /* it was started, and runs still */
    OPENSSL_free(text);
    expect_ok(ctx, mesh_layout_write_file(ctx, in_folder(END), "", 0));
    Sleep(1000); /* then its file can be removed */
}

/* What meshctl does here. */
static int be_meshctl(int argc, char **argv)
{
    const char *home = argv[2], *udf = argv[argc - 1];
    wchar_t *environment = GetEnvironmentStringsW();
    char text[65536];
    size_t len = 0;

    if (open_home(strchr(home, '\\') + 1) != 0)
        return 1;
    for (int i = 1; i < argc; i++)
        len +=
            (size_t)snprintf(text + len, sizeof(text) - len, "[%s]", argv[i]);
    len += (size_t)snprintf(text + len, sizeof(text) - len, "\n");
    for (wchar_t *one = environment; *one != L'\0'; one += wcslen(one) + 1)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%ls\n", one);
    if (!mesh_layout_write_file(ctx, in_folder(NOTES), text, len))
        return 1;
    for (int i = 0; strcmp(udf, SLOW) == 0 && i < 400; i++)
        if (mesh_file_exists(ctx, in_folder(END)))
            break;
        else
            Sleep(100);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_program, remove_home)

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        TEST(is_started_once),
        TEST(is_not_started),
        TEST(has_a_default),
        TEST(is_waited_for_20_seconds),
    };

    if (argc > 3 && strcmp(argv[1], "--home") == 0)
        return be_meshctl(argc, argv);
    return cmocka_run_group_tests_name("refresh", tests, NULL, NULL);
}
