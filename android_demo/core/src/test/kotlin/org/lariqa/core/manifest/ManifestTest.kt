package org.lariqa.core.manifest

import java.io.File
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import org.junit.Test
import org.lariqa.core.Pack
import org.lariqa.core.Sentence
import org.lariqa.core.Text
import org.lariqa.core.pixels.Lossy
import org.lariqa.core.refusalOf

class ManifestTest {
    private val text = File(Pack.exports, "tiny/lariqa.json").readText()

    private fun refused(from: String, to: String): Sentence {
        val changed = text.replaceFirst(from, to)
        assertTrue(changed != text, "nothing was changed: $from")
        return refusalOf { Manifest.parse(changed, "lariqa.json") }
    }

    @Test
    fun `an export says what it is`() {
        val manifest = Manifest.parse(text, "lariqa.json")
        val artifact = manifest.artifact("tflite")
        assertEquals(PhotoSize(200, 150), artifact.photoSize)
        assertEquals(listOf("authentic", "synthetic"), manifest.branches)
        assertEquals("golden.png", manifest.golden?.file)
        assertTrue(!manifest.trained && manifest.score.meaning.startsWith("NOT TRAINED"))
        assertEquals(6, artifact.references.size)
    }

    private val viewsText = File(Pack.exports, "views/lariqa.json").readText()

    @Test
    fun `a file for photos of any size comes first, and says how large the golden photo was`() {
        val both = Manifest.parse(viewsText, "lariqa.json").run { copy(artifacts = Pack.tiny.manifest.artifacts + artifacts) }
        for (format in listOf("onnx", "tflite")) {
            val artifact = both.artifact(format)
            assertEquals("views" to null, artifact.input to artifact.photoSize)
            assertEquals(PhotoSize(2016, 1512), artifact.references.getValue("golden.png").size)
        }
        val older = Regex(""","\s+"(width|height)_px": \d+""").replace(text, "\"")
        for (manifest in listOf(Manifest.parse(text, "lariqa.json"), Manifest.parse(older, "lariqa.json"))) {
            assertEquals(setOf(PhotoSize(200, 150)), manifest.artifact("onnx").references.values.map { it.size }.toSet())
        }
    }

    @Test
    fun `a views row that contradicts the preprocessing is refused`() {
        val (before, rows) = viewsText.indexOf("\"artifacts\"").let { viewsText.take(it) to viewsText.drop(it) }
        fun refused(vararg changes: Pair<String, String>): Text {
            val changed = changes.fold(rows) { now, (from, to) -> now.replaceFirst(from, to).also { assertTrue(it != now, from) } }
            return refusalOf { Manifest.parse(before + changed, "lariqa.json") }.text
        }
        for (change in listOf(
            "\"authentic\"" to "\"image\"", "\"authentic\"" to "\"synthetic\"", "\"uint8\"" to "\"float32\"",
            "\"NHWC\"" to "\"NCHW\"", "128" to "129", "\"crop\"" to "\"full\"",
        )) assertEquals(Text.CONTRADICTING_ROW, refused(change), "$change")
        val width = "\"photo_width_px\": null" to "\"photo_width_px\": 200"
        val height = "\"photo_height_px\": null" to "\"photo_height_px\": 150"
        assertEquals(Text.CONTRADICTING_ROW, refused(width, height))
        assertEquals(Text.INCOMPLETE_MANIFEST, refused(width))
    }

    @Test
    fun `the session that a file was measured with is read, and may be missing`() {
        val manifest = Manifest.parse(text, "lariqa.json")
        assertEquals(Session(memoryPattern = false, optimizationLevel = "all"), manifest.artifact("onnx").session)
        assertEquals(Session(compiledModel = true, xnnpackFlags = 35), manifest.artifact("tflite").session)
        val older = Manifest.parse(text.replace("\"session\"", "\"formerly\""), "lariqa.json")
        assertEquals(Session(), older.artifact("onnx").session)
        val level = "\"graph_optimization_level\": "
        assertEquals(Text.INCOMPLETE_MANIFEST, refused("$level\"all\"", "$level\"most\"").text)
    }

    @Test
    fun `what an older export lacks is missing, and a golden file that is no name is refused`() {
        val now = Manifest.parse(viewsText, "lariqa.json")
        assertEquals(mapOf(Lossy.JPEG to "golden_jpg.png", Lossy.HEIC to "golden_heic.png"), now.golden?.lossy?.mapValues { it.value.pixelsFile })
        assertTrue(now.artifacts.all { it.audition.size == 6 })
        val before = viewsText.replace("\"audition\"", "\"formerly\"").replace("\"jpeg\"", "\"once\"").replace("\"heic\"", "\"once\"")
        val older = Manifest.parse(before, "lariqa.json")
        assertEquals(emptyMap(), older.golden?.lossy)
        assertTrue(older.artifacts.all { it.audition.isEmpty() })
        assertEquals(Text.INCOMPLETE_MANIFEST, refused("\"golden_jpg.png\"", "\"../golden_jpg.png\"").text)
    }

    @Test
    fun `tolerances are read, and a manifest without one of them is incomplete`() {
        val other = text.replace("\"float16\": 0.005", "\"float16\": 0.25")
        assertEquals(Tolerances(1e-4, 0.25, 1.25e-2), Manifest.parse(other, "lariqa.json").tolerances)
        for (key in listOf("tolerances", "float32", "float16", "int8")) {
            val sentence = refused("\"$key\":", "\"other\":")
            assertEquals("lariqa.json is not a complete manifest: IllegalArgumentException: no $key", "$sentence")
        }
        for (value in listOf("0", "-1", "1e999", "\"wide\"")) {
            assertEquals(Text.INCOMPLETE_MANIFEST, refused("\"int8\": 0.0125", "\"int8\": $value").text, value)
        }
    }

