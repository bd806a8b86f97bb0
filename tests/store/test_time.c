/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Times of RFC 3339: what they mean in UTC, what is none.
 */
#include "store/payload.h"

#include "tests/store/store_test.h"

static mesh_time parsed(const char *text)
{
    mesh_time time;

    if (!mesh_time_parse(text, &time))
        fail_msg("'%s' is no time", text);
    return time;
}

static void test_in_utc(void **state)
{
    /* the same moment */
    static const char *const same[] = {
        "2017-09-18t13:00:45z",          "2017-09-18T13:00:45+00:00",
        "2017-09-18T13:00:45-00:00",     "2017-09-18T15:00:45+02:00",
        "2017-09-19T00:30:45.000+11:30", "2017-09-17T23:30:45-13:30",
        "2017-09-18T13:00:45.0000009Z",
    };
    size_t i;

    (void)state;
    assert_true(parsed("1970-01-01T00:00:00Z") == 0);
    assert_true(parsed("2017-09-18T13:00:45Z")
                == INT64_C(1505739645) * MESH_TIME_SECOND);
    for (i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        assert_true(parsed(same[i]) == parsed("2017-09-18T13:00:45Z"));
    assert_true(parsed("2017-09-18T13:00:45.25Z")
                == parsed("2017-09-18T13:00:45Z") + MESH_TIME_SECOND / 4);
    assert_true(parsed("2016-12-31T23:59:60Z")
                == parsed("2017-01-01T00:00:00Z"));
    assert_true(parsed("2000-03-01T00:00:00Z")
                == parsed("2000-02-29T00:00:00Z") + MESH_TIME_DAY);
    assert_true(parsed("1900-03-01T00:00:00Z")
                == parsed("1900-02-28T00:00:00Z") + MESH_TIME_DAY);
    assert_true(parsed("0000-01-01T00:00:00Z")
                == INT64_C(-62167219200) * MESH_TIME_SECOND);
    assert_true(parsed("9999-12-31T23:59:59Z")
                == INT64_C(253402300799) * MESH_TIME_SECOND);
}

static void test_none(void **state)
{
    static const char *const none[] = {
        "",
        "2017",
        "2017-09-18",
        "2017-09-18T13:00:45",
        "2017-09-18 13:00:45Z",
        "2017-09-18T13:00Z",
        "2017-09-18T13:00:45Zulu",
        "2017-09-18T13:00:45Z\x1b[2J",
        "2017-09-18T13:00:45.Z",
        "2017-09-18T13:00:45+2:00",
        "2017-09-18T13:00:45+0200",
        "2017-09-18T13:00:45+24:00",
        "2017-09-18T13:00:45+02:60",
        "2017-00-18T13:00:45Z",
        "2017-13-18T13:00:45Z",
        "2017-09-00T13:00:45Z",
        "2017-09-31T13:00:45Z",
        "2017-02-29T13:00:45Z",
        "1900-02-29T13:00:45Z",
        "2017-09-18T24:00:00Z",
        "2017-09-18T13:60:00Z",
        "2017-09-18T13:00:61Z",
        "+017-09-18T13:00:45Z",
        "12017-09-18T13:00:45Z",
    };
    mesh_time time;
    size_t i;

    (void)state;
    assert_false(mesh_time_parse(NULL, &time));
    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        if (mesh_time_parse(none[i], &time))
            fail_msg("'%s' is a time", none[i]);
}

static void test_print(void **state)
{
    static const char *const times[] = {
        "1900-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z",
        "2017-09-18T13:00:45Z", "2024-02-29T23:59:59Z", "9999-12-31T23:59:59Z",
    };
    char text[MESH_TIME_TEXT_MAX];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        assert_true(mesh_time_print(parsed(times[i]), text));
        assert_string_equal(text, times[i]);
    }
    assert_false(mesh_time_print(
        parsed("9999-12-31T23:59:59Z") + MESH_TIME_SECOND, text));
}

/* What a payload says after a change, if it said before before that. */
static void after(const char *before, const char *then)
{
    struct mesh_context *ctx = test_context();
    json_t *inner = json_pack("{ss}", "Updated", before);
    mesh_time now = mesh_time_now(), time;

    expect_ok(ctx, mesh_payload_touch(ctx, inner));
    if (then != NULL) {
        assert_string_equal(
            json_string_value(json_object_get(inner, "Updated")), then);
    } else {
        assert_true(mesh_payload_updated(inner, &time));
        assert_in_range(time - now, 0, 60 * MESH_TIME_SECOND);
    }
    json_decref(inner);
    mesh_context_free(ctx);
}

static void test_change_is_later(void **state)
{
    (void)state;
    after("2999-01-01T00:00:00Z", "2999-01-01T00:00:01Z");
    after("2999-01-01T00:00:00.9z", "2999-01-01T00:00:01Z");
    after("2999-01-01T01:00:00+02:00", "2998-12-31T23:00:01Z");
    after("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z");
    after("2001-01-01T00:00:00Z", NULL);
    after("the day after tomorrow", NULL);
}

/* Two dates of profiles; in the order of their text they are the other way
 * round. */
static void test_older(void **state)
{
    struct mesh_profile old = {.updated_at =
                                   parsed("2020-06-01T12:00:00+09:00")};
    struct mesh_profile new = {.updated_at =
                                   parsed("2020-06-01T11:00:00-05:00")};
    char updated[] = "", now[MESH_TIME_TEXT_MAX];

    (void)state;
    old.updated = new.updated = updated;
    assert_true(mesh_profile_is_older(&old, &new));
    assert_false(mesh_profile_is_older(&new, &old));
    assert_false(mesh_profile_is_older(&new, &new));
    assert_false(mesh_profile_is_ahead(&new, now));
    new.updated_at = mesh_time_now() + 25 * 3600 * MESH_TIME_SECOND;
    assert_true(mesh_profile_is_ahead(&new, now));
    old.updated = NULL;
    assert_false(mesh_profile_is_older(&old, &new));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_in_utc), STORE_TEST(test_none),
        STORE_TEST(test_print),  STORE_TEST(test_change_is_later),
        STORE_TEST(test_older),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
