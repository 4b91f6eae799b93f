package org.lariqa.demo

import android.app.Application
import android.net.Uri
import java.io.File
import java.util.concurrent.Executors
import org.lariqa.core.scoring.ExportLoader
import org.lariqa.core.scoring.Journal
import org.lariqa.core.scoring.ModelLoader
import org.lariqa.core.scoring.ScoringViewModel

/** Holds the one [ScoringViewModel], which outlives every screen, so that turning the phone loses nothing. */
class LarIqaApp : Application() {
    val viewModel: ScoringViewModel by lazy {
        ScoringViewModel(
            loader = loader,
            openPhoto = { BitmapPhoto.open(contentResolver, Uri.parse(it.id)) },
            journal = Journal(File(filesDir, "photos.json")),
            worker = Executors.newSingleThreadExecutor { Thread(it, "scoring") },
        )
    }

    /** Replaced in tests. */
    var loader: ModelLoader = ExportLoader(
        export = { onProgress -> bundled().open(onProgress) },
        openRunner = Runtimes::open,
        openPhoto = { BitmapPhoto.open(it) },
    )

    /** Not in the backup: the app brings it again. */
    fun bundled() = BundledExport(assets, File(noBackupFilesDir, "export"))
}
