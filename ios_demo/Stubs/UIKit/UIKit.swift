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

public final class UIImage: Sendable {
    public enum Orientation: Int, Sendable {
        case up, down, left, right, upMirrored, downMirrored, leftMirrored, rightMirrored
    }
    public var cgImage: CGImage? { nil }
    public var imageOrientation: Orientation { .up }
}

@MainActor open class UIViewController {
    public init() {}
}
@MainActor public protocol UINavigationControllerDelegate: AnyObject {}
@MainActor public protocol UIImagePickerControllerDelegate: AnyObject {
    func imagePickerController(
        _ picker: UIImagePickerController, didFinishPickingMediaWithInfo info: [UIImagePickerController.InfoKey: Any])
    func imagePickerControllerDidCancel(_ picker: UIImagePickerController)
}
open class UIImagePickerController: UIViewController {
    public enum SourceType: Sendable { case camera }
    public struct InfoKey: Hashable, Sendable {
        public static let originalImage = InfoKey()
    }
    public var sourceType = SourceType.camera
    public weak var delegate: (any UIImagePickerControllerDelegate & UINavigationControllerDelegate)?
    public override init() {}
    open class func isSourceTypeAvailable(_ type: SourceType) -> Bool { false }
}
