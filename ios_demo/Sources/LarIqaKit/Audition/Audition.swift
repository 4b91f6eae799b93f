import Foundation

/// Tries every unit that the phone offers with one file, and admits those whose scores are PyTorch's.
///
/// Each unit opens the model, scores the golden photo (its first run, timed apart) and the audition's pictures, and is
/// timed over a few more runs. One unit's model is released before the next one's is opened.
public struct Audition: Sendable {
    /// Stands in every row.
    public static let flag = "an audition: a few runs, on generated pictures"
    /// At least so many runs are timed after the first.
    static let timedRuns = 3
    /// A unit during whose trial the app was ended so often is refused. The CPU is always tried.
    static let mostEnds = 2

    private let folder: ExportFolder
    private let artifact: Artifact
    private let set: AuditionSet
    private let platform: Platform
    let key: AuditionKey

    init(of artifact: Artifact, in folder: ExportFolder, with set: AuditionSet, on platform: Platform) {
        self.folder = folder
        self.artifact = artifact
        self.set = set
        self.platform = platform
        let machine = platform.probe.machine()
        let references = set.pictures.map { "\($0.name) \($0.inputs.scoredAt) \($0.reference)" }
        let tolerances = Arithmetic.allCases.map { "\(folder.manifest.tolerances.of(artifact, on: $0))" }
        key = AuditionKey(
            app: platform.app, system: machine.system, model: machine.model, sha256: artifact.sha256,
            references: Sha256.of(Data((references + tolerances).joined(separator: "\n").utf8)))
    }

    /// What was found before in this app, on this system, with this export; nil: nothing.
    var kept: AuditionTable? { platform.auditions.table(key) }

    func forget() { platform.auditions.forget(key) }

    /// Tries the units that no kept result tells of, and keeps the table.
    ///
    /// - Returns: the table, and the rows of the units that were tried now.
    func hold(
        _ units: [any AuditionUnit], progress: @Sendable (ComputeUnits) -> Void
    ) async throws -> (table: AuditionTable, fresh: [MeasurementRow]) {
        var results = kept?.results ?? []
        var fresh: [MeasurementRow] = []
        let report = UUID().uuidString.lowercased()
        for unit in units where !results.contains(where: { $0.units == unit.units }) {
            progress(unit.units)
            let ends = platform.auditions.begin(unit.units, key)
            let result: AuditionResult
            do {
                result =
                    ends >= Self.mostEnds && unit.units != .cpu
                    ? refused(unit, after: ends, report) : try await self.tried(unit, report)
            } catch {
                platform.auditions.end(unit.units, key)
                throw error
            }
            platform.auditions.end(unit.units, key)
            results.append(result)
            fresh.append(result.row)
        }
        let table = AuditionTable(
            key: key, results: results, notes: set.notes, decoder: kept?.decoder, heicDecoder: kept?.heicDecoder)
        if !fresh.isEmpty { try? platform.auditions.save(table) }
        return (table, fresh)
    }

    private func refused(_ unit: any AuditionUnit, after ends: Int, _ report: String) -> AuditionResult {
        var row = row(of: unit, report)
        row.error = "the app was ended \(ends) times while this unit was tried"
        return result(unit, row, worst: nil)
    }

    /// - Throws: `CancellationError` alone; anything else that goes wrong is the unit's result.
    private func tried(_ unit: any AuditionUnit, _ report: String) async throws -> AuditionResult {
        var row = row(of: unit, report)
        let curve = MemoryCurve(platform.probe)
        var scores: [AuditionJudge.Scored] = []
        do {
            try await run(unit, curve, &row, &scores)
            row.error = AuditionJudge.refusal(of: scores, tolerance: tolerance(unit))
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            row.error = "it does not run this file: \(Refusal.sentence(for: error))"
        }
        curve.sample()
        row.memory = curve.memory(weights: artifact.bytes, input: artifact.bufferBytes)
        row.conditions.thermalStatus = curve.worstThermalStatus.rawValue
        if curve.worstThermalStatus >= .serious {
            row.flags.append("the device was hot (\(curve.worstThermalStatus.rawValue)): iOS slows it down")
        }
        row.scores = scores.filter(\.score.isFinite).map {
            .init(photo: $0.picture, score: $0.score, reference: $0.reference)
        }
        let isWhole = scores.count == set.pictures.count && scores.allSatisfy(\.score.isFinite)
        return result(unit, row, worst: isWhole ? scores.map { abs($0.score - $0.reference) }.max() : nil)
    }

    private func run(
        _ unit: any AuditionUnit, _ curve: MemoryCurve, _ row: inout MeasurementRow,
        _ scores: inout [AuditionJudge.Scored]
    ) async throws {
        let began = platform.probe.seconds()
        let runner = try await unit.open()
        var latency = MeasurementRow.Latency()
        latency.loadMs = (platform.probe.seconds() - began) * 1000
        curve.sample(loaded: true)
        row.setting.runtime = runner.runtime
        row.setting.placement = await runner.placement()
        row.setting.fallback = unit.units.fallback(row.setting.placement)
        let started = platform.probe.seconds()
        for picture in set.pictures {
            try Task.checkCancellation()
            let run = try await timed(runner, picture, started, &latency, isFirst: scores.isEmpty)
            scores.append(.init(picture: picture.name, score: run.score, reference: picture.reference))
            row.latency = latency
            curve.sample()
        }
        // A unit that is refused is not worth the time.
        guard let golden = set.pictures.first,
            AuditionJudge.refusal(of: scores, tolerance: tolerance(unit)) == nil
        else { return }
        while latency.inferenceMs.count < Self.timedRuns {
            try Task.checkCancellation()
            _ = try await timed(runner, golden, started, &latency, isFirst: false)
            row.latency = latency
        }
        curve.sample()
    }

    private func timed(
        _ runner: any Runner, _ picture: AuditionSet.Picture, _ started: Double,
        _ latency: inout MeasurementRow.Latency,
        isFirst: Bool
    ) async throws -> Run {
        let start = platform.probe.seconds() - started
        let run = try await runner.run(picture.inputs)
        if isFirst {
            latency.firstMs = run.inferenceMs
        } else {
            latency.inferenceMs.append(run.inferenceMs)  // the views are made once, for all units
            latency.startedS.append(start)
        }
        return run
    }

    private func tolerance(_ unit: any AuditionUnit) -> Double {
        folder.manifest.tolerances.of(artifact, on: unit.units.arithmetic)
    }

    private func result(_ unit: any AuditionUnit, _ row: MeasurementRow, worst: Double?) -> AuditionResult {
        AuditionResult(
            units: unit.units, arithmetic: artifact.arithmetic(on: unit.units.arithmetic), tolerance: tolerance(unit),
            worst: worst, row: row)
    }

    private func row(of unit: any AuditionUnit, _ report: String) -> MeasurementRow {
        let machine = platform.probe.machine()
        var row = MeasurementRow(
            report: report, measuredAt: Date.now.formatted(.iso8601), measuredBy: platform.app, mode: .burst,
            subject: .init(
                artifact, of: folder.manifest, name: "\(artifact.file), \(machine.model), \(unit.units.title)"),
            machine: machine,
            setting: .init(runtime: "", accelerator: unit.units.rawValue, placement: nil, fallback: ""),
            work: .init(macs: artifact.macs))
        row.flags = [Self.flag] + set.notes
        if platform.probe.lowPowerMode() {
            row.flags.append("Low Power Mode was on: iOS slows the processors down")
        }
        return row
    }
}
