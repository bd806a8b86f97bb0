#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# conform.c takes the double's headers for the SDK's, and refuses each copy of
# them that is not the same; it knows every name that the double defines.
set -eu
here=$MESH_SOURCE/tests/macos
sdk=$(mktemp -d)
trap 'rm -rf "$sdk"' EXIT

# make_sdk [SED-EXPRESSION FILE]: headers of our own in the place of the SDK's
make_sdk() {
    rm -rf "$sdk"
    cp -R "$here/include" "$sdk"
    find "$sdk" -name '*.h' -exec sed -i 's/MACOS_/SDK_/g' {} +
    [ $# -eq 0 ] || sed -i "$1" "$sdk/$2"
}

accepts() {
    "$@" -std=c11 -Wall -Wextra -Werror -fsyntax-only -I "$sdk" \
        "$here/conform.c" 2> "$sdk/errors"
}

# refuse WHAT SED-EXPRESSION FILE
refuse() {
    make_sdk "$2" "$3"
    if cmp -s "$sdk/$3" "$reference/$3"; then
        echo "$1: the expression changes nothing" >&2
        exit 1
    fi
    if accepts "$compiler"; then
        echo "$1: accepted" >&2
        exit 1
    fi
    if ! grep -q "conform.c\|$here/include" "$sdk/errors"; then
        echo "$1: refused for another reason:" >&2
        cat "$sdk/errors" >&2
        exit 1
    fi
}

compiler=${CC:-cc}
reference=$sdk.same
trap 'rm -rf "$sdk" "$reference"' EXIT
make_sdk
cp -R "$sdk" "$reference"
accepts "$compiler" || {
    cat "$sdk/errors" >&2
    exit 1
}

base=Security/SecBase.h item=Security/SecItem.h key=Security/SecKey.h
import=Security/SecImportExport.h cf=CoreFoundation/CoreFoundation.h
refuse "another number" 's/-25293/-25294/' $base
refuse "a number that is not there" '/errSecNoAccessForItem/d' $base
refuse "another type" 's/struct __SecKey \*/struct __OtherKey */' $base
refuse "a constant that is not there" '/kSecAttrApplicationLabel;/d' $item
refuse "a constant of another type" \
    's/CFStringRef kSecClassKey;/CFDataRef kSecClassKey;/' $item
refuse "a function that is not there" 's/SecItemDelete/SecItemRemove/' $item
refuse "another result" 's/size_t SecKeyGetBlockSize/int SecKeyGetBlockSize/' \
    $key
refuse "another parameter" \
    's/\(SecItemCopyMatching(\)CFDictionaryRef/\1CFArrayRef/' $item
refuse "members in another order" \
    's/ keyUsage;/ keyAttributes;/; t; s/ keyAttributes;/ keyUsage;/' $import
refuse "an enumeration of another size" \
    's/typedef uint32_t SecExternalFormat/typedef uint64_t SecExternalFormat/' \
    $import
refuse "another integer" 's/typedef long CFIndex/typedef int CFIndex/' $cf

# Every name of the library stands in the list.
nm -D --defined-only "$MESH_BUILD/tests/libmacos_double.so" 2>/dev/null \
    > "$sdk/names" \
    || nm -D --defined-only "$MESH_BUILD/libmacos_double.so" > "$sdk/names"
names=$(sed -nE 's/.* [A-Z] (k?(CF|Sec)[A-Za-z0-9]*)$/\1/p' "$sdk/names")
[ "$(echo "$names" | wc -l)" -gt 100 ]
for name in $names; do
    case $name in
    *_value) continue ;;
    esac
    grep -q "^KNOWN($name);" "$here/conform.c" || {
        echo "conform.c does not know $name" >&2
        exit 1
    }
done

# The target itself, as far as a compiler without its SDK can go.
if command -v clang > /dev/null; then
    make_sdk
    accepts clang --target=arm64-apple-macos13 -ffreestanding || {
        cat "$sdk/errors" >&2
        exit 1
    }
else
    echo "no clang: not compiled for arm64-apple-macos13"
fi
