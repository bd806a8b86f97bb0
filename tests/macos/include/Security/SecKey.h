/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's <Security/SecKey.h>: keys and what is done with them.
 */
#ifndef MACOS_DOUBLE_SECKEY_H
#define MACOS_DOUBLE_SECKEY_H

#include <CoreFoundation/CoreFoundation.h>
#include <Security/SecBase.h>

#ifndef MACOS_DOUBLE_CONFORM
typedef CFStringRef SecKeyAlgorithm;
typedef CFIndex SecKeyOperationType; /* genuinely an enumeration over it */
#endif

MACOS_NUMBER(SecKeyOperationType, kSecKeyOperationTypeSign, 0);
MACOS_NUMBER(SecKeyOperationType, kSecKeyOperationTypeVerify, 1);
MACOS_NUMBER(SecKeyOperationType, kSecKeyOperationTypeEncrypt, 2);
MACOS_NUMBER(SecKeyOperationType, kSecKeyOperationTypeDecrypt, 3);
MACOS_NUMBER(SecKeyOperationType, kSecKeyOperationTypeKeyExchange, 4);

extern const SecKeyAlgorithm kSecKeyAlgorithmRSASignatureRaw;
extern const SecKeyAlgorithm kSecKeyAlgorithmRSASignatureDigestPKCS1v15Raw;
extern const SecKeyAlgorithm kSecKeyAlgorithmRSASignatureDigestPKCS1v15SHA1;
extern const SecKeyAlgorithm kSecKeyAlgorithmRSASignatureDigestPKCS1v15SHA224;
extern const SecKeyAlgorithm kSecKeyAlgorithmRSASignatureDigestPKCS1v15SHA256;
extern const SecKeyAlgorithm kSecKeyAlgorithmRSASignatureDigestPKCS1v15SHA384;
extern const SecKeyAlgorithm kSecKeyAlgorithmRSASignatureDigestPKCS1v15SHA512;
extern const SecKeyAlgorithm kSecKeyAlgorithmRSASignatureDigestPSSSHA1;
extern const SecKeyAlgorithm kSecKeyAlgorithmRSASignatureDigestPSSSHA224;
extern const SecKeyAlgorithm kSecKeyAlgorithmRSASignatureDigestPSSSHA256;
extern const SecKeyAlgorithm kSecKeyAlgorithmRSASignatureDigestPSSSHA384;
extern const SecKeyAlgorithm kSecKeyAlgorithmRSASignatureDigestPSSSHA512;
extern const SecKeyAlgorithm kSecKeyAlgorithmECDSASignatureDigestX962;
extern const SecKeyAlgorithm kSecKeyAlgorithmRSAEncryptionRaw;
extern const SecKeyAlgorithm kSecKeyAlgorithmRSAEncryptionPKCS1;
extern const SecKeyAlgorithm kSecKeyAlgorithmRSAEncryptionOAEPSHA1;
extern const SecKeyAlgorithm kSecKeyAlgorithmRSAEncryptionOAEPSHA224;
extern const SecKeyAlgorithm kSecKeyAlgorithmRSAEncryptionOAEPSHA256;
extern const SecKeyAlgorithm kSecKeyAlgorithmRSAEncryptionOAEPSHA384;
extern const SecKeyAlgorithm kSecKeyAlgorithmRSAEncryptionOAEPSHA512;
extern const SecKeyAlgorithm kSecKeyAlgorithmECDHKeyExchangeStandard;

CFTypeID SecKeyGetTypeID(void);
SecKeyRef SecKeyCreateRandomKey(CFDictionaryRef parameters, CFErrorRef *error);
SecKeyRef SecKeyCreateWithData(CFDataRef data, CFDictionaryRef attributes,
                               CFErrorRef *error);
size_t SecKeyGetBlockSize(SecKeyRef key);
SecKeyRef SecKeyCopyPublicKey(SecKeyRef key);
CFDictionaryRef SecKeyCopyAttributes(SecKeyRef key);
CFDataRef SecKeyCopyExternalRepresentation(SecKeyRef key, CFErrorRef *error);
Boolean SecKeyIsAlgorithmSupported(SecKeyRef key, SecKeyOperationType operation,
                                   SecKeyAlgorithm algorithm);
CFDataRef SecKeyCreateSignature(SecKeyRef key, SecKeyAlgorithm algorithm,
                                CFDataRef input, CFErrorRef *error);
CFDataRef SecKeyCreateDecryptedData(SecKeyRef key, SecKeyAlgorithm algorithm,
                                    CFDataRef input, CFErrorRef *error);
CFDataRef SecKeyCopyKeyExchangeResult(SecKeyRef key, SecKeyAlgorithm algorithm,
                                      SecKeyRef peer,
                                      CFDictionaryRef parameters,
                                      CFErrorRef *error);

#endif
