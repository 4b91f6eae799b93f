package org.lariqa.demo

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.RectF
import android.util.AttributeSet
import android.widget.ImageView

/** A photo with a frame around the part that the synthetic branch saw. */
class MarkedPhotoView(context: Context, attributes: AttributeSet?) : ImageView(context, attributes) {
    /** In fractions of the photo's width and height; null: no frame. */
    var marked: RectF? = null
        set(value) {
            field = value
            invalidate()
        }

    private val frame = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        style = Paint.Style.STROKE
        strokeWidth = 3 * resources.displayMetrics.density
        color = context.getColor(R.color.launcher)
    }
    private val halo = Paint(frame).apply {
        strokeWidth = 5 * resources.displayMetrics.density
        color = 0xFFFFFFFF.toInt()
    }

    override fun onDraw(canvas: Canvas) {
        super.onDraw(canvas)
        val picture = drawable ?: return
        val part = marked ?: return
        val area = RectF(
            part.left * picture.intrinsicWidth, part.top * picture.intrinsicHeight,
            part.right * picture.intrinsicWidth, part.bottom * picture.intrinsicHeight,
        )
        imageMatrix.mapRect(area)
        area.offset(paddingLeft.toFloat(), paddingTop.toFloat())
        canvas.drawRect(area, halo)
        canvas.drawRect(area, frame)
    }
}
