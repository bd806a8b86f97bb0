/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Times as profiles say them.  Not strptime() and strftime(): those know the
 * application's locale and time zone, and the first is not everywhere.
 */
#include "store/time.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <time.h>

/* Parses count digits; *text goes behind them. */
static int digits(const char **text, int count, int *value)
{
    *value = 0;
    for (; count > 0; count--, (*text)++) {
        if (**text < '0' || **text > '9')
            return 0;
        *value = *value * 10 + (**text - '0');
    }
    return 1;
}

/* The same of digits that stand behind a character, and are at most max. */
static int digits_behind(const char **text, const char *one_of, int count,
                         int max, int *value)
{
    for (; *one_of != '\0'; one_of++)
        if (**text == *one_of) {
            (*text)++;
            return digits(text, count, value) && *value <= max;
        }
    return 0;
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1]
           + (month == 2 && year % 4 == 0
              && (year % 100 != 0 || year % 400 == 0));
}

/* Days since 1970: years begin in March, so that the leap day is their last,
 * and 400 of them have 146097 days. */
static int days_of(int year, int month, int day)
{
    int y = year + 400 - (month < 3), m = (month + 9) % 12;

    return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1
           - 146097 - 719468;
}

static int parse_date(const char **text, int *days)
{
    int year, month, day;

    if (!digits(text, 4, &year) || !digits_behind(text, "-", 2, 12, &month)
        || month == 0
        || !digits_behind(text, "-", 2, days_of_month(year, month), &day)
        || day == 0)
        return 0;
    *days = days_of(year, month, day);
    return 1;
}

/* A fraction may be missing. */
static int parse_fraction(const char **text, mesh_time *time)
{
    mesh_time unit = MESH_TIME_SECOND;
    int digit;

    if (**text != '.')
        return 1;
    (*text)++;
    if (!digits(text, 1, &digit))
        return 0;
    do {
        unit /= 10;
        *time += digit * unit;
    } while (digits(text, 1, &digit));
    return 1;
}

/* How far local time is before UTC, in minutes. */
static int parse_offset(const char **text, int *offset)
{
    int sign = **text == '-' ? -1 : 1, hours, minutes;

    *offset = 0;
    if (**text == 'Z' || **text == 'z') {
        (*text)++;
        return 1;
    }
    if (!digits_behind(text, "+-", 2, 23, &hours)
        || !digits_behind(text, ":", 2, 59, &minutes))
        return 0;
    *offset = sign * (hours * 60 + minutes);
    return 1;
}

int mesh_time_parse(const char *text, mesh_time *time)
{
    int days, hour, minute, second, offset;

    *time = 0;
    if (text == NULL || !parse_date(&text, &days)
        || !digits_behind(&text, "Tt", 2, 23, &hour)
        || !digits_behind(&text, ":", 2, 59, &minute)
        || !digits_behind(&text, ":", 2, 60, &second) /* a leap second */
        || !parse_fraction(&text, time) || !parse_offset(&text, &offset)
        || *text != '\0')
        return 0;
    *time += days * MESH_TIME_DAY
             + ((hour * 60 + minute - offset) * 60 + second) * MESH_TIME_SECOND;
    return 1;
}

int mesh_time_print(mesh_time time, char text[MESH_TIME_TEXT_MAX])
{
    struct tm tm = {.tm_year = 70, .tm_mday = 1};
    int64_t days = time / MESH_TIME_DAY;

    if (time < days * MESH_TIME_DAY)
        days--;
    time -= days * MESH_TIME_DAY;
    return OPENSSL_gmtime_adj(&tm, (int)days, (long)(time / MESH_TIME_SECOND))
           && snprintf(text, MESH_TIME_TEXT_MAX,
                       "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
                       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
                       tm.tm_sec)
                  == (int)MESH_TIME_TEXT_MAX - 1;
}

mesh_time mesh_time_now(void)
{
    return (mesh_time)time(NULL) * MESH_TIME_SECOND;
}
