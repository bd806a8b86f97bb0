/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * profiles.json: what it says, what is wrong with it, and its changes.
 */
#include "platform/key_files.h"
#include "platform/layout.h"
#include "tests/platform/home.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define ALICE  "MAY7L-S6SMQ-7LR3U-U6X5N-4N2BG-6EMNH"
#define DEVICE "MAJBM-WHBCU-IVXPI-VI7YZ-7WX2E-OBDPI"
#define WEB    "RC6V4-UZ3QE-U66M4-ZUZC5-AWADN-N6IKQ"
#define OLD    "MBSHO-5D2GR-T7TNK-XHJV6-BHX5I-KA6TX-A"
#define HALF   "00112233445566778899aabbccddeeff"
#define SPKI   HALF "00112233445566778899AABBCCDDEEFF"

static void put_layout(const char *text)
{
    put(in_home("profiles.json"), text, strlen(text), 0600);
}

static struct mesh_layout *opened(const char *text)
{
    struct mesh_layout *layout;

    if (text != NULL)
        put_layout(text);
    expect_ok(ctx, mesh_layout_open(ctx, &layout));
    return layout;
}

static void expect_refused(const char *text, enum mesh_reason reason,
                           const char *part)
{
    struct mesh_layout *layout = (void *)1;

    if (text != NULL)
        put_layout(text);
    assert_false(mesh_layout_open(ctx, &layout));
    assert_null(layout);
    expect_error(ctx, reason, part);
}

static void reads(void **state)
{
    struct mesh_layout *layout = opened(
        "{\"PersonalProfiles\": {\"Default\": \"" ALICE "\", \"" ALICE "\": {"
        "   \"File\": \"here/some.mmm\", \"Archive\": \"/there/some\","
        "   \"Portals\": [\"user@example.net\", 5, \"a@example.com\"]}},"
        " \"ApplicationProfiles\": {\"Web\": \"" WEB "\", \"" WEB "\": {},"
        "   \"SSH\": \"" OLD "\", \"" OLD "\": {}, \"Mail\": {}},"
        " \"DeviceProfiles\": {\"Default\": \"majbmwhbcuivxpivi7yz7wx2eobdpi\","
        "   \"" DEVICE "\": {\"File\": 5}}}");
    const struct mesh_layout_entry *entry;

    (void)state;
    assert_int_equal(mesh_layout_count(layout), 4);
    assert_null(mesh_layout_entry(layout, 4));

    entry = mesh_layout_default(layout, MESH_PROFILE_PERSONAL, NULL);
    assert_non_null(entry);
    assert_ptr_equal(entry, mesh_layout_entry(layout, 0));
    assert_int_equal(entry->kind, MESH_PROFILE_PERSONAL);
    assert_string_equal(entry->name, ALICE);
    assert_int_equal(entry->udf.bits, 150);
    assert_string_equal(entry->file, in_home("here/some.mmm"));
    assert_string_equal(entry->archive, "/there/some");
    assert_string_equal(entry->portals[0], "user@example.net");
    assert_string_equal(entry->portals[1], "a@example.com");
    assert_null(entry->portals[2]);

    /* The default may be spelled otherwise; a wrong type is as if it were not
     * there. */
    entry = mesh_layout_default(layout, MESH_PROFILE_DEVICE, NULL);
    assert_non_null(entry);
    assert_string_equal(entry->name, DEVICE);
    assert_string_equal(entry->file, in_home(DEVICE "/" DEVICE ".mmm"));
    assert_string_equal(entry->archive, in_home(DEVICE "/" DEVICE ".all.mmm"));
    assert_null(entry->portals[0]);

    entry = mesh_layout_default(layout, MESH_PROFILE_APPLICATION, "Web");
    assert_string_equal(entry->name, WEB);
    entry = mesh_layout_default(layout, MESH_PROFILE_APPLICATION, "SSH");
    assert_string_equal(entry->name, OLD);
    assert_string_equal(entry->file, in_home(OLD "/" OLD ".mmm"));
    assert_null(mesh_layout_default(layout, MESH_PROFILE_APPLICATION, "Mail"));
    assert_null(mesh_layout_default(layout, MESH_PROFILE_APPLICATION, "Other"));
    assert_null(mesh_layout_default(layout, MESH_PROFILE_APPLICATION, NULL));
    assert_null(mesh_layout_default(layout, MESH_PROFILE_DEVICE, "Web"));
    mesh_layout_free(layout);
    mesh_layout_free(NULL);
}

