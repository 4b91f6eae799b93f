// Stand-in for the part of UIKit that the app uses: no device, no camera. See Package.swift.
@_exported import CoreGraphics
import Foundation

@MainActor public final class UIDevice {
    public enum BatteryState: Sendable { case unknown, unplugged, charging, full }
    public static let current = UIDevice()
    public var isBatteryMonitoringEnabled = false
    public var batteryLevel: Float { -1 }
    public var batteryState: BatteryState { .unknown }
}

extension ProcessInfo {  // of Foundation there, and missing in Linux's
    public enum ThermalState: Int, Sendable { case nominal, fair, serious, critical }
    public var thermalState: ThermalState { .nominal }
    public var isLowPowerModeEnabled: Bool { false }
}
