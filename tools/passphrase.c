/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Passphrases: from the terminal or a file, never from an argument.
 */
#include "tools/host.h"
#include "tools/input.h"

#include <openssl/crypto.h>
#include <openssl/ui.h>
#include <stdio.h>
#include <string.h>

#define INTERRUPTED (-2) /* UI_process(3) */

static int read_file(struct mesh_context *ctx, struct passphrase *passphrase)
{
    unsigned char *data = NULL;
    size_t len = 0;

    if (!input_read(ctx, passphrase->file, PASSPHRASE_MAX - 1, &data, &len))
        return 0;
    data[strcspn((char *)data, "\r\n")] = '\0';
    OPENSSL_strlcpy(passphrase->text, (char *)data, PASSPHRASE_MAX);
    OPENSSL_clear_free(data, len);
    return 1;
}

static int ask(struct mesh_context *ctx, struct passphrase *passphrase)
{
    char prompt[256];
    int given;

    /* Without a terminal OpenSSL would read standard input, with an echo. */
    if (!host_has_terminal())
        return mesh_raise(ctx, MESH_R_PASSPHRASE,
                          "%.200s is encrypted and there is no terminal to "
                          "ask on; use --passphrase-file",
                          passphrase->what);
    snprintf(prompt, sizeof(prompt),
             "Passphrase of %.200s: ", passphrase->what);
    given = UI_UTIL_read_pw_string(passphrase->text, PASSPHRASE_MAX, prompt, 0);
    if (given == INTERRUPTED)
        host_interrupt(); /* OpenSSL caught it; nothing was begun */
    if (given != 0)
        return mesh_raise(ctx, MESH_R_PASSPHRASE, "none was given for %.200s",
                          passphrase->what);
    return 1;
}

int passphrase_get(struct mesh_context *ctx, struct passphrase *passphrase)
{
    if (passphrase->text != NULL)
        return 1;
    passphrase->text = OPENSSL_secure_zalloc(PASSPHRASE_MAX);
    if (passphrase->text == NULL)
        return mesh_raise(ctx, MESH_R_MEMORY, "passphrase");
    if (passphrase->file != NULL ? read_file(ctx, passphrase)
                                 : ask(ctx, passphrase))
        return 1;
    passphrase_clear(passphrase);
    return 0;
}

void passphrase_clear(struct passphrase *passphrase)
{
    OPENSSL_secure_clear_free(passphrase->text, PASSPHRASE_MAX);
    passphrase->text = NULL;
}
