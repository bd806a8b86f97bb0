/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Answers gnome-keyring's prompts without a display: "ok:PASSWORD", "cancel",
 * "delay:MILLISECONDS" of every answer.  Prints its bus name, which the daemon
 * wants as GNOME_KEYRING_TEST_PROMPTER.
 */
#define GCR_API_SUBJECT_TO_CHANGE
#include <gcr/gcr-base.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    const char *name = gcr_mock_prompter_start();

    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "ok:", 3) == 0)
            gcr_mock_prompter_expect_password_ok(argv[i] + 3, NULL);
        else if (strcmp(argv[i], "cancel") == 0)
            gcr_mock_prompter_expect_password_cancel();
        else if (strncmp(argv[i], "delay:", 6) == 0)
            gcr_mock_prompter_set_delay_msec((guint)atoi(argv[i] + 6));
    }
    puts(name);
    fflush(stdout);
    g_main_loop_run(g_main_loop_new(NULL, FALSE));
    return 0;
}
