import Foundation

/// The process's memory over one measurement, and how hot the device got.
///
/// Read after every run and, by a task of its own, every few milliseconds in between, so that a peak within a run shows.
final class MemoryCurve: @unchecked Sendable {  // every property is touched under the lock
    private static let everyMs: UInt64 = 10
    private static let points = 400

    private let lock = NSLock()
    private let probe: any DeviceProbe
    private let began: Double
    private var baseline: Double?
    private var loaded: Double?
    private var peak: Double = 0
    private var samples: [(seconds: Double, mib: Double)] = []
    private var thermal: ThermalStatus
    private var sampler: Task<Void, Never>?

    init(_ probe: any DeviceProbe) {
        self.probe = probe
        began = probe.seconds()
        thermal = probe.thermalStatus()
        sample()
        sampler = Task.detached(priority: .high) { [weak self] in
            while !Task.isCancelled {
                try? await Task.sleep(nanoseconds: Self.everyMs * 1_000_000)
                guard let self else { return }
                self.sample()
            }
        }
    }

    deinit { sampler?.cancel() }

    func sample(loaded isLoaded: Bool = false) {
        let mib = probe.footprintMib()
        let (now, thermalNow) = (probe.seconds(), probe.thermalStatus())
        lock.withLock {
            thermal = max(thermal, thermalNow)
            guard let mib else { return }
            baseline = baseline ?? mib
            if isLoaded { loaded = mib }
            peak = max(peak, mib)
            samples.append((now - began, mib))
        }
    }

    var worstThermalStatus: ThermalStatus { lock.withLock { thermal } }

    /// Nil where the system does not say.
    ///
    /// - Parameters:
    ///   - weights: bytes of the file.
    ///   - input: bytes of the runtime's buffers for one photo.
    func memory(weights: Int, input: Int) -> MeasurementRow.Memory? {
        lock.withLock {
            guard let baseline else { return nil }
            let mib = Double(1 << 20)
            return MeasurementRow.Memory(
                baselineMib: baseline, loadedMib: loaded, peakMib: peak, weightsMib: Double(weights) / mib,
                inputMib: Double(input) / mib, curveSMib: thinned().map { [$0.seconds, $0.mib] })
        }
    }

    /// The highest sample of each stretch, so that thinning hides no peak.
    private func thinned() -> [(seconds: Double, mib: Double)] {
        let step = max(1, (samples.count + Self.points - 1) / Self.points)
        return stride(from: 0, to: samples.count, by: step).compactMap { start in
            samples[start..<min(start + step, samples.count)].max { $0.mib < $1.mib }
        }
    }
}
