package org.lariqa.core

/**
 * Everything that the app says about a model, a photo or itself, in English. Where the Python side says the same thing,
 * these are its words. The app's resources hold the same texts once more, in each language; a test keeps them equal.
 */
enum class Text(val english: String) {
    // The model
    NO_MODEL("no model in this app; `make android MODEL_DIR=...` copies an export into it"),
    NO_FORMAT("this export holds no %1\$s file; export one with --format %1\$s"),
    NOT_JSON("%1\$s is not JSON: %2\$s; export again, into another folder"),
    OTHER_SCHEMA("%1\$s has schema %2\$s, this version reads %3\$s; export again with this toolkit"),
    INCOMPLETE_MANIFEST("%1\$s is not a complete manifest: %2\$s"),
    CONTRADICTING_ROW("the row of %1\$s contradicts itself: %2\$s"),
    UNKNOWN_PREPROCESSING("the preprocessing spec says %1\$s, which this version does not do; upgrade the toolkit"),
    FILE_MISSING("no model at %1\$s; `lariqa export` makes one"),
    FILE_DIFFERS("%1\$s is not the file that lariqa.json beside it describes (its sha256 differs); export again"),
    CANNOT_OPEN("%1\$s cannot open %2\$s: %3\$s"),
    NO_ACCELERATOR("%1\$s cannot use %2\$s on this device: %3\$s; choose another accelerator"),
    RUN_FAILED("%1\$s could not run the model: %2\$s"),
    OTHER_INPUT("%1\$s takes the input %2\$s, but lariqa.json says %3\$s; export again"),
    MODEL_OUT_OF_MEMORY("there is not enough memory to run the model; close other apps and try again"),
    NOT_A_NUMBER("the score is %1\$s, not a number: the weights are damaged; import or train them again"),
    NO_SPACE("the model needs %1\$s MB of free storage, this phone has %2\$s MB; free some and open the app again"),

    // The golden self-test
    NO_GOLDEN("lariqa.json names no golden photo for %1\$s, so the app cannot check this phone; export again with this toolkit"),
    GOLDEN_DIFFERS(
        "this phone scores the golden photo %1\$s, the reference is %2\$s: the difference is %3\$s, at most %4\$s is allowed. " +
            "Its scores would be wrong, so none are shown; choose another runtime or accelerator",
    ),

    // The audition of the phone's units
    STEP_AUDITION("trying %1\$s (%2\$s of %3\$s)"),
    UNIT_NOT_FINITE("its score of %1\$s is %2\$s, not a finite number"),
    UNIT_BLIND("its scores of %1\$s pictures lie within %2\$s, PyTorch's within %3\$s: it does not see the pictures"),
    UNIT_OFFSET("all its scores of %4\$s pictures are off by the same: %1\$s on %2\$s, allowed is %3\$s"),
    UNIT_OFF("off by %1\$s on %2\$s, allowed is %3\$s; %4\$s of %5\$s pictures are wrong"),
    UNIT_DIED("the app was ended twice while this unit was tried"),
    NO_UNIT("no unit of this phone computes this model right, so no score is shown: %1\$s"),
    UNIT_REFUSED("%1\$s was refused on this phone: %2\$s; choose another, or let the audition choose"),
    AUDITION_GOLDEN_ALONE("lariqa.json names no audition pictures for %1\$s: units were judged by the golden photo alone"),
    AUDITION_UNKNOWN("pictures that this version does not know were left out of the audition: %1\$s"),
    UNIT_ADMITTED("%1\$s: admitted, %2\$s ms (first run %3\$s ms), off by at most %4\$s"),
    UNIT_NOT_USED("%1\$s: refused, %2\$s"),
    UNIT_PEAK("memory at most %1\$s MiB"),
    UNIT_IN_USE("in use"),

    // The decoder
    DECODER_OFF(
        "This phone's decoder (%1\$s) is off by up to %2\$s levels on %3\$s, which moves that picture's score by %4\$s: " +
            "this score may be off as much.",
    ),
    DECODER_SAME("Decoder: %1\$s gives %2\$s the reference's pixels, byte for byte."),
    DECODER_CLOSE(
        "Decoder: %1\$s is off by up to %2\$s levels on %3\$s, which moves its score by %4\$s: less than matters.",
    ),
    DECODER_UNSCORED("Decoder: %1\$s is off by up to %2\$s levels on %3\$s; this export does not say what that moves."),
    OTHER_SIZE("%1\$s is %2\$s px as decoded here, in Python it is %3\$s"),
    DECODER_UNKNOWN("This phone's decoder could not be compared with the reference's: %1\$s."),
    NO_HEIC("Decoder: this phone does not read HEIC."),

