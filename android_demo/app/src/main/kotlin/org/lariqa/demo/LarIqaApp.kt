package org.lariqa.demo

import android.app.Application
import android.net.Uri
import java.io.File
import java.util.concurrent.Executors
import org.lariqa.LarIqa
import org.lariqa.core.scoring.Journal
import org.lariqa.core.scoring.ModelLoader
import org.lariqa.core.scoring.ScoringViewModel

/** Holds the one [ScoringViewModel], which outlives every screen, so that turning the phone loses nothing. */
class LarIqaApp : Application() {
    val viewModel: ScoringViewModel by lazy {
        ScoringViewModel(
            loader = loader,
            openPhoto = { LarIqa.photo(this, Uri.parse(it.id)) },
            journal = Journal(File(filesDir, "photos.json")),
            worker = Executors.newSingleThreadExecutor { Thread(it, "scoring") },
        )
    }

    /** The library, as any other app uses it. Replaced in tests. */
    var loader: ModelLoader = ModelLoader { choice, onProgress -> LarIqa.openBlocking(this, EXPORT, choice, onProgress).model }

    /** Not in the backup: the app brings it again. */
    fun bundled() = LarIqa.bundled(this, EXPORT)

    companion object {
        /** The folder in the assets, where `lariqa bundle android` puts an export. */
        const val EXPORT = "lariqa"
    }
}
