/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The layout in the registry: what it says, and what is wrong with it.
 */
#include "tests/windows/registry_home.h"

#define PERSONAL "PersonalProfiles"
#define APPS     "ApplicationProfiles"
#define DEVICES  "DeviceProfiles"
#define OLD      "MBSHO-5D2GR-T7TNK-XHJV6-BHX5I-KA6TX-A"

static void expect_refused(enum mesh_reason reason, const char *part)
{
    struct mesh_layout *layout = (void *)1;

    assert_false(mesh_layout_open(ctx, &layout));
    assert_null(layout);
    expect_error(ctx, reason, part);
}

/* From here on the trace is kept in a file. */
static const char *trace_path(void)
{
    static char path[MAX_PATH];

    snprintf(path, sizeof(path), "%s.trace", folder);
    return path;
}

static void begin_trace(void)
{
    OPENSSL_free(ctx->trace);
    remove(trace_path());
    ctx->trace = OPENSSL_strdup(trace_path());
}

static void expect_trace(const char *part)
{
    char text[16384];
    FILE *file = fopen(trace_path(), "rb");
    size_t len;

    assert_non_null(file);
    len = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[len] = '\0';
    if (strstr(text, part) == NULL)
        print_error("the trace is:\n%s", text);
    assert_non_null(strstr(text, part));
}

static int end_trace(void **state)
{
    remove(trace_path());
    return remove_home(state);
}

static void reads(void **state)
{
    static const wchar_t portals[] = L"user@example.net\0a@example.com\0";
    const struct mesh_layout_entry *entry;
    struct mesh_layout *layout;
    char expanded[MAX_PATH];

    (void)state;
    put_name(PERSONAL, "", L"" ALICE);
    put_text(PERSONAL "\\" ALICE, L"", L"C:\\here\\some.mmm");
    put_text(PERSONAL "\\" ALICE, L"archive", L"D:/there/some");
    put_value(PERSONAL "\\" ALICE, L"Portals", REG_MULTI_SZ, portals,
              sizeof(portals));
    put_text(APPS, L"Web", L"" WEB);
    put_text(APPS, L"ssh", L"" OLD);
    put_name(APPS, WEB, L"C:\\web\\gr\u00fc\u00dfe.mmm");
    put_value(APPS, L"" OLD, REG_EXPAND_SZ, L"%SystemRoot%\\old.mmm",
              sizeof(L"%SystemRoot%\\old.mmm"));
    put_text(DEVICES, L"", L"majbmwhbcuivxpivi7yz7wx2eobdpi");
    put_name(DEVICES, DEVICE, L"C:\\a..\\..b\\x...mmm");
    layout = opened();
    assert_int_equal(mesh_layout_count(layout), 4);

    entry = mesh_layout_default(layout, MESH_PROFILE_PERSONAL, NULL);
    assert_non_null(entry);
    assert_string_equal(entry->name, ALICE);
    assert_string_equal(entry->file, "C:\\here\\some.mmm");
    assert_string_equal(entry->archive, "D:/there/some");
    assert_string_equal(entry->portals[0], "user@example.net");
    assert_string_equal(entry->portals[1], "a@example.com");
    assert_null(entry->portals[2]);
    assert_ptr_equal(mesh_layout_find_account(layout, "A@example.com"), entry);

    entry = mesh_layout_default(layout, MESH_PROFILE_DEVICE, NULL);
    assert_non_null(entry);
    assert_string_equal(entry->name, DEVICE);
    assert_string_equal(entry->file, "C:\\a..\\..b\\x...mmm");
    assert_string_equal(entry->archive, "C:\\a..\\..b\\" DEVICE ".all.mmm");
    assert_null(entry->portals[0]);

    entry = mesh_layout_default(layout, MESH_PROFILE_APPLICATION, "Web");
    assert_non_null(entry);
    assert_string_equal(entry->file, "C:\\web\\gr\xc3\xbc\xc3\x9f"
                                     "e.mmm");
    entry = mesh_layout_default(layout, MESH_PROFILE_APPLICATION, "SSH");
    assert_non_null(entry);
    snprintf(expanded, sizeof(expanded), "%s\\old.mmm", getenv("SystemRoot"));
    assert_string_equal(entry->file, expanded);
    mesh_layout_free(layout);
}

