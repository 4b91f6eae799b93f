package org.lariqa.core.pixels

/** One axis of torchvision's `CenterCrop`: [count] samples of the photo from [start] on, after [padBefore] black ones. */
data class CropAxis(val start: Int, val count: Int, val padBefore: Int)

/** Cut, or padded with the odd sample at the end. */
fun centerCropAxis(size: Int, crop: Int): CropAxis =
    if (size >= crop) CropAxis(Math.rint((size - crop) / 2.0).toInt(), crop, 0) else CropAxis(0, size, (crop - size) / 2)
