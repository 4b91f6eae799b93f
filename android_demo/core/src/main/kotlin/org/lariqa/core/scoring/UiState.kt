package org.lariqa.core.scoring

import org.lariqa.core.Sentence
import org.lariqa.core.audition.AuditionTable
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.manifest.Manifest
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.runtimes.RuntimeChoice

/** Everything that a screen shows; a screen holds nothing else. */
data class UiState(
    val state: ScoringState = ScoringState.NotLoaded,
    /** The unit that was asked for; null: the audition chooses. */
    val choice: RuntimeChoice? = null,
    val fit: Boolean = false,
    val results: List<PhotoResult> = emptyList(),
    val manifest: Manifest? = null,
    /** The file that scores. */
    val artifact: Artifact? = null,
    /** What two scores must differ by to be told apart; null: not known. */
    val margin: Double? = null,
    /** The units of this phone; null: no audition was held. */
    val audition: AuditionTable? = null,
    /** What the phone's decoders do to known files. */
    val decoders: List<Sentence> = emptyList(),
    /** What went wrong without stopping the work. */
    val warning: Sentence? = null,
) {
    /** The one size of photo that the model takes; null: any, or no model yet. */
    val takes: PhotoSize? get() = artifact?.photoSize

    val burst: Burst get() = Burst(results, margin)
}