/* What the implementation of 2017 leaves: its name for devices, "TBS" for an
 * archive that it never made, files of its own endings, accounts in order. */
static void reference_form(void **state)
{
    static const wchar_t portals[] = L"alice@example.com\0alice@example.net\0";
    const struct mesh_layout_entry *entry;
    struct mesh_layout *layout;

    (void)state;
    put_text(PERSONAL, L"", L"" ALICE);
    put_text(PERSONAL "\\" ALICE, L"", L"C:\\Mesh\\Personal\\" ALICE ".mmmp");
    put_text(PERSONAL "\\" ALICE, L"Archive", L"TBS");
    put_value(PERSONAL "\\" ALICE, L"Portals", REG_MULTI_SZ, portals,
              sizeof(portals));
    put_text("ThisDevice", L"", L"" DEVICE);
    put_name("ThisDevice", DEVICE, L"C:\\Mesh\\Devices\\" DEVICE ".mmmd");
    put_name(APPS, OLD, L"C:\\Mesh\\Applications\\" OLD ".mmma");
    put_text(APPS, L"SSH", L"" OLD);
    layout = opened();
    assert_int_equal(mesh_layout_count(layout), 3);
    entry = mesh_layout_default(layout, MESH_PROFILE_PERSONAL, NULL);
    assert_non_null(entry);
    assert_string_equal(entry->archive,
                        "C:\\Mesh\\Personal\\" ALICE ".all.mmm");
    assert_string_equal(entry->portals[0], "alice@example.com");
    assert_string_equal(entry->portals[1], "alice@example.net");
    entry = mesh_layout_default(layout, MESH_PROFILE_DEVICE, NULL);
    assert_non_null(entry);
    assert_string_equal(entry->file, "C:\\Mesh\\Devices\\" DEVICE ".mmmd");
    assert_non_null(
        mesh_layout_default(layout, MESH_PROFILE_APPLICATION, "SSH"));
    mesh_layout_free(layout);

    /* A change of another section leaves it so; "TBS" too. */
    expect_ok(ctx,
              mesh_layout_set_default(ctx, MESH_PROFILE_PERSONAL, NULL, NULL));
    assert_false(has_key(DEVICES));
    expect_text(PERSONAL "\\" ALICE, "Archive", "TBS");
    /* One of the devices writes all of them to the draft's key. */
    expect_ok(ctx, mesh_layout_add(ctx, MESH_PROFILE_DEVICE, WEB, NULL));
    expect_text(DEVICES, "", DEVICE);
    expect_text(DEVICES, DEVICE, "C:\\Mesh\\Devices\\" DEVICE ".mmmd");
    expect_text("ThisDevice", WEB, NULL);
    expect_text("ThisDevice", DEVICE, "C:\\Mesh\\Devices\\" DEVICE ".mmmd");
    /* Those that are removed there do not come back from here. */
    expect_ok(ctx, mesh_layout_remove(ctx, MESH_PROFILE_DEVICE, WEB));
    expect_ok(ctx, mesh_layout_remove(ctx, MESH_PROFILE_DEVICE, DEVICE));
    layout = opened();
    assert_null(mesh_layout_default(layout, MESH_PROFILE_DEVICE, NULL));
    assert_int_equal(mesh_layout_count(layout), 2);
    mesh_layout_free(layout);
}

static void the_only_old_device_is_removed(void **state)
{
    struct mesh_layout *layout;

    (void)state;
    put_name("ThisDevice", DEVICE, L"C:\\x.mmmd");
    expect_ok(ctx, mesh_layout_remove(ctx, MESH_PROFILE_DEVICE, DEVICE));
    layout = opened();
    assert_int_equal(mesh_layout_count(layout), 0);
    mesh_layout_free(layout);
}

