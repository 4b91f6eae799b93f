package org.lariqa.demo

import android.content.ContentResolver
import android.content.Intent
import android.net.Uri
import android.os.Build
import android.provider.MediaStore
import android.provider.OpenableColumns
import org.lariqa.core.scoring.PhotoResult

/** The system's photo picker: it shows all photos, the app sees only those that were chosen, and asks for nothing. */
fun pickPhotos(most: Int): Intent = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) {
    Intent(MediaStore.ACTION_PICK_IMAGES).setType("image/*").putExtra(MediaStore.EXTRA_PICK_IMAGES_MAX, most)
} else {
    Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE).setType("image/*")
        .putExtra(Intent.EXTRA_ALLOW_MULTIPLE, true)
}

/** The photos that a picker gave back, or another app shared. */
fun photosIn(intent: Intent): List<Uri> {
    val clip = intent.clipData
    val several = clip?.let { List(it.itemCount) { i -> it.getItemAt(i).uri } }.orEmpty()
    return (several + listOfNotNull(intent.data, sharedOne(intent))).filterNotNull().distinct()
}

private fun sharedOne(intent: Intent): Uri? = when {
    intent.action != Intent.ACTION_SEND -> null
    Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU -> intent.getParcelableExtra(Intent.EXTRA_STREAM, Uri::class.java)
    else -> @Suppress("DEPRECATION") intent.getParcelableExtra(Intent.EXTRA_STREAM)
}

/** A row of the list for a photo, with its name where the owner of the photo provides it. */
fun ContentResolver.asResult(uri: Uri): PhotoResult {
    val name = try {
        query(uri, arrayOf(OpenableColumns.DISPLAY_NAME), null, null, null)?.use {
            if (it.moveToFirst()) it.getString(0) else null
        }
    } catch (_: SecurityException) {
        null // scoring it will say so
    }
    return PhotoResult(uri.toString(), name ?: uri.lastPathSegment ?: uri.toString())
}

/** Ask to read the photo again after the app was closed; shared photos do not allow it and must be shared again. */
fun ContentResolver.keep(uri: Uri) {
    try {
        takePersistableUriPermission(uri, Intent.FLAG_GRANT_READ_URI_PERMISSION)
    } catch (_: SecurityException) {
        // Not offered. The photo can still be read until the app is closed.
    }
}
