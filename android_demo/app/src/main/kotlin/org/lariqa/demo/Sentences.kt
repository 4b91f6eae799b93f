package org.lariqa.demo

import android.content.res.Resources
import org.lariqa.core.Sentence
import org.lariqa.core.Text
import org.lariqa.core.scoring.ScoringState

/** A sentence in the language of the phone. */
fun Resources.say(sentence: Sentence): String = getString(stringOf(sentence.text), *sentence.facts.toTypedArray())

/** A state in the language of the phone, the step within it too. */
fun Resources.say(state: ScoringState): String =
    if (state is ScoringState.Preparing) say(Text.PREPARING.of(say(state.step))) else say(state.sentence)

/** Exhaustive, so that a text without a resource does not compile. */
fun stringOf(text: Text): Int = when (text) {
    Text.NO_MODEL -> R.string.text_no_model
    Text.NO_FORMAT -> R.string.text_no_format
    Text.NOT_JSON -> R.string.text_not_json
    Text.OTHER_SCHEMA -> R.string.text_other_schema
    Text.INCOMPLETE_MANIFEST -> R.string.text_incomplete_manifest
    Text.CONTRADICTING_ROW -> R.string.text_contradicting_row
    Text.UNKNOWN_PREPROCESSING -> R.string.text_unknown_preprocessing
    Text.FILE_MISSING -> R.string.text_file_missing
    Text.FILE_DIFFERS -> R.string.text_file_differs
    Text.CANNOT_OPEN -> R.string.text_cannot_open
    Text.NO_ACCELERATOR -> R.string.text_no_accelerator
    Text.RUN_FAILED -> R.string.text_run_failed
    Text.OTHER_INPUT -> R.string.text_other_input
    Text.MODEL_OUT_OF_MEMORY -> R.string.text_model_out_of_memory
    Text.NOT_A_NUMBER -> R.string.text_not_a_number
    Text.NO_SPACE -> R.string.text_no_space
    Text.NO_GOLDEN -> R.string.text_no_golden
    Text.GOLDEN_DIFFERS -> R.string.text_golden_differs
    Text.STEP_AUDITION -> R.string.text_step_audition
    Text.UNIT_NOT_FINITE -> R.string.text_unit_not_finite
    Text.UNIT_BLIND -> R.string.text_unit_blind
    Text.UNIT_OFFSET -> R.string.text_unit_offset
    Text.UNIT_OFF -> R.string.text_unit_off
    Text.UNIT_DIED -> R.string.text_unit_died
    Text.NO_UNIT -> R.string.text_no_unit
    Text.UNIT_REFUSED -> R.string.text_unit_refused
    Text.AUDITION_GOLDEN_ALONE -> R.string.text_audition_golden_alone
    Text.AUDITION_UNKNOWN -> R.string.text_audition_unknown
    Text.UNIT_ADMITTED -> R.string.text_unit_admitted
    Text.UNIT_NOT_USED -> R.string.text_unit_not_used
    Text.UNIT_PEAK -> R.string.text_unit_peak
    Text.UNIT_IN_USE -> R.string.text_unit_in_use
    Text.DECODER_OFF -> R.string.text_decoder_off
    Text.DECODER_SAME -> R.string.text_decoder_same
    Text.DECODER_CLOSE -> R.string.text_decoder_close
    Text.DECODER_UNSCORED -> R.string.text_decoder_unscored
    Text.OTHER_SIZE -> R.string.text_other_size
    Text.DECODER_UNKNOWN -> R.string.text_decoder_unknown
    Text.NO_HEIC -> R.string.text_no_heic
    Text.BURST_ONE -> R.string.text_burst_one
    Text.BURST_APART -> R.string.text_burst_apart
    Text.BURST_ALIKE -> R.string.text_burst_alike
    Text.BURST_UNPROVED -> R.string.text_burst_unproved
    Text.BURST_NONE -> R.string.text_burst_none
    Text.DOES_NOT_FIT -> R.string.text_does_not_fit
    Text.TOO_SMALL -> R.string.text_too_small
    Text.TOO_LARGE -> R.string.text_too_large
    Text.NOT_A_PHOTO -> R.string.text_not_a_photo
    Text.DAMAGED_PHOTO -> R.string.text_damaged_photo
    Text.EMPTY_PHOTO -> R.string.text_empty_photo
    Text.PHOTO_GONE -> R.string.text_photo_gone
    Text.NO_PERMISSION -> R.string.text_no_permission
    Text.OUT_OF_MEMORY -> R.string.text_out_of_memory
    Text.TOO_FEW_PHOTOS -> R.string.text_too_few_photos
    Text.CAMERA_REFUSED -> R.string.text_camera_refused
    Text.NO_CAMERA -> R.string.text_no_camera
    Text.CAMERA_FAILED -> R.string.text_camera_failed
    Text.NOT_LOADED -> R.string.text_not_loaded
    Text.PREPARING -> R.string.text_preparing
    Text.WARMING_UP -> R.string.text_warming_up
    Text.READY -> R.string.text_ready
    Text.SCORING -> R.string.text_scoring
    Text.CANCELLED -> R.string.text_cancelled
    Text.NOT_KEPT -> R.string.text_not_kept
    Text.INTERRUPTED -> R.string.text_interrupted
    Text.STEP_COPYING -> R.string.text_step_copying
    Text.STEP_CHECKING -> R.string.text_step_checking
    Text.STEP_OPENING -> R.string.text_step_opening
    Text.MEASURING -> R.string.text_measuring
    Text.MEASURED -> R.string.text_measured
    Text.BAD_REQUEST -> R.string.text_bad_request
    Text.BUSY -> R.string.text_busy
}
