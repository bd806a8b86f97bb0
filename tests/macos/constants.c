/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The double's constant strings, with the values that they have on macOS as far
 * as those are public: some are equal though their names differ.
 */
#include "internal.h"

#include <Security/SecItem.h>
#include <Security/SecKey.h>

#define STRING(name, value)                                                    \
    static struct __CFString name##_value = {OBJECT_CONSTANT(OBJECT_STRING),   \
                                             (char[]){value}};                 \
    const CFStringRef name = &name##_value

STRING(kSecClass, "class");
STRING(kSecClassCertificate, "cert");
STRING(kSecClassKey, "keys");

STRING(kSecAttrAccessControl, "accc");
STRING(kSecAttrAccessibleWhenUnlockedThisDeviceOnly, "aku");
STRING(kSecAttrApplicationLabel, "klbl");
STRING(kSecAttrApplicationTag, "atag");
STRING(kSecAttrIsExtractable, "extr");
STRING(kSecAttrIsPermanent, "perm");
STRING(kSecAttrIsSensitive, "sens");
STRING(kSecAttrKeyClass, "kcls");
STRING(kSecAttrKeyClassPrivate, "1");
STRING(kSecAttrKeyClassPublic, "0");
STRING(kSecAttrKeySizeInBits, "bsiz");
STRING(kSecAttrKeyType, "type");
STRING(kSecAttrKeyTypeECSECPrimeRandom, "73");
STRING(kSecAttrKeyTypeRSA, "42");
STRING(kSecAttrLabel, "labl");
STRING(kSecAttrPublicKeyHash, "pkhh");
STRING(kSecAttrTokenID, "tkid");
STRING(kSecAttrTokenIDSecureEnclave, "com.apple.setoken");
STRING(kSecPrivateKeyAttrs, "private");

STRING(kSecMatchItemList, "m_ItemList");
STRING(kSecMatchLimit, "m_Limit");
STRING(kSecMatchLimitAll, "m_LimitAll");
STRING(kSecMatchLimitOne, "m_LimitOne");
STRING(kSecMatchSearchList, "m_SearchList");
STRING(kSecReturnAttributes, "r_Attributes");
STRING(kSecReturnData, "r_Data");
STRING(kSecReturnRef, "r_Ref");
STRING(kSecUseDataProtectionKeychain, "nleg");
STRING(kSecValueData, "v_Data");
STRING(kSecValueRef, "v_Ref");

#define SIGN "algid:sign:RSA:"
STRING(kSecKeyAlgorithmRSASignatureRaw, SIGN "raw");
STRING(kSecKeyAlgorithmRSASignatureDigestPKCS1v15Raw, SIGN "digest-PKCS1v15");
STRING(kSecKeyAlgorithmRSASignatureDigestPKCS1v15SHA1,
       SIGN "digest-PKCS1v15:SHA1");
STRING(kSecKeyAlgorithmRSASignatureDigestPKCS1v15SHA224,
       SIGN "digest-PKCS1v15:SHA224");
STRING(kSecKeyAlgorithmRSASignatureDigestPKCS1v15SHA256,
       SIGN "digest-PKCS1v15:SHA256");
STRING(kSecKeyAlgorithmRSASignatureDigestPKCS1v15SHA384,
       SIGN "digest-PKCS1v15:SHA384");
STRING(kSecKeyAlgorithmRSASignatureDigestPKCS1v15SHA512,
       SIGN "digest-PKCS1v15:SHA512");
STRING(kSecKeyAlgorithmRSASignatureDigestPSSSHA1,
       SIGN "digest-PSS:SHA1:SHA1:20");
STRING(kSecKeyAlgorithmRSASignatureDigestPSSSHA224,
       SIGN "digest-PSS:SHA224:SHA224:24");
STRING(kSecKeyAlgorithmRSASignatureDigestPSSSHA256,
       SIGN "digest-PSS:SHA256:SHA256:32");
STRING(kSecKeyAlgorithmRSASignatureDigestPSSSHA384,
       SIGN "digest-PSS:SHA384:SHA384:48");
STRING(kSecKeyAlgorithmRSASignatureDigestPSSSHA512,
       SIGN "digest-PSS:SHA512:SHA512:64");
STRING(kSecKeyAlgorithmECDSASignatureDigestX962,
       "algid:sign:ECDSA:digest-X962");
STRING(kSecKeyAlgorithmRSAEncryptionRaw, "algid:encrypt:RSA:raw");
STRING(kSecKeyAlgorithmRSAEncryptionPKCS1, "algid:encrypt:RSA:PKCS1");
STRING(kSecKeyAlgorithmRSAEncryptionOAEPSHA1, "algid:encrypt:RSA:OAEP:SHA1");
STRING(kSecKeyAlgorithmRSAEncryptionOAEPSHA224,
       "algid:encrypt:RSA:OAEP:SHA224");
STRING(kSecKeyAlgorithmRSAEncryptionOAEPSHA256,
       "algid:encrypt:RSA:OAEP:SHA256");
STRING(kSecKeyAlgorithmRSAEncryptionOAEPSHA384,
       "algid:encrypt:RSA:OAEP:SHA384");
STRING(kSecKeyAlgorithmRSAEncryptionOAEPSHA512,
       "algid:encrypt:RSA:OAEP:SHA512");
STRING(kSecKeyAlgorithmECDHKeyExchangeStandard, "algid:keyexchange:ECDH");
