import Foundation
import LarIqaKit

#if os(iOS) || os(Linux)
    import UIKit
#endif

/// This device, for the benchmark.
public struct LiveDevice: DeviceProbe {
    public init() {}

    public func machine() -> MeasurementRow.Machine {
        let process = ProcessInfo.processInfo
        return MeasurementRow.Machine(
            model: Self.model(), system: "\(Self.systemName) \(process.operatingSystemVersionString)",
            cores: process.activeProcessorCount, memoryMib: Double(process.physicalMemory) / Double(1 << 20))
    }

    public func footprintMib() -> Double? { DeviceMemory.footprintMib() }

    public func cpuMs() -> Double? {
        var time = timespec()
        guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return nil }
        return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1e6
    }

    public func thermalStatus() -> ThermalStatus {
        switch ProcessInfo.processInfo.thermalState {
        case .nominal: .nominal
        case .fair: .fair
        case .serious: .serious
        case .critical: .critical
        @unknown default: .critical
        }
    }

    public func lowPowerMode() -> Bool { ProcessInfo.processInfo.isLowPowerModeEnabled }

    public func battery() async -> Battery? {
        #if os(iOS) || os(Linux)
            return await MainActor.run {
                let device = UIDevice.current
                device.isBatteryMonitoringEnabled = true
                guard device.batteryLevel >= 0 else { return nil }  // -1: the simulator
                return Battery(
                    percent: Double(device.batteryLevel) * 100,
                    onCharger: device.batteryState == .charging || device.batteryState == .full)
            }
        #else
            return nil
        #endif
    }

    /// The maker's identifier, `iPhone16,1`; in the simulator the Mac's processor.
    private static func model() -> String {
        var info = utsname()
        guard uname(&info) == 0 else { return "" }
        return withUnsafeBytes(of: info.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    #if os(macOS)
        private static let systemName = "macOS"
    #else
        private static let systemName = "iOS"
    #endif
}