    // A burst
    BURST_ONE("Keep %1\$s: the only one that was scored."),
    BURST_APART("Keep %1\$s: it leads %2\$s by %3\$s; two that differ by less than %4\$s could not be told apart."),
    BURST_ALIKE("Keep %1\$s: it leads %2\$s by %3\$s, but less than %4\$s cannot be told apart: %5\$s may be as good."),
    BURST_UNPROVED(
        "Keep %1\$s: it leads %2\$s by %3\$s; this export was not compared with PyTorch, so what that means is not known.",
    ),
    BURST_NONE("No photo was scored."),

    // A photo
    DOES_NOT_FIT(
        "the photo is %1\$s px, this model file takes %2\$s: " +
            "export one with --size %1\$s, or turn on Fit to resample the photo (its score will differ)",
    ),
    TOO_SMALL("the photo is %1\$s px; the model needs at least %2\$s px on each side"),
    TOO_LARGE("expected at most %1\$s megapixels, came %2\$s; scale or crop the photo"),
    NOT_A_PHOTO("expected a photo, came a file of another kind or one too damaged to tell; export it again as JPEG or PNG"),
    DAMAGED_PHOTO("expected a whole photo, came a damaged or truncated one (%1\$s); copy or export the photo again"),
    EMPTY_PHOTO("expected a photo, came an empty file (0 bytes); copy or export the photo again"),
    PHOTO_GONE("expected a photo file, but nothing is there; choose it again"),
    NO_PERMISSION("expected a file that may be read, came one without permission; choose it again"),
    OUT_OF_MEMORY("there is not enough memory for a photo of %1\$s px; close other apps, or scale the photo"),
    TOO_FEW_PHOTOS("no photo was chosen; choose at least one"),

    // The camera
    CAMERA_REFUSED("the app may not use the camera; allow it in the settings, or choose photos instead"),
    NO_CAMERA("this device has no camera that takes still pictures; choose photos instead"),
    CAMERA_FAILED("the camera stopped: %1\$s; try again, or choose photos instead"),

    // What the app is doing
    NOT_LOADED("Not loaded: no model is open."),
    PREPARING("Preparing: %1\$s"),
    WARMING_UP("Warming up: a first run, on the golden photo, whose score is known."),
    READY("Ready: %1\$s on %2\$s scored the golden photo within %3\$s of the reference (allowed: %4\$s)."),
    SCORING("Scoring %2\$s of %3\$s: %1\$s"),
    CANCELLED("Stopped before this photo was scored; score it again."),
    NOT_KEPT("the scores cannot be saved (%1\$s) and will be lost when the app is closed; free some storage"),
    INTERRUPTED("the app was closed before this photo was scored; score it again"),
    STEP_COPYING("copying %1\$s"),
    STEP_CHECKING("checking %1\$s"),
    STEP_OPENING("opening %1\$s with %2\$s"),

    // The benchmark
    MEASURING("Measuring: %1\$s of %2\$s runs with %3\$s"),
    MEASURED("Measured: %1\$s runs, median %2\$s ms."),
    BAD_REQUEST("expected %1\$s, came %2\$s; docs/schemas/measurement.md shows the command"),
    BUSY("a measurement is already running; wait for it, or stop it"),
    ;

    /** This text with its facts. */
    fun of(vararg facts: Any): Sentence = Sentence(this, facts.map { it.toString() })
}

/** A text and the facts in it, shown in any language. */
data class Sentence(val text: Text, val facts: List<String>) {
    /** In English. */
    override fun toString(): String = text.english.format(*facts.toTypedArray())
}

/** What was expected, what came, what to do: shown as it is, never swallowed. */
class Refusal(val sentence: Sentence, cause: Throwable? = null) : Exception(sentence.toString(), cause)

/** Refuse with this text. */
fun refuse(text: Text, vararg facts: Any, cause: Throwable? = null): Nothing = throw Refusal(text.of(*facts), cause)

/** What an exception says, on one line. */
fun reasonOf(error: Throwable): String =
    "${error.javaClass.simpleName}: ${error.message}".replace(Regex("\\s+"), " ").trim()

/** A difference or a limit, as people read it: `1.2e-06`. */
fun figure(value: Double): String = "%.1e".format(java.util.Locale.ROOT, value)
