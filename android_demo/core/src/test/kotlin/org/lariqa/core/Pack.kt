package org.lariqa.core

import java.io.File
import java.nio.ByteBuffer
import java.nio.file.Files
import java.security.MessageDigest
import javax.imageio.ImageIO
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.double
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.lariqa.core.audition.AuditionStore
import org.lariqa.core.manifest.Artifact
import org.lariqa.core.manifest.ExportFolder
import org.lariqa.core.manifest.PhotoSize
import org.lariqa.core.manifest.Tolerances
import org.lariqa.core.pixels.Photo
import org.lariqa.core.pixels.PixelPhoto
import org.lariqa.core.pixels.copyTo
import org.lariqa.core.runtimes.OnnxRunner
import org.lariqa.core.runtimes.Runner
import org.lariqa.core.runtimes.RuntimeChoice
import org.lariqa.core.scoring.ExportLoader
import org.lariqa.core.scoring.Phone

/** What the tests read: the golden pack in git, and the exports that make_test_exports.py wrote. */
object Pack {
    val golden = folder("lariqa.golden")
    val exports = folder("lariqa.exports")
    val goldenJson: JsonObject = Json.parseToJsonElement(File(golden, "golden.json").readText()).jsonObject
    val vectors: JsonObject by lazy { Json.parseToJsonElement(File(exports, "vectors.json").readText()).jsonObject }

    private fun folder(property: String): File = File(requireNotNull(System.getProperty(property)) { "no -D$property" })
        .also { check(it.isDirectory) { "no folder $it; `make test-android` makes it" } }

    /** A PNG, whose decoders all give the same bytes. */
    fun photo(file: File): Photo {
        val picture = ImageIO.read(file) ?: refuse(Text.NOT_A_PHOTO) // as the app says it
        val rgb = ByteArray(picture.width * picture.height * 3)
        val row = IntArray(picture.width)
        var at = 0
        for (y in 0 until picture.height) {
            picture.getRGB(0, y, picture.width, 1, row, 0, picture.width)
            for (pixel in row) {
                rgb[at++] = (pixel shr 16).toByte()
                rgb[at++] = (pixel shr 8).toByte()
                rgb[at++] = pixel.toByte()
            }
        }
        return PixelPhoto(PhotoSize(picture.width, picture.height), rgb)
    }

    fun tinyPhoto(name: String) = photo(File(exports, "photos/$name.png"))

    val tiny get() = ExportFolder.open(File(exports, "tiny"))

    /** The same model for photos of any size. */
    val views get() = ExportFolder.open(File(exports, "views"))

    /** The tiny model's names and reference scores. */
    val tinyReferences: Map<String, Double> get() =
        tiny.manifest.artifact("onnx").references.mapValues { it.value.score } - "golden.png"

    /** Files of photos of many sizes, and their scores in PyTorch. */
    val mixed: Map<File, Double> by lazy {
        val folder = File(exports, "mixed")
        Json.parseToJsonElement(File(folder, "scores.json").readText()).jsonObject
            .map { (name, score) -> File(folder, name) to score.jsonPrimitive.double }.toMap()
    }

    fun openOnnx(file: File, artifact: Artifact, choice: RuntimeChoice): Runner = OnnxRunner(file, artifact, choice, 1)

    /** The loader of the app, on the exports of the tests. */
    fun loader(folder: File = File(exports, "tiny"), phone: Phone = phone()) =
        ExportLoader({ ExportFolder.open(folder) }, ::openOnnx, ::photo, phone)

    /** Without a [store] no audition is held. */
    fun phone(store: AuditionStore? = null, system: String = "Android 0", nanoTime: () -> Long = System::nanoTime) =
        Phone("test 1", system, "ImageIO", store, nanoTime = nanoTime)

    /** The pixels that Python has of a golden lossy file, whichever of its two files is opened; others as they are. */
    fun photoAsPython(file: File): Photo = photo(
        when (file.name) {
            "golden.jpg", "golden.heic" -> File(file.parentFile, file.name.replace('.', '_') + ".png")
            else -> file
        },
    )

    /** The tiny export with other tolerances in its manifest. */
    fun tinyWith(float32: Double = 1e-4, float16: Double = 5e-3, int8: Double = 1.25e-2): ExportFolder {
        val manifest = tiny.manifest.copy(tolerances = Tolerances(float32, float16, int8))
        return ExportFolder(File(exports, "tiny"), manifest)
    }

    fun copyOfTiny(): File = copyOf("tiny")

    fun copyOf(name: String): File {
        val copy = Files.createTempDirectory(name).toFile()
        File(exports, name).listFiles()!!.filter { it.isFile }.forEach { it.copyTo(File(copy, it.name)) }
        Runtime.getRuntime().addShutdownHook(Thread { copy.deleteRecursively() })
        return copy
    }
}

fun sha256(bytes: ByteArray): String =
    MessageDigest.getInstance("SHA-256").digest(bytes).joinToString("") { "%02x".format(it) }

fun sha256(buffer: ByteBuffer): String = sha256(buffer.bytes())

/** All bytes of a buffer. */
fun ByteBuffer.bytes(): ByteArray = ByteArray(capacity()).also { rewind().get(it) }

/** All pixels as they lie in memory. */
fun Photo.bytes(): ByteArray = ByteArray(size.width * size.height * 3).also { read(0, size.height, it) }

/** What a call says when it refuses. */
fun refusalOf(call: () -> Unit): Sentence = kotlin.test.assertFailsWith<Refusal> { call() }.sentence

/** A photo that counts the rows that are read of it. */
class Counted(private val photo: Photo) : Photo by photo {
    var rows = 0
        private set

    /** At once. */
    var most = 0
        private set

    override fun read(top: Int, rows: Int, into: ByteArray) {
        this.rows += rows
        most = maxOf(most, rows)
        photo.read(top, rows, into)
    }
}
