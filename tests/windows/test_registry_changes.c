/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The layout in the registry is changed: what stays, who may, where it is.
 */
#include "tests/windows/registry_home.h"

#define PERSONAL "PersonalProfiles"
#define APPS     "ApplicationProfiles"
#define DEVICES  "DeviceProfiles"

static void changes(void **state)
{
    static const char *const portals[] = {"user@example.net",
                                          "gr\xc3\xbc\xc3\x9f"
                                          "e@b.c",
                                          NULL};
    static const wchar_t expected[] =
        L"user@example.net\0gr\u00fc\u00dfe@b.c\0";
    char file[MAX_PATH], archive[MAX_PATH];
    struct mesh_layout *layout;
    wchar_t data[1024];
    DWORD type, size;

    (void)state;
    snprintf(file, sizeof(file), "%s", in_folder(ALICE "\\" ALICE ".mmm"));
    snprintf(archive, sizeof(archive), "%s",
             in_folder(ALICE "\\" ALICE ".all.mmm"));
    put_text("", L"Version", L"of another");
    put_text(PERSONAL "\\" ALICE, L"Comment", L"mine");
    put_text(DEVICES, L"Comment", L"mine, too");
    expect_ok(ctx, mesh_layout_add(ctx, MESH_PROFILE_PERSONAL, ALICE, portals));
    expect_ok(ctx, mesh_layout_set_default(ctx, MESH_PROFILE_PERSONAL, NULL,
                                           "may7ls6smq7lr3uu6x5n4n2bg6emnh"));
    expect_ok(ctx, mesh_layout_add(ctx, MESH_PROFILE_DEVICE, DEVICE, NULL));
    expect_ok(ctx,
              mesh_layout_set_default(ctx, MESH_PROFILE_DEVICE, NULL, DEVICE));
    expect_ok(ctx, mesh_layout_add(ctx, MESH_PROFILE_APPLICATION, WEB, NULL));
    expect_ok(ctx, mesh_layout_set_default(ctx, MESH_PROFILE_APPLICATION, "Web",
                                           WEB));
    expect_text(PERSONAL, "", ALICE);
    expect_text(PERSONAL "\\" ALICE, "", file);
    expect_text(PERSONAL "\\" ALICE, "Archive", archive);
    size = get_value(PERSONAL "\\" ALICE, "Portals", &type, data);
    assert_int_equal(type, REG_MULTI_SZ);
    assert_int_equal(size, sizeof(expected));
    assert_memory_equal(data, expected, size);
    expect_text(DEVICES, "", DEVICE);
    expect_text(DEVICES, DEVICE, in_folder(DEVICE "\\" DEVICE ".mmm"));
    expect_text(APPS, "Web", WEB);
    expect_text(APPS, WEB, in_folder(WEB "\\" WEB ".mmm"));
    layout = opened();
    assert_int_equal(mesh_layout_count(layout), 3);
    assert_string_equal(
        mesh_layout_default(layout, MESH_PROFILE_DEVICE, NULL)->archive,
        in_folder(DEVICE "\\" DEVICE ".all.mmm"));
    mesh_layout_free(layout);

    /* The same without accounts. */
    put_value(PERSONAL "\\" ALICE, L"Portal", REG_MULTI_SZ, L"a@b.c\0", 14);
    expect_ok(ctx, mesh_layout_add(ctx, MESH_PROFILE_PERSONAL, ALICE, NULL));
    expect_text(PERSONAL "\\" ALICE, "Portals", NULL);
    expect_text(PERSONAL "\\" ALICE, "Portal", NULL);
    expect_text(PERSONAL "\\" ALICE, "", file);
    expect_text(PERSONAL "\\" ALICE, "Comment", "mine");

    /* With the entry go all of its defaults. */
    expect_ok(ctx, mesh_layout_remove(ctx, MESH_PROFILE_APPLICATION, WEB));
    expect_text(APPS, "Web", NULL);
    expect_text(APPS, WEB, NULL);
    expect_ok(ctx, mesh_layout_remove(ctx, MESH_PROFILE_PERSONAL, ALICE));
    expect_text(PERSONAL, "", NULL);
    assert_false(has_key(PERSONAL "\\" ALICE));
    expect_ok(ctx,
              mesh_layout_set_default(ctx, MESH_PROFILE_DEVICE, NULL, NULL));
    expect_text(DEVICES, "", NULL);
    expect_text(DEVICES, "Comment", "mine, too");
    expect_text("", "Version", "of another");

    /* What cannot be done changes nothing. */
    assert_false(mesh_layout_remove(ctx, MESH_PROFILE_DEVICE, ALICE));
    expect_error(ctx, MESH_R_FINGERPRINT_UNKNOWN, ALICE);
    assert_false(
        mesh_layout_set_default(ctx, MESH_PROFILE_DEVICE, NULL, ALICE));
    expect_error(ctx, MESH_R_FINGERPRINT_UNKNOWN, DEVICES);
    assert_false(mesh_layout_add(ctx, MESH_PROFILE_DEVICE, "..\\x", NULL));
    expect_error(ctx, MESH_R_FINGERPRINT_SYNTAX, "..\\x");
    layout = opened();
    assert_int_equal(mesh_layout_count(layout), 1);
    mesh_layout_free(layout);
}

