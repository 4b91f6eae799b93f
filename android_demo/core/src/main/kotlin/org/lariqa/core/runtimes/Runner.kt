package org.lariqa.core.runtimes

import java.nio.Buffer

/** What opens one model file and runs it. One thread at a time; [cancel] may come from another. */
interface Runner : AutoCloseable {
    /** Name and version, as shown to people. */
    val runtime: String

    /** Whether the weights that it packs for its kernels are mapped from a file (LiteRT). */
    val weightCache: Boolean get() = false

    /** What about this way to run must be known before its figures are compared, a sentence each. */
    val remarks: List<String> get() = emptyList()

    /** Input name -> values in a direct buffer, as the manifest describes them; returns the score. */
    fun run(inputs: Map<String, Buffer>): Float

    /** End the run in progress soon; it then throws. */
    fun cancel()
}
