package org.lariqa.core

import java.io.File
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import org.junit.Test

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
        assertEquals(Size(200, 150), artifact.photoSize)
        assertEquals(listOf("authentic", "synthetic"), manifest.branches)
        assertEquals("golden.png", manifest.golden?.file)
        assertTrue(!manifest.trained && manifest.score.meaning.startsWith("NOT TRAINED"))
        assertEquals(6, artifact.references.size)
    }

    @Test
    fun `the session that a file was measured with is read, and may be missing`() {
        val manifest = Manifest.parse(text, "lariqa.json")
        assertEquals(Session(memoryPattern = false), manifest.artifact("onnx").session)
        assertEquals(Session(compiledModel = true), manifest.artifact("tflite").session)
        val older = Manifest.parse(text.replace("\"session\"", "\"formerly\""), "lariqa.json")
        assertEquals(Session(), older.artifact("onnx").session)
    }

    @Test
    fun `another schema is refused in Python's words`() {
        assertEquals(
            "lariqa.json has schema 'lariqa-manifest/2', this version reads 'lariqa-manifest/1'; export again with this toolkit",
            "${refused("lariqa-manifest/1", "lariqa-manifest/2")}",
        )
    }

    @Test
    fun `what is no JSON, no manifest or half of one is refused`() {
        assertEquals(Text.NOT_JSON, refusalOf { Manifest.parse(text.dropLast(20), "lariqa.json") }.text)
        assertEquals(Text.OTHER_SCHEMA, refusalOf { Manifest.parse("[1, 2]", "lariqa.json") }.text)
        assertEquals(Text.INCOMPLETE_MANIFEST, refused("\"checkpoint_sha256\"", "\"other\"").text)
        assertEquals(Text.INCOMPLETE_MANIFEST, refused("\"branches\": [", "\"branches\": 3, \"x\": [").text)
    }

    @Test
    fun `preprocessing that this code does not do is refused`() {
        assertEquals(Text.UNKNOWN_PREPROCESSING, refused("torchvision-center-crop", "random-crop").text)
        assertEquals(Text.UNKNOWN_PREPROCESSING, refused("\"channel_order\": \"RGB\"", "\"channel_order\": \"BGR\"").text)
        assertEquals(Text.UNKNOWN_PREPROCESSING, refused("\"channel_order\"", "\"gamma\": 2.2, \"channel_order\"").text)
    }

    @Test
    fun `a row that leads out of the folder or contradicts itself is refused`() {
        val name = Manifest.parse(text, "lariqa.json").artifact("onnx").file
        assertEquals(Text.CONTRADICTING_ROW, refused(name, "../$name").text)
        assertEquals(Text.CONTRADICTING_ROW, refused("\"photo_width_px\": 200", "\"photo_width_px\": 201").text)
        assertEquals(Text.CONTRADICTING_ROW, refused("\"contract\": \"pixels\"", "\"contract\": \"bytes\"").text)
    }

    @Test
    fun `no model, no such format, a missing and a changed file are refused`() {
        val folder = Pack.copyOfTiny()
        val export = ExportFolder.open(folder)
        val artifact = export.manifest.artifact("onnx")
        val file = export.checked(artifact) {}
        assertEquals(Text.NO_FORMAT, refusalOf { export.manifest.artifact("coreml") }.text)

        file.writeBytes(file.readBytes().also { it[it.size / 2] = (it[it.size / 2] + 1).toByte() })
        assertEquals(Text.FILE_DIFFERS, refusalOf { export.checked(artifact) {} }.text)
        file.delete()
        assertEquals(Text.FILE_MISSING, refusalOf { export.checked(artifact) {} }.text)

        File(folder, "lariqa.json").delete()
        assertEquals(Text.NO_MODEL, refusalOf { ExportFolder.open(folder) }.text)
    }
}
