#!/usr/bin/env bash
# Resources and manifest -> R.java and a resource APK, with Debian's aapt2: what the Android Gradle plugin does for users.
# Usage: link_resources.sh SOURCE_FOLDER BUILD_FOLDER [ASSETS_FOLDER]
set -euo pipefail
source=$1 build=$2 assets=${3:-}
framework=/usr/share/android-framework-res/framework-res.apk
for needed in aapt2 "$framework"; do
    if ! command -v "$needed" >/dev/null && [ ! -e "$needed" ]; then
        echo "expected $needed, which Debian's packages aapt and android-framework-res bring: apt-get install aapt android-framework-res" >&2
        exit 1
    fi
done
mkdir -p "$build/generated-sources/r" "$build/test-classes/com/android/tools"
# Gradle puts the package name into the manifest; aapt2 wants it there.
sed 's|<manifest |<manifest package="org.lariqa.demo" |' "$source/AndroidManifest.xml" > "$build/AndroidManifest.xml"
aapt2 compile --dir "$source/res" -o "$build/resources.zip"
aapt2 link -I "$framework" --manifest "$build/AndroidManifest.xml" --java "$build/generated-sources/r" \
    --min-sdk-version 29 --target-sdk-version 36 --version-code 1 --version-name 0.1.0 \
    ${assets:+-A "$assets"} -0 .onnx -0 .tflite -o "$build/resources.apk" "$build/resources.zip"
cat > "$build/test-classes/com/android/tools/test_config.properties" <<EOF
android_merged_manifest=$build/AndroidManifest.xml
android_resource_apk=$build/resources.apk
android_custom_package=org.lariqa.demo
EOF
