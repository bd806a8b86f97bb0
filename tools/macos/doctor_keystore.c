/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * meshctl doctor: the Keychain.
 */
#include "platform/keystore.h"
#include "tools/command.h"
#include "tools/doctor.h"

void report_keystore(struct report *report, const struct mesh_profile *device)
{
    struct failure failure;
    struct mesh_context quiet = failure_catch(report->ctx, &failure);
    struct mesh_keystore_status status = {0};
    int never = report->ctx->config.prompt == MESH_PROMPT_NEVER;

    if (!mesh_keystore_status(&quiet, &status)) {
        report_add(report, FOUND_PROBLEM, "see there", "key store: %s: %s",
                   mesh_reason_text(failure.reason), failure.text);
        return;
    }
    report_add(report, FOUND_OK, NULL, "key store %s answers", status.program);
    if (status.locked)
        report_add(report, FOUND_WARNING,
                   never ? "security unlock-keychain: with prompt = never "
                           "nobody is asked"
                         : "the first use of a key will ask to unlock it",
                   "the default keychain is locked");
    if (device != NULL)
        report_keys(report, device, NULL);
}
