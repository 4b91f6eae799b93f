package org.lariqa.demo

import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.BaseAdapter
import android.widget.ImageView
import android.widget.ProgressBar
import android.widget.TextView
import org.lariqa.core.manifest.ScoreScale
import org.lariqa.core.scoring.Burst
import org.lariqa.core.scoring.PhotoResult

/** The rows of the list: picture, name, place on the scale, score, or why there is none. */
class PhotoRows(private val inflater: LayoutInflater, private val thumbnails: Thumbnails) : BaseAdapter() {
    private var photos = emptyList<PhotoResult>()
    private var kept: PhotoResult? = null
    private var asGood = emptyList<PhotoResult>()
    private var scale: ScoreScale? = null

    fun show(burst: Burst, scale: ScoreScale?) {
        if (burst.order == photos && burst.kept == kept && burst.asGood == asGood && scale == this.scale) return
        photos = burst.order
        kept = burst.kept
        asGood = burst.asGood
        this.scale = scale
        notifyDataSetChanged()
    }

    override fun getCount(): Int = photos.size

    override fun getItem(position: Int): PhotoResult = photos[position]

    override fun getItemId(position: Int): Long = position.toLong()

    override fun isEnabled(position: Int): Boolean = photos[position].score != null

    override fun areAllItemsEnabled(): Boolean = false

    override fun getView(position: Int, old: View?, parent: ViewGroup): View {
        val view = old ?: inflater.inflate(R.layout.photo_row, parent, false)
        val photo = photos[position]
        val resources = view.resources
        val score = photo.score
        val isKept = photo.id == kept?.id
        thumbnails.show(photo.id, view.requireViewById(R.id.thumbnail), THUMBNAIL_PX)
        view.setBackgroundResource(if (isKept) R.drawable.kept else R.drawable.card)
        view.requireViewById<TextView>(R.id.name).text = photo.name
        view.requireViewById<TextView>(R.id.score).apply {
            text = score?.let { scoreText(it) }.orEmpty()
            visible(score != null)
        }
        view.requireViewById<ProgressBar>(R.id.bar).apply {
            visible(score != null && scale != null)
            progress = placeOn(scale, score, max)
        }
        val words = listOfNotNull(
            photo.problem?.let { resources.say(it) },
            resources.getString(R.string.kept).takeIf { isKept },
            resources.getString(R.string.as_good).takeIf { photo in asGood },
            resources.getString(R.string.fitted).takeIf { photo.wasResampled && score != null },
            resources.getString(R.string.waiting).takeIf { score == null && photo.problem == null },
            photo.caveat?.let { resources.say(it) },
        )
        view.requireViewById<TextView>(R.id.note).apply {
            text = words.joinToString(" · ")
            visible(words.isNotEmpty())
            setTextColor(context.getColor(if (photo.problem != null) R.color.problem else R.color.ink_soft))
        }
        view.contentDescription = resources.getString(
            R.string.row_label, photo.name, (listOfNotNull(score?.let { scoreText(it) }) + words).joinToString(", "),
        )
        return view
    }

    private companion object {
        const val THUMBNAIL_PX = 192
    }
}

/** Where a score stands between the ends of its scale, 0..[max]; beyond an end, at it. */
fun placeOn(scale: ScoreScale?, score: Float?, max: Int): Int {
    if (scale == null || score == null) return 0
    return ((score - scale.lowest) / (scale.highest - scale.lowest) * max).toInt().coerceIn(0, max)
}