/* An account is a person's: nobody vouches for what the file of a device or an
 * application says. */
static void accounts(void **state)
{
    struct mesh_layout *layout = opened(
        "{\"PersonalProfiles\": {\"" ALICE "\": {"
        "   \"Portals\": [\"other@example.net\", \"user@example.net\"]}},"
        " \"DeviceProfiles\": {\"" DEVICE "\": {"
        "   \"Portals\": [\"device@example.net\"]}}}");

    (void)state;
    assert_ptr_equal(mesh_layout_find_account(layout, "User@example.net"),
                     mesh_layout_entry(layout, 0));
    assert_null(mesh_layout_find_account(layout, "device@example.net"));
    assert_null(mesh_layout_find_account(layout, "user@example.ne"));
    mesh_layout_free(layout);
}

static void empty_layouts(void **state)
{
    static const char *const texts[] = {
        "{}",
        "{\"PersonalProfiles\": {}}",
        "{\"PersonalProfiles\": 5, \"DeviceProfiles\": [], \"KeyFiles\": \"\"}",
        "{\"DeviceProfiles\": {\"Default\": \"" DEVICE "\", \"x\": 1}}",
        "{\"DeviceProfiles\": {\"" DEVICE "\": \"file\"}}",
        "{\"SomethingNew\": {\"not a fingerprint\": {}}}",
    };

    (void)state;
    /* No file, then no folder. */
    for (int i = 0; i < 2; i++) {
        struct mesh_layout *layout = opened(NULL);

        assert_int_equal(mesh_layout_count(layout), 0);
        assert_null(mesh_layout_entry(layout, 0));
        assert_null(mesh_layout_default(layout, MESH_PROFILE_DEVICE, NULL));
        assert_null(mesh_key_file_entry(layout, 0));
        mesh_layout_free(layout);
        rmdir(home);
    }
    mkdir(home, 0700);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct mesh_layout *layout = opened(texts[i]);

        assert_int_equal(mesh_layout_count(layout), 0);
        assert_null(mesh_layout_default(layout, MESH_PROFILE_DEVICE, NULL));
        mesh_layout_free(layout);
    }
}

static void malformed(void **state)
{
    static const struct {
        const char *text;
        enum mesh_reason reason;
        const char *part;
    } wrong[] = {
        {"", MESH_R_LAYOUT_MALFORMED, "line 1, column 0"},
        {"[]", MESH_R_LAYOUT_MALFORMED, "an object is wanted"},
        {"{\n  \"a\": }", MESH_R_LAYOUT_MALFORMED, "line 2, column 8"},
        {"{} {}", MESH_R_LAYOUT_MALFORMED, "end of file expected"},
        {"{\"a\": 1, \"a\": 1}", MESH_R_LAYOUT_MALFORMED, "duplicate"},
        {"{\"a\": \"\xff\"}", MESH_R_LAYOUT_MALFORMED, "byte 0xff"},
        {"{\"a\\u0000\": 1}", MESH_R_LAYOUT_MALFORMED, "\\u0000"},
        {"{\"DeviceProfiles\": {\"no-name\": {}}}", MESH_R_LAYOUT_MALFORMED,
         "\"no-name\" in DeviceProfiles is no fingerprint"},
        {"{\"DeviceProfiles\": {\"MAJBM-WHBCU\": {}}}", MESH_R_LAYOUT_MALFORMED,
         "\"MAJBM-WHBCU\" in DeviceProfiles is no fingerprint"},
        {"{\"ApplicationProfiles\": {\"elevencharsx\": {}}}",
         MESH_R_LAYOUT_MALFORMED, "elevencharsx"},
        {"{\"DeviceProfiles\": {\"" DEVICE "\": {\"File\": \"../x\"}}}",
         MESH_R_UNSAFE_PATH, "../x, the file of " DEVICE},
        {"{\"DeviceProfiles\": {\"" DEVICE "\": {\"File\": \"/a/../x\"}}}",
         MESH_R_UNSAFE_PATH, "/a/../x"},
        {"{\"DeviceProfiles\": {\"" DEVICE "\": {\"Archive\": \"a/..\"}}}",
         MESH_R_UNSAFE_PATH, "a/.."},
        {"{\"DeviceProfiles\": {\"" DEVICE "\": {\"File\": \"..\"}}}",
         MESH_R_UNSAFE_PATH, ".."},
    };
    char *deep = malloc(20001);
    struct mesh_layout *layout;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        expect_refused(wrong[i].text, wrong[i].reason, wrong[i].part);
    memset(deep, '[', 10000);
    memset(deep + 10000, ']', 10000);
    deep[20000] = '\0';
    expect_refused(deep, MESH_R_LAYOUT_MALFORMED, "nested too deeply");
    free(deep);
    /* Dots in names are no way up. */
    layout = opened("{\"DeviceProfiles\": {\"" DEVICE
                    "\": {\"File\": \"a../..b/...\"}}}");
    assert_int_equal(mesh_layout_count(layout), 1);
    mesh_layout_free(layout);
}

