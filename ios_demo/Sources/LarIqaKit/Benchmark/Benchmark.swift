import Foundation

/// The protocol of docs/schemas/measurement.md on a phone: baseline, load, first run, counted runs, or minutes back to back.
///
/// A row comes back whatever happens: a model that fails is a row with its reason, a cancelled run a row with a flag.
public struct Benchmark: Sendable {
    public struct Plan: Codable, Sendable, Equatable {
        /// Counted runs; in sustained mode at least this many.
        public var runs: Int
        /// For how many seconds, back to back; 0: a burst.
        public var sustainedSeconds: Double

        public init(runs: Int = 30, sustainedSeconds: Double = 0) {
            self.runs = runs
            self.sustainedSeconds = sustainedSeconds
        }

        public var mode: MeasurementRow.Mode { sustainedSeconds > 0 ? .sustained : .burst }
    }

    public struct Progress: Sendable, Equatable {
        public let step: String
        public let done: Int
        /// 0...1; nil while it is unknown.
        public let fraction: Double?

        public init(step: String, done: Int, fraction: Double?) {
            self.step = step
            self.done = done
            self.fraction = fraction
        }
    }

    /// Fewer counted runs than this say little about p95.
    public static let fewRuns = 20

    private let opener: any ModelOpening
    private let decoder: any PhotoDecoding
    private let probe: any DeviceProbe
    private let measuredBy: String

    public init(
        opener: any ModelOpening, decoder: any PhotoDecoding, probe: any DeviceProbe, measuredBy: String
    ) {
        self.opener = opener
        self.decoder = decoder
        self.probe = probe
        self.measuredBy = measuredBy
    }

    /// Measure one artifact.
    ///
    /// - Parameters:
    ///   - photos: taken in turn, of any sizes; resampled where the file takes one alone.
    ///   - report: shared by rows that are to be compared as ratios.
    ///   - firstInProcess: whether no model ran in this process before: only then are the memory figures the model's alone.
    ///   - loadIsCold: whether the compiled model was absent before.
    public func measure(
        _ artifact: Artifact, in folder: ExportFolder, units: ComputeUnits, photos: [BenchmarkPhoto], plan: Plan,
        report: String, firstInProcess: Bool, loadIsCold: Bool, progress: @Sendable (Progress) -> Void
    ) async -> MeasurementRow {
        let machine = probe.machine()
        var row = MeasurementRow(
            report: report, measuredAt: Date.now.formatted(.iso8601), measuredBy: measuredBy, mode: plan.mode,
            subject: .init(
                artifact, of: folder.manifest, name: "\(artifact.file), \(machine.model), \(units.title)"),
            machine: machine,
            setting: .init(runtime: "Core ML", accelerator: units.rawValue, placement: nil, fallback: ""),
            work: .init(macs: artifact.macs))
        let battery = await probe.battery()
        let curve = MemoryCurve(probe)
        do {
            try await run(artifact, folder, units, photos, plan, loadIsCold, curve, &row, progress)
        } catch is CancellationError {
            let counted = row.latency?.inferenceMs.count ?? 0
            row.flags.append("stopped by the user after \(counted) of \(plan.runs) counted runs")
        } catch {
            row.error = Refusal.sentence(for: error)
        }
        curve.sample()
        row.memory = curve.memory(weights: artifact.bytes, input: artifact.bufferBytes)
        row.conditions.thermalStatus = curve.worstThermalStatus.rawValue
        if let battery, let after = await probe.battery() {
            row.conditions.batteryPercent = [battery.percent, after.percent]
            row.conditions.onCharger = after.onCharger
        }
        row.flags += validity(row, curve, firstInProcess)
        row.flags += photos.compactMap { $0.flag(for: artifact) }
        return row
    }

