package org.lariqa.core.benchmark

import java.io.File
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.pixels.Photo
import org.lariqa.core.runtimes.Runner
import org.lariqa.core.runtimes.RuntimeChoice

/** What the benchmark needs from outside, so that the app and the tests can each bring their own. */
class BenchmarkEnvironment(
    /** Loads the runtime's own library, so that the memory baseline includes it. */
    val startRuntime: (RuntimeChoice) -> Unit,
    val openRunner: (File, Artifact, RuntimeChoice) -> Runner,
    val openPhoto: (File) -> Photo,
    val probe: DeviceProbe,
    val threads: Int,
    /** What [openPhoto] decodes with, and its version. */
    val decoder: String,
)
