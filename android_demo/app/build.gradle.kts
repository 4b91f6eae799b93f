plugins {
    alias(libs.plugins.android.application)
    alias(libs.plugins.kotlin.android)
}

android {
    namespace = "org.lariqa.demo"
    compileSdk = libs.versions.compileSdk.get().toInt()

    defaultConfig {
        applicationId = "org.lariqa.demo"
        minSdk = libs.versions.minSdk.get().toInt()
        targetSdk = libs.versions.targetSdk.get().toInt()
        versionCode = 1
        versionName = "0.1.0"
        ndk { abiFilters += listOf("arm64-v8a", "x86_64") } // phones, and the emulator
    }

    buildTypes {
        release {
            isMinifyEnabled = true
            isShrinkResources = true
            proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"), "proguard-rules.pro")
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }

    // Weights do not compress; stored, they are copied faster. Native libraries stay uncompressed and 16 KB aligned, as the
    // Android Gradle plugin packs them since 8.5.1.
    androidResources { noCompress += listOf("onnx", "tflite") }
    packaging { jniLibs { useLegacyPackaging = false } }

    lint {
        abortOnError = true
        disable += listOf("GradleDependency", "NewerVersionAvailable", "AndroidGradlePluginVersion") // versions are held exactly
    }

    testOptions {
        unitTests {
            isIncludeAndroidResources = true
            all {
                it.maxHeapSize = "3g"
                it.systemProperty("robolectric.graphicsMode", "NATIVE")
                it.systemProperty("lariqa.exports", rootProject.file("build/test_exports").path)
                it.systemProperty("lariqa.golden", rootProject.file("../tests/golden").path)
                it.systemProperty("lariqa.screens", layout.buildDirectory.dir("screens").get().asFile.path)
            }
        }
    }
}

kotlin {
    jvmToolchain(17)
}

dependencies {
    implementation(project(":library"))
    testImplementation(libs.kotlinx.coroutines)
    testImplementation(libs.onnxruntime.jvm) // natives for this machine
    testImplementation(libs.kotlin.test.junit)
    testImplementation(libs.junit)
    testImplementation(libs.robolectric)
}

// No weights are in git: without an export in the assets, the app would only say so.
tasks.register("checkModel") {
    val manifest = layout.projectDirectory.file("src/main/assets/lariqa/lariqa.json").asFile
    doLast {
        if (!manifest.isFile) logger.warn("no model in the app: run `make android MODEL_DIR=...` in the toolkit's folder")
    }
}
tasks.named("preBuild") { dependsOn("checkModel") }