static void unsafe(void **state)
{
    FILE *large;

    (void)state;
    put(in_home("elsewhere"), "{}", 2, 0600);
    assert_int_equal(symlink("elsewhere", in_home("profiles.json")), 0);
    expect_refused(NULL, MESH_R_UNSAFE_FILE, "symbolic link");
    assert_false(mesh_layout_add(ctx, MESH_PROFILE_DEVICE, DEVICE, NULL));
    expect_error(ctx, MESH_R_UNSAFE_FILE, "symbolic link");
    unlink(in_home("profiles.json"));
    assert_int_equal(symlink("nowhere", in_home("profiles.json")), 0);
    expect_refused(NULL, MESH_R_UNSAFE_FILE, "symbolic link");
    unlink(in_home("profiles.json"));
    assert_int_equal(mkdir(in_home("profiles.json"), 0700), 0);
    expect_refused(NULL, MESH_R_UNSAFE_FILE, "is a folder");
    rmdir(in_home("profiles.json"));

    put_layout("{}");
    chmod(in_home("profiles.json"), 0620);
    expect_refused(NULL, MESH_R_UNSAFE_FILE, "profiles.json has mode 0620");
    assert_false(mesh_layout_add(ctx, MESH_PROFILE_DEVICE, DEVICE, NULL));
    expect_error(ctx, MESH_R_UNSAFE_FILE, "mode 0620");
    chmod(in_home("profiles.json"), 0600);
    chmod(home, 0757);
    expect_refused(NULL, MESH_R_UNSAFE_FILE, "home has mode 0757");
    chmod(home, 0700);
    mesh_layout_free(opened(NULL));

    large = fopen(in_home("profiles.json"), "r+");
    assert_int_equal(ftruncate(fileno(large), (64 << 20) + 1), 0);
    fclose(large);
    expect_refused(NULL, MESH_R_PROFILE_TOO_LARGE, "67108865 octets");
    /* The home is a file. */
    nftw(home, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    put(home, "", 0, 0600);
    expect_refused(NULL, MESH_R_FILE_MISSING, "no folder");
    assert_false(mesh_layout_add(ctx, MESH_PROFILE_DEVICE, DEVICE, NULL));
    expect_error(ctx, MESH_R_FILE_MISSING, "no folder");
}

static json_t *document(void)
{
    json_error_t error;
    json_t *root = json_load_file(in_home("profiles.json"), 0, &error);

    assert_non_null(root);
    return root;
}

static void expect_document(const char *text)
{
    json_t *is = document(), *should = json_loads(text, 0, NULL);

    assert_non_null(should);
    if (!json_equal(is, should))
        json_dumpf(is, stderr, JSON_INDENT(2));
    assert_true(json_equal(is, should));
    json_decref(is);
    json_decref(should);
}

static void changes(void **state)
{
    static const char *const portals[] = {"user@example.net", "a@b.c", NULL};
    static const char *const latin1[] = {"\xe4@example.net", NULL};
    struct stat st;

    (void)state;
    put_layout("{\"Version\": 3, \"DeviceProfiles\": {\"Default\": \"" ALICE
               "\", \"New\": [1.5], \"" ALICE "\": {\"File\": \"elsewhere\","
               " \"Comment\": \"mine\", \"Portals\": [\"old\"]}}}");
    expect_ok(ctx, mesh_layout_add(ctx, MESH_PROFILE_DEVICE, ALICE, NULL));
    expect_ok(ctx, mesh_layout_add(ctx, MESH_PROFILE_DEVICE, DEVICE, portals));
    /* The same name in another spelling is the same entry. */
    expect_ok(ctx, mesh_layout_add(ctx, MESH_PROFILE_DEVICE,
                                   "may7ls6smq7lr3uu6x5n4n2bg6emnh", NULL));
    expect_ok(ctx, mesh_layout_add(ctx, MESH_PROFILE_DEVICE, ALICE, NULL));
    expect_ok(ctx,
              mesh_layout_set_default(ctx, MESH_PROFILE_DEVICE, NULL, DEVICE));
    expect_ok(ctx, mesh_layout_add(ctx, MESH_PROFILE_APPLICATION, WEB, NULL));
    expect_ok(ctx, mesh_layout_set_default(ctx, MESH_PROFILE_APPLICATION, "Web",
                                           WEB));
    expect_ok(ctx, mesh_layout_set_default(ctx, MESH_PROFILE_APPLICATION,
                                           "Mail", WEB));
    expect_document(
        "{\"Version\": 3, \"DeviceProfiles\": {\"Default\": \"" DEVICE
        "\", \"New\": [1.5], \"" ALICE "\": {\"Comment\": \"mine\","
        "   \"File\": \"" ALICE "/" ALICE ".mmm\","
        "   \"Archive\": \"" ALICE "/" ALICE ".all.mmm\"},"
        "  \"" DEVICE "\": {\"File\": \"" DEVICE "/" DEVICE ".mmm\","
        "   \"Archive\": \"" DEVICE "/" DEVICE ".all.mmm\","
        "   \"Portals\": [\"user@example.net\", \"a@b.c\"]}},"
        " \"ApplicationProfiles\": {\"Web\": \"" WEB "\", \"Mail\": \"" WEB
        "\", \"" WEB "\": {\"File\": \"" WEB "/" WEB ".mmm\","
        "   \"Archive\": \"" WEB "/" WEB ".all.mmm\"}}}");
    assert_int_equal(stat(in_home("profiles.json"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);

    /* With the entry go all of its defaults, and an empty section. */
    expect_ok(ctx, mesh_layout_remove(ctx, MESH_PROFILE_APPLICATION, WEB));
    expect_ok(ctx, mesh_layout_remove(ctx, MESH_PROFILE_DEVICE, ALICE));
    expect_ok(ctx,
              mesh_layout_set_default(ctx, MESH_PROFILE_DEVICE, NULL, NULL));
    expect_document("{\"Version\": 3,"
                    " \"DeviceProfiles\": {\"New\": [1.5],"
                    "  \"" DEVICE "\": {\"File\": \"" DEVICE "/" DEVICE
                    ".mmm\", \"Archive\": \"" DEVICE "/" DEVICE ".all.mmm\","
                    "   \"Portals\": [\"user@example.net\", \"a@b.c\"]}}}");

    /* What cannot be done changes nothing. */
    json_t *before = document(), *after;

    assert_false(mesh_layout_remove(ctx, MESH_PROFILE_DEVICE, ALICE));
    expect_error(ctx, MESH_R_FINGERPRINT_UNKNOWN, ALICE);
    assert_false(
        mesh_layout_set_default(ctx, MESH_PROFILE_PERSONAL, NULL, ALICE));
    expect_error(ctx, MESH_R_FINGERPRINT_UNKNOWN, "PersonalProfiles");
    assert_false(
        mesh_layout_set_default(ctx, MESH_PROFILE_DEVICE, "Web", DEVICE));
    expect_error(ctx, MESH_R_USAGE, "Web");
    assert_false(
        mesh_layout_set_default(ctx, MESH_PROFILE_APPLICATION, NULL, WEB));
    expect_error(ctx, MESH_R_USAGE, "ApplicationProfiles");
    assert_false(mesh_layout_set_default(ctx, MESH_PROFILE_APPLICATION,
                                         "Elevenchars", WEB));
    expect_error(ctx, MESH_R_USAGE, "Elevenchars");
    assert_false(mesh_layout_add(ctx, MESH_PROFILE_DEVICE, "../x", NULL));
    expect_error(ctx, MESH_R_FINGERPRINT_SYNTAX, "../x");
    assert_false(mesh_layout_add(ctx, MESH_PROFILE_DEVICE, "MAJBM", NULL));
    expect_error(ctx, MESH_R_FINGERPRINT_TOO_SHORT, "MAJBM");
    assert_false(mesh_layout_add(ctx, MESH_PROFILE_DEVICE, ALICE, latin1));
    expect_error(ctx, MESH_R_USAGE, "UTF-8");
    after = document();
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);

    /* A name without an object is no entry, and becomes one. */
    put_layout("{\"DeviceProfiles\": {\"" DEVICE "\": \"file\"}}");
    expect_ok(ctx, mesh_layout_add(ctx, MESH_PROFILE_DEVICE, DEVICE, NULL));
    expect_document("{\"DeviceProfiles\": {\"" DEVICE "\": {"
                    " \"File\": \"" DEVICE "/" DEVICE ".mmm\","
                    " \"Archive\": \"" DEVICE "/" DEVICE ".all.mmm\"}}}");

    /* What we do not understand is not replaced. */
    put_layout("{\"DeviceProfiles\": 5}");
    assert_false(mesh_layout_add(ctx, MESH_PROFILE_DEVICE, ALICE, NULL));
    expect_error(ctx, MESH_R_LAYOUT_MALFORMED, "DeviceProfiles");
    expect_document("{\"DeviceProfiles\": 5}");
    put_layout("{\"DeviceProfiles\": ");
    assert_false(mesh_layout_add(ctx, MESH_PROFILE_DEVICE, ALICE, NULL));
    expect_error(ctx, MESH_R_LAYOUT_MALFORMED, "line 1");
    assert_int_equal(entries(home), 2); /* and the lock */
}

static void key_files(void **state)
{
    static const struct {
        const char *text;
        enum mesh_reason reason;
        const char *part;
    } wrong[] = {
        {"\"abc\": {}", MESH_R_LAYOUT_MALFORMED, "abc"},
        {"\"" ALICE "\": {}", MESH_R_LAYOUT_MALFORMED, "no File"},
        {"\"" ALICE "\": {\"File\": \"/k\"}", MESH_R_LAYOUT_MALFORMED,
         "SPKI-SHA256"},
        {"\"" ALICE "\": {\"File\": \"/k\", \"SPKI-SHA256\": \"00\"}",
         MESH_R_LAYOUT_MALFORMED, "64 hexadecimal"},
        {"\"" ALICE "\": {\"File\": \"k\", \"SPKI-SHA256\": \"" SPKI "\"}",
         MESH_R_LAYOUT_MALFORMED, "absolute"},
        {"\"" ALICE "\": {\"File\": \"/../k\", \"SPKI-SHA256\": \"" SPKI "\"}",
         MESH_R_UNSAFE_PATH, "/../k"},
        {"\"" ALICE "\": {\"File\": \"/k\", \"SPKI-SHA256\": \"" SPKI
         "\", \"Passphrase\": \"open sesame\"}",
         MESH_R_LAYOUT_MALFORMED, "credential:NAME"},
        {"\"" ALICE "\": {\"File\": \"/k\", \"SPKI-SHA256\": \"" SPKI
         "\", \"Passphrase\": 1}",
         MESH_R_LAYOUT_MALFORMED, "no string"},
    };
    struct mesh_key_file file = {
        .udf = DEVICE, .path = "/etc/ssl/private/www.pem", .spki_sha256 = {7}};
    const struct mesh_key_file *entry;
    struct mesh_layout *layout;
    char text[512];

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(text, sizeof(text), "{\"KeyFiles\": {%s}}", wrong[i].text);
        expect_refused(text, wrong[i].reason, wrong[i].part);
    }
    layout = opened("{\"KeyFiles\": {\"" ALICE "\": {\"File\": \"/k\","
                    " \"SPKI-SHA256\": \"" SPKI "\", \"New\": 1,"
                    " \"Passphrase\": \"credential:www\"}, \"New\": 1}}");
    entry = mesh_key_file_entry(layout, 0);
    assert_string_equal(entry->udf, ALICE);
    assert_string_equal(entry->path, "/k");
    assert_string_equal(entry->passphrase, "credential:www");
    assert_int_equal(entry->spki_sha256[1], 0x11);
    assert_int_equal(entry->spki_sha256[31], 0xff);
    assert_null(mesh_key_file_entry(layout, 1));
    mesh_layout_free(layout);

    expect_ok(ctx, mesh_key_file_add(ctx, &file));
    file.udf = ALICE;
    file.path = "/other";
    expect_ok(ctx, mesh_key_file_add(ctx, &file));
    layout = opened(NULL);
    entry = mesh_key_file_entry(layout, 0);
    assert_string_equal(entry->path, "/other");
    assert_null(entry->passphrase);
    assert_memory_equal(entry->spki_sha256, file.spki_sha256, 32);
    assert_string_equal(mesh_key_file_entry(layout, 1)->udf, DEVICE);
    mesh_layout_free(layout);
    expect_ok(ctx, mesh_key_file_remove(ctx, DEVICE));
    expect_document("{\"KeyFiles\": {\"New\": 1, \"" ALICE "\": {\"New\": 1,"
                    " \"File\": \"/other\", \"SPKI-SHA256\": \"0700000000000000"
                    "000000000000000000000000000000000000000000000000\"}}}");

    assert_false(mesh_key_file_remove(ctx, DEVICE));
    expect_error(ctx, MESH_R_FINGERPRINT_UNKNOWN, DEVICE);
    file.path = "relative";
    assert_false(mesh_key_file_add(ctx, &file));
    expect_error(ctx, MESH_R_LAYOUT_MALFORMED, "relative");
    file.path = "/a/../b";
    assert_false(mesh_key_file_add(ctx, &file));
    expect_error(ctx, MESH_R_UNSAFE_PATH, "/a/../b");
    file.path = "/a";
    file.passphrase = "credential:";
    assert_false(mesh_key_file_add(ctx, &file));
    expect_error(ctx, MESH_R_LAYOUT_MALFORMED, "credential:NAME");
    file.passphrase = NULL;
    file.udf = "abc";
    assert_false(mesh_key_file_add(ctx, &file));
    expect_error(ctx, MESH_R_FINGERPRINT_TOO_SHORT, "abc");
}

/* Eight programs add twenty profiles each: none is lost. */
static void writers_at_once(void **state)
{
    enum { WRITERS = 8, ADDS = 20 };
    pid_t pids[WRITERS];
    struct mesh_layout *layout;

    (void)state;
    rmdir(home);
    for (int i = 0; i < WRITERS; i++)
        if ((pids[i] = fork()) == 0) {
            int ok = 1;

            for (int j = 0; j < ADDS; j++) {
                struct mesh_udf udf;
                char text[MESH_UDF_TEXT_MAX];

                ok &= mesh_udf_random(ctx, &udf);
                mesh_udf_print(&udf, text);
                ok &=
                    mesh_layout_add(ctx, MESH_PROFILE_APPLICATION, text, NULL);
            }
            if (!ok)
                print_error("%s\n", capture.text);
            _exit(!ok);
        }
    for (int i = 0; i < WRITERS; i++) {
        int status;

        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    layout = opened(NULL);
    assert_int_equal(mesh_layout_count(layout), WRITERS * ADDS);
    mesh_layout_free(layout);
    assert_int_equal(entries(home), 2);
}

/* Killed between two additions or in one: all that were reported are there. */
static void killed_while_adding(void **state)
{
    struct mesh_layout *layout;
    size_t done = 0;

    (void)state;
    for (int round = 0; round < 20; round++) {
        int report[2];
        char c;
        pid_t pid;

        assert_int_equal(pipe(report), 0);
        if ((pid = fork()) == 0)
            for (;;) {
                struct mesh_udf udf;
                char text[MESH_UDF_TEXT_MAX];

                if (!mesh_udf_random(ctx, &udf))
                    _exit(1);
                mesh_udf_print(&udf, text);
                if (!mesh_layout_add(ctx, MESH_PROFILE_DEVICE, text, NULL)
                    || write(report[1], "x", 1) != 1)
                    _exit(1);
            }
        close(report[1]);
        assert_int_equal(read(report[0], &c, 1), 1);
        done++;
        nanosleep(&(struct timespec){.tv_nsec = (1 + round) * 1000000}, NULL);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        while (read(report[0], &c, 1) == 1)
            done++;
        close(report[0]);
        layout = opened(NULL);
        /* One more may have been written and not reported. */
        assert_in_range(mesh_layout_count(layout), done, done + 1);
        done = mesh_layout_count(layout);
        mesh_layout_free(layout);
    }
}

/* Seconds of work to read a layout of so many profiles and to add one more. */
static double time_of(size_t count)
{
    FILE *file = fopen(in_home("profiles.json"), "w");
    struct mesh_layout *layout;
    struct timespec before, after;

    fputs("{\"DeviceProfiles\": {", file);
    for (size_t i = 0; i < count; i++) {
        struct mesh_udf udf;
        char text[MESH_UDF_TEXT_MAX];

        expect_ok(ctx, mesh_udf_random(ctx, &udf));
        mesh_udf_print(&udf, text);
        fprintf(file, "\"%s\": {\"Portals\": [\"a@b.c\"]},\n", text);
    }
    fputs("\"" DEVICE "\": {}, \"Default\": \"" DEVICE "\"}}", file);
    fclose(file);
    chmod(in_home("profiles.json"), 0600);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    layout = opened(NULL);
    assert_int_equal(mesh_layout_count(layout), count + 1);
    assert_ptr_equal(mesh_layout_default(layout, MESH_PROFILE_DEVICE, NULL),
                     mesh_layout_entry(layout, count));
    mesh_layout_free(layout);
    expect_ok(ctx, mesh_layout_add(ctx, MESH_PROFILE_DEVICE, ALICE, NULL));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    return (double)(after.tv_sec - before.tv_sec)
           + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
}

/* Time grows with the number of profiles, not with its square. */
static void many(void **state)
{
    double few = time_of(10000), most = time_of(100000);

    (void)state;
    print_message("10 000: %.3f s, 100 000: %.3f s\n", few, most);
    assert_true(most < 40 * few + 0.2);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads, make_home, remove_home),
        cmocka_unit_test_setup_teardown(accounts, make_home, remove_home),
        cmocka_unit_test_setup_teardown(empty_layouts, make_home, remove_home),
        cmocka_unit_test_setup_teardown(malformed, make_home, remove_home),
        cmocka_unit_test_setup_teardown(unsafe, make_home, remove_home),
        cmocka_unit_test_setup_teardown(changes, make_home, remove_home),
        cmocka_unit_test_setup_teardown(key_files, make_home, remove_home),
        cmocka_unit_test_setup_teardown(writers_at_once, make_home,
                                        remove_home),
        cmocka_unit_test_setup_teardown(killed_while_adding, make_home,
                                        remove_home),
        cmocka_unit_test_setup_teardown(many, make_home, remove_home),
    };

    umask(022);
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
