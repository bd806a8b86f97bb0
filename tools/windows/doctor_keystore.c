/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * meshctl doctor: the key store of Windows.
 */
#include "platform/keystore.h"
#include "tools/command.h"
#include "tools/doctor.h"

void report_keystore(struct report *report, const struct mesh_profile *device)
{
    struct failure failure;
    struct mesh_context quiet = failure_catch(report->ctx, &failure);
    struct mesh_keystore_status status = {0};

    if (!mesh_keystore_status(&quiet, &status)) {
        report_add(report, FOUND_PROBLEM, "see there", "key store: %s: %s",
                   mesh_reason_text(failure.reason), failure.text);
        return;
    }
    report_add(report, FOUND_OK, NULL, "key store %s answers", status.program);
    if (device != NULL)
        report_keys(report, device, NULL);
}
