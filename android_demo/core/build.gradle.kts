plugins {
    alias(libs.plugins.kotlin.jvm)
}

kotlin {
    jvmToolchain(17)
}

dependencies {
    implementation(libs.kotlinx.serialization.json)
    compileOnly(libs.onnxruntime.jvm) // on a phone it is onnxruntime-android, with the same classes
    testImplementation(libs.onnxruntime.jvm)
    testImplementation(libs.kotlin.test.junit)
    testImplementation(libs.junit)
}

tasks.test {
    useJUnit()
    maxHeapSize = "3g"
    // Made by `make test-android`, or by make_test_exports.py alone.
    systemProperty("lariqa.exports", rootProject.file("build/test_exports").path)
    systemProperty("lariqa.golden", rootProject.file("../tests/golden").path)
}
