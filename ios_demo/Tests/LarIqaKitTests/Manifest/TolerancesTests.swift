import Testing

@testable import LarIqaKit

@Suite("What a device is held to")
struct TolerancesTests {
    @Test("A file is held to the tolerance of what it is computed in")
    func tolerances() throws {
        let given = Tolerances(float32: 0.25, float16: 0.5, int8: 0.75)
        let plans: [(Artifact.Plan?, Double, Double)] = [
            (nil, 0.25, 0.5),
            (.init(weightFormats: ["stem": "fp32", "rest": "w8"], compute: .float32), 0.25, 0.5),
            (.init(weightFormats: ["stem": "fp32", "rest": "fp16"], compute: .float16), 0.5, 0.5),
            (.init(weightFormats: ["stem": "fp32", "rest": "int8"], compute: .float32), 0.75, 0.75),
        ]
        for (plan, onFloat32, onFloat16) in plans {
            let file = artifact(plan: plan)
            #expect(given.of(file, on: .float32) == onFloat32 && given.of(file, on: .float16) == onFloat16)
        }
        #expect(ComputeUnits.allCases.filter { $0.arithmetic == .float32 } == [.cpu])
        #expect(ComputeUnits.allCases.filter { $0.arithmetic == .float16 } == [.gpu, .npu, .all])
    }

    @Test("A file's own parity limit counts where it is wider, in float32 alone")
    func parityLimit() {
        let given = Tolerances(float32: 0.25, float16: 0.5, int8: 0.75)
        for (limit, expected) in [(nil, 0.25), (0.125, 0.25), (1, 1)] as [(Double?, Double)] {
            #expect(given.of(artifact(limit: limit), on: .float32) == expected)
            #expect(given.of(artifact(limit: limit), on: .float16) == 0.5)
            let int8 = Artifact.Plan(weightFormats: ["rest": "int8"], compute: .float32)
            #expect(given.of(artifact(limit: limit, plan: int8), on: .float32) == 0.75)
        }
    }

    private func artifact(limit: Double? = nil, plan: Artifact.Plan? = nil) -> Artifact {
        Artifact(
            file: "a.mlpackage", format: "coreml", precision: "fp32", input: "pixels", syntheticView: "crop",
            photoWidthPx: 200, photoHeightPx: 150, inputs: [], output: "score", macs: 1, memory: nil, sha256: "",
            bytes: 1, status: "converted",
            parity: limit.map { Artifact.Parity(reference: "", runtime: "", limit: $0, worst: 0, sd: nil, photos: []) },
            plan: plan, audition: nil)
    }
}
