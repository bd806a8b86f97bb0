/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The table of commands, in the order of the help.
 */
#ifndef MESH_TOOLS_COMMANDS_H
#define MESH_TOOLS_COMMANDS_H

#include "tools/command.h"

struct command {
    const char *name; /* one or two words */
    command_fn *run;
    const char *help;
    const char *usage; /* what follows the name; then the options */
};
extern const struct command commands[];
extern const size_t commands_count;

#endif
