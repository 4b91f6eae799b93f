// Stand-in for the part of Core Transferable that the app uses. See Package.swift.
import Foundation
import UniformTypeIdentifiers

public protocol TransferRepresentation: Sendable {}
public protocol Transferable {
    associatedtype Representation: TransferRepresentation
    static var transferRepresentation: Representation { get }
}
public struct DataRepresentation<Item>: TransferRepresentation {
    public init(importedContentType: UTType, importing: @escaping @Sendable (Data) async throws -> Item) {}
}
extension URL: Transferable {
    public static var transferRepresentation: DataRepresentation<URL> {
        DataRepresentation(importedContentType: .image) { _ in URL(fileURLWithPath: "/") }
    }
}
extension URL {  // these are of Foundation there, and missing in Linux's
    public static var cachesDirectory: URL { URL(fileURLWithPath: "/") }
    public static var applicationSupportDirectory: URL { URL(fileURLWithPath: "/") }
    public static var documentsDirectory: URL { URL(fileURLWithPath: "/") }
    public func startAccessingSecurityScopedResource() -> Bool { false }
    public func stopAccessingSecurityScopedResource() {}
}
