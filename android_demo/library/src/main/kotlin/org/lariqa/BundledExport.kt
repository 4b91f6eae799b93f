package org.lariqa

import android.content.res.AssetManager
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import java.io.OutputStream
import java.io.RandomAccessFile
import org.lariqa.core.Text
import org.lariqa.core.manifest.ExportFolder
import org.lariqa.core.manifest.Manifest
import org.lariqa.core.refuse
import org.lariqa.core.scoring.ProgressListener

/**
 * The export that an app carries in the folder [name] of its assets, copied to a folder once: runtimes open files, and map them into memory
 * instead of reading them. Each file is written beside its place and then renamed; its sha256 is checked when it is opened.
 */
class BundledExport(private val assets: AssetManager, private val name: String, private val folder: File) {
    fun open(onProgress: ProgressListener): ExportFolder {
        val manifest = try {
            assets.open("$name/${Manifest.FILE_NAME}").use { it.readBytes() }
        } catch (error: FileNotFoundException) {
            refuse(Text.NO_MODEL, cause = error)
        }
        val installed = File(folder, Manifest.FILE_NAME)
        folder.absoluteFile.parentFile?.mkdirs()
        // The screens and the benchmark are two processes: one installs, the other waits.
        RandomAccessFile(File("$folder.lock"), "rw").channel.use { channel ->
            channel.lock()
            if (!installed.isFile || !installed.readBytes().contentEquals(manifest)) {
                install(Manifest.parse(String(manifest), Manifest.FILE_NAME), onProgress)
                write(installed) { it.write(manifest) } // last: it says that all the others are there
            }
        }
        return ExportFolder.open(folder)
    }

    /** Copy it again when it is next opened: a file on the phone is not the one that was proved. */
    fun forget() {
        File(folder, Manifest.FILE_NAME).delete()
    }

    private fun install(manifest: Manifest, onProgress: ProgressListener) {
        folder.deleteRecursively()
        folder.mkdirs()
        val here = assets.list(name).orEmpty().toSet()
        val files = manifest.artifacts.map { it.file to it.bytes } +
            manifest.golden?.files.orEmpty().map { it to 0L }
        val copied = files.filter { (file, _) -> file in here }
        val needed = copied.sumOf { it.second }
        if (folder.usableSpace < needed) refuse(Text.NO_SPACE, needed / MB, folder.usableSpace / MB)
        for ((file, bytes) in copied) {
            write(File(folder, file)) { out ->
                assets.open("$name/$file").use { source ->
                    val buffer = ByteArray(1 shl 18)
                    var done = 0L
                    while (true) {
                        val count = source.read(buffer)
                        if (count < 0) break
                        out.write(buffer, 0, count)
                        done += count
                        onProgress(Text.STEP_COPYING.of(file), if (bytes > 0) done.toDouble() / bytes else null)
                    }
                }
            }
        }
    }

    private fun write(file: File, fill: (OutputStream) -> Unit) {
        val beside = File("$file.new")
        try {
            beside.outputStream().use(fill)
        } catch (error: IOException) {
            beside.delete()
            refuse(Text.NO_SPACE, "?", folder.usableSpace / MB, cause = error)
        }
        check(beside.renameTo(file)) { "cannot rename $beside" }
    }

    private companion object {
        const val MB = 1_000_000L
    }
}