/* The draft calls the accounts "Portal" once. */
static void portal(void **state)
{
    static const wchar_t slip[] = L"slip@example.net\0",
                         right[] = L"right@example.net\0";
    struct mesh_layout *layout;

    (void)state;
    put_text(PERSONAL "\\" ALICE, L"", L"C:\\x");
    put_value(PERSONAL "\\" ALICE, L"Portal", REG_MULTI_SZ, slip, sizeof(slip));
    layout = opened();
    assert_string_equal(mesh_layout_entry(layout, 0)->portals[0],
                        "slip@example.net");
    mesh_layout_free(layout);
    put_value(PERSONAL "\\" ALICE, L"Portals", REG_MULTI_SZ, right,
              sizeof(right));
    layout = opened();
    assert_string_equal(mesh_layout_entry(layout, 0)->portals[0],
                        "right@example.net");
    assert_null(mesh_layout_entry(layout, 0)->portals[1]);
    mesh_layout_free(layout);

    /* Windows lists values as they came, Wine by their names */
    put_text(PERSONAL "\\" DEVICE, L"", L"C:\\x");
    put_value(PERSONAL "\\" DEVICE, L"Portals", REG_MULTI_SZ, right,
              sizeof(right));
    put_value(PERSONAL "\\" DEVICE, L"Portal", REG_MULTI_SZ, slip,
              sizeof(slip));
    layout = opened();
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(mesh_layout_entry(layout, i)->portals[0],
                            "right@example.net");
    mesh_layout_free(layout);
}

static void empty(void **state)
{
    struct mesh_layout *layout = opened(); /* no key at all */

    (void)state;
    assert_int_equal(mesh_layout_count(layout), 0);
    assert_null(mesh_layout_default(layout, MESH_PROFILE_DEVICE, NULL));
    mesh_layout_free(layout);
    RegCloseKey(key_of("PersonalProfiles"));
    RegCloseKey(key_of("Other"));
    put_text("", L"", L"of others");
    layout = opened();
    assert_int_equal(mesh_layout_count(layout), 0);
    mesh_layout_free(layout);
}

/* Each value of another type is as if it were not there. */
static void wrong_types(void **state)
{
    static const struct {
        const char *key, *name, *trace;
    } values[] = {
        {PERSONAL, "", PERSONAL ": value \"\" ignored, it is no string"},
        {PERSONAL "\\" ALICE, "", "it names no file"},
        {APPS, "Web", "value \"Web\" ignored, it is no string"},
        {APPS, WEB, "value \"" WEB "\" ignored, it is no string"},
        {DEVICES, "", DEVICES ": value \"\" ignored, it is no string"},
        {DEVICES, DEVICE, "value \"" DEVICE "\" ignored, it is no string"},
    };
    static const DWORD types[] = {REG_NONE,  REG_BINARY, REG_DWORD,
                                  REG_QWORD, REG_LINK,   REG_MULTI_SZ};
    struct mesh_layout *layout;
    wchar_t name[MAX_PATH * 2];

    (void)state;
    for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
        begin_trace();
        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
            to_wide(values[i].name, name);
            put_value(values[i].key, name, types[t], L"C:\\x", 8);
        }
        layout = opened();
        assert_int_equal(mesh_layout_count(layout), 0);
        assert_null(mesh_layout_default(layout, MESH_PROFILE_PERSONAL, NULL));
        mesh_layout_free(layout);
        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
            expect_trace(values[i].trace);
    }
    put_text(PERSONAL "\\" ALICE, L"", L"C:\\x\\y.mmm");
    put_value(PERSONAL "\\" ALICE, L"Archive", REG_DWORD, L"\1", 4);
    put_text(PERSONAL "\\" ALICE, L"Portals", L"a@b.c");
    begin_trace();
    layout = opened();
    assert_int_equal(mesh_layout_count(layout), 1);
    assert_string_equal(mesh_layout_entry(layout, 0)->archive,
                        "C:\\x\\" ALICE ".all.mmm");
    assert_null(mesh_layout_entry(layout, 0)->portals[0]);
    expect_trace("value \"Archive\" ignored");
    expect_trace("value \"Portals\" ignored, it is no list of strings");
    mesh_layout_free(layout);
}

