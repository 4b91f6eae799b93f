// Stand-in for the part of Uniform Type Identifiers that the app uses. See Package.swift.
public struct UTType: Sendable {
    public static let image = UTType()
}
