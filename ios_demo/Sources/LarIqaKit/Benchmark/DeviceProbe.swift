import Foundation

/// What a benchmark asks the device; on Apple systems LarIqaApple answers.
public protocol DeviceProbe: Sendable {
    func machine() -> MeasurementRow.Machine
    /// Physical footprint of the process in MiB, which iOS judges apps by.
    func footprintMib() -> Double?
    /// Processor time of the process so far, all threads.
    func cpuMs() -> Double?
    func thermalStatus() -> ThermalStatus
    func lowPowerMode() -> Bool
    func battery() async -> Battery?
    /// A monotonic clock, seconds.
    func seconds() -> Double
}

extension DeviceProbe {
    public func seconds() -> Double { MonotonicClock.seconds() }
}

/// Seconds of a clock that never runs backwards.
enum MonotonicClock {
    private static let began = ContinuousClock.now

    static func seconds() -> Double {
        let (seconds, attoseconds) = (ContinuousClock.now - began).components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}

/// iOS's names for how hot the device is.
public enum ThermalStatus: String, Sendable, CaseIterable, Comparable {
    case nominal, fair, serious, critical

    public static func < (left: Self, right: Self) -> Bool {
        allCases.firstIndex(of: left) ?? 0 < allCases.firstIndex(of: right) ?? 0
    }
}

public struct Battery: Sendable, Equatable {
    public let percent: Double
    public let onCharger: Bool

    public init(percent: Double, onCharger: Bool) {
        self.percent = percent
        self.onCharger = onCharger
    }
}
