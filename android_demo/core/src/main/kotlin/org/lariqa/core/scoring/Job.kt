package org.lariqa.core.scoring

import java.util.concurrent.CancellationException

/** Work that may be stopped from another thread. */
class Job {
    @Volatile var isCancelled = false
        private set

    fun cancel() {
        isCancelled = true
    }

    fun ensureActive() {
        if (isCancelled) throw CancellationException("stopped")
    }
}
