/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's <Security/SecCertificate.h>.
 */
#ifndef MACOS_DOUBLE_SECCERTIFICATE_H
#define MACOS_DOUBLE_SECCERTIFICATE_H

#include <CoreFoundation/CoreFoundation.h>
#include <Security/SecBase.h>

CFTypeID SecCertificateGetTypeID(void);
CFDataRef SecCertificateCopyData(SecCertificateRef certificate);

#endif
