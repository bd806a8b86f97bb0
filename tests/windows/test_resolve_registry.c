/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The real files, entered in the registry as the implementation of 2017 did it,
 * resolve as they do through profiles.json; and so do they as we enter them.
 */
#include "store/resolve.h"

#include "store/locate.h"
#include "tests/store/store_test.h"
#include "tests/windows/registry_home.h"

#define PERSONAL "MAY7L-S6SMQ-7LR3U-U6X5N-4N2BG-6EMNH"
#define CONFIRM  "RDEAT-YPBQ2-34AFV-UHNYI-QHWUU-7F6AO"
#define RECRYPT  "RD2KV-F7E4T-BZFPS-LOY2H-O7KLO-IVSEK"

/* Puts a real file somewhere in the folder; the path is in *wide. */
static void put_file(const char *name, const char *below,
                     wchar_t wide[MAX_PATH * 2])
{
    char *text = fixture(name);

    expect_ok(
        ctx, mesh_layout_write_file(ctx, in_folder(below), text, strlen(text)));
    free(text);
    to_wide(in_folder(below), wide);
}

static void put_as_reference(void)
{
    static const wchar_t portals[] = L"a@example.com\0user@example.net\0";
    wchar_t path[MAX_PATH * 2];

    put_file("2017-alice.mmmp", "Personal\\" PERSONAL ".mmmp", path);
    put_text("PersonalProfiles", L"", L"" PERSONAL);
    put_text("PersonalProfiles\\" PERSONAL, L"", path);
    put_text("PersonalProfiles\\" PERSONAL, L"Archive", L"TBS");
    put_value("PersonalProfiles\\" PERSONAL, L"Portals", REG_MULTI_SZ, portals,
              sizeof(portals));
    put_file("2017-alice.mmmd", "Devices\\" DEVICE ".mmmd", path);
    put_text("ThisDevice", L"", L"" DEVICE);
    put_text("ThisDevice", L"" DEVICE, path);
    put_file("2017-alice-confirm.mmma", "Applications\\" CONFIRM ".mmma", path);
    put_text("ApplicationProfiles", L"" CONFIRM, path);
    put_file("2017-alice-recrypt.mmma", "Applications\\" RECRYPT ".mmma", path);
    put_text("ApplicationProfiles", L"" RECRYPT, path);
}

static void put_ours(enum mesh_profile_kind kind, const char *udf,
                     const char *name)
{
    static const char *const portals[] = {"user@example.net", NULL};
    wchar_t path[MAX_PATH * 2];
    char below[128];

    snprintf(below, sizeof(below), "%s\\%s.mmm", udf, udf);
    put_file(name, below, path);
    expect_ok(ctx,
              mesh_layout_add(ctx, kind, udf,
                              kind == MESH_PROFILE_PERSONAL ? portals : NULL));
    if (kind != MESH_PROFILE_APPLICATION)
        expect_ok(ctx, mesh_layout_set_default(ctx, kind, NULL, udf));
}

static void put_as_ours(void)
{
    put_ours(MESH_PROFILE_PERSONAL, PERSONAL, "2017-alice.mmmp");
    put_ours(MESH_PROFILE_DEVICE, DEVICE, "2017-alice.mmmd");
    put_ours(MESH_PROFILE_APPLICATION, CONFIRM, "2017-alice-confirm.mmma");
    put_ours(MESH_PROFILE_APPLICATION, RECRYPT, "2017-alice-recrypt.mmma");
}

/* The URI gives these names. */
static void gives(const char *uri, const char *wanted)
{
    struct mesh_objects objects;
    char names[4096] = "";

    expect_ok(ctx, mesh_resolve(ctx, uri, MESH_OBJECT_ANY, NULL, &objects));
    for (size_t i = 0; i < objects.count; i++) {
        OPENSSL_strlcat(names, objects.items[i].name, sizeof(names));
        OPENSSL_strlcat(names, "\n", sizeof(names));
    }
    mesh_objects_free(&objects);
    assert_string_equal(names, wanted);
}

static void resolves(void)
{
    static const char device[] = "mesh://" DEVICE "/sign\n"
                                 "mesh://" DEVICE "/auth\n"
                                 "mesh://" DEVICE "/encrypt\n";
    struct mesh_layout *layout;

    gives("mesh:device", device);
    gives("mesh://" DEVICE, device);
    gives("mesh://personal", "mesh://" PERSONAL "/sign\n"
                             "mesh://" PERSONAL "/master\n"
                             "mesh://" PERSONAL "/escrow\n");
    gives("mesh://user@example.net/sign", "mesh://" PERSONAL "/sign\n");
    expect_ok(ctx, mesh_layout_open(ctx, &layout));
    assert_int_equal(mesh_layout_count(layout), 4);
    for (size_t i = 0; i < 4; i++) {
        struct mesh_profile *profile;
        const struct mesh_layout_entry *entry = mesh_layout_entry(layout, i);

        expect_ok(ctx,
                  mesh_locate(ctx, layout, entry, MESH_LOCATE_QUICK, &profile));
        assert_int_equal(profile->kind, entry->kind);
        assert_string_equal(profile->identifier, entry->name);
        mesh_profile_free(profile);
    }
    mesh_layout_free(layout);
}

static void as_the_reference_enters_them(void **state)
{
    (void)state;
    put_as_reference();
    resolves();
}

static void as_we_enter_them(void **state)
{
    (void)state;
    put_as_ours();
    resolves();
}

/* The path in the registry is followed, whatever it is. */
static void another_file(void **state)
{
    struct mesh_objects objects;
    wchar_t path[MAX_PATH * 2];

    (void)state;
    put_as_ours();
    put_file("2017-alice-confirm.mmma", "other", path);
    put_text("DeviceProfiles", L"" DEVICE, path);
    assert_false(
        mesh_resolve(ctx, "mesh:device", MESH_OBJECT_ANY, NULL, &objects));
    expect_error(ctx, MESH_R_PROFILE_KIND, "other");
    put_text("DeviceProfiles", L"" DEVICE, L"C:\\windows");
    assert_false(
        mesh_resolve(ctx, "mesh:device", MESH_OBJECT_ANY, NULL, &objects));
    expect_error(ctx, MESH_R_UNSAFE_FILE, "C:\\windows is a folder");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_home, remove_home)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(as_the_reference_enters_them),
        TEST(as_we_enter_them),
        TEST(another_file),
    };

    return test_status(
        cmocka_run_group_tests_name("resolve", tests, NULL, NULL));
}
