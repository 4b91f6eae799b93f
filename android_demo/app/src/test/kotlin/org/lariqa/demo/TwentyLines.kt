package org.lariqa.demo

import android.content.Context
import android.net.Uri
import org.lariqa.LarIqa
import org.lariqa.core.Refusal

/** The best of some photos and its score, or why there is none. The README shows these lines; TwentyLinesTest runs them. */
suspend fun bestOf(context: Context, photos: List<Uri>): String = try {
    LarIqa.open(context, "exported").use { iqa ->            // assets/exported; sha256, audition and golden photo included
        val golden = iqa.model.selfTest                      // already passed, or open would have refused
        println("${iqa.model.choice}, ${golden.difference} off the reference, ${golden.tolerance} allowed")
        val scored = photos.map { it to iqa.score(it) }      // one after the other, on a thread of LarIqa's own
        scored.forEach { (_, photo) -> photo.caveat?.let { println(it) } }
        val (uri, best) = scored.maxBy { (_, photo) -> photo.score }
        "$uri scores %.3f".format(best.score)
    }
} catch (refusal: Refusal) {
    "${refusal.sentence}"                                    // what was expected, what came, what to do
}