    @Test
    fun `a file is held to the tolerance of what it is computed in`() {
        val given = Tolerances(float32 = 0.25, float16 = 0.5, int8 = 0.75)
        fun file(plan: String?): Artifact {
            val planned = if (plan == null) text else text.replace("\"plan\": null", "\"plan\": $plan")
            assertTrue(plan == null || planned != text)
            return Manifest.parse(planned, "lariqa.json").artifact("onnx")
        }
        fun plan(format: String, compute: String) =
            "{\"weight_formats\": {\"stem\": \"fp32\", \"rest\": \"$format\"}, \"compute\": \"$compute\"}"
        for ((plan, onFloat32, onFloat16) in listOf(
            Triple(null, 0.25, 0.5),
            Triple(plan("w8", "float32"), 0.25, 0.5),
            Triple(plan("fp16", "float16"), 0.5, 0.5),
            Triple(plan("int8", "float32"), 0.75, 0.75),
        )) {
            val artifact = file(plan)
            assertEquals(onFloat32, given.of(artifact, Arithmetic.FLOAT32), plan)
            assertEquals(onFloat16, given.of(artifact, Arithmetic.FLOAT16), plan)
        }
        assertEquals(Text.INCOMPLETE_MANIFEST, refusalOf { file(plan("fp16", "float8")) }.text)
    }

    @Test
    fun `a file's own parity limit counts where it is wider, in float32 alone`() {
        val given = Tolerances(float32 = 0.25, float16 = 0.5, int8 = 0.75)
        val artifact = Manifest.parse(text, "lariqa.json").artifact("onnx")
        val limits = listOf(null to 0.25, 0.125 to 0.25, 1.0 to 1.0)
        for ((limit, expected) in limits) {
            val proved = artifact.copy(parityLimit = limit)
            assertEquals(expected, given.of(proved, Arithmetic.FLOAT32))
            assertEquals(0.5, given.of(proved, Arithmetic.FLOAT16))
            assertEquals(0.75, given.of(proved.copy(arithmetic = Arithmetic.INT8), Arithmetic.FLOAT32))
        }
    }

    @Test
    fun `another schema is refused in Python's words`() {
        assertEquals(
            "lariqa.json has schema 'lariqa-manifest/1', this version reads 'lariqa-manifest/2'; export again with this toolkit",
            "${refused("lariqa-manifest/2", "lariqa-manifest/1")}",
        )
    }

    @Test
    fun `text that is not JSON, not a manifest or half of one is refused`() {
        assertEquals(Text.NOT_JSON, refusalOf { Manifest.parse(text.dropLast(20), "lariqa.json") }.text)
        assertEquals(Text.OTHER_SCHEMA, refusalOf { Manifest.parse("[1, 2]", "lariqa.json") }.text)
        assertEquals(Text.INCOMPLETE_MANIFEST, refused("\"checkpoint_sha256\"", "\"other\"").text)
        assertEquals(Text.INCOMPLETE_MANIFEST, refused("\"branches\": [", "\"branches\": 3, \"x\": [").text)
    }

    @Test
    fun `preprocessing that this code does not implement is refused`() {
        assertEquals(Text.UNKNOWN_PREPROCESSING, refused("torchvision-center-crop", "random-crop").text)
        assertEquals(Text.UNKNOWN_PREPROCESSING, refused("\"channel_order\": \"RGB\"", "\"channel_order\": \"BGR\"").text)
        assertEquals(Text.UNKNOWN_PREPROCESSING, refused("\"channel_order\"", "\"gamma\": 2.2, \"channel_order\"").text)
    }

    @Test
    fun `views without pixels, or with more than a phone has room for, are refused`() {
        for (side in listOf("0", "-128", "31", "30000")) {
            assertEquals(Text.INCOMPLETE_MANIFEST, refused("\"synthetic_crop_px\": 128", "\"synthetic_crop_px\": $side").text, side)
        }
    }

    @Test
    fun `a row that leads out of the folder or contradicts itself is refused`() {
        val name = Manifest.parse(text, "lariqa.json").artifact("onnx").file
        assertEquals(Text.CONTRADICTING_ROW, refused(name, "../$name").text)
        assertEquals(Text.CONTRADICTING_ROW, refused("\"photo_width_px\": 200", "\"photo_width_px\": 201").text)
        assertEquals(Text.CONTRADICTING_ROW, refused("\"input\": \"pixels\"", "\"input\": \"bytes\"").text)
    }

    @Test
    fun `no model, no such format, a missing and a changed file are refused`() {
        val folder = Pack.copyOfTiny()
        val export = ExportFolder.open(folder)
        val artifact = export.manifest.artifact("onnx")
        val file = export.verified(artifact) {}
        assertEquals(Text.NO_FORMAT, refusalOf { export.manifest.artifact("coreml") }.text)

        file.writeBytes(file.readBytes().also { it[it.size / 2] = (it[it.size / 2] + 1).toByte() })
        assertEquals(Text.FILE_DIFFERS, refusalOf { export.verified(artifact) {} }.text)
        file.delete()
        assertEquals(Text.FILE_MISSING, refusalOf { export.verified(artifact) {} }.text)

        File(folder, "lariqa.json").delete()
        assertEquals(Text.NO_MODEL, refusalOf { ExportFolder.open(folder) }.text)
    }
}
