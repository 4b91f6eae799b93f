#!/usr/bin/env bash
# classes.dex + the app's linked resources + TensorFlow Lite's libraries -> an aligned, signed, verified APK.
# Usage: pack.sh BUILD_FOLDER TENSORFLOW_LITE_VERSION
set -euo pipefail
build=$1 version=$2
android=$(cd "$(dirname "$0")/../.." && pwd)
for tool in zip unzip zipalign apksigner keytool; do
    command -v "$tool" >/dev/null || { echo "expected $tool; Debian: apt-get install zip unzip zipalign apksigner" >&2; exit 1; }
done
cd "$build"
rm -rf lib natives app.apk && mkdir -p lib natives
for name in tensorflow-lite tensorflow-lite-gpu; do
    unzip -qo "$android/proof/tflite_classes/target/archives/$name-$version.aar" 'jni/arm64-v8a/*' 'jni/x86_64/*' -d natives
done
mv natives/jni/* lib/
cp "$android/app/target/resources.apk" unaligned.apk
zip -q unaligned.apk classes.dex
zip -q -0 -r unaligned.apk lib # stored, so that the system maps them from the file
zipalign -f -p 4 unaligned.apk aligned.apk
[ -e throwaway.jks ] || keytool -genkeypair -keystore throwaway.jks -storepass throwaway -alias key -dname CN=throwaway \
    -keyalg RSA -validity 30 2>/dev/null
apksigner sign --ks throwaway.jks --ks-pass pass:throwaway --out app.apk aligned.apk
apksigner verify --min-sdk-version 29 app.apk
rm -f unaligned.apk aligned.apk
aapt2 dump badging app.apk 2>/dev/null | grep -E '^(package|sdkVersion|targetSdkVersion|uses-permission|launchable)'
ls -l "$build/app.apk"