/* Names that are none, of values and of keys. */
static void foreign_names(void **state)
{
    struct mesh_layout *layout;

    (void)state;
    begin_trace();
    put_text(DEVICES, L"Comment of somebody", L"C:\\x");
    put_text(DEVICES, L"MAJBM-WHBCU", L"C:\\x"); /* too short */
    put_text(APPS, L"elevencharsx", L"C:\\x");
    put_text(PERSONAL "\\Backup", L"", L"C:\\x");
    layout = opened();
    assert_int_equal(mesh_layout_count(layout), 0);
    mesh_layout_free(layout);
    expect_trace("\"Comment of somebody\" ignored, its name is no fingerprint");
    expect_trace("\"MAJBM-WHBCU\" ignored");
    expect_trace("\"elevencharsx\" ignored");
    expect_trace("\"Backup\" ignored");
    /* and stay when something is added */
    expect_ok(ctx, mesh_layout_add(ctx, MESH_PROFILE_DEVICE, DEVICE, NULL));
    expect_text(DEVICES, "Comment of somebody", "C:\\x");
}

/* Strings that are not as their type says. */
static void bad_strings(void **state)
{
    static const struct {
        const wchar_t *data;
        size_t size;
        DWORD type;
        const char *file; /* NULL: no entry */
    } strings[] = {
        {L"C:\\unended", 20, REG_SZ, "C:\\unended"},
        {L"C:\\odd?", 13, REG_SZ, "C:\\odd"}, /* half a character more */
        {L"C:\\zero\0more", 26, REG_SZ, "C:\\zero"},
        {L"C:\\%NoSuchVariable%", 38, REG_EXPAND_SZ, "C:\\%NoSuchVariable%"},
        {L"C:\\%SystemRoot%", 32, REG_SZ, "C:\\%SystemRoot%"},
        {L"", 2, REG_SZ, NULL},
        {L"", 0, REG_SZ, NULL},
        {L"C", 1, REG_SZ, NULL},
        {L"C:\\\xd800", 10, REG_SZ, NULL}, /* half a pair */
    };
    static const wchar_t unended[] = L"a@b.c\0d@e.f\0";
    struct mesh_layout *layout;
    wchar_t *large = calloc(1, 1 << 20);

    (void)state;
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        begin_trace();
        put_value(DEVICES, L"" DEVICE, strings[i].type, strings[i].data,
                  strings[i].size);
        layout = opened();
        if (strings[i].file == NULL) {
            assert_int_equal(mesh_layout_count(layout), 0);
            expect_trace("ignored");
        } else {
            assert_int_equal(mesh_layout_count(layout), 1);
            assert_string_equal(mesh_layout_entry(layout, 0)->file,
                                strings[i].file);
        }
        mesh_layout_free(layout);
    }

    /* 1 MB, as a path, as accounts and as a default */
    for (size_t i = 0; i < (1 << 20) / sizeof(*large); i++)
        large[i] = L'x';
    begin_trace();
    put_value(DEVICES, L"" DEVICE, REG_SZ, large, 1 << 20);
    put_value(DEVICES, L"", REG_SZ, large, 1 << 20);
    put_text(PERSONAL "\\" ALICE, L"", L"C:\\x");
    put_value(PERSONAL "\\" ALICE, L"Portals", REG_MULTI_SZ, large, 1 << 20);
    layout = opened();
    assert_int_equal(mesh_layout_count(layout), 1);
    assert_null(mesh_layout_entry(layout, 0)->portals[0]);
    mesh_layout_free(layout);
    expect_trace("is longer than any path");
    /* the last account has no end */
    put_value(PERSONAL "\\" ALICE, L"Portals", REG_MULTI_SZ, unended, 22);
    layout = opened();
    assert_string_equal(mesh_layout_entry(layout, 0)->portals[1], "d@e.f");
    assert_null(mesh_layout_entry(layout, 0)->portals[2]);
    mesh_layout_free(layout);
    free(large);
}

