/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Words for kinds of profiles and types of applications.
 */
#include "store/kind.h"

#include <string.h>

const char *mesh_kind_word(enum mesh_profile_kind kind)
{
    static const char *const words[] = {
        [MESH_PROFILE_PERSONAL] = "personal",
        [MESH_PROFILE_DEVICE] = "device",
        [MESH_PROFILE_APPLICATION] = "application",
    };

    return words[kind];
}

static const char *const application_types[] = {"Web", "SSH", "Network",
                                                "Mail"};

const char *mesh_application_type(size_t i)
{
    return i < sizeof(application_types) / sizeof(application_types[0])
               ? application_types[i]
               : NULL;
}

const char *mesh_application_type_of(const char *tag)
{
    const char *type;

    for (size_t i = 0; (type = mesh_application_type(i)) != NULL; i++)
        if (strncmp(tag, type, strlen(type)) == 0
            && strcmp(tag + strlen(type), "Profile") == 0)
            return type;
    return NULL;
}
