/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What meshctl takes from the operating system; posix/host.c and
 * windows/host.c.
 */
#ifndef MESH_TOOLS_HOST_H
#define MESH_TOOLS_HOST_H

#include "platform/context.h"

#include <stdio.h>

#define HOST_TEXT_MAX 256 /* octets */

/* First in main(): the arguments in UTF-8, and a terminal that shows it.  0:
 * out of memory. */
int host_begin(int *argc, char ***argv);
/* Last in main(): lets the signals come that were held. */
void host_end(void);

/* From here on what ends programs (Ctrl-C …) waits until host_end(). */
void host_hold_signals(void);
/* What waits, for people; NULL: nothing does. */
const char *host_waiting_signal(void);

int host_is_terminal(FILE *file);
/* Whether somebody can be asked, wherever standard input comes from. */
int host_has_terminal(void);
/* Ends the program as Ctrl-C does. */
void host_interrupt(void);

/* The name of this machine, cut to size octets with the NUL; 0: unknown. */
int host_name(char *name, size_t size);
/* For reading, as it is; NULL with errno. */
FILE *host_open(const char *path);
int host_can_read(const char *path);    /* 0 with errno */
int host_can_execute(const char *path); /* 0 with errno */

/* What the network's error of that number is; it may be in text. */
const char *host_network_text(long error, char text[HOST_TEXT_MAX]);

void host_no_core(void);     /* the memory is not dumped */
unsigned host_seconds(void); /* of a clock that nobody sets */

#endif
