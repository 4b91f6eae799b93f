import Foundation
import Recorded
import Testing

@testable import LarIqaKit

@Suite(
    "A row of views says exactly what the preprocessing makes",
    .enabled(if: Vectors.areThere, Comment(rawValue: Vectors.missing)))
struct ArtifactTests {
    typealias Row = [String: Any]

    @Test("The row as it was exported, and one of a model with one branch")
    func accepted() throws {
        #expect(try read { _ in }.artifacts.contains { $0.input == "views" })
        #expect(try read { $0["inputs"] = [Self.view("synthetic")] }.artifacts.contains { $0.inputs.count == 1 })
    }

    @Test("A view of other names, twice, or of one photo size contradicts itself")
    func contradictions() {
        let spoiled: [(inout Row) -> Void] = [
            { $0["inputs"] = [Self.view("image")] },
            { $0["inputs"] = [Self.view("authentic"), Self.view("authentic")] },
            { $0["inputs"] = [Row]() },
            { ($0["photo_width_px"], $0["photo_height_px"]) = (200, 150) },
            { $0["photo_width_px"] = 200 },
        ]
        for change in spoiled {
            let sentence = refusal { try read(change) }
            #expect(sentence.contains("contradicts itself: input 'views', photo size ("), "\(sentence)")
        }
    }

    @Test(
        "A view of other bytes, another layout or other sides is refused with what it should be",
        arguments: [
            ("dtype", "float32", "'authentic' float32 NHWC (1, 128, 128, 3)"),
            ("layout", "NCHW", "'authentic' uint8 NCHW (1, 128, 128, 3)"),
            ("side", "64", "'authentic' uint8 NHWC (1, 64, 64, 3)"),
        ])
    func otherViews(key: String, value: String, came: String) {
        let sentence = refusal {
            try read { row in
                var view = Self.view("authentic", side: key == "side" ? 64 : 128)
                if key != "side" { view[key] = value }
                row["inputs"] = [view, Self.view("synthetic")]
            }
        }
        #expect(
            sentence.hasSuffix("has the input \(came), expected 'authentic' uint8 NHWC (1, 128, 128, 3)"), "\(sentence)"
        )
    }

    @Test("A full view of any size, for another runtime, may stand in the manifest; it is none of the app's files")
    func fullView() throws {
        let change: (inout Row) -> Void = { row in
            row["synthetic_view"] = "full"
            row["inputs"] = [Self.view("authentic"), Self.view("synthetic", side: 2160)]
        }
        #expect(try read(change).artifacts.count == 2)
        let copy = try Vectors.exportToSpoil()
        try changed(change).write(to: copy.appendingPathComponent("lariqa.json"))
        #expect(try ExportFolder(copy, named: "this app").artifacts.map(\.input) == ["pixels"])
    }

    @Test("A photo size that no photo has is refused before memory is asked for it")
    func impossibleSize() {
        let sentence = refusal {
            try read(
                {
                    $0["photo_height_px"] = Int.max
                    $0["photo_width_px"] = Int.max
                    $0["inputs"] = [
                        ["name": "image", "dtype": "uint8", "layout": "NHWC", "shape": [1, Int.max, Int.max, 3]] as Row
                    ]
                }, input: "pixels")
        }
        #expect(sentence.contains("contradicts itself: input 'pixels'"), "\(sentence)")
    }

    private static func view(_ name: String, side: Int = 128) -> Row {
        ["name": name, "dtype": "uint8", "layout": "NHWC", "shape": [1, side, side, 3]]
    }

    /// The tiny export's manifest, its row of one input changed.
    private func changed(_ change: (inout Row) -> Void, input: String = "views") throws -> Data {
        let data = try Data(contentsOf: Vectors.tinyExport().appendingPathComponent("lariqa.json"))
        var manifest = try #require(JSONSerialization.jsonObject(with: data) as? Row)
        var rows = try #require(manifest["artifacts"] as? [Row])
        let at = try #require(rows.firstIndex { $0["input"] as? String == input })
        change(&rows[at])
        manifest["artifacts"] = rows
        return try JSONSerialization.data(withJSONObject: manifest)
    }

    private func read(_ change: (inout Row) -> Void, input: String = "views") throws -> Manifest {
        try Manifest(json: changed(change, input: input), place: "lariqa.json")
    }
}