static void bad_paths(void **state)
{
    static const struct {
        const wchar_t *path;
        const char *part;
    } paths[] = {
        {L"C:\\a\\..\\b", "\"..\" is not allowed"},
        {L"C:/a/../b", "\"..\" is not allowed"},
        {L"C:\\a\\../b", "\"..\" is not allowed"},
        {L"C:\\a\\..", "\"..\" is not allowed"},
        {L"..\\b", "\"..\" is not allowed"},
        {L"\\\\server\\share\\b.mmm", "on a network or a device"},
        {L"//server/share/b.mmm", "on a network or a device"},
        {L"\\\\?\\UNC\\server\\share\\b", "on a network or a device"},
        {L"\\\\.\\PhysicalDrive0", "on a network or a device"},
        {L"\\\\.\\pipe\\b", "on a network or a device"},
        {L"a\\b.mmm", "an absolute path is wanted"},
        {L"\\a\\b.mmm", "an absolute path is wanted"},
        {L"C:b.mmm", "an absolute path is wanted"},
        {L"C:\\a\\b.mmm:stream", "only a drive has a colon"},
        {L"C:\\a\\nul", "takes it for a device"},
        {L"C:\\a\\con.mmm", "takes it for a device"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        put_name(DEVICES, DEVICE, paths[i].path);
        expect_refused(MESH_R_UNSAFE_PATH, paths[i].part);
    }
    put_name(DEVICES, DEVICE, L"C:\\x");
    put_text(PERSONAL "\\" ALICE, L"", L"C:\\x");
    put_text(PERSONAL "\\" ALICE, L"Archive", L"\\\\server\\share\\b");
    expect_refused(MESH_R_UNSAFE_PATH,
                   "the file of " ALICE " in HKEY_CURRENT_USER\\SOFTWARE\\");
}

/* Defaults that name types, themselves or each other name nothing. */
static void loops_of_defaults(void **state)
{
    struct mesh_layout *layout;

    (void)state;
    put_text(APPS, L"Web", L"SSH");
    put_text(APPS, L"SSH", L"Web");
    put_text(APPS, L"Mail", L"Mail");
    put_text(APPS, L"Network", L"" DEVICE); /* another section's */
    put_name(APPS, WEB, L"C:\\x");
    put_text(PERSONAL, L"", L"" ALICE); /* of which there is none */
    put_text(DEVICES, L"", L"");
    put_name(DEVICES, DEVICE, L"" DEVICE ":\\"); /* no path */
    put_name(DEVICES, DEVICE, L"C:\\x");
    layout = opened();
    assert_int_equal(mesh_layout_count(layout), 2);
    assert_null(mesh_layout_default(layout, MESH_PROFILE_APPLICATION, "Web"));
    assert_null(mesh_layout_default(layout, MESH_PROFILE_APPLICATION, "SSH"));
    assert_null(mesh_layout_default(layout, MESH_PROFILE_APPLICATION, "Mail"));
    assert_null(
        mesh_layout_default(layout, MESH_PROFILE_APPLICATION, "Network"));
    assert_null(mesh_layout_default(layout, MESH_PROFILE_PERSONAL, NULL));
    assert_null(mesh_layout_default(layout, MESH_PROFILE_DEVICE, NULL));
    mesh_layout_free(layout);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_home, end_trace)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(reads),
        TEST(reference_form),
        TEST(the_only_old_device_is_removed),
        TEST(portal),
        TEST(empty),
        TEST(wrong_types),
        TEST(foreign_names),
        TEST(bad_strings),
        TEST(bad_paths),
        TEST(loops_of_defaults),
    };

    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
