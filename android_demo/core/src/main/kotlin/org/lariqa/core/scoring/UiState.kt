package org.lariqa.core.scoring

import org.lariqa.core.Sentence
import org.lariqa.core.manifest.Manifest
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.runtimes.RuntimeChoice

/** Everything that a screen shows; a screen holds nothing else. */
data class UiState(
    val state: ScoringState = ScoringState.NotLoaded,
    val choice: RuntimeChoice = RuntimeChoice.ONNX_CPU,
    val fit: Boolean = false,
    val results: List<PhotoResult> = emptyList(),
    val manifest: Manifest? = null,
    /** The one size of photo that the model takes; null: any, or no model yet. */
    val takes: PhotoSize? = null,
    /** What went wrong without stopping the work. */
    val warning: Sentence? = null,
)
