package org.lariqa.core

/** Where torchvision's `CenterCrop` cuts one axis: [from] until [from] + [length] of the photo, [before] black samples first. */
data class CropAxis(val from: Int, val length: Int, val before: Int)

/** Cut, or padded with the odd sample at the end. */
fun centerCropAxis(size: Int, crop: Int): CropAxis =
    if (size >= crop) CropAxis(Math.rint((size - crop) / 2.0).toInt(), crop, 0) else CropAxis(0, size, (crop - size) / 2)
