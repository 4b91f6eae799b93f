package org.lariqa.core.manifest

import java.io.File
import java.security.MessageDigest
import org.lariqa.core.Text
import org.lariqa.core.refuse

/** A folder that `lariqa export` wrote: the manifest, and the files that it names, opened only if their sha256 agrees. */
class ExportFolder(val folder: File, val manifest: Manifest) {
    /** The artifact's file, proved to be the one that the manifest describes. [onProgress] is told the fraction read. */
    fun verified(artifact: Artifact, onProgress: (Double) -> Unit): File =
        verified(artifact.file, artifact.sha256, artifact.bytes, onProgress)

    /** The golden photo's file, proved likewise. */
    fun verifiedGolden(golden: Golden): File = verified(golden.file, golden.sha256, null) {}

    /** A golden file that is lossy, and the pixels that it has in Python. */
    fun verifiedLossy(lossy: GoldenLossy): File = verified(lossy.file, lossy.sha256, null) {}

    fun verifiedPixels(lossy: GoldenLossy): File = verified(lossy.pixelsFile, lossy.pixelsSha256, null) {}

    private fun verified(name: String, sha256: String, bytes: Long?, onProgress: (Double) -> Unit): File {
        val file = File(folder, name)
        if (!file.isFile) refuse(Text.FILE_MISSING, name)
        val same = (bytes == null || file.length() == bytes) && sha256Of(file, onProgress) == sha256
        if (!same) refuse(Text.FILE_DIFFERS, name)
        return file
    }

    companion object {
        /** Read the folder's manifest; the files are checked when they are asked for. */
        fun open(folder: File): ExportFolder {
            val file = File(folder, Manifest.FILE_NAME)
            if (!file.isFile) refuse(Text.NO_MODEL)
            return ExportFolder(folder, Manifest.parse(file.readText(), file.name))
        }
    }
}

/** In hexadecimal, as in the manifest. [onProgress] is told the fraction read, and may throw to stop. */
fun sha256Of(file: File, onProgress: (Double) -> Unit = {}): String {
    val digest = MessageDigest.getInstance("SHA-256")
    val buffer = ByteArray(1 shl 18)
    val total = file.length().coerceAtLeast(1)
    var read = 0L
    file.inputStream().use { stream ->
        while (true) {
            val count = stream.read(buffer)
            if (count < 0) break
            digest.update(buffer, 0, count)
            read += count
            onProgress(read.toDouble() / total)
        }
    }
    return digest.digest().joinToString("") { "%02x".format(it) }
}