/* A key that vanishes with the session takes none that stays. */
static void cannot_be_written(void **state)
{
    wchar_t path[MAX_PATH * 2];
    HKEY key;

    (void)state;
    RegCloseKey(key_of(""));
    to_wide(root, path);
    wcscat(path, L"\\" PERSONAL);
    assert_int_equal(RegCreateKeyExW(HKEY_CURRENT_USER, path, 0, NULL,
                                     REG_OPTION_VOLATILE, KEY_ALL_ACCESS, NULL,
                                     &key, NULL),
                     0);
    RegCloseKey(key);
    assert_false(mesh_layout_add(ctx, MESH_PROFILE_PERSONAL, ALICE, NULL));
    expect_error(ctx, MESH_R_FILE_IO, PERSONAL ": cannot write it: ");
    assert_false(has_key(PERSONAL "\\" ALICE));
}

static void homes(void **state)
{
    static const struct {
        const char *home, *is; /* NULL: refused */
    } homes[] = {
        {NULL, "HKEY_CURRENT_USER\\SOFTWARE\\CryptoMesh"},
        {"SOFTWARE\\CryptoMeshTest",
         "HKEY_CURRENT_USER\\SOFTWARE\\CryptoMeshTest"},
        {"HKEY_CURRENT_USER\\SOFTWARE\\A b.c\\",
         "HKEY_CURRENT_USER\\SOFTWARE\\A b.c"},
        {"hkcu\\X", "HKEY_CURRENT_USER\\X"},
        {"HKEY_LOCAL_MACHINE\\SOFTWARE\\X", NULL},
        {"C:\\Users\\x", NULL},
        {"\\\\server\\x", NULL},
        {"\\SOFTWARE", NULL},
        {"SOFTWARE\\\\X", NULL},
        {"SOFTWARE\\..", NULL},
        {"SOFTWARE\\X/Y", NULL},
        {"SOFTWARE\\X:Y", NULL},
        {"SOFTWARE\\\"X\"", NULL},
        {"SOFTWARE\\X\t", NULL},
        {"HKCU\\", NULL},
        {"", NULL},
    };
    struct mesh_context copy = *ctx;
    char long_name[300], *home, *files;

    (void)state;
    for (size_t i = 0; i < sizeof(homes) / sizeof(homes[0]); i++) {
        copy.config.home = (char *)homes[i].home;
        home = mesh_layout_home(&copy);
        if (homes[i].is == NULL) {
            assert_null(home);
            expect_error(ctx, MESH_R_CONFIGURATION, "a key of the registry");
        } else {
            assert_non_null(home);
            assert_string_equal(home, homes[i].is);
        }
        OPENSSL_free(home);
    }
    memset(long_name, 'x', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    copy.config.home = long_name;
    assert_null(mesh_layout_home(&copy));
    expect_error(ctx, MESH_R_CONFIGURATION, "xxx");
    /* its files are in a folder of its last name */
    copy.config.home = NULL;
    files = mesh_files_folder(&copy);
    assert_non_null(files);
    assert_non_null(strstr(files, "\\CryptoMesh"));
    assert_int_equal(strlen(strstr(files, "\\CryptoMesh")), 11);
    OPENSSL_free(files);
}

/* Programs that add at once: none is lost. */
static void writers_at_once(void **state)
{
    enum { WRITERS = 4, ADDS = 10 };
    HANDLE writers[WRITERS];
    struct mesh_layout *layout;
    char line[128];

    (void)state;
    snprintf(line, sizeof(line), "add %d %s", ADDS, root);
    for (int i = 0; i < WRITERS; i++)
        writers[i] = run_again(line);
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(wait_for(writers[i]), 0);
    layout = opened();
    assert_int_equal(mesh_layout_count(layout), WRITERS * ADDS);
    mesh_layout_free(layout);
}

static int add_some(int count, const char *name)
{
    int ok = open_home(name) == 0;

    for (int i = 0; ok && i < count; i++) {
        char text[MESH_UDF_TEXT_MAX];
        struct mesh_udf udf;

        ok = mesh_udf_random(ctx, &udf);
        mesh_udf_print(&udf, text);
        ok = ok && mesh_layout_add(ctx, MESH_PROFILE_APPLICATION, text, NULL);
    }
    if (!ok)
        print_error("%s\n", capture.text);
    return !ok;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_home, remove_home)

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        TEST(changes),
        TEST(cannot_be_written),
        TEST(homes),
        TEST(writers_at_once),
    };

    if (argc == 4 && strcmp(argv[1], "add") == 0)
        return add_some(atoi(argv[2]), argv[3]);
    return cmocka_run_group_tests_name("registry changes", tests, NULL, NULL);
}
