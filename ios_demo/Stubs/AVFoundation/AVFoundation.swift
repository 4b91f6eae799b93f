// Stand-in for the part of AVFoundation that the app uses: no camera may be used. See Package.swift.
public struct AVMediaType: Sendable {
    public static let video = AVMediaType()
}
public final class AVCaptureDevice {
    public class func requestAccess(for mediaType: AVMediaType) async -> Bool { false }
}
