/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Times as profiles say them: RFC 3339.
 */
#ifndef MESH_STORE_TIME_H
#define MESH_STORE_TIME_H

#include <stdint.h>

/* Microseconds since 1970 in UTC: so they compare, whatever they are said in.
 */
typedef int64_t mesh_time;

#define MESH_TIME_SECOND   INT64_C(1000000)
#define MESH_TIME_DAY      (86400 * MESH_TIME_SECOND)
#define MESH_TIME_TEXT_MAX sizeof("2017-09-18T13:00:45Z")

/* Parses a date and time of RFC 3339: T and Z in upper or lower case, or an
 * offset; of a fraction what is below a microsecond is cut off.  0 if text
 * (which may be NULL) is none. */
int mesh_time_parse(const char *text, mesh_time *time);
/* The whole second, in UTC.  0 if the year has no four digits, or is before
 * 1900. */
int mesh_time_print(mesh_time time, char text[MESH_TIME_TEXT_MAX]);
/* The clock's, whole seconds. */
mesh_time mesh_time_now(void);

#endif
