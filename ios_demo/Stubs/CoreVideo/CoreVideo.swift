// Stand-in for the part of Core Video that the app uses: four bytes a pixel, rows padded. See Package.swift.
@_exported import CoreGraphics

public final class CVPixelBuffer {
    fileprivate let width: Int
    fileprivate let bytesPerRow: Int
    fileprivate let bytes: UnsafeMutableRawBufferPointer

    fileprivate init(_ width: Int, _ height: Int) {
        self.width = width
        bytesPerRow = (width * 4 / 64 + 1) * 64
        bytes = .allocate(byteCount: bytesPerRow * height, alignment: 64)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit { bytes.deallocate() }
}
public typealias CVReturn = Int32
public struct CVPixelBufferLockFlags: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

public let kCVReturnSuccess: CVReturn = 0
public let kCVPixelFormatType_32BGRA: UInt32 = 0x4247_5241
public let kCVPixelBufferIOSurfacePropertiesKey: CFString = "IOSurfaceProperties"

public final class CFAllocator: Sendable {}

public func CVPixelBufferCreate(
    _ allocator: CFAllocator?, _ width: Int, _ height: Int, _ format: UInt32, _ attributes: CFDictionary?,
    _ made: UnsafeMutablePointer<CVPixelBuffer?>
) -> CVReturn {
    guard width > 0, height > 0, format == kCVPixelFormatType_32BGRA else { return -6662 }
    made.pointee = CVPixelBuffer(width, height)
    return kCVReturnSuccess
}
@discardableResult
public func CVPixelBufferLockBaseAddress(_ buffer: CVPixelBuffer, _ flags: CVPixelBufferLockFlags) -> CVReturn { 0 }
@discardableResult
public func CVPixelBufferUnlockBaseAddress(_ buffer: CVPixelBuffer, _ flags: CVPixelBufferLockFlags) -> CVReturn { 0 }
public func CVPixelBufferGetBaseAddress(_ buffer: CVPixelBuffer) -> UnsafeMutableRawPointer? {
    buffer.bytes.baseAddress
}
public func CVPixelBufferGetDataSize(_ buffer: CVPixelBuffer) -> Int { buffer.bytes.count }
public func CVPixelBufferGetBytesPerRow(_ buffer: CVPixelBuffer) -> Int { buffer.bytesPerRow }
public func CVPixelBufferGetWidth(_ buffer: CVPixelBuffer) -> Int { buffer.width }
public func CVPixelBufferGetHeight(_ buffer: CVPixelBuffer) -> Int { buffer.bytes.count / buffer.bytesPerRow }
