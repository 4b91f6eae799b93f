package org.lariqa.demo

import android.app.Application
import android.net.Uri
import java.io.File
import java.util.concurrent.Executors
import org.lariqa.core.Desk
import org.lariqa.core.ExportLoader
import org.lariqa.core.Journal
import org.lariqa.core.ModelLoader

/** Holds the one [Desk]: it outlives every screen, so that turning the phone loses nothing. */
class LarIqaApp : Application() {
    val desk: Desk by lazy {
        Desk(
            loader = loader,
            openPhoto = { BitmapPhoto.open(contentResolver, Uri.parse(it.id)) },
            journal = Journal(File(filesDir, "photos.json")),
            worker = Executors.newSingleThreadExecutor { Thread(it, "desk") },
        )
    }

    /** Replaced in tests. */
    var loader: ModelLoader = ExportLoader(
        export = { watch -> bundled().open(watch) },
        openRunner = Runtimes::open,
        openPhoto = { BitmapPhoto.open(it) },
    )

    /** Not in the backup: the app brings it again. */
    fun bundled() = BundledExport(assets, File(noBackupFilesDir, "export"))
}