    private func run(
        _ artifact: Artifact, _ folder: ExportFolder, _ units: ComputeUnits, _ photos: [BenchmarkPhoto], _ plan: Plan,
        _ loadIsCold: Bool, _ curve: MemoryCurve, _ row: inout MeasurementRow, _ progress: @Sendable (Progress) -> Void
    ) async throws {
        guard let firstPhoto = photos.first else {
            throw Refusal("expected photos to measure with, came none; pick at least one")
        }
        progress(Progress(step: "Loading the model", done: 0, fraction: nil))
        let url = try folder.verified(artifact)
        var latency = MeasurementRow.Latency(loadWasCold: loadIsCold)
        curve.sample()
        let loadBegan = probe.seconds()
        let runner = try await opener.open(artifact, at: url, units: units)
        latency.loadMs = (probe.seconds() - loadBegan) * 1000
        curve.sample(loaded: true)
        row.setting.runtime = runner.runtime
        row.setting.placement = await runner.placement()
        row.setting.fallback = units.fallback(row.setting.placement)
        row.latency = latency

        progress(Progress(step: "First run", done: 0, fraction: nil))
        let spec = folder.manifest.preprocess
        latency.firstMs = try await runner.run(prepared(firstPhoto, artifact, spec).inputs).inferenceMs
        row.latency = latency
        curve.sample()

        var sizes: Set<PhotoSize> = []
        defer { if sizes.count > 1 { row.flags.append(Self.ofManySizes(sizes)) } }
        let began = probe.seconds()
        var count = 0
        while count < plan.runs || probe.seconds() - began < plan.sustainedSeconds {
            try Task.checkCancellation()
            let photo = photos[count % photos.count]
            let start = probe.seconds()
            let cpu = probe.cpuMs()
            let (inputs, decodeMs, madeMs) = try prepared(photo, artifact, spec)
            let run = try await runner.run(inputs)
            try Task.checkCancellation()  // a cancelled run's time is no measurement
            let total = (probe.seconds() - start) * 1000
            let preprocessMs = madeMs + run.bufferMs
            latency.decodeMs.append(decodeMs)
            latency.preprocessMs.append(preprocessMs)
            latency.inferenceMs.append(run.inferenceMs)
            latency.postMs.append(max(0, total - decodeMs - preprocessMs - run.inferenceMs))
            latency.startedS.append(start - began)
            if let cpu, let after = probe.cpuMs() { latency.cpuMs.append(after - cpu) }
            row.latency = latency
            if count < photos.count {
                row.scores.append(.init(photo: photo.name, score: run.score, reference: photo.golden?.score))
                sizes.insert(inputs.size)
            }
            curve.sample()
            count += 1
            let byTime = plan.sustainedSeconds > 0 ? (probe.seconds() - began) / plan.sustainedSeconds : 1
            let fraction = min(byTime, Double(count) / Double(max(plan.runs, 1)))
            progress(Progress(step: "Counted runs", done: count, fraction: min(fraction, 1)))
        }
    }

    /// A photo file -> the model's inputs, and what each step took. The decoded photo is gone while the model runs, as it is
    /// where the app scores.
    private func prepared(
        _ photo: BenchmarkPhoto, _ artifact: Artifact, _ spec: PreprocessSpec
    ) throws -> (inputs: ModelInputs, decodeMs: Double, madeMs: Double) {
        let start = probe.seconds()
        let pixels = try photo.decoded(by: decoder)
        let decoded = probe.seconds()
        let inputs = try ModelInputs(of: pixels, for: artifact, spec, fit: true)
        return (inputs, (decoded - start) * 1000, (probe.seconds() - decoded) * 1000)
    }

    private static func ofManySizes(_ sizes: Set<PhotoSize>) -> String {
        let sorted = sizes.sorted { ($0.pixels, $0.width) < ($1.pixels, $1.width) }
        let listed = sorted.map(\.description).joined(separator: ", ")
        return "photos of \(sizes.count) sizes (\(listed)): decode_ms and preprocess_ms go by the size"
    }

    /// What a reader must know before believing the row.
    private func validity(
        _ row: MeasurementRow, _ curve: MemoryCurve, _ firstInProcess: Bool
    ) -> [String] {
        let counted = row.latency?.inferenceMs.count ?? 0
        var flags: [String] = []
        if row.error == nil, counted < Self.fewRuns { flags.append("only \(counted) counted runs: p95 says little") }
        if curve.worstThermalStatus >= .serious {
            flags.append("the device was hot (\(curve.worstThermalStatus.rawValue)): iOS slows it down")
        }
        if probe.lowPowerMode() { flags.append("Low Power Mode was on: iOS slows the processors down") }
        if row.conditions.onCharger == true { flags.append("on the charger: warmer, and not how phones are used") }
        if !firstInProcess {
            flags.append(
                "another model ran in this process before: start the app anew for memory and cold-load figures")
        }
        #if DEBUG
            flags.append("a debug build: decode_ms and preprocess_ms are many times too high")
        #endif
        if !row.setting.fallback.isEmpty { flags.append(row.setting.fallback) }
        return flags
    }
}

extension ComputeUnits {
    /// What did not run where it was asked for, in words; empty where everything did, or where that is unknown.
    func fallback(_ placement: [String: Int]?) -> String {
        guard let placement, self == .gpu || self == .npu else { return "" }
        let total = placement.values.reduce(0, +)
        let there = placement[rawValue] ?? 0
        guard there < total else { return "" }
        return "\(total - there) of \(total) operators did not run on the \(self == .gpu ? "GPU" : "Neural Engine")"
    }
}
